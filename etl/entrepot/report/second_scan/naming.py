"""Words that are names only where a name stands: ambiguous ones, misheard ones, damaged ones.

A word that sounds like a name is one only if all of this holds: it begins with a capital, no French
word list nor text of the truth knows it, its phonetic key is the name's, it differs in at most half
as many letters as the name has, and a title, a given name or a mask is near. Counted with 216
names: of 132,406 French words 174 sound like one (`clair`, `moules`), of 20,009 other terms of the
mappings and references 69 (`lucite`, `rachis`; most are names); near a title in clean zones, none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from entrepot.report.second_scan.forms import Kind
from entrepot.report.second_scan.inventory import SOUNDING, TITLES, Hit, Inventory, Needle, beside
from entrepot.report.second_scan.lexicon import french_words
from entrepot.report.second_scan.spelling import TAG, WALL, Squeezed, slips, sound

NEAR = 2  # words on either side
_LOST = re.compile(r"[A-Za-z?\ufffd]*[A-Za-z][?\ufffd]{1,2}[A-Za-z?\ufffd]*")
_GAP = re.compile("[?\ufffd]{1,2}")
_NAMED = TITLES | {"nom", "prenom", "patient", "patiente", "bebe", "enfant", "interne"}


@dataclass
class NameReader:
    """Finds names by what stands beside them."""

    inventory: Inventory
    _sounding: dict[str, Needle | None] = field(default_factory=dict)

    def read(self, text: Squeezed) -> Iterator[Hit]:
        """Ambiguous names where the truth would name somebody, and misheard names."""
        for rank, (start, end) in enumerate(text.spans):
            word = text.text[start:end]
            if end - start < 2 or word[0].islower():
                continue
            needle = self.inventory.ambiguous.get(word.lower())
            if needle is None:
                like = self._like(word)
                if like is not None and self._is_beside_a_name(text, rank):
                    yield Hit(like, "sounds alike")
            elif needle.kind is not Kind.DATE and self._names(text, rank, word.lower(), needle):
                yield Hit(needle, "named")

    def damaged(self, text: str) -> Iterator[Hit]:
        """Names whose accented letters became `?` or the replacement character."""
        if "?" in text or "\ufffd" in text:
            for match in _LOST.finditer(text):
                needle = self.inventory.gapped.get(_GAP.sub("?", match[0]).lower())
                if needle is not None:
                    yield Hit(needle, "lost accents")

    def _names(self, text: Squeezed, rank: int, name: str, needle: Needle) -> bool:
        left, right = beside(text, rank, -1), beside(text, rank, 1)
        if (left, name) in self.inventory.before or (name, right) in self.inventory.after:
            return True
        if needle.kind is not Kind.NAME:
            return False
        whole_cell = {left, right} <= {"", WALL} and len(name) > 2
        return whole_cell or left in TITLES

    def _like(self, word: str) -> Needle | None:
        if len(word) < SOUNDING:
            return None
        if word not in self._sounding:
            self._sounding[word] = self._heard(word.lower())
        return self._sounding[word]

    def _heard(self, word: str) -> Needle | None:
        if word in self.inventory.words or word in french_words() or word in self.inventory.joined:
            return None
        for name, needle in self.inventory.sounds.get(sound(word), {}).items():
            most = len(name) // 2  # as many letters may only write the same sound otherwise
            if 0 < slips(word, name, most) <= most:
                return needle
        return None

    def _is_beside_a_name(self, text: Squeezed, rank: int) -> bool:
        for step in (-1, 1):
            for other in range(rank + step, rank + step * (NEAR + 1), step):
                word = text.word(other).lower()
                if word in ("", WALL):
                    break
                if word in _NAMED or word in self.inventory.given or word == TAG:
                    return True
        return False
