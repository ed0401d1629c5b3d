"""Golden patients: messages written by hand, and the rows that the norm asks for, by hand too.

`tests/cases/golden/NN_name.hl7` holds messages, one segment a line (`#` begins a remark);
`NN_name.expected.yaml` names the persons of the case by their numbers and lists their rows, with
the columns of `truth_rows.COLUMNS` that matter. A table that is not listed must hold no row of
these persons; observation periods are compared where they are listed.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml
from truth_observed import observed_rows, person_id
from truth_rows import COLUMNS, Rows, canonical

import roads
from entrepot.config import Site
from entrepot.keys import Keyring

FOLDER = Path(__file__).resolve().parent.parent / "cases" / "golden"
AUTHORITY = "1.2.250.1.999.9"
SETTINGS = """\
site: golden
title: Patients worked out by hand
timezone: Europe/Paris
as_of: 2025-06-30T12:00:00
workers: 1
sources:
  adt: {format: hl7v2, charset: utf-8}
oppositions: {required: false}
"""
OPTIONAL = {"observation_period"}


@dataclass(frozen=True)
class Case:
    """One file of messages and what must come of it.

    Attributes:
        patients: label -> the numbers (IPP) that are this person.
        rows: table -> expected rows, each a mapping of column to value.
        texts: notes of which something must (`holds`) or must not (`lacks`) be in the text.
    """

    name: str
    patients: dict[str, list[str]]
    rows: dict[str, list[dict[str, Any]]]
    texts: list[dict[str, Any]]


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every golden case, in the order of its number."""
    found = []
    for path in sorted(FOLDER.glob("*.expected.yaml")):
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        name = path.name.removesuffix(".expected.yaml")
        found.append(Case(name, read["patients"], read["rows"], read.get("texts", [])))
    return tuple(found)


def messages(name: str) -> bytes:
    """The messages of a case as a sender sends them: segments end with CR, no remarks."""
    lines = (FOLDER / f"{name}.hl7").read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\r" for line in lines if line and not line.startswith("#")).encode()


def golden_site(folder: Path) -> Site:
    """A site into which every case is landed."""
    site = roads.new_site(folder, SETTINGS)
    for case in cases():
        roads.feed(site, f"{case.name}.hl7", messages(case.name))
    return site


def labels(keyring: Keyring) -> dict[int, str]:
    """person_id -> `NN_name A` of every golden person."""
    return {
        person_id(keyring, numbers, AUTHORITY): f"{case.name} {label}"
        for case in cases()
        for label, numbers in case.patients.items()
    }


def faults(connection: duckdb.DuckDBPyConnection, keyring: Keyring) -> dict[str, list[str]]:
    """Case -> differences between its expectation and the warehouse; persons of no case too."""
    observed = observed_rows(connection, labels(keyring))
    found = {case.name: case_faults(case, observed) for case in cases()}
    strangers = [row[0] for row in observed["person"] if row[0].startswith("unknown ")]
    found["strangers"] = [f"a person of no case: {label}" for label in strangers]
    for case in cases():
        found[case.name] += _text_faults(connection, keyring, case)
    return {name: lines for name, lines in found.items() if lines}


def case_faults(case: Case, observed: Rows) -> list[str]:
    """Rows that are missing, and rows that are there and should not be."""
    found = []
    for table, columns in COLUMNS.items():
        wanted = case.rows.get(table, [])
        if not wanted and table in OPTIONAL:
            continue
        named = list(wanted[0]) if wanted else list(columns)
        places = [columns.index(name) for name in named]
        expected = Counter(_expected(case, named, row) for row in wanted)
        owners = {f"{case.name} {label}": label for label in case.patients}
        there: Counter[tuple[Any, ...]] = Counter()
        for row, times in observed[table].items():
            if row[0] in owners:
                there[tuple(row[place] for place in places)] += times
        for sign, rows in (("missing", expected - there), ("extra", there - expected)):
            for row in sorted(rows, key=repr):
                values = dict(zip(named, row, strict=True))
                found.append(f"{case.name}: {sign} {table} {values}")
    return found


def _expected(case: Case, named: list[str], row: dict[str, Any]) -> tuple[Any, ...]:
    if list(row) != named:
        raise ValueError(f"{case.name}: the rows of one table list other columns: {row}")
    values = row | {"patient": f"{case.name} {row['patient']}"}
    return tuple(_value(value) for value in values.values())


def _value(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, float):
        value = Decimal(str(value))
    return canonical(value)


def _text_faults(connection: duckdb.DuckDBPyConnection, keyring: Keyring, case: Case) -> list[str]:
    found = []
    query = "SELECT note_text FROM cdm.note WHERE person_id = ? AND note_datetime = ?"
    for line in case.texts:
        number = person_id(keyring, case.patients[line["patient"]], AUTHORITY)
        notes = connection.execute(query, [number, line["at"]]).fetchall()
        text = "\n".join(note[0] for note in notes)
        found += [
            f"{case.name}: the text lacks {one!r}" for one in line["holds"] if one not in text
        ]
        found += [f"{case.name}: the text holds {one!r}" for one in line["lacks"] if one in text]
    return found
