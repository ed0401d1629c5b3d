"""The mappings' SQL as syntax trees: statements of a file, macros and their expansion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file

FOLDER = "mappings/omop"
MACROS = "macros"
DIALECT = "duckdb"

# sqlglot comes without types that mypy can follow at this depth.
Tree = Any


@dataclass(frozen=True)
class Macro:
    """`CREATE MACRO name(parameters) AS body`."""

    name: str
    parameters: tuple[str, ...]
    body: Tree


def sql_file(step: str, overlays: Iterable[Path] = ()) -> Path:
    """The file of a step of the derivation, an overlay's first."""
    return data_file(f"{FOLDER}/{step}.sql", overlays)


def statements(path: Path) -> list[Tree]:
    """The statements of a file.

    Raises:
        ConfigurationError: it is not SQL of DuckDB's dialect; names file and line.
    """
    try:
        return [tree for tree in sqlglot.parse(path.read_text("utf-8"), read=DIALECT) if tree]
    except SqlglotError as error:
        line = next((e.get("line") for e in getattr(error, "errors", [])), None)
        raise ConfigurationError(
            "the SQL cannot be read",
            where=f"{path}:{line}" if line else str(path),
            remedy="mend the mapping's SQL",
        ) from None


@lru_cache(maxsize=8)
def macros(path: Path) -> Mapping[str, Macro]:
    """Name -> macro, of the file of macros.

    Raises:
        ConfigurationError: the file holds anything else.
    """
    found = {}
    for tree in statements(path):
        signature = tree.this
        if not isinstance(tree, exp.Create) or not isinstance(signature, exp.UserDefinedFunction):
            raise ConfigurationError(
                "only CREATE MACRO belongs here", where=str(path), remedy="move the statement"
            )
        name = signature.this.name.lower()
        parameters = tuple(parameter.name for parameter in signature.expressions)
        found[name] = Macro(name, parameters, _body(tree.expression))
    return found


def expanded(tree: Tree, known: Mapping[str, Macro]) -> Tree:
    """The tree with every call of a macro replaced by its body, in place."""
    for call in list(tree.find_all(exp.Anonymous)):
        macro = known.get(call.name.lower())
        if macro is None:
            continue
        arguments = dict(zip(macro.parameters, call.expressions, strict=True))
        body = expanded(_filled(macro.body.copy(), arguments), known)
        if call is tree:
            return body
        call.replace(body)
    return tree


def _filled(body: Tree, arguments: Mapping[str, Tree]) -> Tree:
    """The body with each parameter replaced by its argument, whole."""
    holder = exp.Paren(this=body)
    for column in list(holder.find_all(exp.Column)):
        if column.name in arguments and not column.table:
            argument = arguments[column.name].copy()
            plain = isinstance(argument, exp.Column | exp.Literal | exp.Paren | exp.Func)
            column.replace(argument if plain else exp.Paren(this=argument))
    inside = holder.this
    return inside if isinstance(inside, exp.Func | exp.Paren | exp.Column) else holder


def _body(tree: Tree) -> Tree:
    """A macro's expression, out of what the parser may wrap it in."""
    if isinstance(tree, exp.MacroOverloads):
        [tree] = tree.expressions
    return tree.this if isinstance(tree, exp.MacroOverload) else tree
