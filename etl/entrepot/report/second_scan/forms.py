"""In which forms one identifier may be written, by what it is."""

from __future__ import annotations

import base64
import datetime as dt
import re
import struct
from collections.abc import Iterator
from enum import Enum

from entrepot.report.second_scan.spelling import plain, squeezed

LIFE = range(1880, 2100)
MONTHS = (
    ("janvier", "janv", "jan", "january"), ("fevrier", "fevr", "fev", "feb", "february"),
    ("mars", "mar", "march"), ("avril", "avr", "apr", "april"), ("mai", "may"),
    ("juin", "jun", "june"), ("juillet", "juil", "jul", "july"), ("aout", "aou", "aug", "august"),
    ("septembre", "sept", "sep", "september"), ("octobre", "oct", "october"),
    ("novembre", "nov", "november"), ("decembre", "dec", "december"),
)  # fmt: skip
_YEAR_FIRST = re.compile(r"(\d{4})\D?(\d\d)\D?(\d\d)")
_DAY_FIRST = re.compile(r"(\d\d?)\D?(\d\d?)\D?(\d{4}|\d\d)")
_SPOKEN = re.compile(r"(\d\d?)(?:er)?\s+([a-z]+)\.?\s+(\d{4})")
_PHONE = re.compile(r"(?:0033|33|0)0?([1-9]\d{8})")


class Kind(Enum):
    """What an identifier is made of, which decides how it may be written."""

    NAME = "name"
    PLACE = "place"
    NUMBER = "number"
    MAIL = "mail"
    DATE = "date"


KINDS = {
    "NOM": Kind.NAME, "PRENOM": Kind.NAME, "NOM_PS": Kind.NAME, "PRENOM_PS": Kind.NAME,
    "NOM_COMPLET": Kind.NAME, "ADRESSE": Kind.PLACE, "VILLE": Kind.PLACE, "ZIP": Kind.PLACE,
    "MAIL": Kind.MAIL, "DATE_NAISSANCE": Kind.DATE,
}  # fmt: skip  # every other label is a number


def kind_of(label: str) -> Kind:
    """The kind of a label of the truth."""
    return KINDS.get(label, Kind.NUMBER)


def joined_forms(kind: Kind, value: str) -> set[str]:
    """The value squeezed to letters and digits, in each of its forms."""
    if kind is Kind.DATE:
        day = day_of(value)
        return set(day_forms(day)) if day else set()
    joined = squeezed(value)
    phone = _PHONE.fullmatch(joined) if kind is Kind.NUMBER else None
    if phone:
        return {prefix + phone[1] for prefix in ("0", "33", "0033", "330", "00330")}
    return {joined} if joined else set()


def day_of(value: str) -> dt.date | None:
    """The day that a value of the truth writes; two digits of a year are of this century or 1900s.

    Which of the two cannot be told: the later one, unless it is after 2026.
    """
    text = plain(value).lower().strip()
    spoken = _SPOKEN.fullmatch(text)
    if spoken:
        number = next((n for n, names in enumerate(MONTHS, 1) if spoken[2] in names), 0)
        return _day(spoken[3], number, spoken[1])
    if (found := _YEAR_FIRST.fullmatch(text)) and (day := _day(found[1], found[2], found[3])):
        return day
    if found := _DAY_FIRST.fullmatch(text):
        year = int(found[3])
        full = year if len(found[3]) == 4 else year + (2000 if year <= 26 else 1900)
        return _day(full, found[2], found[1])
    return None


def _day(year: str | int, month: str | int, day: str | int) -> dt.date | None:
    try:
        found = dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if found.year in LIFE else None


def day_forms(day: dt.date) -> Iterator[str]:
    """A day in figures, in words, and as the rank in its year."""
    year, month, number = f"{day:%Y}", f"{day:%m}", f"{day:%d}"
    yield from (year + month + number, number + month + year, f"{day:%Y%j}")
    if day.day > 12:  # else the same figures write another day too
        yield from (month + number + year, f"{day.day}{day.month}{year}")
    for name in MONTHS[day.month - 1]:
        for spoken in dict.fromkeys((number, str(day.day), "1er" if day.day == 1 else number)):
            yield from (spoken + name + year, name + spoken + year, spoken + name + year[2:])


def byte_forms(kind: Kind, value: str) -> Iterator[tuple[str, bytes]]:
    """What the bytes of a file hold when the value is in them: (how, bytes)."""
    for text in dict.fromkeys(_cased(kind, value)):
        for how, charset in (("written", "utf-8"), ("written", "cp1252"), ("UTF-16", "utf-16-le"),
                             ("UTF-16", "utf-16-be")):  # fmt: skip
            try:
                raw = text.encode(charset)
            except UnicodeEncodeError:
                continue
            yield how, raw
            yield from (("Base64", core) for core in base64_cores(raw))
            if charset == "utf-8":
                yield "hexadecimal", raw.hex().encode()
                yield "hexadecimal", raw.hex().upper().encode()
                yield "reversed", text[::-1].encode()
    digits = squeezed(value)
    if kind is Kind.NUMBER and digits.isdigit() and 10 <= len(digits) <= 18:
        yield "binary integer", struct.pack("<q", int(digits))


def _cased(kind: Kind, value: str) -> Iterator[str]:
    if kind is Kind.NAME:
        for text in (value, plain(value)):
            yield from (text, text.upper(), text.title(), text.lower())
    elif kind is Kind.NUMBER:
        yield from (value, squeezed(value))
    else:
        yield from (value, value.lower(), value.upper())


def base64_cores(raw: bytes) -> Iterator[bytes]:
    """The characters of Base64 that `raw` alone decides, at each of three alignments.

    Both alphabets (RFC 4648, sections 4 and 5).
    """
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        first = (shift * 8 + 5) // 6
        core = coded[first : (shift + len(raw)) * 8 // 6]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))
