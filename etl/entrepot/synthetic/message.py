"""One HL7v2 message before it is encoded: segments of fields, in which identifiers are marked.

Positions are written `PID-5[2].1`: segment, occurrence in brackets (1 when absent), field,
repetition in brackets (1 when absent), component, sub-component.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

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


class Mention(NamedTuple):
    """An identifier inside a text: half-open character span of the decoded text."""

    start: int
    end: int
    ident: Ident


class Text(str):
    """A free text and the identifiers in it."""

    __slots__ = ("mentions",)
    mentions: tuple[Mention, ...]

    def __new__(cls, pieces: Sequence[str]) -> Text:
        """Joins `pieces`; each piece that is an Ident becomes a mention."""
        new = super().__new__(cls, "".join(pieces))
        mentions, offset = [], 0
        for piece in pieces:
            if isinstance(piece, Ident) and piece:
                mentions.append(Mention(offset, offset + len(piece), piece))
            offset += len(piece)
        new.mentions = tuple(mentions)
        return new


def lines(text: Text) -> list[Text]:
    """The lines of `text`; no mention of it may hold a line end."""
    found, start = [], 0
    for line in text.split("\n"):
        end = start + len(line)
        pieces: list[str] = []
        offset = start
        for mention in text.mentions:
            if start <= mention.start and mention.end <= end:
                pieces += [text[offset : mention.start], mention.ident]
                offset = mention.end
        found.append(Text([*pieces, text[offset:end]]))
        start = end + 1
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
        cut: characters kept, when the message is truncated.
        marks: late, correction, cancel, same_control_id, duplicate_of, bad.
    """

    source: str
    event: str
    patient: str
    sent: dt.datetime
    segments: list[Segment]
    facts: tuple[str, ...] = ()
    arrival: dt.datetime = dt.datetime.min
    style: str = "local"
    other: str = ""
    id: str = ""
    control_id: str = ""
    cut: int | None = None
    marks: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.arrival < self.sent:
            self.arrival = self.sent


class Place(NamedTuple):
    """Where one identifier was put."""

    ident: Ident
    position: str
    start: int | None
    end: int | None


def places(segments: Sequence[Segment]) -> Iterator[Place]:
    """Every identifier of `segments`, in the order of the message."""
    seen: dict[str, int] = {}
    for segment in segments:
        number = seen[segment.name] = seen.get(segment.name, 0) + 1
        name = f"{segment.name}[{number}]" if number > 1 else segment.name
        for index, content in segment.fields.items():
            yield from _field_places(f"{name}-{index}", content)


def _field_places(position: str, content: Field) -> Iterator[Place]:
    repetitions = content if isinstance(content, Repeat) else (content,)
    for number, repetition in enumerate(repetitions, 1):
        here = f"{position}[{number}]" if number > 1 else position
        if isinstance(repetition, str):
            yield from _leaf_places(here, repetition)
        else:
            yield from _nested_places(here, repetition)


def _nested_places(position: str, parts: Sequence[object]) -> Iterator[Place]:
    for number, part in enumerate(parts, 1):
        if isinstance(part, str):
            yield from _leaf_places(f"{position}.{number}", part)
        elif isinstance(part, list):
            yield from _nested_places(f"{position}.{number}", part)


def _leaf_places(position: str, leaf: str) -> Iterator[Place]:
    if isinstance(leaf, Ident):
        yield Place(leaf, position, None, None)
    elif isinstance(leaf, Text):
        for mention in leaf.mentions:
            yield Place(mention.ident, position, mention.start, mention.end)
    elif isinstance(leaf, Attachment):
        for start, end, ident in leaf.text.mentions:
            span = (start, end) if leaf.plain else (None, None)
            yield Place(ident, position, *span)
