"""One reader at work: the documents in their order, and what is saved of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrepot.config import Site
from entrepot.review.agreement import disputed, together
from entrepot.review.population import BIRTH_YEAR, release, texts
from entrepot.review.sample import (
    OVER,
    Drawn,
    Mark,
    Read,
    Reading,
    check_marks,
    load_adjudicated,
    load_reading,
    load_readings,
    load_sample,
    save_reading,
)
from entrepot.text.document import TAG


@dataclass(frozen=True)
class Document:
    """What the page shows of one document; offsets are of Unicode characters."""

    number: int
    text: str | None
    tags: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    done: bool


class Session:
    """A reader's pass over one review; several requests of their page may come at once.

    Texts are read from the published release each time and kept nowhere. A document that the
    release no longer holds as it was drawn (opposed, erased, scrubbed anew) shows no text.

    Args:
        adjudicate: only the documents that readers marked differently, with the marks of all; what
            is saved is the decision.
    """

    def __init__(self, site: Site, place: Path, reader: str, *, adjudicate: bool = False) -> None:
        self._site, self._place, self.reader = site, place, reader
        self.sample = load_sample(place)
        self._lock = threading.Lock()
        self._adjudicate = adjudicate
        self._readings = load_readings(place) if adjudicate else []
        self.documents = self.sample.documents
        if adjudicate:
            self.documents = disputed(self.sample.documents, self._readings)

    def state(self) -> dict[str, Any]:
        """How many documents there are, and which are finished."""
        reading = self._reading()
        done = [one.note_id in reading.documents for one in self.documents]
        first = done.index(False) if False in done else 0
        return {"review": self.sample.review, "reader": self.reader, "done": done, "first": first}

    def document(self, number: int) -> Document:
        """The document of this place in the order.

        Raises:
            IndexError: there is none.
        """
        drawn = self._drawn(number)
        text = self._text(drawn)
        read = self._reading().documents.get(drawn.note_id)
        others = (one.documents.get(drawn.note_id) for one in self._readings)
        marks = read.marks if read else together(one for one in others if one is not None)
        shown = [mark.model_dump() for mark in marks] if text is not None else []
        return Document(number, text, _tags(text or ""), shown, read is not None)

    def save(self, number: int, marks: list[Mark]) -> bool:
        """Finishes a document with these marks; False when they cannot be of this text.

        Raises:
            IndexError: there is no such document.
            EntrepotError: the disk refuses.
        """
        drawn = self._drawn(number)
        text = self._text(drawn)
        if text is None or not check_marks(marks, len(text)) or not _on_tags(marks, text):
            return False
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with self._lock:
            reading = self._reading()
            read = Read(sha256=drawn.sha256, at=now, marks=marks)
            documents = {**reading.documents, drawn.note_id: read}
            following = reading.model_copy(update={"documents": documents, "reader": self.reader})
            save_reading(self._place, following, adjudicated=self._adjudicate)
        return True

    def _reading(self) -> Reading:
        if self._adjudicate:
            return load_adjudicated(self._place, self.sample.review)
        return load_reading(self._place, self.sample.review, self.reader)

    def _drawn(self, number: int) -> Drawn:
        if number < 0:
            raise IndexError(number)
        return self.documents[number]

    def _text(self, drawn: Drawn) -> str | None:
        with release(self._site) as connection:
            text = texts(connection, [drawn.note_id]).get(drawn.note_id)
        if text is None or hashlib.sha256(text.encode()).hexdigest() != drawn.sha256:
            return None
        return text


def _tags(text: str) -> list[dict[str, Any]]:
    return [
        {"start": found.start(), "end": found.end(), "label": found["label"] or BIRTH_YEAR}
        for found in TAG.finditer(text)
    ]


def _on_tags(marks: list[Mark], text: str) -> bool:
    """Only a tag can be over-masked."""
    known = {(tag["start"], tag["end"], tag["label"]) for tag in _tags(text)}
    return all((mark.start, mark.end, mark.label) in known for mark in marks if mark.kind == OVER)
