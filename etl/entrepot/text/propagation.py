"""Layer 7: what was found once is searched in the whole document.

Source: reference on pseudonymisation, section 3, layer 7. Names in the folded forms of layer 1,
without typing errors: a guess must not breed guesses. Numbers as they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.name_search import search
from entrepot.text.names import Names
from entrepot.text.spans import KNOWN, PROPAGATION, Span

_NAMES = ("NOM", "PRENOM")
_NUMBERS = frozenset(("IPP", "NDA", "AUTRE_ID", "SECU", "TEL"))
_LEAST_LETTERS = 3
_LEAST_DIGITS = 5


def find(document: Document, spans: Iterable[Span], lexicon: Lexicon) -> list[Span]:
    """Further places of what `spans` (of the folded text) hold.

    What layer 1 found was searched everywhere already. An eponym found after a title (`Dr Crohn`)
    is not spread over the diseases that bear it.
    """
    names = Names(lexicon)
    values: dict[str, str] = {}
    for span in spans:
        if span.layer == KNOWN:
            continue
        written = document.lower[span.start : span.end]
        if span.label in _NAMES and _spreads(written, lexicon):
            names.add_all([written], span.label)
        elif span.label in _NUMBERS and sum(map(str.isdigit, written)) >= _LEAST_DIGITS:
            values[written] = span.label
    hits = search(document, names.seal(), tolerant=False)
    found = [
        Span(document.starts[h.first], document.ends[h.last - 1], h.form.label, PROPAGATION)
        for h in hits
        if h.last - h.first > 1 or len(document.words[h.first]) >= _LEAST_LETTERS
    ]
    for value, label in values.items():
        found += _everywhere(document.lower, value, label)
    return found


def _spreads(written: str, lexicon: Lexicon) -> bool:
    letters = sum(map(str.isalpha, written))
    return letters >= _LEAST_LETTERS and written not in lexicon.eponyms


def _everywhere(lower: str, value: str, label: str) -> Iterator[Span]:
    at = lower.find(value)
    while at >= 0:
        end = at + len(value)
        if not lower[at - 1 : at].isalnum() and not lower[end : end + 1].isalnum():
            yield Span(at, end, label, PROPAGATION)
        at = lower.find(value, end)
