"""Names as forms to search: what a patient's or a professional's names may look like, folded.

`Le Goff` is one form `legoff` whose parts may be written apart, glued, hyphenated or broken over
lines, and a form `goff` of its own; a form knows whether it is also an ordinary word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from entrepot.text.folding import fold
from entrepot.text.lexicon import Lexicon

_WORDS = re.compile(r"[^\W\d_]+")
FUZZY_LETTERS = 5  # names under five letters have too many neighbours
TWO_ERRORS_LETTERS = 8
EMBEDDED_LETTERS = 5


class Level(IntEnum):
    """How much a form says by itself."""

    DISTINCT = 0  # masked wherever it stands
    COMMON = 1  # also an ordinary word: masked unless in lower case without a name around
    WEAK = 2  # a grammatical word or one letter: masked only with a name around


class Form(NamedTuple):
    """One way to write a name, glued.

    Args:
        label: NOM, PRENOM or VILLE.
        level: whether it is an ordinary word too.
        cuts: where its parts end, as offsets in the glued form.
    """

    label: str
    level: Level
    cuts: frozenset[int]


class Hit(NamedTuple):
    """Words `first:last` of a document that match a form."""

    first: int
    last: int
    form: Form


class Names:
    """Forms of several names, ready to be searched.

    Attributes:
        forms: glued form -> Form.
        prefixes: every beginning of every form.
        parts: part -> [(form, words of the form, index of the part)], for forms of several parts.
        embeddable: distinctive forms that are searched inside longer words.
        fuzzy: (form, allowed distance) of the forms that tolerate typing errors.
        initials: first letters of given names, and of compound ones together (`jb`).
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.forms: dict[str, Form] = {}
        self.prefixes: set[str] = set()
        self.parts: dict[str, list[tuple[str, tuple[str, ...], int]]] = {}
        self.embeddable: list[str] = []
        self.fuzzy: list[tuple[str, int]] = []
        self.initials: set[str] = set()

    def add_all(self, names: Iterable[str], label: str) -> None:
        """Adds person names: whole, each part, each part with the particles before it."""
        for name in names:
            words = self._words(name)
            for run in self._runs(words):
                self._add(run, label)
            if label == "PRENOM" and words:
                self.initials.update(word[0] for word in words)
                self.initials.add("".join(word[0] for word in words))

    def add_towns(self, towns: Iterable[str]) -> None:
        """Adds towns, whole: a part of a town's name says nothing."""
        for town in towns:
            words = tuple(_WORDS.findall(re.sub(r"\bcedex\b.*", "", fold(town))))
            self._add(words, "VILLE")
            if words[:1] and words[0] in ("saint", "sainte", "st", "ste"):
                other = {"saint": "st", "sainte": "ste", "st": "saint", "ste": "sainte"}[words[0]]
                self._add((other, *words[1:]), "VILLE")

    def seal(self) -> Names:
        """Computes what depends on all forms; call once after the last `add`."""
        for form, known in self.forms.items():
            self.prefixes.update(form[:k] for k in range(1, len(form) + 1))
            if known.level is Level.DISTINCT and len(form) >= EMBEDDED_LETTERS:
                self.embeddable.append(form)
            if known.level is not Level.WEAK and len(form) >= FUZZY_LETTERS:
                self.fuzzy.append((form, allowed_errors(form)))
        return self

    def level_of(self, words: tuple[str, ...]) -> Level:
        """The level of a form: the most telling of its parts decides."""
        content = [w for w in words if w not in self.lexicon.particles] or list(words)
        return min(self._word_level(word) for word in content)

    def _word_level(self, word: str) -> Level:
        if len(word) == 1 or word in self.lexicon.function:
            return Level.WEAK
        if len(word) == 2:
            return Level.WEAK if self.lexicon.ordinary(word) else Level.COMMON
        return Level.COMMON if self.lexicon.ordinary(word) else Level.DISTINCT

    def _words(self, name: str) -> tuple[str, ...]:
        words = _WORDS.findall(fold(name))
        while len(words) > 1 and words[0] in self.lexicon.titles and len(words[0]) > 1:
            words = words[1:]
        return tuple(words)

    def _runs(self, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if words:
            yield words
        for i, word in enumerate(words):
            if word in self.lexicon.particles or len(word) < 2:
                continue
            first = i
            while first and words[first - 1] in self.lexicon.particles:
                yield words[first : i + 1]
                first -= 1
            yield words[first : i + 1]
            yield (word,)

    def _add(self, words: tuple[str, ...], label: str) -> None:
        glued = "".join(words)
        if not glued:
            return
        ends = [len("".join(words[: k + 1])) for k in range(len(words) - 1)]
        known = self.forms.get(glued)
        if known is not None:
            self.forms[glued] = known._replace(cuts=known.cuts | set(ends))
            return
        self.forms[glued] = Form(label, self.level_of(words), frozenset(ends))
        if len(words) > 1 and len(glued) >= FUZZY_LETTERS:
            for k, part in enumerate(words):
                self.parts.setdefault(part, []).append((glued, words, k))


def allowed_errors(form: str) -> int:
    """How many typing errors a form tolerates (Damerau-Levenshtein)."""
    return 2 if len(form) >= TWO_ERRORS_LETTERS else 1
