"""Finds dates in folded French text: numeric, ISO, compact, in words, spaced, partial.

A date is kept in the core and its span stored beside the note; the birth date is not. Both need
the day, month and year that were written, hence one parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

_MONTHS = {
    "janvier": 1, "janv": 1, "jan": 1, "fevrier": 2, "fevr": 2, "fev": 2, "mars": 3, "mar": 3,
    "avril": 4, "avr": 4, "mai": 5, "juin": 6, "juillet": 7, "juil": 7, "juill": 7, "jul": 7,
    "aout": 8, "aou": 8, "septembre": 9, "sept": 9, "sep": 9, "octobre": 10, "oct": 10,
    "novembre": 11, "nov": 11, "decembre": 12, "dec": 12,
}  # fmt: skip
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR4 = r"\d ?\d ?\d ?\d"
# every pattern starts with its first digit and looks behind it afterwards: the search then skips
# to digits, three times faster on a letter than with the look-behind first
_AB = r"(?P<a>\d(?<!\d\d) ?\d?){0}(?P<b>\d ?\d?){1}"
_NUMERIC = re.compile(
    _AB.format(r"(?<!\d[/.]\d)(?<!\d[/.]\d\d)\s?[/.\-_]\s?", r"\s?(?P<sep>[/.\-_])\s?")
    + rf"(?P<c>{_YEAR4}|\d ?\d)(?!\d)(?!\s?(?P=sep)\s?\d)"
)
_MIXED = re.compile(_AB.format(*[r"[\s/.\-_,]{1,3}"] * 2) + r"(?P<c>(?:1 ?9|2 ?0) ?\d ?\d)(?!\d)")
_ISO = re.compile(
    r"(?P<c>[12](?<!\d\d)\d{3})\s?(?P<sep>[/.\-_])\s?(?P<b>\d\d?)\s?(?P=sep)\s?(?P<a>\d\d?)(?!\d)"
)
_COMPACT = re.compile(r"\d(?<!\d\d)\d{7}(?:\d{2}|\d{4}|\d{6})?(?!\d)")
_YMD = re.compile(
    r"(?P<c>(?:19|20)\d\d)(?P<b>0[1-9]|1[0-2])(?P<a>0[1-9]|[12]\d|3[01])"
    r"(?:(?:[01]\d|2[0-3])(?:[0-5]\d){0,2})?"
)
_DMY = re.compile(r"(?P<a>0[1-9]|[12]\d|3[01])(?P<b>0[1-9]|1[0-2])(?P<c>(?:19|20)\d\d)")
_WORDS = re.compile(
    rf"(?P<month>{_NAMES})(?![a-z])"
    rf"\.?(?:[\s\-/.]{{0,3}}(?P<c>{_YEAR4}|'?\d\d)(?!\s?\d)(?![,.]\d))?"
)
_DAY_BEFORE = re.compile(r"(?<!\d)(?P<a>\d ?\d?)(?:\s?er)?[\s\-/.]{0,3}$")
_DAY_MONTH = re.compile(r"(?P<a>\d(?<!\d\d)\d?)\s?/\s?(?P<b>\d\d?)(?!\s?[/,.]\s?\d|\d)")
_DAY_WORD = re.compile(r"(?:\b(?:le|du|au|des|depuis|vers|et)|\b\w{2,5}di)\s+$")
_MONTH_YEAR = re.compile(
    r"(?P<b>[01]?\d(?<!\d\d\d)(?<![\d/.\-]\d)(?<![/.\-]\d\d))\s?[/\-.]\s?(?P<c>(?:19|20)\d\d)(?!\d)"
)
_YEAR = re.compile(r"(?P<c>[12](?<!\d\d)\d{3})(?![\d,.]*\d)(?!\s*(?:ui|mg|ml|g|cc)\b)")
_YEAR_WORD = re.compile(
    r"\b(?:en|depuis|annees?|fin|debut|courant|ete|hiver|printemps|automne|vers|avant|apres|"
    r"jusqu'en|de)\s+$"
)
_BEFORE = 16
FIRST_YEAR, LAST_YEAR = 1850, 2099


class FoundDate(NamedTuple):
    """A date as written, at `start:end` of the folded text.

    Args:
        start: first character.
        end: character after the last.
        year: None when not written; 0-99 when written with two digits.
        month: None when only a year is written.
        day: None when not written.
    """

    start: int
    end: int
    year: int | None
    month: int | None
    day: int | None

    def solid(self, lower: str) -> bool:
        """Whether it is written as only a date can be: its parts parted in one way, not by blanks.

        `01.01 1900` may be the end of a phone number and what follows it.
        """
        written = lower[self.start : self.end]
        signs = [c for c in written if c in "/.-_"]
        if any(map(str.isalpha, written)) or len(signs) == 2:
            return len(set(signs)) <= 1
        return " " not in written

    def is_on(self, birth: date) -> bool:
        """Whether this may be a way to write `birth`: a year may be short or missing."""
        if self.day is None or self.month is None:
            return False
        if self.year is not None and self.year not in (birth.year, birth.year % 100):
            return False
        written = (self.day, self.month)
        return written in {(birth.day, birth.month), (birth.month, birth.day)}


def find_dates(lower: str) -> list[FoundDate]:
    """Every date of the folded text, sorted; where two readings overlap, the fullest one."""
    found: list[FoundDate] = []
    taken = bytearray(len(lower) + 1)
    for candidate in _candidates(lower):
        if not any(taken[candidate.start : candidate.end]):
            taken[candidate.start : candidate.end] = b"\x01" * (candidate.end - candidate.start)
            found.append(candidate)
    return sorted(found)


def _candidates(lower: str) -> Iterator[FoundDate]:
    for pattern in (_ISO, _NUMERIC, _MIXED):
        for match in pattern.finditer(lower):
            yield from _numeric(match)
    for match in _COMPACT.finditer(lower):
        read = _YMD.fullmatch(match.group()) or _DMY.fullmatch(match.group())
        if read:
            yield from _checked(match.span(), *(int(read[k]) for k in "cba"))
    yield from _in_words(lower)
    for match in _DAY_MONTH.finditer(lower):
        padded = match["b"].startswith("0") and len(match["a"]) == 2  # 12/03, but not 7/10
        if padded or _DAY_WORD.search(lower, max(0, match.start() - _BEFORE), match.start()):
            yield from _checked(match.span(), None, int(match["b"]), int(match["a"]))
    for match in _MONTH_YEAR.finditer(lower):
        yield from _checked(match.span(), int(match["c"]), int(match["b"]), None)
    for match in _YEAR.finditer(lower):
        if _YEAR_WORD.search(lower, max(0, match.start() - _BEFORE), match.start()):
            yield from _checked(match.span(), int(match["c"]), None, None)


def _in_words(lower: str) -> Iterator[FoundDate]:
    for match in _WORDS.finditer(lower):
        start, year = match.start(), match["c"]
        if lower[start - 1 : start].isalpha():
            continue
        before = _DAY_BEFORE.search(lower, max(0, start - 10), start)
        if before or (year and len(year) > 3):
            end = match.end() if year else match.end("month")  # not the full stop after `mars`
            day = before["a"] if before else None
            span = (before.start() if before else start, end)
            yield from _checked(span, _number(year), _MONTHS[match["month"]], _number(day))


def _numeric(match: re.Match[str]) -> Iterator[FoundDate]:
    day, month, year = (_number(match[k]) for k in "abc")
    if day is not None and month is not None and month > 12 >= day:
        day, month = month, day  # month first, as some foreign software writes it
    yield from _checked(match.span(), year, month, day)


def _number(text: str | None) -> int | None:
    digits = "".join(filter(str.isdigit, text or ""))
    return int(digits) if digits else None


def _checked(
    span: tuple[int, int], year: int | None, month: int | None, day: int | None
) -> Iterator[FoundDate]:
    if month is not None and not 1 <= month <= 12:
        return
    if day is not None and not 1 <= day <= 31:
        return
    if year is not None and not (year < 100 or FIRST_YEAR <= year <= LAST_YEAR):
        return
    yield FoundDate(*span, year, month, day)
