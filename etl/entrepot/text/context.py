"""Layer 3: identifiers that the words around them give away.

Source: reference on pseudonymisation, section 3, layer 3. One pass over the words of the text;
each word that introduces something (a title, a form label, a kind of street…) calls its reader.
"""

from __future__ import annotations

from entrepot.text import context_names, context_places, context_values
from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.spans import Span


def find(document: Document, lexicon: Lexicon) -> list[Span]:
    """Spans of the folded text whose context identifies."""
    return [
        *context_names.find_names(document, lexicon),
        *context_values.find_values(document, lexicon),
        *context_places.find_places(document, lexicon),
    ]
