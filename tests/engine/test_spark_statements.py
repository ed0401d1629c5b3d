"""Statements of every kind leave the same tables on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from entrepot.engine.spark.relational import Relational
from entrepot.engine.spark.tables import Tables
from entrepot.engine.sql import FOLDER
from entrepot.errors import ConfigurationError

if TYPE_CHECKING:
    from sparks import Running

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("spark")]

BEFORE = """
CREATE SCHEMA work; CREATE SCHEMA etl; CREATE SCHEMA cdm; SET search_path = 'work,cdm';
CREATE TABLE told (n BIGINT, s VARCHAR, c VARCHAR, told_at TIMESTAMP, d DECIMAL(38, 10));
INSERT INTO told VALUES (1, 'x', NULL, '2025-03-30 02:30:00', 1.5), (2, NULL, 'y', NULL, NULL),
  (NULL, 'z', 'w', '1899-12-31 00:00:00', -0.0000000001), (4, '', 'é', NULL, 99999999999.5);
CREATE TABLE etl.lineage (cdm_table VARCHAR, cdm_id BIGINT, record_key VARCHAR, row_key VARCHAR,
  role VARCHAR DEFAULT 'source');
CREATE TABLE cdm.kept (kept_id BIGINT, day DATE, number DECIMAL(38, 10), count INTEGER);
"""
STATEMENTS = """
CREATE VIEW other AS SELECT t.* REPLACE (coalesce(t.s, '?') AS s) FROM told t;
CREATE TABLE ranked AS SELECT *, row_number() OVER (ORDER BY n DESC, s) AS place FROM other;
INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key) SELECT 'a', n, s, c FROM told;
INSERT INTO etl.lineage SELECT 'b', n, s, c, 'other' FROM other WHERE n IN (SELECT n FROM told);
INSERT INTO etl.lineage SELECT 'c', cdm_id, record_key, row_key, role FROM etl.lineage
  WHERE cdm_table = 'a';
-- A row whose condition is unknown stays: n is unknown in it.
DELETE FROM etl.lineage WHERE cdm_table = 'c' AND cdm_id IN (SELECT n FROM told WHERE s = 'x');
-- The list holds an unknown: no row is known to be outside it.
DELETE FROM etl.lineage
WHERE cdm_table = 'b' AND cdm_id NOT IN (SELECT n FROM told WHERE n IS NULL);
INSERT INTO cdm.kept BY NAME
WITH twice AS (SELECT n, told_at, d FROM told WHERE n IS NOT NULL),
more AS (SELECT l.n, l.told_at, r.d FROM twice l JOIN twice r ON r.n = l.n)
SELECT count(*) AS count, n AS kept_id, max(d) AS number, day_of(max(told_at)) AS day
FROM more GROUP BY n;
CREATE OR REPLACE TABLE ranked AS SELECT place, n FROM ranked WHERE place < 3;
CREATE TABLE nothing AS SELECT kept_id, day FROM cdm.kept WHERE kept_id = 0;
"""
TABLES = {
    ("work", "ranked"): "place, n", ("etl", "lineage"): "*", ("cdm", "kept"): "*",
    ("work", "other"): "n, s, c, told_at, d", ("work", "nothing"): "kept_id, day",
}  # fmt: skip


def test_the_same_tables(sparks: Running, tmp_path: Path) -> None:
    expected, connection = _prepared(), _prepared()
    expected.execute(STATEMENTS)
    known = Tables(sparks.session, connection, tmp_path / "tables", tmp_path / "staging")
    with Relational(sparks.session, known, [_overlay(tmp_path, STATEMENTS)]) as steps:
        steps.run("person")
    for name, columns in TABLES.items():
        told = sparks.session.sql(f"SELECT {columns} FROM {known.view(name)}").collect()
        rows = expected.execute(f"SELECT {columns} FROM {'.'.join(name)}").fetchall()
        assert _sorted(tuple(row) for row in told) == _sorted(rows), name
    assert expected.execute("SELECT count(*) FROM etl.lineage").fetchall() == [(10,)]


def test_a_column_that_the_table_has_not_is_refused(sparks: Running, tmp_path: Path) -> None:
    sql = "INSERT INTO cdm.kept BY NAME SELECT n AS kept_id, s AS colour FROM told;"
    with pytest.raises(ConfigurationError, match="no column colour"):
        _run(sparks, tmp_path, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x AS SELECT no_such_column FROM told;",
        "CREATE TABLE x AS SELECT n FROM no_such_table;",
        "CREATE TABLE x AS SELECT told_at - n AS y FROM told;",
        "UPDATE told SET n = 1;",
    ],
)
def test_refused_sql_is_told_with_its_file(sql: str, sparks: Running, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _run(sparks, tmp_path, sql)
    assert "person.sql" in str(refused.value) or "no_such_table" in str(refused.value)


def _run(sparks: Running, folder: Path, sql: str) -> None:
    known = Tables(sparks.session, _prepared(), folder / "tables", folder / "staging")
    with Relational(sparks.session, known, [_overlay(folder, sql)]) as steps:
        steps.run("person")


def _prepared() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(BEFORE)
    connection.execute("CREATE MACRO day_of(moment) AS CAST(moment AS DATE)")
    return connection


def _overlay(folder: Path, sql: str) -> Path:
    path = folder / FOLDER / "person.sql"
    path.parent.mkdir(parents=True)
    path.write_text(sql, encoding="utf-8")
    return folder


def _sorted(rows: Any) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)
