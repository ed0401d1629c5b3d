"""Who is in a study: the persons of its cohort's SQL or file, with the cohort's dates if any."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.publish.warehouse import query
from entrepot.study.definition import Definition
from entrepot.study.draft import CohortRow
from entrepot.study.space import Space

COLUMNS = ("subject_id", "cohort_start_date", "cohort_end_date")
FILE = "cohort.csv"


def read_cohort(space: Space, definition: Definition, path: Path) -> list[CohortRow]:
    """(person_id, first day, last day) of every line, as the core numbers persons.

    Args:
        path: the definition's file; a cohort's file is beside it, or kept since the first build.

    Raises:
        ConfigurationError: the first column is no person_id, or a line of the file is wrong.
        EntrepotError: the SQL is wrong, refused, or writes.
    """
    if definition.cohort.csv is None:
        return list(_of_sql(space, definition.cohort.sql, str(path)))
    return list(_of_file(_cohort_file(space, definition, path)))


def keep_cohort(space: Space, definition: Definition, path: Path) -> None:
    """Person ids of the core: kept where the keys are, for the next refresh."""
    kept = space.private / FILE
    source = _cohort_file(space, definition, path)
    if source != kept:
        space.private.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(source, kept)
        kept.chmod(0o600)


def _of_sql(space: Space, sql: str, where: str) -> Iterator[CohortRow]:
    columns, rows = query(space.site.warehouse, sql)
    if not columns or columns[0] not in ("person_id", "subject_id") or len(columns) not in (1, 3):
        raise ConfigurationError(
            "the cohort's SQL gives person_id, or person_id, start, end", where=where
        )
    for row in rows:
        yield _checked(row, where)


def _checked(row: Sequence[object], where: str) -> CohortRow:
    person, *days = row
    first, last = (_day(one, where) for one in (days or (None, None)))
    if not isinstance(person, int):
        raise ConfigurationError("the cohort's first column is no number", where=where)
    return person, first, last


def _day(value: object, where: str) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if value is None or isinstance(value, dt.date):
        return value
    raise ConfigurationError("the cohort's start and end are dates", where=where)


def _of_file(path: Path) -> Iterator[CohortRow]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ConfigurationError(f"columns are {', '.join(COLUMNS)}", where=str(path))
            for line in reader:
                yield _line(line, f"{path.name}:{reader.line_num}")
    except OSError as error:
        raise ConfigurationError(
            f"the cohort's file cannot be read ({error.strerror})", where=str(path)
        ) from None


def _line(line: dict[str, str], where: str) -> CohortRow:
    try:
        first, last = (
            dt.date.fromisoformat(line[name]) if line[name] else None for name in COLUMNS[1:]
        )
        return int(line["subject_id"]), first, last
    except (ValueError, TypeError):
        raise ConfigurationError("no number, or not a date", where=where) from None


def _cohort_file(space: Space, definition: Definition, path: Path) -> Path:
    if path.resolve() == space.definition.resolve():
        return space.private / FILE
    return path.parent / str(definition.cohort.csv)
