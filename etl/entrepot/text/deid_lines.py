"""One line of `deid` in, its spans and its rewritten text out; what a worker does.

A line is a JSON object in UTF-8: `{"id", "text", "record"?}`; other keys are not read. A fault
names the line and what is wrong with its form, never anything of its content.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from entrepot.text.engine import Scrubber
from entrepot.text.identity import NOBODY, Identity
from entrepot.text.known_record import RecordFieldError, identity_of
from entrepot.text.leak_scan import leaks
from entrepot.text.replacement import replace

MAX_CHARACTERS = 20_000_000


class LineFault(Exception):  # noqa: N818 - a finding about the input, not an error of the program
    """A line that cannot be read.

    Args:
        line: its number, from 1.
        what: what is wrong with its form.
    """

    def __init__(self, line: int, what: str) -> None:
        self.line, self.what = line, what
        super().__init__(line, what)


@dataclass
class Totals:
    """Counts over documents.

    Args:
        documents: lines read.
        characters: of their texts.
        spans: label -> how many were found.
        without_spans: documents in which nothing was found.
        withheld: documents whose rewritten text the independent leak scan stopped.
        guessed: records with a field outside the schema.
    """

    documents: int = 0
    characters: int = 0
    spans: Counter[str] = field(default_factory=Counter)
    without_spans: int = 0
    withheld: int = 0
    guessed: int = 0

    def add(self, other: Totals) -> None:
        """Adds the counts of further documents."""
        self.documents += other.documents
        self.characters += other.characters
        self.spans.update(other.spans)
        self.without_spans += other.without_spans
        self.withheld += other.withheld
        self.guessed += other.guessed


@dataclass
class Answer:
    """What a chunk of lines gave: two files' lines, and counts.

    Args:
        spans: `{"id", "spans"}` of each line, in order.
        masked: `{"id", "text"}` of each line; empty when nobody asked for it.
        totals: counts.
    """

    spans: str
    masked: str
    totals: Totals


def answer(scrubber: Scrubber, first: int, lines: list[bytes], masked: bool) -> Answer:
    """The lines through the engine.

    Args:
        first: number of the first line.
        masked: whether to rewrite the texts too.

    Raises:
        LineFault: the first line that cannot be read.
    """
    found, rewritten, totals = [], [], Totals()
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        document, text, identity, guessed = _parsed(number, line)
        spans = scrubber.find(text, identity)
        shown = [{"start": s.start, "end": s.end, "label": s.label} for s in spans]
        found.append(_json({"id": document, "spans": shown}))
        totals.documents += 1
        totals.characters += len(text)
        totals.spans.update(span.label for span in spans)
        totals.without_spans += not spans
        totals.guessed += guessed
        if masked:
            clean: str | None = replace(text, spans, identity).text
            if leaks(clean or "", identity):
                clean = None
                totals.withheld += 1
            rewritten.append(_json({"id": document, "text": clean}))
    return Answer("".join(found), "".join(rewritten), totals)


def _parsed(number: int, line: bytes) -> tuple[str | int, str, Identity, bool]:
    """Id, text, identity, and whether a field of the record had to be guessed."""
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        raise LineFault(number, "not UTF-8") from None
    except (ValueError, RecursionError):
        raise LineFault(number, "not JSON") from None
    if not isinstance(value, dict):
        raise LineFault(number, "not a JSON object")
    document, text, record = value.get("id"), value.get("text"), value.get("record")
    if not isinstance(document, str | int) or isinstance(document, bool):
        raise LineFault(number, "id is missing, or neither text nor a whole number")
    if not isinstance(text, str):
        raise LineFault(number, "text is missing or no text")
    if len(text) > MAX_CHARACTERS:
        raise LineFault(number, f"text is over {MAX_CHARACTERS} characters")
    if record is None:
        return document, text, NOBODY, False
    if not isinstance(record, dict):
        raise LineFault(number, "record is no JSON object")
    try:
        return document, text, *identity_of(record)
    except RecordFieldError as fault:
        raise LineFault(number, str(fault)) from None


def _json(value: dict[str, Any]) -> str:
    """A line as UTF-8 can write it: half of a surrogate pair is written as an escape."""
    line = json.dumps(value, ensure_ascii=False)
    if not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:
            line = json.dumps(value)
    return line + "\n"
