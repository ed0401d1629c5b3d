"""Layer 6: a trained model as one more Presidio recogniser; off unless `text.model` names a folder.

Source: reference on pseudonymisation, section 3, layer 6. It only adds: what the other layers found
stays found. A name that it marks in part is masked to the ends of its words, and a label that
nobody mapped is masked as AUTRE_ID.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult

from entrepot.config import Model
from entrepot.errors import ConfigurationError
from entrepot.text.model_readers import Found, Reading, load, model_hash
from entrepot.text.spans import LABELS, MODEL

LANGUAGE, NAME = "fr", "ModelRecognizer"
OVERLAP = 200  # characters that two windows share: a longer name is none
_HALF_PAIRS = re.compile("[\ud800-\udfff]")  # tokenizers written in Rust refuse them
_INSTALL = 'pip install "entrepot[nlp]"'


class ModelRecognizer(EntityRecognizer):  # type: ignore[misc]  # presidio ships no types
    """A model behind Presidio's contract.

    Args:
        reading: the loaded model.
        labels: its labels -> ours; '' for what is to stay.
        min_score: results under it are left out.
    """

    def __init__(self, reading: Reading, labels: dict[str, str], min_score: float) -> None:
        self.reading, self.labels, self.min_score = reading, labels, min_score
        super().__init__(sorted(LABELS), name=NAME, supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load: the model comes by the constructor."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Names in `text`, whole words, in the order of their places."""
        wanted, results = set(entities), []
        reach = dict.fromkeys(LABELS, 0)  # where the label's last result ended
        text = _HALF_PAIRS.sub("\ufffd", text)
        for found in self._read(text):
            label = self._ours(found.label)
            if label not in wanted or found.end <= reach[label]:
                continue
            start, end = _whole_words(text, found.start, found.end)
            reach[label] = end
            results.append(self._result(label, start, end, found.score))
        return results

    def _read(self, text: str) -> Iterator[Found]:
        """What the model finds, by places of `text`, window after window."""
        for start in _windows(text, self.reading.window):
            for found in self.reading.read(text[start : start + self.reading.window]):
                if found.score >= self.min_score and found.end > found.start:
                    yield found._replace(start=start + found.start, end=start + found.end)

    def _ours(self, label: str) -> str:
        ours = self.labels.get(label, label)
        return ours if ours in LABELS or not ours else "AUTRE_ID"

    def _result(self, label: str, start: int, end: int, score: float) -> RecognizerResult:
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: NAME,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            "layer": MODEL,
        }
        return RecognizerResult(label, start, end, score, recognition_metadata=metadata)


def model_recognizer(model: Model, folder: Path) -> ModelRecognizer:
    """The recogniser of a site's model.

    Args:
        folder: `model.folder`, made absolute.

    Raises:
        ConfigurationError: the folder is absent, empty, not the one that was approved, or holds no
            model of this kind; the library is not installed; a label is not mapped.
    """
    _check_labels(model)
    digest = model_hash(folder)
    if model.sha256 not in ("", digest):
        raise ConfigurationError(
            "the model is not the one that was approved",
            where="text.model.sha256",
            remedy=f"put the approved files back, or approve these: sha256: {digest}",
        )
    try:
        reading = load(model, folder)
    except ImportError as error:
        raise ConfigurationError(
            f"a model of kind {model.kind} needs {error.name}, which is not installed",
            where="text.model.kind",
            remedy=_INSTALL,
        ) from None
    except Exception as error:  # each library has its own errors for a folder that is none of its
        raise ConfigurationError(
            f"no model of kind {model.kind} can be loaded ({type(error).__name__})",
            where=str(folder),
            remedy="put the files there that the library itself saved (to_disk, save_pretrained)",
        ) from None
    _check_mapped(reading, model)
    return ModelRecognizer(reading, dict(model.labels), model.min_score)


def _check_labels(model: Model) -> None:
    wrong = sorted(set(model.labels.values()) - LABELS - {""})
    if wrong:
        raise ConfigurationError(
            f"{wrong[0]} is no label of the engine",
            where="text.model.labels",
            remedy=f"one of {', '.join(sorted(LABELS))}, or '' for what is to stay",
        )
    if model.kind == "gliner" and not model.labels:
        raise ConfigurationError(
            "a GLiNER model looks only for what it is asked for",
            where="text.model.labels",
            remedy="name its labels: {person: NOM, city: VILLE}",
        )


def _check_mapped(reading: Reading, model: Model) -> None:
    unknown = sorted(reading.labels - LABELS - set(model.labels))
    if unknown:
        raise ConfigurationError(
            f"the model's label {unknown[0]} is not mapped",
            where="text.model.labels",
            remedy="map it to a label of the engine, or to '' if it is to stay",
        )


def _windows(text: str, size: int) -> Iterator[int]:
    """Where each window starts; two neighbours share OVERLAP characters at least."""
    start = 0
    while True:
        yield start
        if start + size >= len(text):
            return
        start = _word_start(text, start + size - OVERLAP)


def _word_start(text: str, position: int) -> int:
    """The start of the word at `position`, when it is near."""
    blank = max(
        text.rfind(" ", position - OVERLAP, position),
        text.rfind("\n", position - OVERLAP, position),
    )
    return blank + 1 if blank >= 0 else position


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The place without blanks at its ends, widened to the ends of its words."""
    while start < end - 1 and text[start].isspace():
        start += 1
    while end - 1 > start and text[end - 1].isspace():
        end -= 1
    while start and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end
