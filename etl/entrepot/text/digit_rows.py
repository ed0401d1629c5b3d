"""Identifiers written digit by digit (`1 2 0 5 1 9 7 8  2 7 8 0 5…`): where one ends.

Forms filled by hand or read from boxes part every digit by a blank, and several numbers may follow
one another on a line. A row is parted into a date (8 digits), a phone (10), a NIR (13 or 15).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_ROW = re.compile(r"\d(?<![\d,./]\d)(?: {1,2}\d){6,}(?!\d| ?[,/]\d)")
_DAY_FIRST = re.compile(r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:1[89]|20)\d\d")
_MONTH_FIRST = re.compile(r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19|20)\d\d")
_ONE_DIGIT_DAY = re.compile(r"[1-9](?:0[1-9]|1[0-2])(?:19|20)\d\d")
_YEAR_FIRST = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_DATES = (_DAY_FIRST, _YEAR_FIRST, _MONTH_FIRST, _ONE_DIGIT_DAY)
_PHONE = re.compile(r"0\d{9}")
_NIR = re.compile(r"[1-478]\d{12}(?:\d\d)?")
_PART = re.compile(r" \d\d")  # the last digit may open a number that is written otherwise
_LEAST = 6
_MOST = 60  # digits: a longer row is masked whole
Piece = tuple[int, int, str]


def find_rows(lower: str) -> Iterator[Piece]:
    """(start, end, label) of each number of each row; AUTRE_ID where no reading fits.

    Args:
        lower: a folded text.
    """
    for match in _ROW.finditer(lower):
        places = [k for k in range(*match.span()) if lower[k].isdigit()]
        digits = "".join(lower[k] for k in places)
        if len(set(digits)) == 1:
            continue  # `2 2 2 2 2 2 2`: the marks of a scale
        if len(digits) > _MOST:
            yield match.start(), match.end(), "AUTRE_ID"
            continue
        if _PART.match(lower, match.end()) and len(_parted(digits)) == 1 and len(digits) > _LEAST:
            digits = digits[:-1] if _parted(digits)[0][2] == "AUTRE_ID" else digits
        for first, last, label in _parted(digits):
            yield places[first], places[last - 1] + 1, label


@lru_cache(maxsize=256)
def _parted(digits: str) -> tuple[Piece, ...]:
    """The row as whole numbers; as one AUTRE_ID when it cannot be parted."""
    best: list[tuple[Piece, ...] | None] = [None] * (len(digits) + 1)
    best[0] = ()
    for end in range(1, len(digits) + 1):
        for size, label in ((15, "SECU"), (13, "SECU"), (10, "TEL"), (8, "DATE"), (7, "DATE")):
            before = best[end - size] if end >= size else None
            if before is None or not _fits(digits[end - size : end], label):
                continue
            found = (*before, (end - size, end, label))
            known = best[end]
            if known is None or len(found) < len(known):
                best[end] = found
    whole = best[-1]
    if whole is not None:
        return whole
    return ((0, len(digits), "AUTRE_ID"),) if len(digits) >= _LEAST else ()


def _fits(digits: str, label: str) -> bool:
    if label == "DATE":
        return any(form.fullmatch(digits) for form in _DATES)
    return bool((_NIR if label == "SECU" else _PHONE).fullmatch(digits))
