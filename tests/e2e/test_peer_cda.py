"""C-CDA documents as Microsoft's FHIR converter reads them, against our staging rows.

Differences are listed in `peers/cda_microsoft.csv`, each with a reason of `peers/reasons.csv`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from e2e.peers.facts import Difference, Fact, differences, read_table, unexplained, unlisted
from e2e.peers.fhir_facts import PeerBundle
from e2e.peers.sites import Held, held_in, peer_site, source_of
from e2e.peers.staged_facts import staged_facts
from e2e.truth_road import pseudonymise
from entrepot.config import Site

pytestmark = pytest.mark.integration

TABLE = "cda_microsoft.csv"
DATA = Path("data") / "cda"
Peers = dict[str, list[Fact]]


@pytest.fixture(scope="module")
def theirs(shared: Path) -> Peers:
    """Document -> facts of the converter's Bundle."""
    present = {path.stem for path in (shared / DATA / "ms_fhirconverter").glob("*.ccda")}
    folder = shared / DATA / "ms_fhirconverter_expected_fhir"
    found = {p.name.removesuffix("-expected.json"): p for p in sorted(folder.rglob("*.json"))}
    assert set(found) == present
    return {name: PeerBundle(json.loads(path.read_text())).facts() for name, path in found.items()}


@pytest.fixture(scope="module")
def site(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One site, one source for each document: several have one patient and one document id."""
    files = sorted((shared / DATA / "ms_fhirconverter").glob("*.ccda"))
    return peer_site(files, "cda", tmp_path_factory.mktemp("peer") / "site")


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
    """Source -> disposition and reason of its document."""
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


def test_every_difference_has_a_reason() -> None:
    assert unexplained(TABLE, {line["code"]: line for line in read_table("reasons.csv")}) == set()


def test_a_document_that_is_not_staged_has_the_listed_reason(theirs: Peers, held: Held) -> None:
    listed = {ln["file"]: ln["reason"] for ln in read_table(TABLE) if ln["kind"] == "record"}
    found = {name: held[source_of(name)][1] for name in theirs}
    assert {name: reason for name, reason in found.items() if reason} == listed


def test_no_number_unit_or_code_of_a_result_differs() -> None:
    """What the two readings both state of a result, they state alike."""
    found = [line for line in read_table(TABLE) if line["kind"] == "result"]
    assert not {line["difference"] for line in found} & {"value", "unit", "system", "start"}
