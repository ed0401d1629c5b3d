"""Compiles mappings once into straight functions that turn a message into raw rows.

A raw row holds text as sent: it is identifying until the door has treated it. The register
reads the identifying kinds and the exclusive keys with the very same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from entrepot.errors import RecordFault
from entrepot.feeds.document import (
    NULL,
    PLACES,
    Document,
    Node,
    Path,
    Reader,
    Result,
    reader_of,
)
from entrepot.feeds.mapping import ActionRule, Element, Mapping, MappingSet
from entrepot.feeds.raw_row import RawRow
from entrepot.staging.kinds import KINDS

PROFESSIONALS = frozenset({"professional_family", "professional_given", "professional_numbers"})
Getter = Callable[[Any, Any], str]


class CompiledMapping:
    """One mapping as functions; `rows` is called once per document of its events."""

    def __init__(self, mapping: Mapping, reader: Reader) -> None:
        self.mapping, self._reader = mapping, reader
        self._where = [(self._path(p), *_condition(values)) for p, values in mapping.where.items()]
        self._values: list[tuple[str, Getter]] = []
        self._lists: list[tuple[str, list[Path]]] = []
        self._readers: list[tuple[frozenset[str], Callable[[Any, Any], Result]]] = []
        self._places: dict[str, Path] = {}
        for name, column in mapping.columns.items():
            self._add_column(name, column)
        for one in mapping.readers:
            read = reader.reader(one.reader, one.path, mapping)
            self._readers.append((frozenset(one.columns), read))
            self._places.update(dict.fromkeys(one.columns, self._path(one.path)))
        self._key = [self._first_of(part) for part in mapping.key]
        self._fallback = [self._first_of(part) for part in mapping.key_fallback]
        self._by_person = [self._first_of(part) for part in mapping.key_by_person]
        self._time = self._first_of(mapping.event_time) if mapping.event_time else None
        self._action = self._action_of(mapping.action)

    def rows(self, document: Document) -> Iterator[RawRow]:
        """Every row that the mapping's conditions admit, in the document's order."""
        for node in self._nodes(document):
            yield self._row(document, node)

    def lists(self, document: Document, names: frozenset[str]) -> Iterator[RawRow]:
        """As `rows`, of which only these `all` columns are read."""
        wanted = [(name, paths) for name, paths in self._lists if name in names]
        for node in self._nodes(document):
            row = RawRow(self.mapping, node, self._places)
            for name, paths in wanted:
                row.lists[name] = [v for path in paths for v in path.read_all(document, node)]
            yield row

    def _nodes(self, document: Document) -> Iterator[Any]:
        name = self.mapping.foreach
        nodes: list[Any] = [None] if name is None else document.nodes(name)
        return (node for node in nodes if self._admits(document, node))

    def _admits(self, document: Document, node: Node | None) -> bool:
        for path, allowed, refused in self._where:
            value = path.read(document, node)
            if value in refused:
                return False
            if allowed and value not in allowed and not ("*" in allowed and value):
                return False
        return True

    def _row(self, document: Document, node: Node | None) -> RawRow:
        row = RawRow(self.mapping, node, self._places)
        row.values = {name: get(document, node) for name, get in self._values}
        for name, paths in self._lists:
            row.lists[name] = [v for path in paths for v in path.read_all(document, node)]
        row.key = [get(document, node) for get in self._key]
        row.key_by_person = [get(document, node) for get in self._by_person]
        row.key_in_record = [get(document, node) for get in self._fallback]
        for columns, read in self._readers:
            values, attachment, notices = read(document, node)
            if any(row.values.get(name) for name in columns):
                continue  # of several readers of one thing the first that finds it speaks
            row.values.update({n: v for n, v in values.items() if n in columns})
            row.attachment = attachment or row.attachment
            row.notices += notices
        row.action = self._action(document, node)
        row.event_time = self._time(document, node) if self._time else ""
        return row

    def _path(self, text: str) -> Path:
        return self._reader.path(text, self.mapping)

    def _add_column(self, name: str, column: Element) -> None:
        if column.all is not None:
            paths = [self._path(path) for path in column.all]
            self._lists.append((name, paths))
        else:
            self._values.append((name, self._getter(column)))
            paths = [self._path(path) for path in _texts(column.path)]
        if paths:
            self._places[name] = paths[0]

    def _first_of(self, paths: str | list[str]) -> Getter:
        compiled = [self._path(path) for path in _texts(paths)]
        if len(compiled) == 1:
            return compiled[0].read

        def first(document: Document, node: Node | None) -> str:
            for path in compiled:
                value = path.read(document, node)
                if value:
                    return value
            return ""

        return first

    def _getter(self, element: Element) -> Getter:
        if element.constant is not None:
            constant = element.constant
            return lambda document, node: constant
        read = self._first_of(element.path or "")
        if element.values is None:
            return read
        return self._translated(read, element)

    def _translated(self, read: Getter, element: Element) -> Getter:
        values, unknown = element.values or {}, element.unknown
        position = self._path(_texts(element.path)[0]).position

        def translated(document: Document, node: Node | None) -> str:
            value = read(document, node)
            if value in values:
                return values[value]
            if unknown == "keep" or value == NULL:
                return value
            if unknown == "drop":
                return ""
            raise RecordFault(unknown.removeprefix("quarantine:"), position(node))

        return translated

    def _action_of(self, rule: ActionRule | str) -> Getter:
        if isinstance(rule, str):
            return lambda document, node: rule
        if rule.unknown != "keep":
            return self._getter(rule)
        read, values = self._first_of(rule.path or ""), rule.values or {}
        return lambda document, node: values.get(read(document, node), "upsert")


class Extractor:
    """All compiled mappings of a format, found by event."""

    def __init__(self, mapping_set: MappingSet) -> None:
        self.fingerprint = mapping_set.fingerprint
        self.places = PLACES[mapping_set.format]
        self._reader = reader_of(mapping_set.format, mapping_set.mappings, mapping_set.overlays)
        self._compiled = [CompiledMapping(m, self._reader) for m in mapping_set.mappings]
        events = mapping_set.events
        self._excluded = events.excluded
        self._excluded_when = self._conditions(events.excluded_when)
        self._quarantined_when = self._conditions(events.quarantined_when)
        self._by_event: dict[str, list[CompiledMapping]] = {}
        self.exclusion = cache(self._exclusion)
        self.covers = cache(self._covers)
        self.personal = cache(self._personal)
        self.versioned = cache(self._versioned)

    def parse(self, content: bytes, charset: str) -> Document:
        """Reads one record; raises RecordFault."""
        document: Document = self._reader.parse(content, charset)
        return document

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

    def unread(self, document: Document, content: bytes) -> set[str]:
        """Names of the record's elements that no mapping of its event reads."""
        mappings = (compiled.mapping for compiled in self.mappings(document.event))
        return self._reader.unread(document, content, mappings)

    def rows(self, document: Document, kind: str) -> list[RawRow]:
        """The document's rows of one kind."""
        found = (c for c in self.mappings(document.event) if c.mapping.kind == kind)
        return [row for compiled in found for row in compiled.rows(document)]

    def _exclusion(self, event: str) -> str | None:
        """The rule by which the event yields no row (`order`), if one of the closed list does."""
        for rule, patterns in self._excluded.items():
            if any(fnmatchcase(event, pattern) for pattern in patterns):
                return rule
        return None

    def professionals(self, document: Document) -> list[RawRow]:
        """Who wrote, signed or did what the document tells: the `professional_` lists alone."""
        return [
            row
            for compiled in self.mappings(document.event)
            if compiled.mapping.kind == "identity"
            for row in compiled.lists(document, PROFESSIONALS)
        ]

    def exclusion_by_content(self, document: Document) -> str | None:
        """The rule by which what the document says of itself excludes it."""
        return _met(self._excluded_when, document)[0] or None

    def check_content(self, document: Document) -> None:
        """Raises RecordFault when what the document says of itself quarantines it."""
        reason, position = _met(self._quarantined_when, document)
        if reason:
            raise RecordFault(reason, position)

    def _covers(self, event: str) -> bool:
        """Whether a mapping with a staging kind or a link reads this event by name."""
        return any(
            _tells_something(compiled.mapping)
            and (
                self.places.open_types
                or any("*" not in p for p in compiled.mapping.events if fnmatchcase(event, p))
            )
            for compiled in self.mappings(event)
        )

    def _versioned(self, event: str) -> bool:
        """Whether records of this event are versions of something (a resource, a document)."""
        return any(compiled.mapping.kind == "statement" for compiled in self.mappings(event))

    def _personal(self, event: str) -> bool:
        """Whether its rows belong to a person; a unit or a professional belongs to the site."""
        kinds = {compiled.mapping.kind for compiled in self.mappings(event)}
        staged = kinds & set(KINDS)
        return not staged or any(KINDS[kind].personal for kind in staged)

    def _conditions(self, stated: dict[str, dict[str, list[str]]]) -> list[_Condition]:
        return [
            (name, self._reader.path(path, None), frozenset(values))
            for name, paths in stated.items()
            for path, values in paths.items()
        ]


_Condition = tuple[str, Path, frozenset[str]]


def _tells_something(mapping: Mapping) -> bool:
    """Staging rows, links, oppositions, a mother: not who and which version the record is."""
    if mapping.kind == "identity":
        return any(name.startswith("mother_") for name in mapping.columns)
    return mapping.kind != "statement"


def _met(conditions: list[_Condition], document: Document) -> tuple[str, str]:
    for name, path, values in conditions:
        found = path.read_all(document, None)
        if any(value in values or ("*" in values and value) for value in found):
            return name, path.position(None)
    return "", ""


def _condition(values: list[str]) -> tuple[set[str], set[str]]:
    """Values of which one must be there, and values (`!x`) of which none may."""
    refused = {value[1:] for value in values if value.startswith("!")}
    return {value for value in values if not value.startswith("!")}, refused


def _texts(paths: str | list[str] | None) -> list[str]:
    if paths is None:
        return []
    return [paths] if isinstance(paths, str) else paths
