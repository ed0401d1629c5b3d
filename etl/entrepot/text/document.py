"""One text as the layers see it: folded, cut into words, with its dates and runs of digits."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from itertools import compress
from typing import NamedTuple

from entrepot.text.dates import FoundDate, find_dates
from entrepot.text.folding import Folded, fold_text
from entrepot.text.spans import LABELS, Span

TAG = re.compile(
    rf"\[(?:(?P<label>{'|'.join(sorted(LABELS))})_(?P<number>\d{{1,4}})|(?:1[89]|20)\d\d)\]"
)
WALL = "\ufffc"  # stands for a tag: no layer matches it or crosses it
# LeGoff, MmeDUPONT and DUPONTJean are cut where the letter case changes
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_DIGITS = re.compile(r"\d(?:[\s.\-/_()]{0,3}\d)*")
_SEPARATORS = {ord(c): None for c in map(chr, range(0x3001)) if re.fullmatch(r"[\s.\-/_()]", c)}
_JOINING = " \t\r\n-'._"


class Digits(NamedTuple):
    """Digits with nothing but separators between them.

    Args:
        digits: the digits alone.
        start: index of the first in the folded text.
        written: digits and separators.
    """

    digits: str
    start: int
    written: str

    @property
    def positions(self) -> list[int]:
        """Index of each digit in the folded text."""
        return [self.start + k for k, c in enumerate(self.written) if c.isdigit()]


class Document:
    """A folded text; every position below counts characters of `lower` and `plain`.

    Words are parallel lists, `words[i]` (lower case) from `starts[i]` to `ends[i]`: a document of
    2 kB has 300 words, and objects would cost more than the search.
    """

    def __init__(self, text: str) -> None:
        folded = fold_text(text)
        if "[" in folded.plain:
            folded = _walled(folded)
        self.folded = folded
        self.plain, self.lower = folded.plain, folded.lower
        places = [match.span() for match in _WORD.finditer(self.plain)]
        self.words = [self.lower[start:end] for start, end in places]
        self.starts = [start for start, _ in places]
        self.ends = [end for _, end in places]

    def gap(self, i: int) -> str:
        """What stands between word `i - 1` and word `i`."""
        return self.lower[self.ends[i - 1] : self.starts[i]]

    def joins(self, i: int) -> bool:
        """Whether words `i - 1` and `i` may be parts of one name: short, no punctuation."""
        gap = self.lower[self.ends[i - 1] : self.starts[i]]
        return len(gap) <= 4 and not gap.strip(_JOINING)

    def is_lower(self, i: int) -> bool:
        """Whether word `i` is written in lower case."""
        return self.plain[self.starts[i]] == self.lower[self.starts[i]]

    def is_upper(self, i: int) -> bool:
        """Whether word `i` is written in capitals."""
        return self.plain[self.starts[i] : self.ends[i]].isupper()

    def after(self, position: int) -> int:
        """Index of the first word that starts at or after `position`."""
        return bisect_left(self.starts, position)

    @cached_property
    def dates(self) -> list[FoundDate]:
        """Every date, sorted, non-overlapping."""
        return find_dates(self.lower)

    @cached_property
    def digits(self) -> list[Digits]:
        """Every run of digits and separators."""
        runs = ((m.start(), m.group()) for m in _DIGITS.finditer(self.lower))
        return [Digits(run.translate(_SEPARATORS), start, run) for start, run in runs]

    @cached_property
    def squeezed(self) -> str:
        """Letters and digits alone, lower case."""
        return "".join(filter(str.isalnum, self.lower))

    @cached_property
    def squeezed_positions(self) -> list[int]:
        """Index in `lower` of each character of `squeezed`."""
        return list(compress(range(len(self.lower)), map(str.isalnum, self.lower)))

    def original(self, spans: Iterator[Span] | list[Span]) -> list[Span]:
        """`spans` in characters of the given text."""
        convert = self.folded.span
        return [Span(*convert(s.start, s.end), s.label, s.layer) for s in spans]


def _walled(folded: Folded) -> Folded:
    """Tags of an earlier pass become walls, so that scrubbing twice changes nothing."""

    def wall(match: re.Match[str]) -> str:
        return WALL * len(match.group())

    plain = TAG.sub(wall, folded.plain)
    if plain == folded.plain:
        return folded
    lower = "".join(c if p != WALL else WALL for c, p in zip(folded.lower, plain, strict=True))
    return Folded(folded.text, plain, lower, folded.origin)
