"""FHIR → OMOP cases of HealthSamurai down our road, row by row, column by column.

Their rows are an opinion. What differs is in `peers/omop_healthsamurai.csv` by branch, table and
column, each with a reason of `peers/reasons.csv` that says whose it is.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import duckdb
import pytest
import yaml

from e2e.peers.facts import Difference, read_table, unexplained, unlisted
from e2e.peers.healthsamurai import DERIVED, Variant, variants, vocabulary
from e2e.peers.omop_rows import OWN_IDS, Row, plain, row_differences
from e2e.truth_road import mapped, pseudonymise
from entrepot.config import CONFIG_NAME, Site
from entrepot.landing.ingest import ingest
from entrepot.site_files import create_site
from entrepot.vocabulary.load import load_vocabulary
from roads import ROOT_KEY, keyring

pytestmark = pytest.mark.integration

TABLE = "omop_healthsamurai.csv"
CASES = Path("data") / "omop" / "healthsamurai_cases" / "cases"
# What the added or shared resources of a case make is asserted only where it is the branch's table.
SURROUNDINGS = {
    "person", "visit_occurrence", "visit_detail", "observation_period", "condition_era",
    "drug_era",
}  # fmt: skip
Found = dict[str, dict[str, list[Row]]]


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[Variant]:
    """Every variant of every branch."""
    return list(variants(shared / CASES))


@pytest.fixture(scope="module")
def site(shared: Path, cases: list[Variant], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One site with all of them landed, and their vocabulary beside ours."""
    folder = tmp_path_factory.mktemp("healthsamurai")
    site = create_site(folder / "site", demonstration=True)
    site.root_key.write_text(ROOT_KEY + "\n")
    settings = {
        "sources": {one.source: {"format": "fhir", "domain": one.source} for one in cases},
        "oppositions": {"required": False},
        "as_of": "2026-01-01T00:00:00",
    }
    (site.root / CONFIG_NAME).write_text(yaml.safe_dump(settings))
    site = Site.open(site.root)
    load_vocabulary(vocabulary(shared / CASES, folder / "vocabulary"), site.vocabulary)
    for one in cases:
        path = folder / f"{one.source}.ndjson"
        path.write_text("".join(json.dumps(r) + "\n" for r in one.resources))
        ingest(site, keyring(site), [path], one.source)
    return site


@pytest.fixture(scope="module")
def ours(site: Site) -> Found:
    """Source -> table -> rows of the candidate, by the person whom the source alone told."""
    staging = pseudonymise(site)
    with mapped(site, staging, site.overlays) as connection:
        patients = f"read_parquet('{staging / 'patient'}/*.parquet')"
        persons = dict(
            connection.execute(f"SELECT DISTINCT person_id, source FROM {patients}").fetchall()
        )
        return _by_source(connection, persons)


def _by_source(connection: duckdb.DuckDBPyConnection, persons: dict[int, str]) -> Found:
    tables = connection.execute(
        "SELECT DISTINCT table_name FROM information_schema.columns"
        " WHERE table_schema = 'cdm' AND column_name = 'person_id'"
    ).fetchall()
    found: Found = defaultdict(lambda: defaultdict(list))
    for (table,) in tables:
        cursor = connection.execute(f"SELECT * FROM cdm.{table}")
        names = [column[0] for column in cursor.description or ()]
        for cells in cursor.fetchall():
            row = dict(zip(names, cells, strict=True))
            source = persons[row["person_id"]]
            found[source][table].append(plain({**row, f"{table}_id": None}))
    return found


def _compared(cases: list[Variant]) -> frozenset[str]:
    """Columns that they fill in any expected row."""
    return frozenset(
        f"{table}.{name}"
        for one in cases
        for table, rows in one.expected.items()
        for row in rows
        for name in row
        if name not in OWN_IDS
    )


def _target(branch: str) -> str:
    """`encounter--visit-occurrence--class` is about visit_occurrence."""
    return branch.split("--")[1].replace("-", "_")


def _between(one: Variant, ours: Found, columns: frozenset[str]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    skipped = SURROUNDINGS - set(one.expected) - {_target(one.file)}
    for table, rows in one.expected.items():
        if table in DERIVED:
            found[table, "only_theirs"] += len(rows)
    left = {table: rows for table, rows in one.expected.items() if table not in DERIVED}
    mine = ours.get(one.source, {})
    right = {table: rows for table, rows in mine.items() if rows and table not in skipped}
    return found + row_differences(left, right, columns)


def test_rows_agree_or_differ_as_listed(cases: list[Variant], ours: Found) -> None:
    columns = _compared(cases)
    found: Counter[Difference] = Counter()
    for one in cases:
        for (table, word), count in _between(one, ours, columns).items():
            found[one.file, table, word] += count
    assert unlisted(TABLE, found) == []


def test_every_difference_has_a_reason() -> None:
    assert unexplained(TABLE, {line["code"]: line for line in read_table("reasons.csv")}) == set()
