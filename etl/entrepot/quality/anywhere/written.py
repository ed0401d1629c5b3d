"""Columns whose type admits what their field's does not: text for numbers and days."""

from __future__ import annotations

import re

from entrepot.omop.cdm import Field
from entrepot.quality.dqd.statements import is_integer

_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_WRITTEN = {
    "integer": "-?[0-9]+([.]0*)?",
    "float": "[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?",
    "date": f"{_DAY}([ T]00:00(:00([.]0*)?)?)?",
    "datetime": f"{_DAY}([ T].*)?",
}
_TEXT = re.compile(r"(n?var)?char|character|text|string|bpchar")


def admits_other(field: Field, kind: str) -> bool:
    """Whether a column of that type may hold what is no value of the field."""
    if field.kind == "integer":
        return not is_integer(kind)
    return field.kind in _WRITTEN and _TEXT.match(kind) is not None


def is_no(field: Field) -> str:
    """Condition, in DuckDB's SQL: the row's value is none of the field's type."""
    return f"NOT regexp_matches(CAST({field.name} AS VARCHAR), '^{_WRITTEN[field.kind]}$')"
