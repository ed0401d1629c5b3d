"""Runs: words of a document that stand side by side and may be one name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.word_kinds import Kind, Kinds, kinds_of

LONG_INITIAL = 2  # letters of `Ph.`, `JP`
SAINTS = frozenset(("saint", "sainte", "st", "ste"))
_JOINTS = frozenset(("", " ", "-", "'", "''", "' ", "`", " -", "- ", "  "))
_DOTTED = frozenset((". ", ".", ".-", ". -"))
# kinds that may be a name alone or beside another
_TELLING = frozenset((
    Kind.GIVEN, Kind.GIVEN_WORD, Kind.UNKNOWN, Kind.WORD, Kind.SURNAME,
))  # fmt: skip
_MOST_PARTICLES = 3
_MOST_PASSED = 8  # particles that a rule looks over
_MOST_WORDS = 40  # of a run: rules look at a run from each of its words


class Run:
    """Words `first:last` side by side, their kinds, and which of them are masked.

    `named` are the words that layers 1 to 3 took as names: they only lend support.
    """

    def __init__(
        self, document: Document, lexicon: Lexicon, words: list[int], kinds: list[Kind],
        named: set[int],
    ) -> None:  # fmt: skip
        self.document, self.lexicon = document, lexicon
        self.words, self.kinds, self.named = words, kinds, named
        self.masked = [False] * len(words)

    def evidence(self, k: int) -> bool:
        """Whether place `k` holds a name for sure."""
        if not 0 <= k < len(self.words):
            return False
        return self.words[k] in self.named or (self.masked[k])

    def beside(self, k: int) -> tuple[int, int]:
        """The places before and after `k`, particles passed over."""
        before, after = k - 1, k + 1
        least, most = max(0, k - _MOST_PASSED), min(len(self.words), k + _MOST_PASSED)
        while before >= least and self.kinds[before] is Kind.PARTICLE and not self.masked[before]:
            before -= 1
        while after < most and self.kinds[after] is Kind.PARTICLE and not self.masked[after]:
            after += 1
        return before, after


def runs(document: Document, lexicon: Lexicon, taken: bytearray, named: set[int]) -> Iterator[Run]:
    """Runs that may hold a name: most capitalised words stand alone and are ordinary ones."""
    kinds = kinds_of(lexicon)
    words: list[int] = []
    found: list[Kind] = []
    for i in _candidates(document, taken, named):
        between = range(words[-1] + 1, i) if words else ()
        if words and (len(words) >= _MOST_WORDS or not _reaches(document, kinds, between, i)):
            if _hopeful(words, found, named):
                yield Run(document, lexicon, words, found, named)
            words, found, between = [], [], ()
        words += between
        found += [Kind.PARTICLE] * len(between)
        words.append(i)
        found.append(_kind(document, kinds, i))
    if words and _hopeful(words, found, named):
        yield Run(document, lexicon, words, found, named)


def _candidates(document: Document, taken: bytearray, named: set[int]) -> list[int]:
    """Capitalised words that no layer took, and the names that one took."""
    plain, lower = document.plain, document.lower
    return [
        i
        for i, start in enumerate(document.starts)
        if (plain[start] != lower[start] and not taken[start]) or i in named
    ]


def _reaches(document: Document, kinds: Kinds, between: Sequence[int], i: int) -> bool:
    """Whether word `i` goes on after particles in lower case at most (`Le Goff de la Tour`)."""
    if len(between) > _MOST_PARTICLES:
        return False
    if not all(kinds.of(document.words[k]) is Kind.PARTICLE for k in between):
        return False
    return all(_side_by_side(document, k) for k in (*between, i))


def _hopeful(words: list[int], found: list[Kind], named: set[int]) -> bool:
    if len(words) == 1:
        return found[0] in _TELLING and words[0] not in named
    return any(
        kind is not Kind.PARTICLE and i not in named for i, kind in zip(words, found, strict=True)
    ) and (any(kind in _TELLING for kind in found) or any(i in named for i in words))


def _side_by_side(document: Document, i: int) -> bool:
    gap = document.gap(i)
    if gap in _JOINTS:
        return True
    short = document.ends[i - 1] - document.starts[i - 1] <= LONG_INITIAL
    return short and gap in _DOTTED


def _kind(document: Document, kinds: Kinds, i: int) -> Kind:
    start, end = document.starts[i], document.ends[i]
    before, after = document.lower[start - 1 : start], document.lower[end : end + 1]
    if before.isdigit() or after.isdigit() or "_" in before + after:
        return Kind.SAFE  # C10, T21, HER2: a code
    kind = kinds.of(document.words[i])
    dotted = end - start == LONG_INITIAL and document.plain[end : end + 1] == "."
    if dotted and kind is not Kind.EPONYM and not kinds.introduces(document.words[i]):
        return Kind.INITIAL  # `Ph. ROCHE`, `Gilli DA.`
    return kind
