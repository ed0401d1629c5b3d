"""Reads phrases of the lists in a document, and the accents that folding took away."""

from __future__ import annotations

from entrepot.text.document import Document
from entrepot.text.lists import Phrases


def match_phrase(document: Document, phrases: Phrases, i: int) -> tuple[int, str] | None:
    """The longest phrase that starts at word `i`: index after it and its entity."""
    for words, entity in phrases.get(document.words[i], ()):
        last = i + len(words)
        if tuple(document.words[i:last]) == words and all(
            len(gap) <= 3 and not gap.strip(" '-°/().")
            for gap in map(document.gap, range(i + 1, last))
        ):
            return last, entity
    return None


def has_accent(document: Document, i: int) -> bool:
    """Whether word `i` is written with an accent in the given text."""
    start, end = document.folded.span(document.starts[i], document.ends[i])
    return document.folded.text[start:end] != document.plain[document.starts[i] : document.ends[i]]
