"""A researcher's SQL: answers, and no way to change the release or to leave it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from entrepot.errors import EXIT_USAGE, ConfigurationError, EntrepotError
from entrepot.publish.ddl import ddl
from entrepot.publish.warehouse import open_warehouse, query

pytestmark = pytest.mark.core

SECRET = "DUPONT"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "it's a site" / "warehouse.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute(ddl("duckdb", "cdm"))
        connection.execute("CREATE SCHEMA etl; CREATE TABLE etl.run AS SELECT 'a' AS key")
        connection.execute(
            "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth,"
            " race_concept_id, ethnicity_concept_id, person_source_value)"
            f" SELECT i, 8507, 1950 + i % 50, 0, 0, '{SECRET}' FROM range(5000) AS t(i)"
        )
    return path


@pytest.mark.parametrize("table", ["person", "cdm.person", "warehouse.cdm.person"])
def test_rows_come_with_their_columns(warehouse: Path, table: str) -> None:
    columns, rows = query(
        warehouse,
        f"SELECT year_of_birth AS year, count(*) AS n FROM {table} GROUP BY 1 ORDER BY 1 LIMIT 2",
    )
    assert columns == ["year", "n"]
    assert list(rows) == [(1950, 100), (1951, 100)]


def test_more_rows_than_are_read_at_once(warehouse: Path) -> None:
    _, rows = query(warehouse, "SELECT person_id FROM person ORDER BY 1")
    assert [row[0] for row in rows] == list(range(5000))


def test_no_row_is_no_row(warehouse: Path) -> None:
    columns, rows = query(warehouse, "SELECT note_id FROM note")
    assert (columns, list(rows)) == (["note_id"], [])


def test_the_etl_schema_is_there(warehouse: Path) -> None:
    assert list(query(warehouse, "SELECT key FROM etl.run")[1]) == [("a",)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM cdm.person",
        "DROP TABLE cdm.person",
        "CREATE TABLE cdm.mine AS SELECT 1",
        "INSERT INTO etl.run VALUES ('x')",
        "WITH gone AS (DELETE FROM cdm.person RETURNING *) SELECT * FROM gone",
        "COPY person TO '{folder}/out.csv'",
        "COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)",
        "WITH x AS (COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)) SELECT * FROM x",
        "WITH x AS (COPY person TO '{folder}/out.csv') SELECT * FROM x",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)",
        "SELECT * FROM read_blob('{file}')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM '/etc/passwd'",
        "ATTACH '{folder}/other.duckdb'",
        "ATTACH '{file}' AS again",
        "EXPORT DATABASE '{folder}/all'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET disabled_filesystems = ''",
        "RESET lock_configuration",
        "SET temp_directory = '{folder}/spill'",
        "PRAGMA profiling_output = '{folder}/profile.json'",
        "CALL enable_logging(storage = 'file')",
    ],
)
def test_nothing_is_written_and_no_file_is_read(warehouse: Path, sql: str) -> None:
    before = warehouse.read_bytes()
    folder = str(warehouse.parent).replace("'", "''")
    path = str(warehouse).replace("'", "''")
    with pytest.raises(EntrepotError) as fault:
        list(query(warehouse, sql.format(folder=folder, file=path))[1])
    assert fault.value.exit_code == EXIT_USAGE
    assert warehouse.read_bytes() == before
    assert [found.name for found in warehouse.parent.iterdir()] == ["warehouse.duckdb"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("enable_external_access", False),
        ("lock_configuration", True),
        ("temp_directory", ""),
    ],
)
def test_every_lock_is_set(warehouse: Path, setting: str, value: object) -> None:
    assert list(query(warehouse, f"SELECT current_setting('{setting}')")[1]) == [(value,)]


@pytest.mark.parametrize(
    "sql", ["SELECT no_such_column FROM person", "SELEC 1", "SELECT * FROM no_such_table"]
)
def test_wrong_sql_is_explained(warehouse: Path, sql: str) -> None:
    with pytest.raises(EntrepotError, match=r"(?i)no_such|syntax"):
        query(warehouse, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(person_source_value AS INTEGER) FROM person",
        "SELECT person_source_value::DATE FROM person ORDER BY person_id",
        "SELECT error(person_source_value) FROM person",
        "SELECT strptime(person_source_value, '%Y') FROM person WHERE person_id > 4000",
    ],
)
def test_a_fault_never_quotes_a_value(warehouse: Path, sql: str) -> None:
    with pytest.raises(EntrepotError) as fault:
        list(query(warehouse, sql)[1])
    assert SECRET not in str(fault.value)
    assert fault.value.__cause__ is None


@pytest.mark.parametrize("sql", ["", " ", "-- nothing"])
def test_no_statement_is_told(warehouse: Path, sql: str) -> None:
    with pytest.raises(EntrepotError, match="no SQL statement"):
        query(warehouse, sql)


def test_several_statements_answer_with_the_last(warehouse: Path) -> None:
    sql = "CREATE TEMP TABLE b AS FROM person WHERE year_of_birth > 1998; SELECT count(*) FROM b"
    assert list(query(warehouse, sql)[1]) == [(100,)]


def test_no_warehouse_or_another_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="entrepot run"):
        query(tmp_path / "warehouse.duckdb", "SELECT 1")
    (tmp_path / "warehouse.duckdb").write_text("name\n" * 5000)
    with pytest.raises(EntrepotError, match="cannot be opened"):
        query(tmp_path / "warehouse.duckdb", "SELECT 1")


def test_two_readers_at_once(warehouse: Path) -> None:
    first, second = open_warehouse(warehouse), open_warehouse(warehouse)
    for connection in (first, second):
        assert connection.execute("SELECT count(*) FROM person").fetchall() == [(5000,)]
    first.close()
    assert second.execute("SELECT count(*) FROM cdm.note").fetchall() == [(0,)]
    second.close()


def test_a_warehouse_opens_for_writing_only_when_asked(warehouse: Path) -> None:
    with open_warehouse(warehouse) as connection, pytest.raises(duckdb.Error):
        connection.execute("DELETE FROM cdm.person")
    with open_warehouse(warehouse, read_only=False) as connection:
        connection.execute("DELETE FROM cdm.person")
    assert list(query(warehouse, "SELECT count(*) FROM person")[1]) == [(0,)]
