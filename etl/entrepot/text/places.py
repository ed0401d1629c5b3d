"""Layer 4, places: towns and institutions that the lists know, without a word before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.spans import GAZETTEER, Span

# words before a town; `de Nice` may be `de nice`, hence the letter case below
TOWARDS = frozenset(("a", "au", "aux", "dans", "vers", "sur", "de", "d", "en", "pres", "depuis"))
_JOINED = frozenset(("sur", "sous", "en", "les", "lez", "la", "le", "de", "du", "des", "d", "l"))
_TAIL = re.compile(r"[ \-]{1,3}cedex(?: ?\d{1,2}\b)?|(?<=paris|.lyon) \d{1,2}(?:e|eme)?\b(?! ?\d)")
_MOST_JOINED = 6
_LEAST_SMALL = 5  # letters of a town in lower case


def find(document: Document, lexicon: Lexicon, taken: bytearray) -> Iterator[Span]:
    """Spans of the folded text: listed towns and institutions that no span took before."""
    places = lexicon.gazetteer.places
    for i, word in enumerate(document.words):
        if word not in places or taken[document.starts[i]]:
            continue
        if document.is_lower(i) and not _small(document, lexicon, i):
            continue
        for words, label, sure in places[word]:
            last = i + len(words)
            if _written(document, i, last, words) and (sure or _placed(document, i)):
                yield _span(document, i, _extended(document, last), label)
                break


def _small(document: Document, lexicon: Lexicon, i: int) -> bool:
    """`né à marseille`: a town without its capital, which no vocabulary knows."""
    word = document.words[i]
    return len(word) >= _LEAST_SMALL and _placed(document, i) and not lexicon.vocabulary.knows(word)


def _written(document: Document, first: int, last: int, words: tuple[str, ...]) -> bool:
    """Whether the words stand there, side by side, the long ones capitalised."""
    return tuple(document.words[first:last]) == words and all(
        document.joins(k)
        and (not document.is_lower(k) or len(document.words[k]) <= 3 or document.is_lower(first))
        for k in range(first + 1, last)
    )


def _placed(document: Document, i: int) -> bool:
    """Whether a word such as `à` stands before a town that is also a word (`à Nice`)."""
    return i > 0 and document.words[i - 1] in TOWARDS and document.gap(i) in (" ", "'")


def _extended(document: Document, last: int) -> int:
    """Index after the town's further words: `Nogent` `sur Marne`, `Deuil` `-La-Barre`."""
    end = j = last
    while j < min(len(document.words), last + _MOST_JOINED) and document.gap(j) in ("-", " ", "'"):
        hyphen = document.gap(j) == "-"
        if not document.is_lower(j) and (hyphen or document.words[j - 1] in _JOINED):
            end = j + 1
        elif document.words[j] not in _JOINED:
            break
        j += 1
        if end == j and not (j < len(document.words) and document.gap(j) == "-"):
            break
    return end


def _span(document: Document, first: int, last: int, label: str) -> Span:
    end = document.ends[last - 1]
    if label == "VILLE" and (tail := _TAIL.match(document.lower, end)):
        end = tail.end()
    return Span(document.starts[first], end, label, GAZETTEER)
