"""The mappings' SQL stays within what both engines mean alike, and what does not is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot import exp

from entrepot.engine.sql import FOLDER, MACROS, macros, sql_file, statements
from entrepot.engine.sql_lint import cells, faults, name_of, require
from entrepot.errors import ConfigurationError
from entrepot.resources import data_files

pytestmark = pytest.mark.core


def test_shipped_sql_is_clean() -> None:
    assert faults() == []


def test_every_function_and_macro_says_what_it_gives() -> None:
    """And the list holds nothing that no file uses."""
    trees = [tree for path in data_files(FOLDER, "*.sql") for tree in statements(path)]
    constructs = exp.And | exp.Or | exp.Case | exp.If | exp.Cast | exp.Struct
    used = {
        name_of(call)
        for tree in trees
        for call in tree.find_all(exp.Func)
        if not isinstance(call, constructs)
    }
    listed = {cell.function for cell in cells()}
    assert listed == used | set(macros(sql_file(MACROS)))


@pytest.mark.parametrize(
    ("select", "fault"),
    [
        ("strftime(start_at, '%Y')", "function time_to_str"),
        ("no_such_macro(start_at)", "function no_such_macro"),
        ("CAST(code AS INTEGER)", "CAST"),
        ("code::INTEGER", "CAST"),
        ("TRY_CAST(code AS DATE)", "function try_cast"),
        ("start_at + INTERVAL 1 DAY", "INTERVAL"),
        ("start_at + 30", "ADD of what may be a date"),
        ("start_at - end_at", "SUB of what may be a date"),
        ("max(start_at) - min(start_at)", "SUB of what may be a date"),
        ("max(code ORDER BY start_at)", "ORDER inside max"),
        ("count(DISTINCT code)", "DISTINCT inside count"),
        ("any_value(code)", "function any_value"),
        ("code LIKE 'A%'", "LIKE"),
        ("[code]", "function array"),
        ("code / 2", "DIV"),
    ],
)
def test_what_the_engines_may_read_otherwise_is_found(
    select: str, fault: str, tmp_path: Path
) -> None:
    overlay = _overlay(tmp_path, f"CREATE TABLE x AS SELECT {select} AS y FROM staging_event;")
    assert fault in {found.what for found in faults([overlay])}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("SELECT code FROM staging_event QUALIFY row_number() OVER (ORDER BY code) = 1", "QUALIFY"),
        ("SELECT code FROM staging_event LIMIT 1", "LIMIT"),
        ("SELECT DISTINCT ON (code) code, source FROM staging_event", "DISTINCT ON"),
        ("SELECT a.code FROM staging_event a ASOF JOIN staging_event b ON a.x >= b.x", "ASOF JOIN"),
        ("SELECT * FROM read_csv('x.csv')", "function read_csv"),
        ("SELECT unnest(code) FROM staging_event", "function explode"),
    ],
)
def test_so_are_constructs_of_one_engine(query: str, fault: str, tmp_path: Path) -> None:
    overlay = _overlay(tmp_path, f"CREATE TABLE x AS {query};")
    assert any(found.what.startswith(fault) for found in faults([overlay])), faults([overlay])


def test_arithmetic_of_numbers_is_no_fault(tmp_path: Path) -> None:
    sql = "CREATE TABLE x AS SELECT row_number() OVER (ORDER BY code) - 1 AS n, count(*) + 2 AS m"
    assert faults([_overlay(tmp_path, f"{sql} FROM staging_event;")]) == []


def test_the_fault_is_told_with_its_file(tmp_path: Path) -> None:
    overlay = _overlay(tmp_path, "CREATE TABLE x AS SELECT age(now()) AS y;")
    with pytest.raises(ConfigurationError, match=r"person\.sql"):
        require([overlay])


def test_sql_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    overlay = _overlay(tmp_path, "\n\nCREATE TABLE x AS SELECT FROM WHERE (;")
    with pytest.raises(ConfigurationError, match=r"person\.sql:3"):
        require([overlay])


def _overlay(folder: Path, sql: str) -> Path:
    path = folder / FOLDER / "person.sql"
    path.parent.mkdir(parents=True)
    path.write_text(sql, encoding="utf-8")
    return folder
