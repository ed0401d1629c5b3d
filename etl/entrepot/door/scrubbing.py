"""The text engine bound to the person of a record and the professionals that it names."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from entrepot.errors import RecordFault
from entrepot.text import LETTER, Identity, Scrubber, cell_leaks, joined_leaks, leaks

# Numbers of at most 8 digits identify nobody: they need no scrubbing (9 and more do: FINESS, NIR).
_HARMLESS = re.compile(r"[<>=≤≥]{0,2}\s*[-+]?\d{1,4}(?:[  ]?\d{3})?(?:[.,/:-]\d{1,4}){0,2}\s*")
_SHORT, _MOST_TEXTS = 200, 5_000  # texts that come again: labels, words of results
_Scrubbed = tuple[str, list[tuple[int, int]], dict[str, int]]


@dataclass(slots=True)
class Scrubbing:
    """The text engine bound to one identity; equal short texts are scrubbed once."""

    scrubber: Scrubber
    identity: Identity
    entities: Counter[str] = field(default_factory=Counter)
    _known: dict[tuple[str, str], _Scrubbed] = field(default_factory=dict)
    _harmless: set[str] = field(default_factory=set)

    def text(self, text: str, document_class: str = LETTER) -> tuple[str, list[tuple[int, int]]]:
        """The text without identities and the spans of its true dates.

        Args:
            document_class: how strictly words that no list knows are masked.

        Raises:
            RecordFault: the independent scan still finds an identifier (`residual_identifier`).
        """
        if _HARMLESS.fullmatch(text):
            return text, []
        found = self._known.get((text, document_class))
        if found is None:
            scrubbed = self.scrubber.scrub(text, self.identity, document_class)
            if leaks(scrubbed.text, self.identity):
                raise RecordFault("residual_identifier")
            found = (scrubbed.text, list(scrubbed.date_spans), dict(scrubbed.entities))
            if len(text) <= _SHORT and len(self._known) < _MOST_TEXTS:
                self._known[text, document_class] = found
        self.entities.update(found[2])
        return found[:2]

    def drawn_text(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """As `text`, of a PDF: a name in pieces is a name.

        Raises:
            RecordFault: `residual_identifier`.
        """
        found = self.text(text)
        if joined_leaks(found[0], self.identity):
            raise RecordFault("residual_identifier")
        return found

    def check_code(self, value: str) -> str:
        """A code as sent, unless it holds an identifier of this person."""
        if value not in self._harmless:
            if cell_leaks(value, self.identity):
                raise RecordFault("residual_identifier")
            if len(self._harmless) < _MOST_TEXTS:
                self._harmless.add(value)
        return value
