"""What a study space may hold at most: `mappings/study/columns.csv`, an allow-list by column.

`default` is granted with its table, `named` only to a study whose approved definition names the
column; what the file does not list is granted to nobody (control 5, SEC-ESP-1).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import load_cdm
from entrepot.resources import data_file

FILE = "mappings/study/columns.csv"
GRANTS = ("default", "named")
TREATMENTS = (
    "keep", "person", "visit", "visit_detail", "event", "provider", "care_site", "location", "fact",
    "date", "datetime", "birth_year", "birth_month", "birth_datetime", "text", "note", "derived",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column that a space may hold.

    Args:
        grant: `default` or `named`.
        treatment: how it is protected: re-keyed as an id of some kind, shifted, kept.
    """

    table: str
    name: str
    grant: str
    treatment: str

    @property
    def place(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.name}"


def load_columns(overlays: Iterable[Path] = ()) -> Mapping[str, Mapping[str, Column]]:
    """The allow-list: table -> column -> how it may be granted; an overlay's file comes first.

    Raises:
        ConfigurationError: no such column in the CDM, an unknown grant or treatment, or a table
            whose required columns are not all of its default; names file and line.
    """
    path = data_file(FILE, overlays)
    found: dict[str, dict[str, Column]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != ("table", "field", "grant", "treatment"):
            raise ConfigurationError("columns are table,field,grant,treatment", where=f"{path}:1")
        for line in reader:
            column = Column(line["table"], line["field"], line["grant"], line["treatment"])
            _check(column, f"{path}:{reader.line_num}")
            found.setdefault(column.table, {})[column.name] = column
    _require_whole(found, path)
    return found


def _check(column: Column, where: str) -> None:
    cdm = load_cdm()
    if column.table not in cdm or column.name not in cdm.table(column.table).columns:
        raise ConfigurationError(f"no column {column.place} in the CDM", where=where)
    if column.grant not in GRANTS:
        raise ConfigurationError(f"grant is {' or '.join(GRANTS)}", where=where)
    if column.treatment not in TREATMENTS:
        raise ConfigurationError(f"treatment is one of {', '.join(TREATMENTS)}", where=where)


def _require_whole(found: Mapping[str, Mapping[str, Column]], path: Path) -> None:
    for table, columns in found.items():
        for field in load_cdm().table(table).required_fields:
            if field.name not in columns or columns[field.name].grant != "default":
                raise ConfigurationError(
                    f"{table}.{field.name} is required by the CDM: its grant is default",
                    where=str(path),
                )
