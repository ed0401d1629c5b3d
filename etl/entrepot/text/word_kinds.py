"""What a capitalised word may be by itself: a given name, a surname, an unknown word…"""

from __future__ import annotations

from enum import IntEnum, auto
from functools import lru_cache

from entrepot.text.lexicon import Lexicon


class Kind(IntEnum):
    """What the lists say of one word; numbers, because sets of them are asked at every word."""

    GIVEN = auto()  # a given name and no word
    GIVEN_WORD = auto()  # Rose, Claire: a name if its surroundings say so
    SURNAME = auto()  # Petit, Renard: a known surname that is also a known word
    UNKNOWN = auto()  # no list knows it
    WORD = auto()  # a word of general French alone: Compas, Bureau
    CLINICAL = auto()  # a word that a list of ours knows: Côte, Serre
    EPONYM = auto()
    PARTICLE = auto()
    INITIAL = auto()
    SAFE = auto()  # grammatical, a title, a label: never part of a name


class Kinds:
    """The kind of every word, remembered: a process meets the same words again.

    Args:
        lexicon: the lists.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._fixed = frozenset().union(
            lexicon.titles, lexicon.roles, lexicon.unions, lexicon.kinship, lexicon.fields,
            lexicon.identifiers, lexicon.institutions, lexicon.acronyms, lexicon.offices,
        )  # fmt: skip
        self.of = lru_cache(maxsize=1 << 15)(self._of)

    def introduces(self, word: str) -> bool:
        """Whether `word` stands before a name without being part of it (`Dr.`, `Pr.`)."""
        return word in self._lexicon.titles or word in self._lexicon.offices

    def _of(self, word: str) -> Kind:
        lexicon, names = self._lexicon, self._lexicon.gazetteer
        if len(word) == 1:
            return Kind.INITIAL
        if word in lexicon.particles:
            return Kind.PARTICLE
        if word in lexicon.function or word in self._fixed:
            return Kind.SAFE
        if word in names.given:
            return Kind.GIVEN_WORD if word in names.ambiguous else Kind.GIVEN
        return self._vocabulary_kind(word)

    def _vocabulary_kind(self, word: str) -> Kind:
        lexicon = self._lexicon
        eponym = word in lexicon.eponyms
        if not (eponym or lexicon.vocabulary.knows(word)):
            return Kind.UNKNOWN
        if word in lexicon.gazetteer.surnames:
            return Kind.SURNAME
        if eponym:
            return Kind.EPONYM
        clinical = lexicon.ordinary(word) or lexicon.vocabulary.clinical(word)
        return Kind.CLINICAL if clinical else Kind.WORD


@lru_cache(maxsize=8)
def kinds_of(lexicon: Lexicon) -> Kinds:
    """The kinds of one set of lists."""
    return Kinds(lexicon)
