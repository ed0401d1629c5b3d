"""The specification of the OMOP CDM v5.4 as a typed model, read from `omop_ddl/*.csv`.

One model gives the DDL of every dialect, the canonical column order and the reference checks.
Source: OHDSI Common Data Model v5.4; the two departures are listed in `omop_ddl/README.md`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, cast

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file

Schema = Literal["CDM", "VOCAB", "RESULTS"]
Kind = Literal["integer", "float", "date", "datetime", "text"]

TABLES_FILE = "omop_ddl/cdm54_tables.csv"
FIELDS_FILE = "omop_ddl/cdm54_fields.csv"

_TABLE_COLUMNS = ("table", "schema", "required", "description")
_FIELD_COLUMNS = (
    "table",
    "field",
    "type",
    "required",
    "primary_key",
    "foreign_key_table",
    "foreign_key_field",
    "fk_domain",
    "fk_class",
    "description",
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TYPE = re.compile(r"integer|float|date|datetime|varchar\((\d+|max)\)")
_IDENTIFIER = re.compile(r"(?:^|_)id(?:_\d)?$")


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """The table and field that a field refers to."""

    table: str
    field: str


@dataclass(frozen=True, slots=True)
class Field:
    """One column.

    Args:
        type: as in the specification: `integer`, `float`, `date`, `datetime`, `varchar(n|max)`.
        domain: the one domain that the concepts of this field must have, empty when any.
        concept_class: likewise for the concept class.
    """

    table: str
    name: str
    type: str
    required: bool
    primary_key: bool
    foreign_key: ForeignKey | None
    domain: str
    concept_class: str
    description: str

    @property
    def kind(self) -> Kind:
        """The type without its length."""
        return "text" if self.type.startswith("varchar") else cast(Kind, self.type)

    @property
    def length(self) -> int | None:
        """Characters of a `varchar(n)`; None for other types and `varchar(max)`."""
        digits = self.type.removeprefix("varchar(").removesuffix(")")
        return int(digits) if digits.isdecimal() else None

    @property
    def identifier(self) -> bool:
        """Whether it is an integer that identifies a row or a concept (`*_id`, `fact_id_1`)."""
        return self.kind == "integer" and _IDENTIFIER.search(self.name) is not None


@dataclass(frozen=True)
class Table:
    """One table with its fields in the order of the specification."""

    name: str
    schema: Schema
    required: bool
    description: str
    fields: tuple[Field, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(field.name for field in self.fields)

    @cached_property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the key's fields; empty for a table without one (death, concept_ancestor…)."""
        return tuple(field.name for field in self.fields if field.primary_key)

    @cached_property
    def foreign_keys(self) -> tuple[Field, ...]:
        """The fields that refer to another row."""
        return tuple(field for field in self.fields if field.foreign_key)

    @cached_property
    def required_fields(self) -> tuple[Field, ...]:
        """The fields that hold no NULL."""
        return tuple(field for field in self.fields if field.required)

    def field(self, name: str) -> Field:
        """The field `name`; KeyError when the table has none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}


@dataclass(frozen=True)
class Cdm:
    """The 39 tables in the order of the specification: clinical, vocabulary, results."""

    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        """The table `name`; KeyError when the specification has none."""
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)

    @cached_property
    def person_tables(self) -> tuple[Table, ...]:
        """Tables whose rows carry a `person_id`, `person` first."""
        return tuple(table for table in self.tables if "person_id" in table.columns)

    @cached_property
    def vocabulary_tables(self) -> tuple[Table, ...]:
        """Tables of the standardised vocabularies."""
        return tuple(table for table in self.tables if table.schema == "VOCAB")

    @cached_property
    def foreign_keys(self) -> tuple[Field, ...]:
        """Every referring field of every table."""
        return tuple(field for table in self.tables for field in table.foreign_keys)

    @cached_property
    def _by_name(self) -> dict[str, Table]:
        return {table.name: table for table in self.tables}


def load_cdm(overlays: Iterable[Path] = ()) -> Cdm:
    """The model, read once; an overlay's `omop_ddl/*.csv` replaces the shipped file.

    Raises:
        ConfigurationError: a file is missing or breaks the format, with file and line.
    """
    roots = tuple(overlays)
    return _read(data_file(TABLES_FILE, roots), data_file(FIELDS_FILE, roots))


@lru_cache(maxsize=8)
def _read(tables_file: Path, fields_file: Path) -> Cdm:
    fields: dict[str, list[Field]] = {}
    for where, row in _rows(fields_file, _FIELD_COLUMNS):
        fields.setdefault(row["table"], []).append(_field(row, where))
    tables = []
    for where, row in _rows(tables_file, _TABLE_COLUMNS):
        if row["schema"] not in ("CDM", "VOCAB", "RESULTS"):
            raise ConfigurationError("schema is CDM, VOCAB or RESULTS", where=where)
        tables.append(
            Table(
                name=_name(row["table"], where),
                schema=cast(Schema, row["schema"]),
                required=_yes(row["required"], where),
                description=row["description"],
                fields=tuple(fields.pop(row["table"], ())),
            )
        )
    if fields:
        raise ConfigurationError(f"no table {sorted(fields)[0]!r}", where=str(tables_file))
    return _checked(Cdm(tuple(tables)), fields_file)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != columns:
            raise ConfigurationError(f"columns are {', '.join(columns)}", where=f"{path}:1")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise ConfigurationError(f"a line has {len(columns)} cells", where=where)
            yield where, row


def _field(row: dict[str, str], where: str) -> Field:
    if _TYPE.fullmatch(row["type"]) is None:
        raise ConfigurationError("unknown type", where=where)
    target = row["foreign_key_table"], row["foreign_key_field"]
    if bool(target[0]) != bool(target[1]):
        raise ConfigurationError("a foreign key is a table and a field", where=where)
    return Field(
        table=row["table"],
        name=_name(row["field"], where),
        type=row["type"],
        required=_yes(row["required"], where),
        primary_key=_yes(row["primary_key"], where),
        foreign_key=ForeignKey(*target) if target[0] else None,
        domain=row["fk_domain"],
        concept_class=row["fk_class"],
        description=row["description"],
    )


def _name(text: str, where: str) -> str:
    # Names go into SQL unquoted: anything but a plain lower-case word is refused here, once.
    if _NAME.fullmatch(text) is None:
        raise ConfigurationError("a name is lower-case letters, digits and _", where=where)
    return text


def _yes(text: str, where: str) -> bool:
    if text not in ("yes", "no"):
        raise ConfigurationError("required and primary_key are yes or no", where=where)
    return text == "yes"


def _checked(cdm: Cdm, fields_file: Path) -> Cdm:
    where = str(fields_file)
    names = [table.name for table in cdm]
    if len(set(names)) != len(names):
        raise ConfigurationError("a table is named twice", where=where)
    for table in cdm:
        if not table.fields or len(set(table.columns)) != len(table.columns):
            raise ConfigurationError(f"{table.name} has no field or one twice", where=where)
    for field in cdm.foreign_keys:
        key = field.foreign_key
        if key and (key.table not in cdm or key.field not in cdm.table(key.table).columns):
            raise ConfigurationError(f"{field.table}.{field.name} refers to nothing", where=where)
    return cdm
