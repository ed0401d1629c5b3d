"""C-CDA documents down our road, against the OMOP rows that a peer writes for them.

Compared: person, concept and date, and the number of a measurement. Differences are listed in
`peers/omop_ccda.csv` by document, table and kind, with a reason of `peers/reasons.csv`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml

from e2e.peers.ccda_omop import TABLES, peer_facts, vocabulary
from e2e.peers.facts import (
    Difference,
    Fact,
    differences,
    number,
    read_table,
    unexplained,
    unlisted,
)
from e2e.peers.sites import source_of
from e2e.truth_road import mapped, pseudonymise
from entrepot.config import CONFIG_NAME, Site
from entrepot.landing.ingest import ingest
from entrepot.site_files import create_site
from entrepot.vocabulary.load import load_vocabulary
from roads import ROOT_KEY, keyring

pytestmark = pytest.mark.integration

TABLE = "omop_ccda.csv"
DOCUMENTS = Path("data") / "cda" / "ccda_omop_python" / "resources"
PEER = Path("data") / "omop" / "ccda_omop_correct_output"
Facts = dict[str, list[Fact]]


@pytest.fixture(scope="module")
def theirs(shared: Path) -> Facts:
    """Document -> facts; one of theirs has no document here."""
    found = peer_facts(shared / PEER / "prototype_2" / "correct_output")
    present = {path.stem for path in (shared / DOCUMENTS).glob("*.xml")}
    return {name: facts for name, facts in found.items() if name in present}


@pytest.fixture(scope="module")
def site(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One source for each document: two of them are versions of one."""
    folder = tmp_path_factory.mktemp("ccda")
    site = create_site(folder / "site", demonstration=True)
    site.root_key.write_text(ROOT_KEY + "\n")
    files = sorted((shared / DOCUMENTS).glob("*.xml"))
    settings = {
        "sources": {
            source_of(f.stem): {"format": "cda", "domain": f.stem, "authority": f.stem}
            for f in files
        },
        "oppositions": {"required": False},
        "as_of": "2026-01-01T00:00:00",
    }
    (site.root / CONFIG_NAME).write_text(yaml.safe_dump(settings))
    site = Site.open(site.root)
    names = vocabulary(shared / PEER / "map_to_standard.csv", folder / "vocabulary")
    load_vocabulary(names, site.vocabulary)
    for file in files:
        ingest(site, keyring(site), [file], source_of(file.stem))
    return site


@pytest.fixture(scope="module")
def ours(site: Site) -> Facts:
    """Source -> facts of the candidate's rows, by the record that told them."""
    staging = pseudonymise(site)
    found: Facts = defaultdict(list)
    with mapped(site, staging, site.overlays) as connection:
        told = " UNION ALL ".join(
            f"SELECT DISTINCT row_key, source FROM read_parquet('{staging / kind}/*.parquet')"
            for kind in ("patient", "stay", "event")
        )
        connection.execute(f"CREATE TEMP TABLE told AS {told}")
        for table, (concept, date) in TABLES.items():
            value = "t.value_as_number" if table == "measurement" else "NULL"
            rows = connection.execute(
                f"SELECT s.source, t.{concept}, t.{date}, {value} FROM cdm.{table} t"
                f" JOIN etl.lineage l ON l.cdm_table = '{table}' AND l.cdm_id = t.{table}_id"
                " JOIN told s USING (row_key)"
            ).fetchall()
            for source, code, day, amount in rows:
                start = day.isoformat() if day else ""
                found[source].append(Fact(table, str(code), "", start, "", number(amount)))
        for source, gender, year, month in connection.execute(
            "SELECT s.source, gender_concept_id, year_of_birth, month_of_birth FROM cdm.person p"
            " JOIN told s ON s.row_key = p.person_source_value"
        ).fetchall():
            found[source].append(Fact("person", "gender", value=str(gender)))
            found[source].append(Fact("person", "birth", start=f"{year}-{month:02d}"))
    return found


def test_facts_agree_or_differ_as_listed(theirs: Facts, ours: Facts) -> None:
    found: Counter[Difference] = Counter()
    for name, facts in theirs.items():
        for (kind, word), count in differences(facts, ours[source_of(name)]).items():
            found[name, kind, word] = count
    assert unlisted(TABLE, found) == []


def test_every_difference_has_a_reason() -> None:
    assert unexplained(TABLE, {line["code"]: line for line in read_table("reasons.csv")}) == set()
