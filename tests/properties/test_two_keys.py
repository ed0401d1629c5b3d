"""The same hospital under two root keys: nothing in one research zone links to the other.

A value is linkable when it is not equal by chance: sixteen and more hexadecimal digits, a whole
number beyond 2³¹, or twenty-two and more characters of Base64 with both cases and figures. What is
equal and may be: vocabulary tables, codes of products, hashes of what no patient's data made.
"""

from __future__ import annotations

import re
from collections import defaultdict

import duckdb
import pytest

from entrepot.config import Site
from entrepot.synthetic import generate
from roads import feed_hospital, new_site, query, travel

pytestmark = pytest.mark.integration

PATIENTS, SEED = 8, 13
OTHER_KEY = "c3" * 32
TOKEN = re.compile(
    r"(?<![\d.a-f])[0-9a-f]{16,}\b|(?<![\d.])\d{10,19}(?![\d.])"
    r"|(?=[+/\w]*[a-z])(?=[+/\w]*[A-Z])(?=[+/\w]*\d)[A-Za-z0-9+/_-]{22,}"
)
BEYOND = 2**31
VOCABULARY = ("concept", "vocabulary", "domain", "relationship", "drug_strength")
# Hashes of the checks and of their counts, which stand in clear beside them.
RULES = re.compile(r'"rules_sha256": "\w+"|pandas_data_fingerprint(?:<.*?>|\s)+\w{32}', re.DOTALL)
CODES = {"cdm.drug_exposure.drug_source_value", "staging.event.code"}  # a CIP has 13 figures


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Site]:
    """Two sites that differ in their root key alone."""
    folder = tmp_path_factory.mktemp("keys")
    generate(PATIENTS, SEED, folder / "hospital", formats=("hl7v2",))
    one, other = new_site(folder / "one"), new_site(folder / "other")
    other.root_key.write_text(OTHER_KEY + "\n")
    for site in (one, other):
        feed_hospital(site, folder / "hospital")
        assert travel(site).published
    return one, other


def cells(site: Site) -> dict[str, set[str]]:
    """Distinct linkable values of each column of the warehouse and of staging."""
    found: dict[str, set[str]] = defaultdict(set)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{site.warehouse}' AS w (READ_ONLY)")
        sources = {
            f"{schema}.{table}": f'w.{schema}."{table}"'
            for schema, table in connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'w'"
            ).fetchall()
            if not table.startswith(VOCABULARY)
        }
        for folder in sorted(site.staging.glob("*/*")):
            sources[f"staging.{folder.name}"] = f"read_parquet('{folder}/*.parquet')"
        for name, source in sources.items():
            columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            for column, *_ in columns:
                rows = connection.execute(f'SELECT DISTINCT "{column}"::VARCHAR FROM {source}')
                values = {value for (value,) in rows.fetchall() if value is not None}
                found[f"{name}.{column}"] = set(filter(None, map(linkable, values)))
    return found


def linkable(value: str) -> str:
    """The value when it cannot be equal by chance, else an empty string."""
    if value.lstrip("-").isdigit():
        return value if abs(int(value)) > BEYOND else ""
    return value if TOKEN.fullmatch(value) else ""


def files(site: Site) -> dict[str, set[str]]:
    """Linkable tokens in the text files of the research zone."""
    suffixes = (".json", ".html", ".csv", ".log", ".txt", ".yaml")
    texts = [path for path in site.research.rglob("*") if path.suffix in suffixes]
    return {
        path.relative_to(site.research).as_posix(): set(
            TOKEN.findall(RULES.sub("", path.read_text(encoding="utf-8")))
        )
        for path in texts
    }


def test_no_cell_of_one_is_in_the_other(zones: tuple[Site, Site]) -> None:
    one, other = (cells(site) for site in zones)
    there = set().union(*other.values())
    shared = {column for column, values in one.items() if values & there}
    assert shared <= CODES | {"etl.release.sha256"}
    keyed = {column for column, values in one.items() if values} - shared
    assert len(keyed) > 80
    assert {"cdm.person.person_id", "cdm.person.person_source_value", "cdm.note.note_id",
            "cdm.visit_occurrence.visit_occurrence_id", "etl.lineage.record_key",
            "staging.event.fact_key", "staging.patient.person_key"} <= keyed  # fmt: skip


def test_equal_hashes_are_of_tables_without_patients(zones: tuple[Site, Site]) -> None:
    """A table's hash would else tell that two warehouses hold the same hospital."""
    sql = "SELECT cdm_table, row_count, sha256 FROM etl.release"
    equal = set(query(zones[0], sql)) & set(query(zones[1], sql))
    assert {table for table, rows, _ in equal if rows and not table.startswith(VOCABULARY)} == set()


def test_no_token_of_a_file_is_in_the_other(zones: tuple[Site, Site]) -> None:
    one, other = (files(site) for site in zones)
    there = set().union(*other.values())
    assert {name: tokens & there for name, tokens in one.items() if tokens & there} == {}
    assert len(one) > 8
    assert set().union(*one.values())  # what is linkable is there, and is not the same
