"""Dates whose day or year is written in words: `quinze septembre mille neuf cent soixante-cinq`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_SMALL = {
    "premier": 1, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6,
    "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "treize": 13,
    "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20, "vingts": 20, "trente": 30,
    "quarante": 40, "cinquante": 50, "soixante": 60,
}  # fmt: skip
_UNIT = "dix-sept|dix-huit|dix-neuf|" + "|".join(sorted(_SMALL, key=len, reverse=True))
_JOINT = r"[ \-]{1,2}"
_DAY = rf"(?:{_UNIT})(?:{_JOINT}(?:et{_JOINT})?(?:{_UNIT}))?"
_YEAR = (
    rf"(?:19|20)\d\d|(?:mille?{_JOINT}neuf{_JOINT}cents?|deux{_JOINT}mille)"
    rf"(?:{_JOINT}(?:et{_JOINT})?(?:{_UNIT})){{0,4}}|\d\d(?!\d)"
)
_SPELLED = re.compile(
    rf"\b(?P<day>{_DAY}|\d\d?(?:er)?) (?P<month>[a-z]{{3,9}}|0\d|1[0-2])\b(?: (?P<year>{_YEAR}))?"
)
_MONTH_AFTER = re.compile(
    r" (?<=[a-z] )(?:(?:0\d|1[0-2]) (?:19|20)\d\d|janv|fevr|mars|avri|mai|juin|juil|aout|sept|octo"
    r"|nove|dece)"
)
Spelled = tuple[tuple[int, int], int | None, int, int]


def spelled(lower: str, months: Mapping[str, int]) -> Iterator[Spelled]:
    """(span, year, month, day) of each date that has a number in words.

    Args:
        lower: a folded text in lower case.
        months: number of each name of a month.
    """
    if not ("mille" in lower or _MONTH_AFTER.search(lower)):
        return
    for match in _SPELLED.finditer(lower):
        named = months.get(match["month"])
        month = named or (int(match["month"]) if match["month"].isdecimal() else None)
        day, year = _number(match["day"]), _year(match["year"])
        words = match["day"][:1].isalpha() or (match["year"] or "0")[:1].isalpha()
        if month and day and words and (named or year):
            yield match.span(), year, month, day


def _number(words: str) -> int | None:
    if words[:1].isdecimal():
        return int("".join(filter(str.isdecimal, words)))
    parts = [_SMALL.get(part) for part in re.split(r"[ \-]+", words) if part != "et"]
    return sum(part for part in parts if part) if None not in parts else None


def _year(words: str | None) -> int | None:
    if not words:
        return None
    if words[:1].isdecimal():
        return int(words)
    parts = [part for part in re.split(r"[ \-]+", words) if part != "et"]
    century = 2000 if parts[0] == "deux" else 1900
    rest = parts[2:] if century == 2000 else parts[3:]
    total = 0
    for part in rest:
        value = _SMALL.get(part, 0)
        total = total * 20 if part.startswith("vingt") and total == 4 else total + value
    return century + total
