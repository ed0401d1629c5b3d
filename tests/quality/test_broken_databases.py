"""Databases that lack tables, hold text for numbers or years beyond any: one fault, one finding.

What a fault touches is told; what it does not touch is asked as on a clean database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from omop_hospital import Traits, write_hospital

from entrepot.errors import EntrepotError
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.judging import Judgement, Judging, stated_as_of
from entrepot.quality.database import Row, SqlDatabase, open_database
from entrepot.quality.inputs import GateInputs
from postgres_server import Server, own_server

pytestmark = pytest.mark.integration
Broken = Callable[..., Path]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "clean.duckdb"
    write_hospital(path, Traits(persons=80))
    return path


@pytest.fixture
def broken(clean: Path, tmp_path: Path) -> Broken:
    def made(*statements: str) -> Path:
        path = tmp_path / "broken.duckdb"
        path.write_bytes(clean.read_bytes())
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return path

    return made


def judge(address: object, baseline: object = None, schema: str = "cdm") -> Judgement:
    database = open_database(str(address), schema)
    before = open_database(str(baseline), schema) if baseline else None
    try:
        day = stated_as_of(database)
        assert day is not None
        inputs = GateInputs(dt.datetime.combine(day, dt.time()))
        return Judging(database, inputs, before).judge()
    finally:
        database.close()
        if before:
            before.close()


def blocking(judged: Judgement) -> set[str]:
    return {one.check_id for one in judged.findings if one.blocks}


def errors(judged: Judgement) -> list[Finding]:
    return [one for one in judged.findings if one.error]


REFERENCED = {
    "provider": "provider_id", "care_site": "care_site_id", "location": "location_id",
    "visit_detail": "visit_detail_id",
}  # fmt: skip
OPTIONAL = [
    *REFERENCED, "device_exposure", "specimen", "note", "note_nlp", "cost", "payer_plan_period",
    "episode", "dose_era", "condition_era", "drug_era", "fact_relationship", "concept_ancestor",
    "concept_relationship", "relationship", "domain",
]  # fmt: skip


@pytest.mark.parametrize("table", OPTIONAL)
def test_a_table_that_may_be_absent_is_as_if_empty(clean: Path, broken: Broken, table: str) -> None:
    """Nobody names its rows: a warning that it is not there, and all else as before."""
    with duckdb.connect(str(clean), read_only=True) as connection:
        held = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            f" WHERE table_name <> '{table}' AND column_name LIKE '%{REFERENCED.get(table, '-')}'"
        ).fetchall()
    judged = judge(broken(
        *(f'UPDATE cdm."{name}" SET {column} = NULL' for name, column in held),
        f"DROP TABLE IF EXISTS cdm.{table}",
    ))  # fmt: skip
    assert (errors(judged), blocking(judged)) == ([], set())
    told = {one.check_id for one in judged.findings if one.failed}
    if table not in ("concept_ancestor", "concept_relationship", "relationship", "domain"):
        assert f"table_cdmtable_{table}" in told


def test_rows_that_name_an_absent_table_are_named(broken: Broken) -> None:
    judged = judge(broken(
        "UPDATE cdm.visit_occurrence SET provider_id = 7 WHERE visit_occurrence_id % 4 = 0",
        "DROP TABLE cdm.provider",
    ))  # fmt: skip
    check_id = "field_isforeignkey_visit_occurrence_provider_id"
    assert check_id in blocking(judged)
    assert "visit_occurrence" in {one.table for one in judged.quarantine}


@pytest.mark.parametrize("table", ["drug_era", "care_site", "note"])
def test_a_table_that_is_gone_since_the_release_before_blocks(
    clean: Path, broken: Broken, table: str
) -> None:
    with duckdb.connect(str(clean), read_only=True) as connection:
        assert connection.execute(f"SELECT count(*) FROM cdm.{table}").fetchall() != [(0,)]
    judged = judge(broken(f"DROP TABLE cdm.{table}"), clean)
    assert f"entrepot_drift_emptied_{table}" in blocking(judged)


def test_a_small_table_that_went_with_its_persons_is_no_fault(clean: Path, broken: Broken) -> None:
    """Three deaths among 80 persons are none among four more often than not."""
    kept = "SELECT person_id FROM cdm.death ORDER BY 1 LIMIT 3"
    base = broken(f"DELETE FROM cdm.death WHERE person_id NOT IN ({kept})")
    former = base.with_name("former.duckdb")
    base.rename(former)
    some = "SELECT person_id FROM cdm.person WHERE person_id NOT IN (SELECT person_id FROM"
    part = former.with_name("part.duckdb")
    part.write_bytes(former.read_bytes())
    with duckdb.connect(str(part)) as connection:
        connection.execute(
            f"CREATE TEMP TABLE chosen AS {some} cdm.death) ORDER BY 1 LIMIT 4;"
            "DELETE FROM cdm.death;"
            "DELETE FROM cdm.person WHERE person_id NOT IN (FROM chosen)"
        )
    assert "entrepot_drift_emptied_death" not in blocking(judge(part, former))
    whole = broken("DELETE FROM cdm.death")
    assert "entrepot_drift_emptied_death" in blocking(judge(whole, former))


@pytest.mark.parametrize(("share", "blocks"), [(5, True), (50, False)])
def test_a_fifth_of_the_texts_does_not_change_by_itself(
    clean: Path, broken: Broken, share: int, blocks: bool
) -> None:
    """Of one note in fifty a name has become known."""
    judged = judge(
        broken(f"UPDATE cdm.note SET note_text = upper(note_text) WHERE note_id % {share} = 0"),
        clean,
    )
    assert ("entrepot_drift_changed_note_note_text" in blocking(judged)) == blocks


def test_what_was_prescribed_until_when_does_not_change(clean: Path, broken: Broken) -> None:
    """Other ends may: a stay that was open ends."""
    moved = (
        "UPDATE cdm.drug_exposure SET {0} = CAST({0} AS DATE) + 9 WHERE drug_exposure_id % 5 = 0"
    )
    told = "UPDATE cdm.drug_exposure SET verbatim_end_date = drug_exposure_end_date"
    former = broken(told)
    former.rename(former.with_name("former.duckdb"))
    for field, blocks in (("verbatim_end_date", True), ("drug_exposure_end_date", False)):
        judged = judge(broken(told, moved.format(field)), former.with_name("former.duckdb"))
        check_id = f"entrepot_drift_changed_drug_exposure_{field}"
        assert (check_id in blocking(judged)) == blocks


def test_a_year_beyond_a_number_s_size_is_named_and_the_rest_asked(broken: Broken) -> None:
    """Times 100 it does not fit 32 bits, and every date is compared with a birth."""
    judged = judge(broken(
        "UPDATE cdm.person SET year_of_birth = 99999999 WHERE person_id = 5",
    ))  # fmt: skip
    assert errors(judged) == []
    assert ("person", 5) in {(one.table, one.key) for one in judged.quarantine}


@pytest.mark.parametrize("day", ["12345-01-01", "0044-03-15 (BC)"])
def test_a_day_that_no_driver_gives_back_is_named(clean: Path, broken: Broken, day: str) -> None:
    path = broken(
        f"UPDATE cdm.visit_occurrence SET visit_start_date = '{day}' WHERE visit_occurrence_id ="
        " (SELECT min(visit_occurrence_id) FROM cdm.visit_occurrence)"
    )
    judged = judge(path, clean)
    assert "visit_occurrence" in {one.table for one in judged.quarantine}


@pytest.mark.parametrize(
    ("table", "field", "value", "reason"),
    [
        ("measurement", "measurement_date", "31/12/2024", "Not of type date"),
        ("measurement", "value_as_number", "positif", "Not of type float"),
        ("person", "year_of_birth", "inconnue", "Not of type integer"),
        ("measurement", "operator_concept_id", "=", "Not of type integer"),
    ],
)
def test_text_for_a_number_or_a_day_is_named(
    broken: Broken, table: str, field: str, value: str, reason: str
) -> None:
    path = broken(
        f"CREATE OR REPLACE TABLE cdm.{table} AS SELECT * REPLACE (CASE WHEN {table}_id = (SELECT"
        f" min({table}_id) FROM cdm.{table}) THEN '{value}' ELSE CAST({field} AS VARCHAR) END"
        f" AS {field}) FROM cdm.{table}"
    )
    judged = judge(path)
    assert f"field_cdmdatatype_{table}_{field}" in blocking(judged)
    named = {(one.table, one.reason) for one in judged.quarantine}
    assert (table, reason) in named
    others = [one for one in errors(judged) if one.table != table]
    if field != "year_of_birth":  # what compares with a birth cannot be asked
        assert others == []


def test_a_view_over_what_is_gone_is_a_missing_table(broken: Broken) -> None:
    path = broken(
        "ALTER TABLE cdm.specimen RENAME TO old_specimen",
        "CREATE VIEW cdm.specimen AS FROM cdm.old_specimen",
        "DROP TABLE cdm.old_specimen",
    )
    assert "table_cdmtable_specimen" in {one.check_id for one in judge(path).findings if one.failed}


@pytest.fixture(scope="module")
def server(clean: Path) -> Iterator[Server]:
    """The clean hospital in PostgreSQL, schema `CDM_Site`."""
    with own_server() as made:
        made.psql('CREATE SCHEMA "CDM_Site"; CREATE ROLE nobody LOGIN')
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{clean}' AS clean (READ_ONLY)")
            tables = connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'clean'"
            ).fetchall()
            for (table,) in tables:
                _copied(connection, made, table)
        yield made


def _copied(connection: duckdb.DuckDBPyConnection, server: Server, table: str) -> None:
    types = {"DOUBLE": "double precision", "VARCHAR": "text"}
    columns = connection.execute(f"DESCRIBE clean.cdm.{table}").fetchall()
    fields = ", ".join(f'"{name}" {types.get(kind, kind)}' for name, kind, *_ in columns)
    lines = "\n".join(
        "\t".join("\\N" if one is None else str(one).replace("\n", " ") for one in row)
        for row in connection.execute(f"FROM clean.cdm.{table}").fetchall()
    )
    copied = f'COPY "CDM_Site".{table} FROM STDIN;\n{lines}\n\\.\n' if lines else ""
    server.psql(f'CREATE TABLE "CDM_Site".{table} ({fields});\n{copied}')


def test_a_schema_is_found_whatever_its_case(server: Server) -> None:
    judged = judge(server.url(), schema="cdm_site")
    assert (errors(judged), blocking(judged)) == ([], set())


def test_text_in_one_column_of_postgresql_is_not_asked_check_by_check(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That took a thousand queries and minutes; a clean one takes fifty."""
    asked: list[str] = []
    rows = SqlDatabase.rows

    def counting(self: SqlDatabase, sql: str) -> list[Row]:
        asked.append(sql)
        return rows(self, sql)

    monkeypatch.setattr(SqlDatabase, "rows", counting)
    judge(server.url(), schema="CDM_Site")
    usual = len(asked)
    server.psql('ALTER TABLE "CDM_Site".measurement ALTER operator_concept_id TYPE text')
    judged = judge(server.url(), schema="CDM_Site")
    server.psql(
        'ALTER TABLE "CDM_Site".measurement ALTER operator_concept_id TYPE bigint'
        " USING operator_concept_id::bigint"
    )
    assert {one.table for one in errors(judged)} <= {"measurement"}
    assert len(asked) - usual < 4 * usual


def test_a_materialized_view_is_a_table(server: Server) -> None:
    server.psql(
        'ALTER TABLE "CDM_Site".note RENAME TO notes;'
        'CREATE MATERIALIZED VIEW "CDM_Site".note AS SELECT * FROM "CDM_Site".notes'
    )
    judged = judge(server.url(), schema="CDM_Site")
    server.psql(
        'DROP MATERIALIZED VIEW "CDM_Site".note; ALTER TABLE "CDM_Site".notes RENAME TO note'
    )
    assert "table_cdmtable_note" not in {one.check_id for one in judged.findings if one.failed}
    assert blocking(judged) == set()


def test_a_role_that_may_not_read_is_told_so(server: Server) -> None:
    with pytest.raises(EntrepotError, match="no table in schema") as refused:
        judge(server.url("nobody"), schema="CDM_Site")
    assert "GRANT" in str(refused.value)
