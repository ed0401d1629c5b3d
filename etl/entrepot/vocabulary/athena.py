"""The nine files of an Athena export and the CDM v5.4 tables that they fill.

Athena writes tab separated UTF-8 without quoting: a quotation mark is a character of a name like
any other, and `NA` is a name (LOINC answer LA12334-1), not a missing value. Dates are YYYYMMDD.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import IO, cast

from entrepot.errors import ConfigurationError

# Upper-case types hold no NULL. TEXT may be empty: some releases have synonyms without a name.
_TYPES: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "ID": ("BIGINT", True),
        "id": ("BIGINT", False),
        "KEY": ("VARCHAR", True),
        "TEXT": ("VARCHAR", True),
        "text": ("VARCHAR", False),
        "DATE": ("DATE", True),
        "INTEGER": ("INTEGER", True),
        "integer": ("INTEGER", False),
        "number": ("DECIMAL(38,10)", False),
    }
)
_VALIDITY = "valid_start_date DATE, valid_end_date DATE, invalid_reason text"
_LAYOUT = {
    "concept": "concept_id ID, concept_name TEXT, domain_id KEY, vocabulary_id KEY,"
    " concept_class_id KEY, standard_concept text, concept_code TEXT, " + _VALIDITY,
    "vocabulary": "vocabulary_id KEY, vocabulary_name TEXT, vocabulary_reference text,"
    " vocabulary_version text, vocabulary_concept_id ID",
    "domain": "domain_id KEY, domain_name TEXT, domain_concept_id ID",
    "concept_class": "concept_class_id KEY, concept_class_name TEXT, concept_class_concept_id ID",
    "relationship": "relationship_id KEY, relationship_name TEXT, is_hierarchical KEY,"
    " defines_ancestry KEY, reverse_relationship_id KEY, relationship_concept_id ID",
    "concept_relationship": "concept_id_1 ID, concept_id_2 ID, relationship_id KEY, " + _VALIDITY,
    "concept_synonym": "concept_id ID, concept_synonym_name TEXT, language_concept_id ID",
    "concept_ancestor": "ancestor_concept_id ID, descendant_concept_id ID,"
    " min_levels_of_separation INTEGER, max_levels_of_separation INTEGER",
    "drug_strength": "drug_concept_id ID, ingredient_concept_id ID, amount_value number,"
    " amount_unit_concept_id id, numerator_value number, numerator_unit_concept_id id,"
    " denominator_value number, denominator_unit_concept_id id, box_size integer, " + _VALIDITY,
}


@dataclass(frozen=True)
class Column:
    """One column: its SQL type, whether it holds no NULL, and whether it may be empty text."""

    name: str
    kind: str

    @property
    def sql_type(self) -> str:
        """Type in DuckDB, as the CDM's tables have it."""
        return _TYPES[self.kind][0]

    @property
    def required(self) -> bool:
        """NOT NULL in the CDM."""
        return _TYPES[self.kind][1]

    @property
    def may_be_empty(self) -> bool:
        """An empty field is the empty text, not a fault."""
        return self.kind == "TEXT"


@dataclass(frozen=True)
class AthenaTable:
    """One vocabulary table and the file of the export that fills it."""

    name: str
    columns: tuple[Column, ...]

    @property
    def file_name(self) -> str:
        """`CONCEPT.csv`."""
        return f"{self.name.upper()}.csv"

    @cached_property
    def mandatory(self) -> frozenset[str]:
        """Columns whose empty field is a fault of the line."""
        return frozenset(c.name for c in self.columns if c.required and not c.may_be_empty)

    @property
    def ddl(self) -> str:
        """CREATE TABLE with the CDM's types and NOT NULL."""
        lines = (f"{c.name} {c.sql_type}{' NOT NULL' * c.required}" for c in self.columns)
        return f"CREATE TABLE {self.name} ({', '.join(lines)})"


def _table(name: str, layout: str) -> AthenaTable:
    words = (column.split() for column in layout.split(","))
    return AthenaTable(name, tuple(Column(column, kind) for column, kind in words))


TABLES: tuple[AthenaTable, ...] = tuple(_table(*item) for item in _LAYOUT.items())


def find_file(folder: Path, table: AthenaTable) -> Path:
    """The table's file in `folder`, plain or gz, in either case of letters.

    Raises:
        ConfigurationError: none, or two of them.
    """
    wanted = table.file_name.lower()
    try:
        found = [p for p in folder.iterdir() if p.name.lower() in (wanted, f"{wanted}.gz")]
    except OSError as error:
        raise ConfigurationError(
            f"no vocabulary folder ({error.strerror})", where=str(folder)
        ) from None
    if len(found) == 1:
        return found[0]
    what = "is missing" if not found else "is there twice"
    raise ConfigurationError(
        f"{table.file_name} {what}",
        where=str(folder),
        remedy="give the folder of an unpacked Athena download, with its nine files",
    )


def open_bytes(path: Path) -> IO[bytes]:
    """The file's content, decompressed; the caller closes it."""
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def read_header(path: Path, table: AthenaTable) -> list[str]:
    """Column names in the file's own order.

    Raises:
        ConfigurationError: a column of the CDM is missing or there twice; with file and line.
    """
    with open_bytes(path) as stream:
        line = stream.readline().decode("utf-8-sig", errors="replace")
    names = [name.strip().lower() for name in line.rstrip("\r\n").split("\t")]
    for column in table.columns:
        if names.count(column.name) != 1:
            what = "is missing" if column.name not in names else "is there twice"
            raise ConfigurationError(
                f"column {column.name} {what}",
                where=f"{path}, line 1",
                remedy="give Athena's own files: tab separated, with their header",
            )
    return names
