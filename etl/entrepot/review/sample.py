"""What a review's folder holds: the drawn documents, and what each reader marked; never a text.

`research/review/<id>/`, for its owner alone: a mark says where a missed identifier stands.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from entrepot.config import Site
from entrepot.durable import create_private, sync
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.text.spans import LABELS

SAMPLE, READERS, RESULTS = "sample.json", "readers", "results.json"
ADJUDICATED = "adjudicated.json"
MISSED, OVER = "missed", "over"
Model = TypeVar("Model", bound=BaseModel)
MAX_MARKS = 2000  # of a document: more is no reading


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stratum(_Strict):
    """Documents that are alike before anybody has read them.

    Args:
        population: documents of the release; `sampled` of them were drawn.
        detected: tags by label in all documents of the stratum.
    """

    detection: Literal["some", "none"]
    format: str
    type: str
    length: str
    population: int
    sampled: int
    detected: dict[str, int]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from the others."""
        return (self.detection, self.format, self.type, self.length)


class Drawn(_Strict):
    """One document of the sample; `sha256` of its text, `detected` its tags by label."""

    note_id: int
    stratum: int
    sha256: str
    detected: dict[str, int]


class Sample(_Strict):
    """A drawn sample, in the order in which it is read."""

    review: str
    release: str
    seed: str
    drawn_at: str
    software: str
    lists: str
    strata: list[Stratum]
    documents: list[Drawn]


class Mark(_Strict):
    """What a reader marked: characters of the text, and of which kind."""

    kind: Literal["missed", "over"]
    start: Annotated[int, Field(ge=0)]
    end: int
    label: str

    def overlaps(self, other: Mark) -> bool:
        """Whether they share a character."""
        return self.start < other.end and other.start < self.end


class Read(_Strict):
    """A document that a reader has finished."""

    sha256: str
    at: str
    marks: list[Mark]


class Reading(_Strict):
    """All that one reader has finished, by note_id."""

    review: str
    reader: str
    documents: dict[int, Read] = {}


def root(site: Site) -> Path:
    """Where the reviews lie."""
    return site.research / "review"


def folder(site: Site, review: str) -> Path:
    """One review's folder.

    Raises:
        ConfigurationError: there is none of this name.
    """
    found = {path.name: path for path in root(site).glob("*") if (path / SAMPLE).is_file()}
    if review not in found:
        raise ConfigurationError(
            "there is no such review", where=str(root(site)), remedy="entrepot review sample"
        )
    return found[review]


def load_sample(place: Path) -> Sample:
    """The sample of a review's folder.

    Raises:
        ConfigurationError: the file is damaged.
    """
    return _load(place / SAMPLE, Sample)


def load_readings(place: Path) -> list[Reading]:
    """What every reader has finished, by name."""
    return [_load(path, Reading) for path in sorted((place / READERS).glob("*.json"))]


def load_reading(place: Path, review: str, reader: str) -> Reading:
    """One reader's work, empty before their first document."""
    path = _reading_path(place, reader)
    return _load(path, Reading) if path.is_file() else Reading(review=review, reader=reader)


def load_adjudicated(place: Path, review: str) -> Reading:
    """What was decided where readers differ; `reader` is who decided last."""
    path = place / ADJUDICATED
    return _load(path, Reading) if path.is_file() else Reading(review=review, reader="")


def save_reading(place: Path, reading: Reading, *, adjudicated: bool = False) -> None:
    """Replaces a reader's file in one step: a crash leaves the former one whole."""
    path = place / ADJUDICATED if adjudicated else _reading_path(place, reading.reader)
    write_private(path, reading.model_dump_json())


def write_private(path: Path, text: str) -> None:
    """Writes a file for its owner alone, durably and in one step.

    Raises:
        EntrepotError: the disk refuses; the former file stands.
    """
    following = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        create_private(following, text)
        os.replace(following, path)
        sync(path.parent)
    except OSError as error:
        following.unlink(missing_ok=True)
        raise EntrepotError(
            f"the review cannot be written ({error.strerror})", where=str(path.parent),
            remedy="free space or mend its rights; what was saved before is kept",
        ) from None  # fmt: skip


def check_marks(marks: list[Mark], length: int) -> bool:
    """Whether the marks may be of a text of so many characters."""
    return len(marks) <= MAX_MARKS and all(
        mark.start < mark.end <= length and mark.label in LABELS for mark in marks
    )


def _reading_path(place: Path, reader: str) -> Path:
    return place / READERS / f"{reader}.json"


def _load(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        raise ConfigurationError(
            "a file of the review is missing or damaged", where=str(path),
            remedy="restore it from a backup, or draw a new sample",
        ) from None  # fmt: skip
