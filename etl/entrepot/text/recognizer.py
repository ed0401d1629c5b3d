"""The engine as one Presidio `EntityRecognizer`, and the analyzer that holds it.

Imported only when a text is scrubbed: Presidio costs seconds to import. Presidio ships no French
recogniser and its language models would be downloaded; `NoOpNlpEngine` needs none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine

from entrepot.errors import ConfigurationError
from entrepot.text import (
    context,
    formats,
    known,
    lower_names,
    places,
    propagation,
    short_names,
    unknown_names,
)
from entrepot.text.document import Document
from entrepot.text.engine import LETTER
from entrepot.text.folding import fold
from entrepot.text.identity import NOBODY, Identity
from entrepot.text.lexicon import Lexicon, load_lexicon
from entrepot.text.spans import KNOWN, LABELS, MODEL, SAFE, SITE, Span, combine

LANGUAGE = "fr"
NAME = "EntrepotRecognizer"
_LAYER = "layer"
_FOREIGN_LABELS = {
    "PERSON": "NOM", "LOCATION": "VILLE", "GPE": "VILLE", "ORGANIZATION": "HOPITAL",
    "PHONE_NUMBER": "TEL", "EMAIL_ADDRESS": "MAIL", "DATE_TIME": "DATE", "URL": "URL",
}  # fmt: skip


class PatientArtifacts(NlpArtifacts):  # type: ignore[misc]  # presidio ships no types
    """Presidio's per-text artifacts carrying whose text it is.

    `AnalyzerEngine.analyze` hands them to every recogniser, which is the one road by which a
    per-document input reaches recognisers that are built once.
    """

    def __init__(self, empty: Any, identity: Identity, document_class: str) -> None:
        super().__init__(
            entities=[],
            tokens=empty.tokens,
            tokens_indices=[],
            lemmas=[],
            nlp_engine=empty.nlp_engine,
            language=LANGUAGE,
            scores=[],
        )
        self.identity, self.document_class = identity, document_class


class EntrepotRecognizer(EntityRecognizer):  # type: ignore[misc]
    """Layers 1 to 5 and 7 behind Presidio's contract; results bear their layer as metadata."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        super().__init__(sorted(LABELS), name=NAME, supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load: the lists come by the constructor."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Everything found in `text`; `nlp_artifacts` may carry the patient's identity."""
        identity = getattr(nlp_artifacts, "identity", NOBODY)
        document_class = getattr(nlp_artifacts, "document_class", LETTER)
        wanted = set(entities)
        return [
            RecognizerResult(
                span.label,
                span.start,
                span.end,
                1.0,
                recognition_metadata={
                    RecognizerResult.RECOGNIZER_NAME_KEY: NAME,
                    RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                    _LAYER: span.layer,
                },
            )
            for span in find_spans(text, identity, self.lexicon, document_class)
            if span.label in wanted
        ]


def find_spans(
    text: str, identity: Identity, lexicon: Lexicon, document_class: str = LETTER
) -> list[Span]:
    """The layers in their order, on one folded document; spans of `text`, combined."""
    document = Document(text)
    spans = known.find(document, known.compile_identity(identity, lexicon))
    spans += formats.find(document, lexicon)
    spans += context.find(document, lexicon)
    spans += short_names.find(document, spans, identity)
    spans += _listed(document, spans, lexicon, document_class)
    spans += propagation.find(document, _to_spread(document, spans), lexicon)
    return combine(document.original(spans), text)


def _listed(
    document: Document, spans: list[Span], lexicon: Lexicon, document_class: str
) -> list[Span]:
    """Layers 4 and 5, on what the layers before left."""
    strictness = lexicon.classes[document_class]
    if not strictness.names:
        return []
    taken = bytearray(len(document.lower) + 1)
    _take(taken, spans)
    found = list(places.find(document, lexicon, taken))
    _take(taken, found)
    named = {
        i
        for span in spans
        if span.label in ("NOM", "PRENOM")
        for i in range(document.after(span.start), document.after(span.end))
    }
    found += unknown_names.find(document, lexicon, strictness, taken, named)
    found += lower_names.find(document, lexicon, taken)
    return found


def _take(taken: bytearray, spans: list[Span]) -> None:
    for span in spans:
        taken[span.start : span.end] = b"\x01" * (span.end - span.start)


def _to_spread(document: Document, spans: list[Span]) -> list[tuple[str, str]]:
    """(value, label) of what layer 1 does not know: what it knows, it searched everywhere."""
    known_places = {k for s in spans if s.layer == KNOWN for k in range(s.start, s.end)}
    return sorted(
        {
            (document.lower[s.start : s.end], s.label)
            for s in spans
            if s.layer not in (KNOWN, SAFE)
            and not (s.start in known_places and s.end - 1 in known_places)
        }
    )


class _NoEnhancer(ContextAwareEnhancer):  # type: ignore[misc]
    """Presidio's default copies every result to weigh lemmas that `NoOpNlpEngine` never makes."""

    def __init__(self) -> None:
        super().__init__(
            context_similarity_factor=0.0,
            min_score_with_context_similarity=0.0,
            context_prefix_count=0,
            context_suffix_count=0,
        )

    def enhance_using_context(
        self, text: str, raw_results: Any, nlp_artifacts: Any, recognizers: Any, context: Any = None
    ) -> Any:
        return raw_results


class Analyzer:
    """A Presidio `AnalyzerEngine` for French without a model, with the engine registered.

    Args:
        overlays: folders whose `mappings/text` replace shipped lists.
        recognizers: a site's own recognisers, with `supported_language="fr"`.
        lists: folder of open-data files that the site adds.

    Raises:
        ConfigurationError: a list is wrong, or a recogniser is for another language.
    """

    def __init__(
        self,
        overlays: tuple[Path, ...] = (),
        recognizers: tuple[Any, ...] = (),
        lists: Path | None = None,
    ) -> None:
        _refuse_other_languages(recognizers)
        self.lexicon = load_lexicon(overlays, lists)
        nlp = NoOpNlpEngine(models=[{"lang_code": LANGUAGE, "model_name": "none"}])
        nlp.load()
        registry = RecognizerRegistry(
            recognizers=[EntrepotRecognizer(self.lexicon), *recognizers],
            supported_languages=[LANGUAGE],
        )
        self.engine = AnalyzerEngine(
            registry=registry,
            nlp_engine=nlp,
            supported_languages=[LANGUAGE],
            context_aware_enhancer=_NoEnhancer(),
        )
        self._empty = nlp.process_text("", LANGUAGE)

    def find(
        self,
        text: str,
        identity: Identity,
        ad_hoc_recognizers: tuple[Any, ...] = (),
        document_class: str = LETTER,
    ) -> list[Span]:
        """Combined spans of `text`, found by the engine and by the site's recognisers."""
        _refuse_other_languages(ad_hoc_recognizers)
        results = self.engine.analyze(
            text,
            LANGUAGE,
            nlp_artifacts=PatientArtifacts(self._empty, identity, document_class),
            ad_hoc_recognizers=list(ad_hoc_recognizers) or None,
        )
        spans = [_span(result) for result in results]
        foreign = [span for span in spans if span.layer in (SITE, MODEL)]
        if not foreign:
            return sorted(spans)
        return combine(spans + self._spread(text, foreign), text)

    def _spread(self, text: str, foreign: list[Span]) -> list[Span]:
        """Layer 7 for what a site's recognisers found, which the engine did not know of."""
        document = Document(text)
        found = sorted({(fold(text[span.start : span.end]), span.label) for span in foreign})
        return document.original(propagation.find(document, found, self.lexicon))


def _refuse_other_languages(recognizers: tuple[Any, ...]) -> None:
    """Presidio leaves out a recogniser of another language (English by default) without a word."""
    for recognizer in recognizers:
        if recognizer.supported_language != LANGUAGE:
            raise ConfigurationError(
                f"the recogniser {recognizer.name} is not for French",
                remedy=f'give it supported_language="{LANGUAGE}"',
            )


def _span(result: Any) -> Span:
    metadata = result.recognition_metadata or {}
    layer = metadata.get(_LAYER, SITE)
    label = _FOREIGN_LABELS.get(result.entity_type, result.entity_type)
    return Span(result.start, result.end, label if label in LABELS else "AUTRE_ID", layer)
