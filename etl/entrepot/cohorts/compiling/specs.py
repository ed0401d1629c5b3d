"""Where the CDM keeps what a criterion asks for, read from `mappings/cohorts/*.csv`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import load_cdm
from entrepot.resources import data_file

_FOLDER = "mappings/cohorts"


@dataclass(frozen=True)
class Attribute:
    """How an attribute of a criterion becomes a condition.

    Args:
        name: as in the JSON.
        field: of the typed model.
        kind: `date`, `age`, `length`, `whole`, `decimal`, `ratio`, `text`, `concepts`,
            `selection`, `codeset` or `abnormal`.
        relation: table of the column when it is not the criterion's own.
        column: a column; of dates and ages, the event's `start` or `end`.
        exclude: field of the flag that turns a list of concepts around, if there is one.
    """

    name: str
    field: str
    kind: str
    relation: str
    column: str
    exclude: str


@dataclass(frozen=True)
class Table:
    """The table of a criterion.

    Args:
        source_field: field of the model that names a concept set of source concepts.
        end_rule: `column`, `next_day` (after the start, when there is no end) or `supply`.
        visit: column of the visit, if any.
        adjustable: how Circe takes a DateAdjustment: `yes`, `offsets` (whatever it starts or
            ends with) or `ignored`.
        counted: column by `CountColumn`.
    """

    criterion: str
    table: str
    id: str
    concept: str
    source_field: str
    source_concept: str
    start: str
    end: str
    end_rule: str
    visit: str
    adjustable: str
    attributes: tuple[Attribute, ...]
    counted: Mapping[str, str]


@lru_cache(maxsize=1)
def tables() -> Mapping[str, Table]:
    """The sixteen criteria by name."""
    found = {}
    for row in _rows("tables"):
        name = row["criterion"]
        row["source_field"] = _field(row.pop("source_attribute"))
        counted = {
            one["count_column"]: one["column"]
            for one in _rows("count_columns")
            if one["criterion"] == name
        }
        found[name] = Table(**row, attributes=attributes(name), counted=counted)
    return found


@lru_cache(maxsize=32)
def attributes(criterion: str) -> tuple[Attribute, ...]:
    """What a criterion (or `DemographicCriteria`) can ask."""
    rows = [row for row in _rows("attributes") if row["criterion"] == criterion]
    return tuple(_attribute(row) for row in rows)


def require_column(table: str, column: str, asked: str) -> None:
    """Raises ConfigurationError naming the attribute when CDM 5.4 has no such column."""
    if column in _columns().get(table, ()):
        return
    raise ConfigurationError(
        f"CDM 5.4 has no column {table}.{column}", where=asked,
        remedy="leave this attribute out of the definition",
    )  # fmt: skip


@lru_cache(maxsize=1)
def _columns() -> Mapping[str, frozenset[str]]:
    cdm = load_cdm()
    return {table.name: frozenset(f.name for f in table.fields) for table in cdm.tables}


def _attribute(row: Mapping[str, str]) -> Attribute:
    name, field = row["attribute"], _field(row["attribute"])
    relation, _, column = row["column"].rpartition(".")
    exclude = f"{field}_exclude" if row["kind"] == "concepts" else ""
    return Attribute(name, field, row["kind"], relation, column, exclude)


def _field(name: str) -> str:
    """`ProviderSpecialtyCS` as the model's field, `provider_specialty_cs`."""
    spaced = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)
    return spaced.replace("_c_s", "_cs").removeprefix("_")


@lru_cache(maxsize=4)
def _rows(name: str) -> list[dict[str, str]]:
    path = data_file(f"{_FOLDER}/{name}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
