"""Finds the identifiers of a French clinical text, and removes them: the engine's public face."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrepot.text.identity import Identity
from entrepot.text.replacement import Scrubbed, replace
from entrepot.text.spans import Span

if TYPE_CHECKING:
    from entrepot.config import Model, Text
    from entrepot.text.recognizer import Analyzer


LETTER = "letter"  # the document class of a text of which nothing is said


class Scrubber:
    """Removes identities from texts; one per process, built at its first text.

    Args:
        overlays: folders whose `mappings/text/*.csv` replace the shipped lists.
        recognizers: a site's own Presidio recognisers (`supported_language="fr"`).
        lists: folder of open-data files that the site adds.
        model: a trained model that joins.
    """

    def __init__(
        self,
        overlays: tuple[Path, ...] = (),
        recognizers: tuple[Any, ...] = (),
        lists: Path | None = None,
        model: Model | None = None,
    ) -> None:
        self._overlays, self._recognizers = overlays, recognizers
        self._lists, self._model = lists, model

    @classmethod
    def of(cls, text: Text) -> Scrubber:
        """The engine as one site configures it; `text` is `site.config.text`."""
        return cls(text.overlays, lists=text.lists, model=text.model)

    @cached_property
    def _analyzer(self) -> Analyzer:
        from entrepot.text.recognizer import Analyzer
        from entrepot.text.site_recognizers import site_recognizers

        recognizers = (*self._recognizers, *site_recognizers(self._overlays))
        if self._model is not None:
            from entrepot.text.model import model_recognizer

            recognizers = (*recognizers, model_recognizer(self._model, self._model.folder))
        return Analyzer(self._overlays, recognizers, self._lists)

    def find(
        self,
        text: str,
        identity: Identity,
        ad_hoc_recognizers: tuple[Any, ...] = (),
        document_class: str = LETTER,
    ) -> list[Span]:
        """Identifiers and dates of `text`: sorted, non-overlapping, on its Unicode characters.

        Args:
            text: the text as received.
            identity: what is known of the patient and of the message's professionals.
            ad_hoc_recognizers: further Presidio recognisers for this text alone.
            document_class: how strictly layers 4 and 5 read it, a line of
                `mappings/text/document_classes.csv`: `letter`, `short` or `label`.
        """
        if not text or text.isspace():
            return []
        return self._analyzer.find(text, identity, ad_hoc_recognizers, document_class)

    def scrub(self, text: str, identity: Identity, document_class: str = LETTER) -> Scrubbed:
        """`text` without identifiers, with the places of its kept dates and what was masked."""
        found = self.find(text, identity, document_class=document_class)
        return replace(text, found, identity)
