"""Searches texts: all letters and digits are squeezed together, then each hit is judged.

A text is searched without its blanks, hyphens, line ends and points, so that a split or spaced
identifier is found like a whole one; what surrounds a hit then tells a name from chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from entrepot.report.second_scan.forms import Kind
from entrepot.report.second_scan.inventory import Hit, Inventory, Needle
from entrepot.report.second_scan.lexicon import french_words
from entrepot.report.second_scan.naming import NameReader
from entrepot.report.second_scan.spelling import TAG, Squeezed, plain

GAP, NUMBER_GAP = 40, 3  # characters between two pieces: an indented line; separators
SPLIT, GLUED, LONG_NUMBER = 5, 7, 13
LONG, SEPARATORS = 10, (" ", ".", "-", "/", "_")  # figures of a number; usual marks in a short one
CHANCE = 6  # letters or digits that bytes do not spell by chance
_TAG = re.compile(r"\[[A-Z_]{2,20}_\d{1,3}\]")
_BIRTH = frozenset({"ne", "nee", "naissance", "birth", "born", "dob", "ddn"})
_DATES = frozenset({(8,), (4, 2, 2), (2, 2, 4), (1, 2, 4), (2, 1, 4), (1, 1, 4), (4, 3)})


class TextSearch:
    """Searches many texts at once: the automaton of all identifiers is built for each call."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory, self._names = inventory, NameReader(inventory)
        births = {f: n for f, n in inventory.ambiguous.items() if n.kind is Kind.DATE}
        self._births = frozenset(births)
        self._needles = inventory.joined | births
        self._forms = list(self._needles)

    def find(self, texts: list[str], sure: bool = True) -> list[set[Hit]]:
        """Hits of each text; of runs of bytes (`sure` false) only what chance does not spell."""
        import polars as pl

        read = [Squeezed.of(plain(_TAG.sub(TAG, text))) for text in texts]
        column = pl.Series([one.joined for one in read], dtype=pl.String).str
        forms = column.extract_many(self._forms, overlapping=True)
        starts = column.find_many(self._forms, overlapping=True)
        found = []
        for text, one, written, at in zip(texts, read, forms, starts, strict=True):
            pairs = zip(written, at, strict=True)
            hits = set(self._squeezed(one, (p for p in pairs if sure or len(p[0]) >= CHANCE)))
            if sure:
                hits.update(self._names.read(one))
                hits.update(self._names.damaged(text))
            found.append(hits)
        return found

    def _squeezed(self, text: Squeezed, found: Iterator[tuple[str, int]]) -> Iterator[Hit]:
        for form, start in found:
            way = self._judged(text, form, start, self._needles[form])
            if way:
                yield Hit(self._needles[form], way)

    def _judged(self, text: Squeezed, form: str, start: int, needle: Needle) -> str:
        """How the squeezed form stands in the text; empty when that is chance."""
        ranks, whole = text.words(start, start + len(form))
        if needle.kind is Kind.NUMBER:
            within = text.in_a_key(ranks)
        else:
            within = needle.kind in (Kind.NAME, Kind.DATE) and text.touched(ranks)
        if not whole or within:
            return self._glued(text.word(ranks[0]), form, needle) if len(ranks) == 1 else ""
        gaps = [text.between(rank) for rank in ranks[:-1]]
        if any(len(gap) > (GAP if needle.kind is Kind.NAME else NUMBER_GAP) for gap in gaps):
            return ""
        usual = frozenset(text.starts[rank] - start for rank in ranks[1:]) <= needle.cuts
        words = [text.word(rank) for rank in ranks]
        match needle.kind:
            case Kind.DATE:
                return self._date(text, form, ranks)
            case Kind.NAME:
                return self._name(words, usual, needle)
            case Kind.PLACE:
                return "written" if usual and not words[0][0].islower() else ""
        known = len(form) >= LONG or all(gap in SEPARATORS for gap in gaps)
        return "written" if usual else "separated" if known else ""

    def _name(self, words: list[str], usual: bool, needle: Needle) -> str:
        """A name that is a word must have its capital; of a split one half must be no words."""
        if usual:
            small = any(word[0].islower() and self._is_word(word) for word in words)
            lone = len(words) == 1 or needle.label == "NOM_COMPLET"
            return "" if lone and small else "written"
        strange = [word for word in words if len(word) == 1 or not self._is_word(word)]
        if sum(map(len, words)) < SPLIT or not words[0][0].isupper():
            return ""
        return "split" if len(strange) * 2 >= len(words) else ""

    def _glued(self, word: str, form: str, needle: Needle) -> str:
        """Within a longer word or number."""
        if needle.kind is Kind.NUMBER and form.isdigit():
            return "glued" if len(form) >= LONG_NUMBER else ""
        if needle.kind is not Kind.NAME or len(form) < GLUED or self._is_word(word):
            return ""
        return "glued"

    def _date(self, text: Squeezed, form: str, ranks: range) -> str:
        if form.isdigit() and tuple(len(text.word(rank)) for rank in ranks) not in _DATES:
            return ""
        if form in self._births:
            before = {text.word(ranks[0] - back).lower() for back in (1, 2, 3)}
            return "birth" if before & _BIRTH else ""
        return "written"

    def _is_word(self, word: str) -> bool:
        small = word.lower()
        return small in self._inventory.words or small in french_words()
