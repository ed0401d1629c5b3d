"""Rewrites a date as its writer wrote it, some weeks earlier; what cannot be rewritten is None.

The door kept where dates stand in a note (`text/dates.py` says which ways of writing it knows); a
partial date is shifted from its first day and cut again: `mars 2024` becomes another month.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from entrepot.text.folding import fold

MASK = "[DATE]"
_TOKEN = re.compile(r"\d+|[^\W\d_]+|[\W_]+")
_FULL = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip
_SHORT = (
    "janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc",
)  # fmt: skip
_OTHER = {"jan": 1, "fev": 2, "mar": 3, "juill": 7, "jul": 7, "aou": 8, "sep": 9}
_MONTHS = {
    **_OTHER,
    **{fold(name): n for names in (_SHORT, _FULL) for n, name in enumerate(names, start=1)},
}
_LONG = {fold(name) for name in _FULL}
_YMD = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d*)")
_DMY = re.compile(r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])((?:19|20)\d\d)")
_HALF_YEAR = 183
# What numbers of one or two figures and of four stand for, in their order.
_SHAPES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("year",): ("year",),
    ("short", "year"): ("month", "year"),
    ("year", "short"): ("year", "month"),
    ("short", "short"): ("day", "month"),
    ("year", "short", "short"): ("year", "month", "day"),
    ("short", "short", "year"): ("day", "month", "year"),
    ("short", "short", "short"): ("day", "month", "year"),
}


@dataclass
class _Parts:
    """Indexes of the tokens that hold day, month and year; None where it is not written."""

    tokens: list[str]
    day: int | None = None
    month: int | None = None
    year: int | None = None


def shift_written(
    written: str, days: int, written_on: dt.date, before: dt.date = dt.date.max
) -> str | None:
    """The date `days` earlier, in the same format.

    Args:
        written: as it stands in the note, nothing around it.
        written_on: the note's true date; says the century of two digits, and the year of none.
        before: a shifted date on or after it is not shown.

    Returns:
        None when it is no date that can be rewritten: the caller masks it.
    """
    parts = _read(written)
    if parts is None:
        return None
    try:
        true = _true_day(parts, written_on)
        moved = true - dt.timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return None if moved >= before else _write(parts, moved)


def _read(written: str) -> _Parts | None:
    compact = _YMD.fullmatch(written) or _DMY.fullmatch(written)
    if compact is not None:
        order = (2, 1, 0) if len(compact[1]) == 4 else (0, 1, 2)
        return _Parts([group or "" for group in compact.groups()], *order)
    tokens = _TOKEN.findall(written)
    words = [n for n, token in enumerate(tokens) if token[0].isalpha()]
    numbers = [n for n, token in enumerate(tokens) if token.isdecimal() and token.isascii()]
    return _in_words(tokens, words, numbers) if words else _in_numbers(tokens, numbers)


def _in_words(tokens: list[str], words: Sequence[int], numbers: Sequence[int]) -> _Parts | None:
    named = [n for n in words if fold(tokens[n]) in _MONTHS]
    if len(named) != 1 or any(fold(tokens[n]) != "er" for n in words if n != named[0]):
        return None
    month = named[0]
    day = [n for n in numbers if n < month and len(tokens[n]) <= 2]
    year = [n for n in numbers if n > month and len(tokens[n]) in (2, 4)]
    if len(day) + len(year) != len(numbers) or len(day) > 1 or len(year) > 1 or not numbers:
        return None
    return _Parts(tokens, day[0] if day else None, month, year[0] if year else None)


def _in_numbers(tokens: list[str], numbers: Sequence[int]) -> _Parts | None:
    kinds = {1: "short", 2: "short", 4: "year"}
    roles = _SHAPES.get(tuple(kinds.get(len(tokens[n]), "") for n in numbers))
    if roles is None:
        return None
    place = dict(zip(roles, numbers, strict=True))
    day, month, year = place.get("day"), place.get("month"), place.get("year")
    if year is not None and len(tokens[year]) == 1:
        return None
    # Month first, as some foreign software writes it.
    if day is not None and month is not None and int(tokens[month]) > 12 >= int(tokens[day]):
        day, month = month, day
    return _Parts(tokens, day, month, year)


def _true_day(parts: _Parts, written_on: dt.date) -> dt.date:
    """The first day that the written parts may mean; raises ValueError for a day that is none."""
    month = 1 if parts.month is None else _month(parts.tokens[parts.month])
    day = 1 if parts.day is None else int(parts.tokens[parts.day])
    if parts.year is None:
        found = dt.date(written_on.year, month, day)
        late = found > written_on + dt.timedelta(days=_HALF_YEAR)
        return found.replace(year=found.year - 1) if late else found
    text = parts.tokens[parts.year]
    year = int(text)
    if len(text) == 2:
        year += 2000 if year <= written_on.year % 100 + 5 else 1900
    return dt.date(year, month, day)


def _month(token: str) -> int:
    return int(token) if token.isdecimal() else _MONTHS[fold(token)]


def _write(parts: _Parts, moved: dt.date) -> str:
    tokens = list(parts.tokens)
    worded = parts.month is not None and not tokens[parts.month].isdecimal()
    if parts.year is not None:
        tokens[parts.year] = f"{moved.year:04d}"[-len(tokens[parts.year]) :]
    if parts.month is not None:
        old = tokens[parts.month]
        tokens[parts.month] = _named(old, moved.month) if worded else _padded(old, moved.month)
    if parts.day is not None:
        old = tokens[parts.day]
        padded = not worded or old.startswith("0")
        tokens[parts.day] = _padded(old, moved.day) if padded else str(moved.day)
        if worded and moved.day != 1:
            tokens = [token for token in tokens if fold(token) != "er"]
    return "".join(tokens)


def _padded(old: str, number: int) -> str:
    return f"{number:0{len(old)}d}"


def _named(old: str, month: int) -> str:
    """A month's name, as long, in the same case, and without accents where they were left out."""
    folded = fold(old)
    name = (_FULL if folded in _LONG else _SHORT)[month - 1]
    accented = _FULL[_MONTHS[folded] - 1] if folded in _LONG else _SHORT[_MONTHS[folded] - 1]
    if fold(accented) != accented and old.isascii():
        name = fold(name)
    return name.upper() if old.isupper() else name.capitalize() if old[0].isupper() else name
