"""Compiles mappings once into straight functions that turn a message into raw rows.

A raw row holds text as sent: it is identifying until the door has treated it. The register
reads the identifying kinds and the exclusive keys with the very same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.message import Message, Segment
from entrepot.feeds.hl7v2.path import Path, compile_path
from entrepot.feeds.mapping import ActionRule, Element, Mapping, MappingSet
from entrepot.feeds.readers import READERS, Attachment

NULL = '""'  # HL7: the sender deletes the value (v2.5 chapter 2.7.3)
Getter = Callable[[Message, Segment | None], str]


@dataclass(slots=True)
class RawRow:
    """What one mapping reads from one segment (or message).

    Args:
        values: column -> text; '' is absent, NULL is the sender's deletion.
        lists: column -> every repetition, for `all` columns.
        key: components of the row's own key; empty when only the fallback identifies it.
        key_by_person: components that identify the row together with its person.
        key_in_record: components that identify the row within its record.
    """

    mapping: Mapping
    segment: Segment | None
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    key_by_person: list[str] = field(default_factory=list)
    key_in_record: list[str] = field(default_factory=list)
    action: str = "upsert"
    event_time: str = ""
    attachment: Attachment | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def position(self) -> str:
        """The segment that the row stands on (`OBX[4]`), for faults and notices."""
        if self.segment is None:
            return ""
        return f"{self.segment.name}[{self.segment.number}]"

    def where(self, column: str) -> str:
        """The element that a column is read from (`PID-7`, `OBX[4]-5`), for faults."""
        for reader in self.mapping.readers:
            if column in reader.columns:
                return compile_path(reader.path).position(self.segment)
        element = self.mapping.columns.get(column)
        paths = element.path if element is not None else None
        first = paths if isinstance(paths, str) else (paths or [""])[0]
        return compile_path(first).position(self.segment) if first else self.position


class CompiledMapping:
    """One mapping as functions; `rows` is called once per message of its events."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self._where = [
            (compile_path(path), set(allowed)) for path, allowed in mapping.where.items()
        ]
        self._values: list[tuple[str, Getter]] = []
        self._lists: list[tuple[str, list[Path]]] = []
        for name, column in mapping.columns.items():
            self._add_column(name, column)
        self._key = [_first_of(part) for part in mapping.key]
        self._fallback = [_first_of(part) for part in mapping.key_fallback]
        self._by_person = [_first_of(part) for part in mapping.key_by_person]
        self._time = _first_of(mapping.event_time) if mapping.event_time else None
        self._action = _action(mapping.action)

    def _add_column(self, name: str, column: Element) -> None:
        if column.all is not None:
            self._lists.append((name, [compile_path(path) for path in column.all]))
        else:
            self._values.append((name, _getter(column)))

    def rows(self, message: Message) -> Iterator[RawRow]:
        """Every row that the mapping's conditions admit, in the message's order."""
        name = self.mapping.foreach
        if name is None:
            segments: list[Segment | None] = [None]
        else:
            segments = [segment for segment in message.segments if segment.name == name]
        for segment in segments:
            if self._admits(message, segment):
                yield self._row(message, segment)

    def _admits(self, message: Message, segment: Segment | None) -> bool:
        for path, allowed in self._where:
            value = path.read(message, segment)
            if value not in allowed and not ("*" in allowed and value):
                return False
        return True

    def _row(self, message: Message, segment: Segment | None) -> RawRow:
        row = RawRow(self.mapping, segment)
        row.values = {name: get(message, segment) for name, get in self._values}
        for name, paths in self._lists:
            row.lists[name] = [v for path in paths for v in path.read_all(message, segment)]
        row.key = [get(message, segment) for get in self._key]
        row.key_by_person = [get(message, segment) for get in self._by_person]
        row.key_in_record = [get(message, segment) for get in self._fallback]
        for reader in self.mapping.readers:
            values, attachment, notices = READERS[reader.reader](message, segment, reader.path)
            row.values.update({n: v for n, v in values.items() if n in reader.columns})
            row.attachment = attachment or row.attachment
            row.notices += notices
        row.action = self._action(message, segment)
        row.event_time = self._time(message, segment) if self._time else ""
        return row


class Extractor:
    """All compiled mappings of a feed, found by event."""

    def __init__(self, mapping_set: MappingSet) -> None:
        self.fingerprint = mapping_set.fingerprint
        self._compiled = [CompiledMapping(mapping) for mapping in mapping_set.mappings]
        self._excluded = mapping_set.events.excluded
        self._by_event: dict[str, list[CompiledMapping]] = {}

    def mappings(self, event: str) -> list[CompiledMapping]:
        """The mappings of an event (`ADT^A01`), in file order."""
        found = self._by_event.get(event)
        if found is None:
            found = [
                compiled
                for compiled in self._compiled
                if any(fnmatchcase(event, pattern) for pattern in compiled.mapping.events)
            ]
            self._by_event[event] = found
        return found

    def exclusion(self, event: str) -> str | None:
        """The rule by which the event yields no row (`order`), if one of the closed list does."""
        for rule, patterns in self._excluded.items():
            if any(fnmatchcase(event, pattern) for pattern in patterns):
                return rule
        return None

    def covers(self, event: str) -> bool:
        """Whether a mapping with a staging kind or a link reads this event by name."""
        return any(
            compiled.mapping.kind not in {"identity", "opposition"}
            and any("*" not in p for p in compiled.mapping.events if fnmatchcase(event, p))
            for compiled in self.mappings(event)
        )


def _first_of(paths: str | list[str]) -> Getter:
    compiled = [compile_path(path) for path in ([paths] if isinstance(paths, str) else paths)]
    if len(compiled) == 1:
        return compiled[0].read

    def first(message: Message, segment: Segment | None) -> str:
        for path in compiled:
            value = path.read(message, segment)
            if value:
                return value
        return ""

    return first


def _getter(element: Element) -> Getter:
    if element.constant is not None:
        constant = element.constant
        return lambda message, segment: constant
    read = _first_of(element.path or "")
    if element.values is None:
        return read
    return _translated(read, element)


def _translated(read: Getter, element: Element) -> Getter:
    values, unknown = element.values or {}, element.unknown
    path = element.path if isinstance(element.path, str) else (element.path or [""])[0]
    position = compile_path(path).position

    def translated(message: Message, segment: Segment | None) -> str:
        value = read(message, segment)
        if value in values:
            return values[value]
        if unknown == "keep" or value == NULL:
            return value
        if unknown == "drop":
            return ""
        raise RecordFault(unknown.removeprefix("quarantine:"), position(segment))

    return translated


def _action(rule: ActionRule | str) -> Getter:
    if isinstance(rule, str):
        return lambda message, segment: rule
    if rule.unknown != "keep":
        return _getter(rule)
    read, values = _first_of(rule.path or ""), rule.values or {}
    return lambda message, segment: values.get(read(message, segment), "upsert")
