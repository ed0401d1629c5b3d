"""Finds the identifiers of a French clinical text, and removes them: the engine's public face."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrepot.text.identity import Identity
from entrepot.text.replacement import Scrubbed, replace
from entrepot.text.spans import Span

if TYPE_CHECKING:
    from entrepot.text.recognizer import Analyzer


class Scrubber:
    """Removes identities from texts; one per process, built at its first text.

    Args:
        overlays: folders whose `mappings/text/*.csv` replace the shipped lists.
        recognizers: a site's own Presidio recognisers (`supported_language="fr"`).
    """

    def __init__(self, overlays: tuple[Path, ...] = (), recognizers: tuple[Any, ...] = ()) -> None:
        self._overlays, self._recognizers = overlays, recognizers

    @cached_property
    def _analyzer(self) -> Analyzer:
        from entrepot.text.recognizer import Analyzer

        return Analyzer(self._overlays, self._recognizers)

    def find(
        self, text: str, identity: Identity, ad_hoc_recognizers: tuple[Any, ...] = ()
    ) -> list[Span]:
        """Identifiers and dates of `text`: sorted, non-overlapping, on its Unicode characters.

        Args:
            text: the text as received.
            identity: what is known of the patient and of the message's professionals.
            ad_hoc_recognizers: further Presidio recognisers for this text alone.
        """
        if not text or text.isspace():
            return []
        return self._analyzer.find(text, identity, ad_hoc_recognizers)

    def scrub(self, text: str, identity: Identity) -> Scrubbed:
        """`text` without identifiers, with the places of its kept dates and what was masked."""
        return replace(text, self.find(text, identity), identity)
