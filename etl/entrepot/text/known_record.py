"""The `record` of a `deid` line: what its sender knows of the patient, as an Identity.

The names of its fields are data (`mappings/deid/record_fields.csv`). A field that the file does not
name is not left out: a name spelt `familly` would then stay in the text. Its values are taken for
what they look like, and the summary of the command counts such records.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from entrepot.resources import data_file
from entrepot.text.identity import Identity

FIELDS = "mappings/deid/record_fields.csv"
MAX_DEPTH, MAX_VALUES = 6, 500
_NUMBERS = frozenset(("IPP", "NDA", "SECU", "AUTRE_ID"))
_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T.*)?")
_FRENCH_DAY = re.compile(r"(\d\d?)[/.\-](\d\d?)[/.\-](\d{4})")
_PARTIAL = re.compile(r"\d{4}(?:-\d\d)?")
_STREET = re.compile(r"\d{1,5}(?: ?(?:bis|ter|quater))?,? [^\d@]{5,}", re.IGNORECASE)


class RecordFieldError(ValueError):
    """A record that cannot be read; the message holds no value."""


def identity_of(record: dict[str, Any]) -> tuple[Identity, bool]:
    """The identity, and whether a field outside the schema was taken for what it looks like.

    Args:
        record: field -> text, number, list or object of these; objects are read field by field
            (`{"name": {"family": "…", "given": ["…"]}}`), null and booleans say nothing.

    Raises:
        RecordFieldError: too deep, or too many values.
    """
    values: dict[str, list[Any]] = {}
    guessed = False
    for count, (field, value) in enumerate(_flat("", record, 0)):
        if count >= MAX_VALUES:
            raise RecordFieldError(f"record holds more than {MAX_VALUES} values")
        meaning = _meanings().get(_plain(field))
        unread = meaning == "birth_dates" and not (_day(value) or _PARTIAL.fullmatch(value))
        if meaning is None or unread:
            guessed, meaning = True, _looks_like(value)
        if meaning:
            _add(values, meaning, value)
    return Identity(**{name: tuple(found) for name, found in values.items()}), guessed


@cache
def _meanings() -> dict[str, str]:
    with data_file(FIELDS).open(encoding="utf-8", newline="") as file:
        return {row["field"]: row["meaning"] for row in csv.DictReader(file)}


def _plain(field: str) -> str:
    return field.strip().lower().replace("-", "_").replace(" ", "_")


def _flat(field: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """(field, text) of every value; what an object holds is told by its own fields."""
    if depth > MAX_DEPTH:
        raise RecordFieldError("record is too deep")
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(name, inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(field, inner, depth + 1)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value).strip()
        if text:
            yield field, text


def _add(values: dict[str, list[Any]], meaning: str, value: str) -> None:
    if meaning in _NUMBERS:
        values.setdefault("numbers", []).append((meaning, value))
    elif meaning == "birth_dates":
        day = _day(value)
        name = "birth_dates" if day else "partial_birth_dates"
        values.setdefault(name, []).append(day or value)
    elif meaning == "phones":
        values.setdefault("phones", []).append(_phone(value))
    else:
        values.setdefault(meaning, []).append(value)


def _day(value: str) -> dt.date | None:
    iso, french = _DAY.fullmatch(value), _FRENCH_DAY.fullmatch(value)
    parts = iso.groups() if iso else french.groups()[::-1] if french else None
    try:
        return dt.date(*map(int, parts)) if parts else None
    except ValueError:
        return None


def _phone(value: str) -> str:
    """A French number whose leading 0 was lost in a table of numbers gets it back."""
    digits = "".join(filter(str.isdigit, value))
    return f"0{value}" if len(digits) == 9 and digits[0] != "0" else value


def _looks_like(value: str) -> str:
    """The meaning of a value whose field is unknown; '' for what is too short to be searched."""
    digits = sum(map(str.isdigit, value))
    if "@" in value:
        return "mails"
    if _day(value) is not None:
        return "birth_dates"
    if _STREET.fullmatch(value):
        return "addresses"
    if digits:
        return "AUTRE_ID" if digits >= 4 else ""
    return "relatives" if sum(map(str.isalpha, value)) >= 3 else ""
