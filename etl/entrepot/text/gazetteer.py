"""Layer 4's lists: given names, surnames, towns and institutions, own seeds and a site's files.

A name that is also a word (`Rose`, `Petit`, `Nice`) is marked so: what stands beside it decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"[^\W\d_]+")
_LEAST_LOWER = 5  # letters; shorter given names in lower case are words of other languages too
Places = dict[str, list[tuple[tuple[str, ...], str, bool]]]


@dataclass(frozen=True, eq=False)
class Gazetteer:
    """Folded names.

    Args:
        given: given names.
        ambiguous: those of `given` that are words too.
        weak: those of `ambiguous` that a capital does not make a name (`le jour de Noël`).
        surnames: family names.
        places: first word -> (words, VILLE or HOPITAL, sure), the longest first.
        lower: given names that no vocabulary knows: masked in lower case too.
    """

    given: frozenset[str]
    ambiguous: frozenset[str]
    weak: frozenset[str]
    surnames: frozenset[str]
    places: Places
    lower: frozenset[str]

    def holds(self, word: str) -> bool:
        """Whether the folded `word` is a given name or a surname."""
        return word in self.given or word in self.surnames

    @cached_property
    def place_starts(self) -> frozenset[str]:
        """First words of places."""
        return frozenset(self.places)

    @cached_property
    def town_ends(self) -> frozenset[str]:
        """Last words of towns."""
        return frozenset(
            words[-1] for choices in self.places.values() for words, label, _ in choices
            if label == "VILLE"
        )  # fmt: skip


def lower_given(given: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """The names that may be masked in lower case: long enough, and no known word."""
    return frozenset(n for n in given if len(n) >= _LEAST_LOWER and n not in known)


def places_of(rows: Iterable[tuple[str, str, bool]]) -> Places:
    """Places by their first word; `rows` are (folded name, label, sure)."""
    found: dict[str, dict[tuple[str, ...], tuple[str, bool]]] = {}
    for name, label, sure in rows:
        words = tuple(_WORD.findall(name))
        if words:
            found.setdefault(words[0], {}).setdefault(words, (label, sure))
    return {
        first: sorted(
            ((words, label, sure) for words, (label, sure) in choices.items()),
            key=lambda choice: (-len(choice[0]), choice),
        )
        for first, choices in found.items()
    }
