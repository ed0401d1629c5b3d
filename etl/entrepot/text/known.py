"""Layer 1: the known identifiers of this patient and of this message's professionals.

Source: reference on pseudonymisation, section 3, layer 1. Words are walked once along a set of
prefixes, which does for whole words what an Aho-Corasick automaton does for characters, and is
built in the time of one short document: an identity serves one to ten documents.
"""

from __future__ import annotations

from functools import lru_cache

from entrepot.text.document import Document
from entrepot.text.identity import Identity
from entrepot.text.known_values import Values, find_values
from entrepot.text.lexicon import Lexicon
from entrepot.text.name_search import search
from entrepot.text.names import Names
from entrepot.text.spans import KNOWN, Span


class Known:
    """One identity, compiled.

    Args:
        identity: what is known.
        lexicon: the lists.
    """

    def __init__(self, identity: Identity, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.values = Values(identity, lexicon)
        names = Names(lexicon)
        names.add_all(sorted(identity.family_names), "NOM")
        names.add_all(sorted(identity.given_names), "PRENOM")
        names.add_all(sorted(identity.relatives), "NOM")
        names.add_all(sorted(identity.professionals), "NOM")
        names.add_towns(sorted(identity.towns))
        self.names = names.seal()


_compiled = lru_cache(maxsize=256)(Known)


def compile_identity(identity: Identity, lexicon: Lexicon) -> Known:
    """`Known(identity, lexicon)`, kept for the next documents of the same person."""
    return _compiled(identity, lexicon)


def find(document: Document, known: Known) -> list[Span]:
    """Spans of the folded text that hold a known identifier."""
    spans = [
        _name_span(document, hit.first, hit.last, hit.form.label)
        for hit in search(document, known.names, tolerant=True)
    ]
    spans += find_values(document, known.values, known.lexicon)
    return spans


def _name_span(document: Document, first: int, last: int, label: str) -> Span:
    end = document.ends[last - 1]
    if label == "VILLE" and last < len(document.words) and document.words[last] == "cedex":
        end = document.ends[last]
        number = document.lower[end : end + 3]
        end += len(number.rstrip()) if number.strip().isdigit() else 0
    return Span(document.starts[first], end, label, KNOWN)
