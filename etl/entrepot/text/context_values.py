"""Numbers and birth dates that a word before them gives away."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from entrepot.text.dates import FoundDate
from entrepot.text.document import WALL, Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.measures import measured
from entrepot.text.phrases import has_accent, match_phrase
from entrepot.text.spans import CONTEXT, Span

_SEPARATOR = re.compile(
    r"[\s:=#.°()\[\]\-]{0,6}(?:(?:n\s?°|n°|no\.?|num\.?|numero|est(?: le)?|au|"
    r"a l'identifiant)[\s:.]{1,4})?"
)
_VALUE = re.compile(
    r"(?:\+|[a-z]{1,5}[\-./]?)?\d[a-z0-9]*(?:[.\-/][a-z0-9]*\d[a-z0-9]*)*(?:[\-/][a-z]\b)?"
)
_NEXT = re.compile(r"[ \t]{1,2}(?:\(0\))?(\d+[a-z]?(?![a-z]))")
_STATED = frozenset(("IPP", "NDA", "SECU"))  # `IPP : 2025042320` is no date
_SHORT_LINES = frozenset(("poste", "bip", "dect"))
_MOST_DIGITS = 34  # an IBAN
_BIRTH = frozenset(("ne", "nee", "nes", "nees", "ddn", "naissance", "naiss", "dn"))
_BIRTH_REACH = 60
_BETWEEN = re.compile(rf"[,;{WALL}]|\.\s|\n\s*\n")


def find_values(document: Document, lexicon: Lexicon) -> Iterator[Span]:
    """Spans of the folded text: identifiers and birth dates by the words before them."""
    starts = [found.start for found in document.dates]
    dates = set(starts)
    for i, word in enumerate(document.words):
        if word in lexicon.identifiers:
            yield from _number(document, lexicon, i, dates)
        if word in _BIRTH:
            yield from _birth(document, lexicon, i, starts)


def _number(document: Document, lexicon: Lexicon, i: int, dates: set[int]) -> Iterator[Span]:
    matched = match_phrase(document, lexicon.identifiers, i)
    if matched is None:
        return
    end = document.ends[matched[0] - 1]
    if document.words[i] == "n" and matched[0] == i + 1 and not _is_number_sign(document, i):
        return
    separator = _SEPARATOR.match(document.lower, end)
    start = separator.end() if separator else end
    value = _VALUE.match(document.lower, start)
    if value is None or value.start() == end:
        return
    if start in dates and (matched[1] not in _STATED or not value.group().isdigit()):
        return
    last = _continued(document, lexicon, value.end(), dates)
    digits = "".join(filter(str.isdigit, document.lower[start:last]))
    least = 3 if document.words[i] in _SHORT_LINES else 4
    year = len(digits) == 4 and digits[:2] in ("19", "20")
    if least <= len(digits) <= _MOST_DIGITS and not (year and last - start == 4):
        yield Span(start, last, matched[1], CONTEXT)


def _is_number_sign(document: Document, i: int) -> bool:
    """Whether the word `n` is `N°`, not the negation `n'`."""
    end = document.ends[i]
    return document.lower[end : end + 1] == "°"


def _continued(document: Document, lexicon: Lexicon, end: int, dates: set[int]) -> int:
    """End of a number written in groups: `8001 234 567`, but not the `65 ans` after it."""
    while following := _NEXT.match(document.lower, end):
        if following.start(1) in dates or measured(document.lower, following.end(), lexicon):
            break
        single = len(following[1]) == 1
        if single and document.lower[end - 2 : end - 1].isalnum():
            break  # `IPP 12345 2 fois`; but `8 0 0 1 2` is one number
        end = following.end()
    return end


def _birth(document: Document, lexicon: Lexicon, i: int, starts: list[int]) -> Iterator[Span]:
    end = document.ends[i]
    at = bisect_left(starts, end)
    if at == len(starts) or starts[at] - end > _BIRTH_REACH:
        return
    found = document.dates[at]
    if document.words[i] == "ne" and not has_accent(document, i) and not _short(document, i, found):
        return
    if _BETWEEN.search(document.lower, end, found.start):
        return
    between = range(i + 1, document.after(found.start))
    if all(
        not document.is_lower(k)
        or document.words[k] in lexicon.function
        or document.words[k] in ("e", "s", "es", "date", "jour")
        for k in between
    ):
        yield Span(found.start, found.end, "DATE_NAISSANCE", CONTEXT)


def _short(document: Document, i: int, found: FoundDate) -> bool:
    """`NE LE 28/03/1979`: without its accent, `ne` must stand right before the date."""
    between = document.lower[document.ends[i] : found.start]
    return between.strip(" :()") in ("le", "e) le", "e le", "en") and len(between) <= 12
