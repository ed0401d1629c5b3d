"""Layer 4, names typed without any capital: `theodore roux`, `marie cécile lefevre`.

Only a given name that no vocabulary knows starts such a name; the words beside it are its own when
they are listed names, or words that no vocabulary knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.spans import GAZETTEER, Span
from entrepot.text.word_kinds import Kind, kinds_of

_NAMES = frozenset((Kind.GIVEN, Kind.GIVEN_WORD, Kind.UNKNOWN))
_LEAST = 3  # letters of a neighbour


def find(document: Document, lexicon: Lexicon, taken: bytearray) -> Iterator[Span]:
    """Spans of the folded text: names in lower case around a sure given name."""
    starting = lexicon.gazetteer.lower.intersection(document.words)
    if not starting:
        return
    done = 0
    for i, word in enumerate(document.words):
        if i < done or word not in starting or taken[document.starts[i]]:
            continue
        if document.is_lower(i):
            first, done = _around(document, lexicon, i, done)
            yield from _spans(document, lexicon, taken, first, done)


def _around(document: Document, lexicon: Lexicon, i: int, done: int) -> tuple[int, int]:
    """First word of the name around word `i` and the one after its last."""
    first, last = i, i + 1
    while first > done and _joins(document, first) and _is_name(document, lexicon, first - 1):
        first -= 1
    while (
        last < len(document.words) and _joins(document, last) and _is_name(document, lexicon, last)
    ):
        last += 1
    return first, last


def _spans(
    document: Document, lexicon: Lexicon, taken: bytearray, first: int, last: int
) -> Iterator[Span]:
    given = lexicon.gazetteer.given
    for k in range(first, last):
        if not taken[document.starts[k]]:
            label = "PRENOM" if document.words[k] in given else "NOM"
            yield Span(document.starts[k], document.ends[k], label, GAZETTEER)


def _joins(document: Document, k: int) -> bool:
    return document.gap(k) in (" ", "-")


def _is_name(document: Document, lexicon: Lexicon, k: int) -> bool:
    word = document.words[k]
    if len(word) < _LEAST or not document.is_lower(k):
        return False
    kind = kinds_of(lexicon).of(word)
    return kind in _NAMES or kind is Kind.SURNAME
