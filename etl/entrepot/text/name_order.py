"""Tells given names from family names among the words of one name, in either order."""

from __future__ import annotations

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon


def given_words(document: Document, lexicon: Lexicon, words: list[int]) -> set[int]:
    """Those of `words`, the words of one name without its particles, that are given names.

    The lists decide when they tell some words from others; else the letter case (`Jean DUPONT`,
    `DUPONT Jean`), the surnames, and at last the order: a given name comes first.
    """
    if len(words) < 2:
        return set()
    names = lexicon.gazetteer
    initials = {k for k in words if _initial(document, k)}
    listed = {k for k in words if document.words[k] in names.given} | initials
    if listed and len(listed) < len(words):
        return listed
    capitals = {
        k for k in words if document.is_upper(k) and document.ends[k] - document.starts[k] > 1
    }
    if capitals and len(capitals) < len(words):
        return set(words) - capitals
    first, last = words[0], words[-1]
    family_first = document.words[first] in names.surnames and (
        document.words[last] not in names.surnames
    )
    if family_first:
        return set(words) - {first}
    if listed:
        return set(words) - {last}
    return set() if _elided(document, first) else {first}


def _initial(document: Document, k: int) -> bool:
    """`J`, `J.`, `Ph.`: one letter, or two and a full stop."""
    start, end = document.starts[k], document.ends[k]
    dotted = document.plain[end : end + 1] == "."
    elided = document.plain[end : end + 1] == "'"
    return (end - start == 1 and not elided) or (end - start == 2 and dotted)


def _elided(document: Document, k: int) -> bool:
    """`N'Diaye`, `D'Arcy`: one name, not a given name and a family name."""
    return document.plain[document.ends[k] : document.ends[k] + 1] == "'"
