"""Every listed function and macro gives what `functions.csv` says, on both engines."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import duckdb
import pytest
import sqlglot

from entrepot.engine.spark.dialect import spark_sql
from entrepot.engine.sql import DIALECT, MACROS, macros, sql_file
from entrepot.engine.sql_lint import Cell, cells

if TYPE_CHECKING:
    from sparks import Running

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("spark")]

CELLS = [pytest.param(cell, id=f"{n}-{cell.function}") for n, cell in enumerate(cells(), 2)]


@pytest.fixture(scope="module")
def embedded() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(sql_file(MACROS).read_text(encoding="utf-8"))
    return connection


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_is_the_same_on_both_engines(
    cell: Cell, embedded: duckdb.DuckDBPyConnection, sparks: Running
) -> None:
    [[told]] = embedded.execute(cell.expression).fetchall()
    assert _text(told) == cell.gives
    query = sqlglot.parse_one(cell.expression, read=DIALECT)
    text = spark_sql(query, macros(sql_file(MACROS)), lambda name: name[1], "functions.csv")
    [[told]] = sparks.session.sql(text).collect()
    assert _text(told) == cell.gives


def _text(value: object) -> str:
    """A value as functions.csv writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat(" ") if isinstance(value, dt.datetime) else str(value)
