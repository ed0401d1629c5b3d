"""Finds dates in folded French text: numeric, ISO, compact, in words, spaced, partial.

A date is kept in the core and its span stored beside the note; the birth date is not. Both need
the day, month and year that were written, hence one parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from entrepot.text.date_forms import (
    BEFORE,
    COMPACT,
    DAY_BEFORE,
    DAY_MONTH,
    DAY_WORD,
    DMY,
    ISO,
    ITEM,
    MIXED,
    MONTH_FIRST,
    MONTH_YEAR,
    MONTHS,
    NEXT_MONTH,
    NEXT_YEAR,
    NUMERIC,
    PART_OF,
    RANGE,
    SHORT,
    SIGN,
    WHEN,
    WORDS,
    YEAR,
    YEAR_BEFORE,
    YEAR_WORD,
    YMD,
)
from entrepot.text.spelled_dates import spelled

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
    for candidate in _ranges(lower, found):
        if not any(taken[candidate.start : candidate.end]):
            found.append(candidate)
    return sorted(found)


def _candidates(lower: str) -> Iterator[FoundDate]:
    for pattern in (ISO, NUMERIC, MIXED):
        for match in pattern.finditer(lower):
            yield from _numeric(match)
    for match in COMPACT.finditer(lower):
        read = YMD.fullmatch(match.group()) or DMY.fullmatch(match.group())
        if read:
            yield from _checked(match.span(), *(int(read[k]) for k in "cba"))
    for span, year, month, day in spelled(lower, MONTHS):
        yield from _checked(span, year, month, day)
    yield from _in_words(lower)
    for match in DAY_MONTH.finditer(lower):
        padded = match["b"].startswith("0") and len(match["a"]) == 2  # 12/03, but not 7/10
        if (padded and match["sep"] == "/") or _before(DAY_WORD, lower, match.start()):
            yield from _checked(match.span(), None, int(match["b"]), int(match["a"]))
    for match in MONTH_YEAR.finditer(lower):
        yield from _checked(match.span(), int(match["c"]), int(match["b"]), None)
    yield from _short(lower)
    yield from _years(lower)


def _years(lower: str) -> Iterator[FoundDate]:
    """Years and months: `en 2002`, `2002-2004`, `2019/03`, `- 1981 appendicectomie`."""
    for match in YEAR.finditer(lower):
        start, end = match.span()
        if pair := NEXT_YEAR.match(lower, end):
            yield from _checked((start, end), int(match["c"]), None, None)
            yield from _checked(pair.span("c"), int(pair["c"]), None, None)
        elif (month := NEXT_MONTH.match(lower, end)) and not _before(SIGN, lower, start):
            yield from _checked((start, month.end()), int(match["c"]), int(month["b"]), None)
        elif _before(YEAR_WORD, lower, start) or (
            _before(ITEM, lower, start) and _opens(lower, end)
        ):
            yield from _checked((start, end), int(match["c"]), None, None)


def _short(lower: str) -> Iterator[FoundDate]:
    """`en 07 2002`, `depuis 03/19`, `le 12 03 19`, `en 98`: a word before them makes them dates."""
    for pattern, word, parts in SHORT:
        for match in pattern.finditer(lower):
            if _before(word, lower, match.start()):
                found = (int(match[part]) if part else None for part in parts)
                yield from _checked(match.span(), *found)


def _opens(lower: str, end: int) -> bool:
    """Whether the year of a list is followed by what happened then."""
    after = lower[end : end + 3].lstrip(" ")
    return bool(after) and (after[0].isalpha() or after[0] in ":),-")


def _before(pattern: re.Pattern[str], lower: str, start: int) -> re.Match[str] | None:
    return pattern.search(lower, max(0, start - BEFORE), start)


def _ranges(lower: str, found: list[FoundDate]) -> Iterator[FoundDate]:
    """The 18 of `du 18 au 29/03/2020`."""
    for date_ in found:
        if date_.day is not None and (match := _before(RANGE, lower, date_.start)):
            start = match.start("a")
            yield from _checked((start, match.end("a")), date_.year, date_.month, int(match["a"]))


def _in_words(lower: str) -> Iterator[FoundDate]:
    for match in MONTH_FIRST.finditer(lower):
        yield from _checked(match.span(), int(match["c"]), MONTHS[match["month"]], int(match["a"]))
    for match in WORDS.finditer(lower):
        start, year = match.start(), match["c"]
        if lower[start - 1 : start].isalpha():
            continue
        before = DAY_BEFORE.search(lower, max(0, start - 10), start)
        first = None if year else _before(YEAR_BEFORE, lower, start)
        part = _before(PART_OF, lower, start)
        told = year and (len(year) > 3 or _before(WHEN, lower, start))
        if before or told or first or (part and len(match["month"]) > 3):
            end = match.end() if year else match.end("month")  # not the full stop after `mars`
            day = before["a"] if before and not first else None
            opening = first or before or part
            span = (opening.start() if opening else start, end)
            month, written = MONTHS[match["month"]], first["c"] if first else year
            yield from _checked(span, _number(written), month, _number(day))


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
