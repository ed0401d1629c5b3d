"""The DDL of the three dialects: committed, executable, and of the stated types."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import load_cdm
from entrepot.publish import ddl as module
from entrepot.publish.ddl import DIALECTS, Dialect, ddl, foreign_keys, indexes, primary_keys
from entrepot.resources import data_folder

pytestmark = pytest.mark.core

PERSON = (
    "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth, race_concept_id,"
    " ethnicity_concept_id) VALUES ({}, 8507, {}, 0, 0)"
)


def test_committed_files_are_what_the_model_gives() -> None:
    folder = data_folder("omop_ddl")
    committed = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.sql")
    }
    assert committed == module.files()


def test_the_command_finds_and_mends_a_file_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "omop_ddl"
    shutil.copytree(data_folder("omop_ddl"), folder)
    assert module.main([], folder) == 0
    edited = folder / "spark" / "1_tables.sql"
    edited.write_text(edited.read_text().replace("BIGINT", "INT", 1))
    (folder / "postgres" / "2_primary_keys.sql").unlink()
    assert module.main([], folder) == 1
    told = capsys.readouterr().out
    assert "spark/1_tables.sql" in told
    assert "2_primary_keys.sql" in told
    assert module.main(["--write"], folder) == 0
    assert module.main([], folder) == 0


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    created = duckdb.connect()
    created.execute(ddl("duckdb", "cdm"))
    return created


def test_duckdb_makes_every_table_with_its_columns_in_order(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = connection.execute(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'cdm' ORDER BY table_name, ordinal_position"
    ).fetchall()
    made: dict[str, list[tuple[str, str, str]]] = {}
    for table, column, kind, nullable in rows:
        made.setdefault(table, []).append((column, kind, nullable))
    cdm = load_cdm()
    assert set(made) == {table.name for table in cdm}
    for table in cdm:
        assert [column for column, _, _ in made[table.name]] == list(table.columns)
        for (_, kind, nullable), field in zip(made[table.name], table.fields, strict=True):
            assert nullable == ("NO" if field.required else "YES"), (table.name, field.name)
            if re.search(r"_id(_\d)?$", field.name) and field.type == "integer":
                assert kind == "BIGINT", (table.name, field.name)


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("person", "year_of_birth", "INTEGER"),
        ("measurement", "value_as_number", "DECIMAL(38,10)"),
        ("location", "latitude", "DECIMAL(38,10)"),
        ("visit_occurrence", "visit_start_datetime", "TIMESTAMP"),
        ("death", "death_date", "DATE"),
        ("note", "note_text", "VARCHAR"),
        ("note_nlp", "offset", "VARCHAR"),
        ("drug_era", "gap_days", "INTEGER"),
    ],
)
def test_duckdb_types(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, kind: str
) -> None:
    found = connection.execute(
        "SELECT data_type FROM information_schema.columns WHERE table_name = ? AND column_name = ?",
        [table, column],
    ).fetchall()
    assert found == [(kind,)]


def test_keys_of_63_bits_and_decimals_stay_exact(connection: duckdb.DuckDBPyConnection) -> None:
    key = 2**63 - 1
    connection.execute(
        "INSERT INTO cdm.measurement (measurement_id, person_id, measurement_concept_id,"
        " measurement_date, measurement_type_concept_id, value_as_number)"
        f" VALUES ({key}, {2**53 - 1}, 3000963, DATE '2024-01-02', 32817, 0.1)"
    )
    found = connection.execute(
        "SELECT measurement_id, person_id, value_as_number FROM cdm.measurement"
    ).fetchall()
    assert found == [(key, 2**53 - 1, Decimal("0.1"))]


def test_a_required_field_is_enforced_in_a_release_and_counted_in_a_candidate(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(duckdb.ConstraintException):
        connection.execute(PERSON.format(1, "NULL"))
    candidate = duckdb.connect()
    candidate.execute(ddl("duckdb", "cdm", enforce_required=False))
    candidate.execute(PERSON.format(1, "NULL"))
    assert candidate.execute(
        "SELECT count(*) FROM cdm.person WHERE year_of_birth IS NULL"
    ).fetchall() == [(1,)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_parses_into_39_tables(dialect: Dialect) -> None:
    statements = sqlglot.parse(ddl(dialect, "eds"), dialect=dialect)
    created = [statement for statement in statements if isinstance(statement, exp.Create)]
    assert len(created) == len(statements) == 40
    assert [statement.kind for statement in created] == ["SCHEMA", *["TABLE"] * 39]
    columns = {
        statement.find(exp.Table).name: [
            column.name for column in statement.this.find_all(exp.ColumnDef)
        ]
        for statement in created[1:]
    }
    assert columns == {table.name: list(table.columns) for table in load_cdm()}
    assert all(statement.find(exp.Table).db == "eds" for statement in created[1:])


def test_keys_parse_and_their_names_fit_postgres() -> None:
    cdm = load_cdm()
    keys = sqlglot.parse(primary_keys("cdm"), dialect="postgres")
    references = sqlglot.parse(foreign_keys("cdm"), dialect="postgres")
    assert all(isinstance(statement, exp.Alter) for statement in [*keys, *references])
    assert len(keys) == sum(bool(table.primary_key) for table in cdm)
    assert len(references) == len(cdm.foreign_keys)
    names = re.findall(r"CONSTRAINT (\w+)", primary_keys("cdm") + foreign_keys("cdm"))
    # PostgreSQL cuts a longer name at 63 bytes without a word, and two may then be the same.
    assert len(set(names)) == len(names) == len(keys) + len(references)
    assert max(map(len, names)) <= 63


def test_a_person_s_rows_are_found_by_an_index_that_no_key_gives() -> None:
    cdm = load_cdm()
    found = re.findall(r"CREATE INDEX (\w+) ON cdm\.(\w+) \((\w+)\);\n", indexes("cdm"))
    assert len(found) == indexes("cdm").count("\n")
    assert len({name for name, _, _ in found}) == len(found)
    assert max(len(name) for name, _, _ in found) <= 63
    indexed = {(table, field) for _, table, field in found}
    for table in cdm.person_tables[1:]:
        assert (table.name, "person_id") in indexed, table.name
    assert not any(cdm.table(table).primary_key[:1] == (field,) for table, field in indexed)


def test_references_may_be_taken_as_proved() -> None:
    told, taken = foreign_keys("cdm"), foreign_keys("cdm", checked=False)
    assert taken == told.replace(" DEFERRED;", " DEFERRED NOT VALID;") != told


def test_a_real_postgres_takes_tables_and_keys_and_checks_them_at_commit(
    psql: Callable[[str], str],
) -> None:
    psql(ddl("postgres", "keyed") + primary_keys("keyed") + foreign_keys("keyed"))
    psql(indexes("keyed"))
    counts = psql(
        "SELECT contype, count(*) FROM pg_constraint"
        " WHERE connamespace = 'keyed'::regnamespace AND contype IN ('p', 'f')"
        " GROUP BY 1 ORDER BY 1;"
    )
    assert counts.split() == [f"f|{len(load_cdm().foreign_keys)}", "p|28"]
    # A domain names a concept and that concept the domain: only a check at commit takes them.
    circular = (
        "BEGIN; INSERT INTO keyed.domain VALUES ('Gender', 'Gender', 2);"
        " INSERT INTO keyed.vocabulary VALUES ('V', 'V', NULL, NULL, 2);"
        " INSERT INTO keyed.concept_class VALUES ('C', 'C', 2);"
        " INSERT INTO keyed.concept VALUES (2, 'Gender', 'Gender', 'V', 'C', NULL, 'x',"
        " '1970-01-01', '2099-12-31', NULL);"
    )
    psql(circular + "COMMIT;")
    assert psql("SELECT count(*) FROM keyed.concept;").split()[-1] == "1"


@pytest.mark.parametrize("schema", ["", "CDM", "cdm; DROP SCHEMA x", 'c"', "1cdm", "c" * 64])
def test_a_schema_name_that_is_no_word_is_refused(schema: str) -> None:
    with pytest.raises(ConfigurationError):
        ddl("duckdb", schema)
    with pytest.raises(ConfigurationError):
        foreign_keys(schema)
