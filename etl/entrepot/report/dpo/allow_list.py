"""Section 3: the allow-list as the mapping files state it, and what the feeds held besides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from entrepot.door.tables import reading, shape
from entrepot.feeds.feeds import FeedMappings
from entrepot.feeds.mapping import IDENTIFYING, Mapping
from entrepot.landing.tables import record
from entrepot.report.dpo.disclosure import SMALLEST, rounded
from entrepot.report.dpo.evidence import Evidence
from entrepot.staging.kinds import KINDS

TREATMENTS = ("keep", "key", "generalise", "scrub", "drop")
CONSTANT = "constant"


@dataclass(frozen=True)
class Place:
    """Where a column is read.

    Args:
        elements: in order of preference, in the format's own words; `constant`: a word of ours.
        mappings: files that read it there.
    """

    elements: tuple[str, ...]
    mappings: tuple[str, ...]


@dataclass(frozen=True)
class Allowed:
    """One column that the mappings of a format fill; `to`: what it is generalised to."""

    kind: str
    column: str
    treatment: str
    to: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class MappingFile:
    """What a mapping reads: its elements are those of these events, below `foreach`."""

    name: str
    kind: str
    events: tuple[str, ...]
    foreach: str


@dataclass(frozen=True)
class Unread:
    """An element that a source sent and no mapping reads: it never left the identifying zone."""

    source: str
    element: str
    records: int | str


@dataclass(frozen=True)
class Format:
    """One format. Counts of records are rounded: one per element would tell the exact rest.

    Args:
        files: the mappings, by name.
        allowed: columns of the research zone.
        inside: columns that register and text engine use within the identifying zone.
        treatments: number of allowed columns by treatment.
        unread: elements that nothing reads, the most frequent first.
        unread_rare: elements seen in fewer than 11 records of their source, all together.
    """

    format: str
    files: tuple[MappingFile, ...]
    allowed: tuple[Allowed, ...]
    inside: tuple[Allowed, ...]
    treatments: dict[str, int]
    records: int | str
    unread: tuple[Unread, ...]
    unread_rare: int


def allow_list(evidence: Evidence, mappings: FeedMappings) -> tuple[Format, ...]:
    """Every format's columns and what was left."""
    seen = _unread(evidence)
    records = _records(evidence)
    found = []
    for name, one in sorted(mappings.sets.items()):
        allowed = _columns([m for m in one.mappings if m.kind in KINDS])
        inside = _columns([m for m in one.mappings if m.kind in IDENTIFYING])
        treatments = Counter(column.treatment for column in allowed)
        frequent, rare = [], 0
        for (source, element), count in sorted(
            seen.get(name, {}).items(), key=lambda item: (-item[1], item[0])
        ):
            if count < SMALLEST:  # a name that few records bear may be a value that slipped
                rare += 1
            else:
                frequent.append(Unread(source, element, rounded(count)))
        found.append(
            Format(
                name, _files(one.mappings), allowed, inside,
                {treatment: treatments[treatment] for treatment in TREATMENTS},
                rounded(records[name]), tuple(frequent), rare,
            )
        )  # fmt: skip
    return tuple(found)


def _files(mappings: Iterable[Mapping]) -> tuple[MappingFile, ...]:
    found = (
        MappingFile(one.mapping, one.kind, tuple(one.events), one.foreach or "") for one in mappings
    )
    return tuple(sorted(found, key=lambda one: one.name))


def _columns(mappings: Iterable[Mapping]) -> tuple[Allowed, ...]:
    """One line per kind, column and treatment, with every place that it is read from."""
    places: dict[tuple[str, str, str, str], dict[tuple[str, ...], list[str]]] = defaultdict(dict)
    for mapping in mappings:
        for column, treatment, to, elements in _stated(mapping):
            found = places[mapping.kind, column, treatment, to]
            files = found.setdefault(elements, [])
            if mapping.mapping not in files:
                files.append(mapping.mapping)
    return tuple(
        Allowed(*key, tuple(Place(elements, tuple(files)) for elements, files in found.items()))
        for key, found in sorted(places.items())
    )


def _stated(mapping: Mapping) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """(column, treatment, generalised to, elements) of one mapping file."""
    for name, column in mapping.columns.items():
        elements = [column.path] if isinstance(column.path, str) else [*(column.path or [])]
        elements += column.all or []
        if column.constant is not None:
            elements = [CONSTANT]
        yield name, column.treatment or "", column.to or "", tuple(elements)
    for reader in mapping.readers:
        for name, treatment in reader.columns.items():
            yield name, treatment, "", (f"{reader.reader}({reader.path})",)
    if mapping.kind in KINDS and mapping.key:
        parts = ([part] if isinstance(part, str) else part for part in mapping.key)
        yield "row_key", "key", "", tuple(path for part in parts for path in part)


def _unread(evidence: Evidence) -> dict[str, dict[tuple[str, str], int]]:
    """Format -> (source, element) -> records that held it."""
    query = (
        select(record.c.source, record.c.format, shape.c.elements, func.count())
        .select_from(
            reading.join(shape, shape.c.shape_id == reading.c.shape_id).join(
                record, record.c.record_id == reading.c.record_id
            )
        )
        .group_by(record.c.source, record.c.format, shape.c.shape_id, shape.c.elements)
    )
    found: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for source, format_, elements, count in evidence.zone.execute(query):
        for element in filter(None, elements.split("\n")):
            found[format_][source, element] += count
    return found


def _records(evidence: Evidence) -> Counter[str]:
    query = (
        select(record.c.format, func.count())
        .select_from(reading.join(record, record.c.record_id == reading.c.record_id))
        .group_by(record.c.format)
    )
    return Counter({name: int(count) for name, count in evidence.zone.execute(query)})
