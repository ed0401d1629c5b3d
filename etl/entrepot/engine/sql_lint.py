"""Keeps the mappings' SQL to what both engines mean alike (DESIGN 5).

A closed list of constructs, the functions of `mappings/omop/functions.csv` (each with what it must
give, on both engines), and casts and dates by macros alone: sqlglot passes a function that it does
not know through as it is, and loses an ORDER BY inside an aggregate, without a word.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from entrepot.engine.sql import FOLDER, MACROS, Tree, macros, sql_file, statements
from entrepot.errors import ConfigurationError
from entrepot.resources import data_file, data_files

FUNCTIONS = f"{FOLDER}/functions.csv"
COLUMNS = ("function", "expression", "gives", "because")

_SYNTAX = frozenset({
    "Alias", "And", "Anonymous", "Between", "Boolean", "CTE", "Case", "Column", "Create", "DPipe",
    "Delete", "Distinct", "EQ", "Filter", "From", "GT", "GTE", "Group", "Having", "Identifier",
    "If", "In", "Insert", "Is", "Join", "LT", "LTE", "Literal", "NEQ", "Neg", "Not", "Null", "Or",
    "Order", "Ordered", "Paren", "Schema", "Select", "Star", "Subquery", "Table", "TableAlias",
    "Union", "Where", "Window", "WindowSpec", "With",
})  # fmt: skip
_ARITHMETIC = frozenset({"Add", "Sub", "Mul"})
# Of a macro's body besides: what the engines spell differently has its one place there.
_IN_MACROS = frozenset({"Cast", "DataType", "DataTypeParam", "Dot", "Interval", "Mod", "PropertyEQ",
                        "Struct", "UserDefinedFunction", "Var"})  # fmt: skip
# What gives a number whatever its arguments; of a column nobody knows whether it is a date.
_NUMBERS = frozenset({"count", "dense_rank", "length", "row_number", "sum"})
_NUMBER_MACROS = frozenset({"days_between", "rounded", "whole_count"})
_NOT_FUNCTIONS = frozenset({"And", "Anonymous", "Case", "Cast", "If", "Or", "Struct"})


@dataclass(frozen=True)
class Fault:
    """One place where a file leaves what both engines mean alike."""

    where: str
    what: str


@dataclass(frozen=True)
class Cell:
    """One line of functions.csv: a query of one cell, and what it gives on every engine."""

    function: str
    expression: str
    gives: str
    because: str


def cells(overlays: Iterable[Path] = ()) -> list[Cell]:
    """The lines of functions.csv.

    Raises:
        ConfigurationError: its header is another one.
    """
    path = data_file(FUNCTIONS, overlays)
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ConfigurationError(f"the columns are {', '.join(COLUMNS)}", where=f"{path}:1")
        return [Cell(**line) for line in reader]


def faults(overlays: Iterable[Path] = ()) -> list[Fault]:
    """What the lint finds in the SQL files, those of an overlay first."""
    roots = tuple(overlays)
    listed = frozenset(cell.function for cell in cells(roots))
    known = frozenset(macros(sql_file(MACROS, roots)))
    return [
        Fault(path.name, what)
        for path in data_files(FOLDER, "*.sql", roots)
        for tree in statements(path)
        for what in _faults(tree, listed, known, in_macros=path.stem == MACROS)
    ]


def require(overlays: Iterable[Path] = ()) -> None:
    """Refuses SQL that another engine may read otherwise.

    Raises:
        ConfigurationError: naming file and construct of the first fault.
    """
    for fault in faults(overlays):
        raise ConfigurationError(
            f"{fault.what} is not of the SQL that every engine reads alike", where=fault.where,
            remedy=f"use a macro or a function of {FUNCTIONS}, or run without --engine spark",
        )  # fmt: skip


def name_of(call: Tree) -> str:
    """A function as DuckDB and functions.csv call it."""
    if isinstance(call, exp.Anonymous):
        return str(call.name).lower()
    return _SPELLED.get(type(call).__name__) or str(call.sql_name()).lower()


_SPELLED = {
    "DateDiff": "date_diff", "LogicalOr": "bool_or", "Substring": "substr",
    "TimestampFromParts": "make_timestamp",
}  # fmt: skip


def _faults(
    tree: Tree, listed: frozenset[str], known: frozenset[str], *, in_macros: bool
) -> Iterator[str]:
    admitted = _SYNTAX | _ARITHMETIC | (_IN_MACROS if in_macros else frozenset())
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Func) and kind not in _NOT_FUNCTIONS:
            if name_of(node) not in listed:
                yield f"function {name_of(node)}"
            yield from _inside(node)
        elif isinstance(node, exp.Anonymous):
            if name_of(node) not in known:
                yield f"function {name_of(node)}"
        elif kind not in admitted:
            yield kind.upper()
        if variant := _variant(node):
            yield variant
        if kind in _ARITHMETIC and not in_macros and not _is_number(node):
            yield f"{kind.upper()} of what may be a date"


def _inside(call: Tree) -> Iterator[str]:
    """What an aggregate may not hold: its order would be lost."""
    held = call.args.get("this")
    if isinstance(call, exp.AggFunc) and isinstance(held, exp.Order | exp.Limit | exp.Distinct):
        yield f"{type(held).__name__.upper()} inside {name_of(call)}"


def _variant(node: Tree) -> str:
    """A spelling of a known construct that only DuckDB has."""
    if isinstance(node, exp.Join) and node.args.get("method"):
        return f"{node.args['method']} JOIN"
    if isinstance(node, exp.With) and node.args.get("recursive"):
        return "WITH RECURSIVE"
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        return "DISTINCT ON"
    return ""


def _is_number(node: Tree) -> bool:
    if isinstance(node, exp.Literal):
        return not node.is_string
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return _is_number(node.this) and _is_number(node.expression)
    if isinstance(node, exp.Paren | exp.Neg | exp.Window | exp.Filter):
        return _is_number(node.this)
    if isinstance(node, exp.Anonymous):
        return name_of(node) in _NUMBER_MACROS
    return isinstance(node, exp.Func) and name_of(node) in _NUMBERS
