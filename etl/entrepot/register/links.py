"""Links between numbers of persons: merges, unmerges, and the numbers that one record states."""

from __future__ import annotations

from entrepot.config import Register, Source
from entrepot.errors import RecordFault
from entrepot.feeds.raw_row import RawRow
from entrepot.landing.masking import is_masked
from entrepot.register.person import Identifier, Subject, identifiers, reference

_LINK_EVENTS_PIDS = 2

Link = tuple[Identifier, Identifier, str]


def link_statements(
    rows: list[RawRow], subjects: list[Subject], source: Source, config: Register
) -> list[Link]:
    """Pairs of numbers with their relation, as one record states them.

    Raises:
        RecordFault: `merge_self`, `link_incomplete`.
    """
    local = subjects[0].local
    links: list[Link] = [(local[0], other, "link") for other in local[1:]]
    for row in rows:
        relation = row.mapping.relation or "link"
        for pair in _pairs(row, subjects, source, config):
            if _number(pair[0]) == _number(pair[1]):
                raise RecordFault("merge_self", row.position or "PID[2]")
            links.append((*pair, relation))
    return links


def _pairs(
    row: RawRow, subjects: list[Subject], source: Source, config: Register
) -> list[tuple[Identifier, Identifier]]:
    if row.mapping.pair == "reference":
        own = subjects[0].local
        told = [token for token in row.lists["value"] if token and not is_masked(token)]
        return [(own[0], reference(token, source)) for token in told if own]
    if row.mapping.pair == "PID":
        return [_two(subjects)]
    return [_absorbed(row, subjects, source, config)]


def _number(identifier: Identifier) -> tuple[str, str]:
    return identifier.authority, identifier.value


def _two(subjects: list[Subject]) -> tuple[Identifier, Identifier]:
    if len(subjects) != _LINK_EVENTS_PIDS or not all(s.local for s in subjects):
        raise RecordFault("link_incomplete", "PID[2]")
    return subjects[0].local[0], subjects[1].local[0]


def _absorbed(
    row: RawRow, subjects: list[Subject], source: Source, config: Register
) -> tuple[Identifier, Identifier]:
    lists = row.lists
    stated = [lists.get(part, []) for part in ("value", "namespace", "authority", "type")]
    found = identifiers(stated, source, config)
    local = [i for i in found if i.type_code in config.identifier_types]
    number = getattr(row.node, "number", 1)
    person = subjects[min(number, len(subjects)) - 1]  # ADT_A39 repeats PID and MRG together
    if not local or not person.local:
        raise RecordFault("link_incomplete", f"MRG[{number}]-1")
    survivor = next((i for i in person.local if i.authority == local[0].authority), person.local[0])
    return survivor, local[0]
