"""HL7v2 messages as Microsoft's FHIR converter reads them, against our staging rows.

The converter's Bundles are an opinion. Dates, codes, values and units agree, or the difference is
in `peers/hl7v2_microsoft.csv` with a reason of `peers/reasons.csv`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from e2e.peers.facts import FOLDER, Difference, Fact, differences, read_table, unexplained, unlisted
from e2e.peers.fhir_facts import PeerBundle
from e2e.peers.sites import Held, held_in, peer_site, source_of
from e2e.peers.staged_facts import staged_facts
from e2e.truth_road import pseudonymise
from entrepot.config import Site

pytestmark = pytest.mark.integration

TABLE = "hl7v2_microsoft.csv"
DATA = Path("data") / "hl7v2"
Peers = dict[str, list[Fact]]


@pytest.fixture(scope="module")
def theirs(shared: Path) -> Peers:
    """File -> facts of the converter's Bundle."""
    folder = shared / DATA / "ms_fhirconverter_expected_fhir"
    return {
        path.name.removesuffix("-expected.json"): PeerBundle(json.loads(path.read_text())).facts()
        for path in sorted(folder.rglob("*-expected.json"))
    }


@pytest.fixture(scope="module")
def site(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One site, one source for each file."""
    files = sorted((shared / DATA / "ms_fhirconverter").glob("*.hl7"))
    return peer_site(files, "hl7v2", tmp_path_factory.mktemp("peer") / "site")


@pytest.fixture(scope="module")
def staging(site: Site) -> Path:
    """The generation that register and door made."""
    return pseudonymise(site)


@pytest.fixture(scope="module")
def ours(staging: Path) -> Peers:
    """Source -> facts of our staging rows."""
    return staged_facts(staging)


@pytest.fixture(scope="module")
def held(site: Site, staging: Path) -> Held:
    """Source -> disposition and reason of its record."""
    assert staging
    return held_in(site)


def test_facts_agree_or_differ_as_listed(theirs: Peers, ours: Peers, held: Held) -> None:
    found: Counter[Difference] = Counter()
    for name, facts in theirs.items():
        disposition, _ = held[source_of(name)]
        if disposition != "staged":
            found[name, "record", disposition] = len(facts)
            continue
        for (kind, word), count in differences(facts, ours[source_of(name)]).items():
            found[name, kind, word] = count
    assert unlisted(TABLE, found) == []


def test_every_difference_has_a_reason_and_no_reason_is_idle() -> None:
    reasons = {line["code"]: line for line in read_table("reasons.csv")}
    assert unexplained(TABLE, reasons) == set()
    tables = [path.name for path in FOLDER.glob("*_*.csv")]
    used = {line["reason"] for name in tables for line in read_table(name)}
    assert set(reasons) == used
    assert {line["whose"] for line in reasons.values()} == {"theirs", "ours", "choice"}
    assert all(line["reason"] for line in reasons.values())


def test_a_record_that_is_not_staged_has_the_listed_reason(
    theirs: Peers, held: dict[str, tuple[str, str]]
) -> None:
    listed = {ln["file"]: ln["reason"] for ln in read_table(TABLE) if ln["kind"] == "record"}
    found = {name: held[source_of(name)][1] for name in theirs}
    assert {name: reason for name, reason in found.items() if reason} == listed


def test_results_and_vaccinations_agree_whole(theirs: Peers, ours: Peers) -> None:
    """What a hospital sends: reports and vaccinations without a single difference."""
    for name in ("LAB-ORU-1", "LAB-ORU-2", "IZ_1_1.1_Admin_Child_Max_Message", "VXU-V04-01"):
        mine = [f for f in ours[source_of(name)] if f.kind in ("result", "vaccination")]
        kinds = {fact.kind for fact in mine}
        assert kinds
        assert differences([f for f in theirs[name] if f.kind in kinds], mine) == {}
