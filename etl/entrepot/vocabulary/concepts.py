"""`mappings/concepts/*.csv`: every concept id that the mappings name, each with its basis.

One file is one table of the same name in the SQL of `mappings/omop`. A file of a site's overlay
replaces the shipped one.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file

if TYPE_CHECKING:
    import duckdb

FOLDER = "mappings/concepts"
STATUSES = frozenset({"verified", "unverified"})
CUSTOM_IDS = 2_000_000_000  # f2o-039: ids of a site's own concepts start here


@dataclass(frozen=True)
class ConceptFile:
    """One CSV file.

    Args:
        name: stem of the file, and table of the SQL.
        key: columns that tell its lines apart.
        others: the remaining columns, apart from `status` and `basis` of a concept.
        concept: the column of the concept id; empty for a file that names no concept.
        domain: domain of these concepts; empty for any, `@domain_id` for the line's own column.
    """

    name: str
    key: tuple[str, ...]
    others: tuple[str, ...] = ()
    concept: str = ""
    domain: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the file must have, in any order."""
        named = (self.concept, "status", "basis") if self.concept else ()
        return tuple(dict.fromkeys((*self.key, *self.others, *named)))


FILES: tuple[ConceptFile, ...] = (
    ConceptFile("type_concepts", ("context_code",), ("label",), "concept_id", "Type Concept"),
    ConceptFile("visit_class", ("code",), ("realised", "label"), "visit_concept_id", "Visit"),
    ConceptFile("entry_exit", ("direction", "code"), ("label",), "concept_id", "Visit"),
    ConceptFile("gender", ("code",), ("label",), "gender_concept_id", "Gender"),
    ConceptFile("units", ("unit_code",), ("ucum_code",), "unit_concept_id", "Unit"),
    ConceptFile("operators", ("operator",), (), "operator_concept_id", "Meas Value Operator"),
    ConceptFile("condition_status", ("code",), ("label",), "concept_id", "Condition Status"),
    ConceptFile("routes", ("code",), ("label",), "concept_id", "Route"),
    ConceptFile("flags", ("code",), ("label",), "concept_id", "Meas Value"),
    ConceptFile(
        "note_types", ("code",), ("type_context", "label"), "note_class_concept_id", "Note"
    ),
    ConceptFile("constants", ("name",), ("domain_id",), "concept_id", "@domain_id"),
    ConceptFile("code_systems", ("system", "vocabulary_id"), ("precedence", "basis")),
    ConceptFile("coding_rank", ("vocabulary_id",), ("rank", "reason")),
    ConceptFile("fan_out", ("domain_id",), ("keep", "basis")),
    ConceptFile("default_domain", ("category",), ("domain_id", "reason")),
    ConceptFile(
        "source_to_concept_map",
        ("source_vocabulary_id", "source_code", "target_concept_id", "valid_start_date"),
        (
            "source_concept_id",
            "source_code_description",
            "target_vocabulary_id",
            "valid_end_date",
            "invalid_reason",
        ),
        "target_concept_id",
    ),
)
_BY_NAME = {file.name: file for file in FILES}
_READERS: dict[str, Callable[[str], Any]] = {
    "realised": {"true": True, "false": False}.__getitem__,
    "precedence": int,
    "rank": int,
    "source_concept_id": int,
    "target_concept_id": int,
    "valid_start_date": dt.date.fromisoformat,
    "valid_end_date": dt.date.fromisoformat,
    "invalid_reason": lambda text: text or None,
}


@dataclass(frozen=True)
class NamedConcept:
    """One concept id that a file names.

    Args:
        where: file and line.
        key: the line's key (`lab`, `entry 8`).
        domain_id: domain that the concept must have; empty for any.
    """

    where: str
    key: str
    concept_id: int
    domain_id: str
    status: str
    basis: str


def read_lines(name: str, overlays: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """The lines of one file as typed values: ids and `precedence` int, `realised` bool, dates.

    Raises:
        ConfigurationError: no such file, a column missing or unknown, a key twice, a value that
            does not read, a status that is neither verified nor unverified; with file and line.
    """
    file = _BY_NAME[name]
    path = data_file(f"{FOLDER}/{name}.csv", overlays)
    seen: set[tuple[Any, ...]] = set()
    lines = []
    for where, line in _typed_lines(path, file):
        key = tuple(line[column] for column in file.key)
        if key in seen:
            raise ConfigurationError("this key is there twice", where=where)
        seen.add(key)
        lines.append(line)
    return lines


def named_concepts(overlays: Iterable[Path] = ()) -> list[NamedConcept]:
    """Every concept id that the files name, in the order of the files.

    Raises:
        ConfigurationError: as `read_lines`.
    """
    roots = tuple(overlays)
    found = []
    for file in FILES:
        if not file.concept:
            continue
        for number, line in enumerate(read_lines(file.name, roots), start=2):
            domain = line["domain_id"] if file.domain == "@domain_id" else file.domain
            found.append(
                NamedConcept(
                    where=f"{file.name}.csv:{number}",
                    key=" ".join(str(line[name]) for name in file.key),
                    concept_id=line[file.concept],
                    domain_id=domain,
                    status=line["status"],
                    basis=line["basis"],
                )
            )
    return found


def unverified_concepts(overlays: Iterable[Path] = ()) -> list[NamedConcept]:
    """The ids that no third-party table confirms yet: the run report prints and counts them."""
    return [concept for concept in named_concepts(overlays) if concept.status == "unverified"]


def check_concepts(
    connection: duckdb.DuckDBPyConnection, overlays: Iterable[Path] = ()
) -> list[tuple[NamedConcept, str]]:
    """Named concepts that the loaded vocabulary (`concept` of `connection`) contradicts.

    Returns:
        pairs of concept and fault: `absent`, `not_standard` or `other_domain`.
    """
    rows = connection.execute(
        "SELECT concept_id, domain_id, standard_concept FROM concept WHERE concept_id IN"
        " (SELECT unnest(?))",
        [sorted({concept.concept_id for concept in named_concepts(overlays)})],
    ).fetchall()
    known = {row[0]: (row[1], row[2]) for row in rows}
    faults = []
    for concept in named_concepts(overlays):
        domain, standard = known.get(concept.concept_id, ("", ""))
        if not concept.concept_id:
            continue
        if not domain:
            faults.append((concept, "absent"))
        elif standard != "S":
            faults.append((concept, "not_standard"))
        elif concept.domain_id not in ("", domain):
            faults.append((concept, "other_domain"))
    return faults


def create_tables(
    connection: duckdb.DuckDBPyConnection,
    overlays: Iterable[Path] = (),
    names: Iterable[str] = tuple(_BY_NAME),
) -> None:
    """One temporary table per file, of the file's name; empty text is '' and ids are BIGINT.

    Raises:
        ConfigurationError: as `read_lines`.
    """
    roots = tuple(overlays)
    for name in names:
        columns = _BY_NAME[name].columns
        lines = read_lines(name, roots)
        # one list per column: no row-wise insert, no Arrow to import for a few hundred lines
        values = ", ".join(f"unnest(?::{_sql_type(column)}[]) AS {column}" for column in columns)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {values}",
            [[line[column] for line in lines] for column in columns],
        )


def _sql_type(column: str) -> str:
    if column.endswith("concept_id"):
        return "BIGINT"
    if column.endswith("_date"):
        return "DATE"
    return {"realised": "BOOLEAN", "precedence": "INTEGER"}.get(column, "VARCHAR")


def _typed_lines(path: Path, file: ConceptFile) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        unlike = set(reader.fieldnames or ()) ^ set(file.columns)
        if unlike:
            raise ConfigurationError(
                f"column {sorted(unlike)[0]} is missing or unknown",
                where=f"{path}:1",
                remedy=f"the columns are {', '.join(file.columns)}",
            )
        for line in reader:
            where = f"{path}:{reader.line_num}"
            if None in line or None in line.values():
                raise ConfigurationError("wrong number of fields", where=where)
            if line.get("status", "verified") not in STATUSES:
                raise ConfigurationError("status is verified or unverified", where=where)
            yield where, {name: _read(name, text, where) for name, text in line.items()}


def _read(column: str, text: str, where: str) -> Any:
    reader = int if column.endswith("concept_id") else _READERS.get(column, str)
    try:
        return reader(text)
    except (ValueError, KeyError):
        raise ConfigurationError(f"column {column} does not read", where=where) from None
