"""Layer 7: what was found once is searched in the whole document.

Source: reference on pseudonymisation, section 3, layer 7. Names in the folded forms of layer 1,
without typing errors: a guess must not breed guesses. Numbers as they were written.
"""

from __future__ import annotations

from collections.abc import Iterable

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.name_search import search
from entrepot.text.names import Names
from entrepot.text.occurrences import occurrences
from entrepot.text.spans import PROPAGATION, Span

_NAMES = ("NOM", "PRENOM")
_NUMBERS = frozenset(("IPP", "NDA", "AUTRE_ID", "SECU", "TEL"))
_LEAST_LETTERS = 3
_LEAST_DIGITS = 5


def find(document: Document, found: Iterable[tuple[str, str]], lexicon: Lexicon) -> list[Span]:
    """Further places of (folded value, label) pairs; spans of the folded text.

    An eponym found after a title (`Dr Crohn`) is not spread over the diseases that bear it.
    """
    names = Names(lexicon)
    values: dict[str, str] = {}
    for written, label in found:
        if label in _NAMES and _spreads(written, lexicon):
            names.add_all([written], label)
        elif label in _NUMBERS and sum(map(str.isdigit, written)) >= _LEAST_DIGITS:
            values[written] = label
    hits = search(document, names.seal(), tolerant=False)
    spans = [
        Span(document.starts[h.first], document.ends[h.last - 1], h.form.label, PROPAGATION)
        for h in hits
        if h.last - h.first > 1 or len(document.words[h.first]) >= _LEAST_LETTERS
    ]
    for at, value in occurrences(document.lower, values):
        end = at + len(value)
        if not document.lower[end : end + 1].isalnum() and not (
            " " in value and _within_row(document.lower, at, end)
        ):
            spans.append(Span(at, end, values[value], PROPAGATION))
    return spans


def _spreads(written: str, lexicon: Lexicon) -> bool:
    letters = sum(map(str.isalpha, written))
    return letters >= _LEAST_LETTERS and written not in lexicon.eponyms


def _within_row(lower: str, start: int, end: int) -> bool:
    """Whether digits go on after a blank: `1 2 3` is not the number `1 2 3 4`."""
    before, after = lower[max(0, start - 2) : start], lower[end : end + 2]
    return (before[1:] == " " and before[:1].isdigit()) or (
        after[:1] == " " and after[1:].isdigit()
    )
