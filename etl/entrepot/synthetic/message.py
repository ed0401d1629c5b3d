"""One HL7v2 message before it is encoded: segments of fields, in which identifiers are marked.

Positions are written `PID-5[2].1`: segment, occurrence in brackets (1 when absent), field,
repetition in brackets (1 when absent), component, sub-component.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, TypeAlias

NULL = '""'  # HL7: delete the value


class Ident(str):
    """A string that identifies somebody, as written at one place.

    Attributes:
        label: NOM, PRENOM, IPP… (docs/reference/truth.md).
        of: patient, other, mother, relative or professional.
        typo: one letter differs from the person's real name.
    """

    __slots__ = ("label", "of", "typo")
    label: str
    of: str
    typo: bool

    def __new__(cls, value: str, label: str, of: str = "patient", typo: bool = False) -> Ident:
        new = super().__new__(cls, value)
        new.label, new.of, new.typo = label, of, typo
        return new


class Said(str):
    """Clinical words of a text, which identify nobody and must survive.

    Attributes:
        kind: drug, dose, diagnosis, finding, value or date.
    """

    __slots__ = ("kind",)
    kind: str

    def __new__(cls, value: str, kind: str) -> Said:
        new = super().__new__(cls, value)
        new.kind = kind
        return new


class Mention(NamedTuple):
    """An identifier inside a text: half-open character span of the decoded text."""

    start: int
    end: int
    ident: Ident


class Saying(NamedTuple):
    """A clinical fact inside a text: half-open character span of the decoded text."""

    start: int
    end: int
    said: Said


class Text(str):
    """A free text, the identifiers and the clinical facts in it."""

    __slots__ = ("mentions", "sayings")
    mentions: tuple[Mention, ...]
    sayings: tuple[Saying, ...]

    def __new__(cls, pieces: Sequence[str]) -> Text:
        """Joins `pieces`; an Ident among them becomes a mention, a Said a saying."""
        new = super().__new__(cls, "".join(pieces))
        mentions, sayings, offset = [], [], 0
        for piece in pieces:
            end = offset + len(piece)
            if isinstance(piece, Ident) and piece:
                mentions.append(Mention(offset, end, piece))
            elif isinstance(piece, Said):
                sayings.append(Saying(offset, end, piece))
            offset = end
        new.mentions, new.sayings = tuple(mentions), tuple(sayings)
        return new


def lines(text: Text, separator: str = "\n") -> list[Text]:
    """The lines of `text`, or what another separator parts; no mention of it may hold one."""
    found, start = [], 0
    for line in text.split(separator):
        end = start + len(line)
        pieces: list[str] = []
        offset = start
        for mention in text.mentions:
            if start <= mention.start and mention.end <= end:
                pieces += [text[offset : mention.start], mention.ident]
                offset = mention.end
        found.append(Text([*pieces, text[offset:end]]))
        start = end + len(separator)
    return found


class Attachment(str):
    """Base64 data whose decoded content holds `text`; offsets only when it is plain text."""

    __slots__ = ("plain", "text")
    text: Text
    plain: bool

    def __new__(cls, data: str, text: Text, plain: bool) -> Attachment:
        new = super().__new__(cls, data)
        new.text, new.plain = text, plain
        return new


class Repeat(tuple["Field", ...]):
    """Repetitions of one field."""

    __slots__ = ()


Field: TypeAlias = "str | list[str | list[str]] | Repeat"


@dataclass
class Segment:
    """One segment: its name and its fields by number."""

    name: str
    fields: dict[int, Field]


@dataclass
class Message:
    """One message, still decoded.

    Attributes:
        source: adt, lab, pmsi, pharma or letters.
        event: `ADT^A01^ADT_A01`.
        sent: MSH-7, local civil time. style: local, offset or utc, how MSH-7 is written.
        arrival: when the interface wrote it; after `sent` when it is late.
        facts: ids of the statements that it states.
        other: a second patient of whom it speaks; identifiers of `other` are theirs.
        carries: cda when a CDA document inside it, and not the message itself, tells the facts.
        marks: late, correction, cancel, same_control_id, duplicate_of, bad.
    """

    format: ClassVar[str] = "hl7v2"
    source: str
    event: str
    patient: str
    sent: dt.datetime
    segments: list[Segment]
    facts: tuple[str, ...] = ()
    arrival: dt.datetime = dt.datetime.min
    style: str = "local"
    other: str = ""
    carries: str = ""
    id: str = ""
    control_id: str = ""
    marks: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arrival = max(self.arrival, self.sent)


class Place(NamedTuple):
    """Where one identifier was put."""

    ident: Ident
    position: str
    start: int | None
    end: int | None


def places(segments: Sequence[Segment]) -> list[Place]:
    """Every identifier of `segments`, in the order of the message."""
    found: list[Place] = []
    seen: dict[str, int] = {}
    for segment in segments:
        number = seen[segment.name] = seen.get(segment.name, 0) + 1
        name = f"{segment.name}[{number}]" if number > 1 else segment.name
        for index, content in segment.fields.items():
            if type(content) is not str:
                _collect(found, f"{name}-{index}", content)
    return found


def _collect(found: list[Place], position: str, content: Field) -> None:
    if isinstance(content, Repeat):
        for number, repetition in enumerate(content, 1):
            _collect(found, f"{position}[{number}]" if number > 1 else position, repetition)
    elif isinstance(content, list):
        for number, part in enumerate(content, 1):
            if type(part) is not str:  # most parts are plain strings: skipped early
                _collect(found, f"{position}.{number}", part)  # type: ignore[arg-type]
    elif isinstance(content, Ident):
        found.append(Place(content, position, None, None))
    elif isinstance(content, Text):
        for start, end, ident in content.mentions:
            found.append(Place(ident, position, start, end))
    elif isinstance(content, Attachment):
        for start, end, ident in content.text.mentions:
            span = (start, end) if content.plain else (None, None)
            found.append(Place(ident, position, *span))
