"""Layer 1, for names that are also the commonest words: Lê, Ba, Sow, Le, Da.

Such a name cannot be masked wherever its letters stand. It is masked where it touches a name that
was found (`Mme V. Lê`, `Luc LE`), and where it bears an accent that the common word has not.
"""

from __future__ import annotations

from collections.abc import Iterable

from entrepot.text.document import Document
from entrepot.text.folding import fold
from entrepot.text.identity import Identity
from entrepot.text.spans import KNOWN, Span

MOST_LETTERS = 3
_NAMES = ("NOM", "PRENOM")
_TOUCHING = frozenset((" ", ". ", ".", "-", "\n", ".\n", " - ", "'"))


def find(document: Document, found: Iterable[Span], identity: Identity) -> list[Span]:
    """Spans of the folded text: short names of this patient beside names that were found."""
    names = _short(identity)
    if not names:
        return []
    named = _words_in(document, [span for span in found if span.label in _NAMES])
    return [
        Span(document.starts[i], document.ends[i], "NOM", KNOWN)
        for i, word in enumerate(document.words)
        if word in names
        and i not in named
        and not document.is_lower(i)
        and (_touches(document, i, named) or _written(document, i) in names[word])
    ]


def _short(identity: Identity) -> dict[str, set[str]]:
    """Folded word -> its accented spellings, for every short word of a known name."""
    found: dict[str, set[str]] = {}
    for name in (*identity.family_names, *identity.given_names, *identity.relatives):
        for part in name.replace("-", " ").split():
            folded = fold(part)
            if 1 < len(folded) <= MOST_LETTERS:
                spellings = found.setdefault(folded, set())
                if part.casefold() != folded:
                    spellings.add(part.casefold())
    return found


def _words_in(document: Document, spans: list[Span]) -> set[int]:
    return {
        i for span in spans for i in range(document.after(span.start), document.after(span.end))
    }


def _touches(document: Document, i: int, named: set[int]) -> bool:
    before = i - 1 in named and document.gap(i) in _TOUCHING
    return before or (i + 1 in named and document.gap(i + 1) in _TOUCHING)


def _written(document: Document, i: int) -> str:
    start, end = document.folded.span(document.starts[i], document.ends[i])
    return document.folded.text[start:end].casefold()
