"""Section 4: persons, their numbers and links, and whether two things ever got one key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from entrepot.door.tables import derivation
from entrepot.keys import KEY_HEX
from entrepot.register import tables
from entrepot.register.person import REFERENCE
from entrepot.report.dpo.disclosure import Cell, rounded
from entrepot.report.dpo.evidence import Evidence
from entrepot.staging.kinds import KINDS

HELD = ("key_of_two_persons", "subject_unknown", "subject_without_ipp")
KEY_BITS = 4 * KEY_HEX


@dataclass(frozen=True)
class KeySpace:
    """The ids of one kind of row.

    Args:
        bits: size of the id in the warehouse.
        keys: distinct keys in the staging, rounded.
        collisions: ids that stand for two keys, rounded; expected 0.
    """

    kind: str
    bits: int
    keys: int | str
    collisions: int | str


@dataclass(frozen=True)
class Persons:
    """Section 4."""

    known: Cell
    published: Cell
    of_several_numbers: Cell
    numbers: Cell
    links: Cell
    unlinks: Cell
    secret: Cell
    held: dict[str, Cell]
    key_bits: int
    keys: tuple[KeySpace, ...]


def persons(evidence: Evidence) -> Persons:
    """Counts of the register, and of the staging by key."""
    count, snapshot = evidence.disclosure.count, evidence.snapshot
    numbers = _numbers(evidence)
    roots = (snapshot.root(number) for number in numbers)
    per_person = Counter(root for root in roots if root in snapshot.persons)
    merged = count(sum(held > 1 for held in per_person.values()))
    known = count(len(snapshot.persons), "persons")
    published = count(evidence.number("SELECT count(*) FROM cdm.person"), "published", wanted=True)
    evidence.disclosure.within(merged, known)
    if published.value <= known.value:
        evidence.disclosure.within(published, known)
    every = count(sum(per_person.values()), wanted=True)
    if len(per_person) == known.value:  # each has a number of a hospital
        evidence.disclosure.within(known, every)
    return Persons(
        known,
        published,
        merged,
        every,
        count(_links(evidence, "link", numbers)),
        count(_links(evidence, "unlink", numbers)),
        count(sum(person.secret for person in snapshot.persons.values())),
        {reason: count(_held(evidence, reason)) for reason in HELD},
        KEY_BITS,
        tuple(_key_space(evidence, kind) for kind in KINDS),
    )


def _numbers(evidence: Evidence) -> set[bytes]:
    """Numbers that a hospital gave; a server's id of a Patient resource is none."""
    query = select(tables.identifier.c.hmac, tables.identifier.c.authority)
    return {
        row.hmac for row in evidence.zone.execute(query) if not row.authority.startswith(REFERENCE)
    }


def _links(evidence: Evidence, relation: str, numbers: set[bytes]) -> int:
    """Statements about two such numbers: the rest ties a server's id to its number."""
    query = select(tables.link.c.left, tables.link.c.right).where(
        tables.link.c.relation == relation
    )
    return sum(row.left in numbers and row.right in numbers for row in evidence.zone.execute(query))


def _held(evidence: Evidence, reason: str) -> int:
    query = (
        select(func.count())
        .select_from(derivation)
        .where(derivation.c.disposition == "quarantined", derivation.c.reason == reason)
    )
    return int(evidence.zone.scalar(query) or 0)


def _key_space(evidence: Evidence, kind: str) -> KeySpace:
    """Facts told by several feeds share an id on purpose: `fact_key` is their key then."""
    key = "coalesce(nullif(fact_key, ''), row_key)" if KINDS[kind].told_by_several else "row_key"
    sql = (
        f"WITH keyed AS (SELECT {key} AS key, row_id AS id FROM staged)"
        " SELECT count(DISTINCT key), (SELECT count(*) FROM (SELECT id FROM keyed GROUP BY id"
        " HAVING count(DISTINCT key) > 1)) FROM keyed"
    )
    keys, collisions = next(iter(evidence.staged(kind, sql)), (0, 0))
    return KeySpace(kind, KINDS[kind].id_bits, rounded(keys), rounded(collisions))
