"""Tables of limits that checks join: ranges of values, sexes and units of concepts."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file

RANGES = "quality/ranges/measurements.csv"
UNITS_IN_FRANCE = "quality/ranges/units_in_france.csv"
COUNTS = "quality/ranges/counts.csv"
CONCEPTS = "quality/dqd/concepts.csv"
SEXES = {"Male": 8507, "Female": 8532}
_NO_UNIT = "-1"


@dataclass(frozen=True)
class RuleTable:
    """A small table that key sets may name.

    Args:
        columns: name → DuckDB type.
    """

    columns: Mapping[str, str]
    rows: tuple[tuple[object, ...], ...]

    def select(self) -> str:
        """The table as one SELECT, for a database that is only read."""
        casts = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in
                          self.columns.items())  # fmt: skip
        if not self.rows:
            nulls = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in
                              self.columns.items())  # fmt: skip
            return f"SELECT * FROM (SELECT {nulls}) v WHERE 1 = 0"
        lines = ", ".join(f"({', '.join(map(_literal, row))})" for row in self.rows)
        return f"SELECT {casts} FROM (VALUES {lines}) v({', '.join(self.columns)})"


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def load_rule_tables(overlays: Iterable[Path] = ()) -> dict[str, RuleTable]:
    """`gate_range`, `gate_sex`, `gate_unit` and `gate_unit_in_france`.

    Raises:
        ConfigurationError: a column is missing or a limit is no number (file and line named).
    """
    roots = tuple(overlays)
    concepts = list(_lines(CONCEPTS, roots))
    ranges = tuple(
        (row["loinc"], row["ucum"], _number(row["low"], where), _number(row["high"], where))
        for where, row in _lines(RANGES, roots)
    )
    bounds = {"low": "DOUBLE", "high": "DOUBLE"}
    return {
        "gate_range": RuleTable({"loinc": "VARCHAR", "ucum": "VARCHAR", **bounds}, ranges),
        "gate_sex": RuleTable(
            {"concept_id": "BIGINT", "gender_concept_id": "BIGINT", "descendants": "BIGINT"},
            tuple(_sexes(row for _, row in concepts)),
        ),
        "gate_unit": RuleTable(
            {"concept_id": "BIGINT", "allowed": "VARCHAR"},
            tuple(_units(row for _, row in concepts)),
        ),
        "gate_unit_in_france": RuleTable(
            {"loinc": "VARCHAR", "ucum": "VARCHAR"},
            tuple((row["loinc"], row["ucum"]) for _, row in _lines(UNITS_IN_FRANCE, roots)),
        ),
    }


def load_counts(overlays: Iterable[Path] = ()) -> dict[tuple[str, str], tuple[str, str]]:
    """Lowest and highest number by table and field."""
    return {
        (row["table"], row["field"]): (
            str(_number(row["low"], where)), str(_number(row["high"], where))
        )
        for where, row in _lines(COUNTS, tuple(overlays))
    }  # fmt: skip


def _sexes(rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        if row["check"].startswith("plausibleGender"):
            descendants = int(row["check"].endswith("UseDescendants"))
            for concept in row["concept_ids"].split():
                yield int(concept), SEXES[row["allowed"]], descendants


def _units(rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        if row["check"] == "plausibleUnitConceptIds" and row["allowed"] != _NO_UNIT:
            yield int(row["concept_ids"]), f" {row['allowed']} "


def _lines(name: str, roots: tuple[Path, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    path = data_file(name, roots)
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise ConfigurationError("a line has too many or too few cells", where=where)
            yield where, row


def _number(text: str, where: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ConfigurationError("a limit is no number", where=where) from None
