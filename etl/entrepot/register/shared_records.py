"""Records of somebody else that name an erased person: what of them stays, what goes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, or_, select

from entrepot.config import Site
from entrepot.keys import Keyring
from entrepot.landing.tables import record
from entrepot.register import tables
from entrepot.register.erased import ERASED
from entrepot.register.snapshot import Snapshot
from entrepot.register.store import forget

Found = dict[int, tuple[int, str]]  # record -> line of the list and reason
_PAGE = 500
_HL7V2 = "hl7v2"


@dataclass
class Shared:
    """Records of others that name an erased person.

    A child's record loses its mother's number when it is registered again. A message that parted
    two persons states who both are, so it goes whole, with what had joined them. One that joins
    somebody to an erased person stays: it is why that somebody is excluded.

    Args:
        again: to be registered again.
        whole: that go.
        pairs: numbers that nothing joins any more.
    """

    again: set[int]
    whole: Found
    pairs: set[tuple[bytes, bytes]]


def find_shared(connection: Connection, keyring: Keyring, site: Site) -> Shared:
    """As the register stands; of what was erased before, only what it had joined is told."""
    link, kin, erasure = tables.link.c, tables.kin.c, tables.erasure.c
    for_ever = select(erasure.hmac).where(erasure.before.is_(None))
    mothers = select(kin.record_id).where(kin.mother.in_(for_ever))
    shared = Shared(set(connection.scalars(mothers)), {}, set())
    query = (
        select(link.record_id, link.left, link.right, record.c.format, erasure.sequence)
        .join(record, record.c.record_id == link.record_id)
        .join(tables.erasure, or_(link.left == erasure.hmac, link.right == erasure.hmac))
        .where(erasure.before.is_(None))
    )
    rows = connection.execute(query).all()
    if not rows:
        return shared
    snapshot = Snapshot(connection, keyring, site.config.register_)
    gone = set(connection.scalars(select(tables.erased_record.c.record_id)))
    for row in rows:
        if snapshot.root(row.left) == snapshot.root(row.right):
            continue
        shared.pairs.add((row.left, row.right))
        if row.record_id not in gone and row.format == _HL7V2:
            shared.whole[row.record_id] = (row.sequence, ERASED)
        elif row.record_id not in gone:
            shared.again.add(row.record_id)
    return shared


def forget_shared(connection: Connection, shared: Shared, going: Found) -> frozenset[int]:
    """Makes the register read again what stays, and forget what had joined those who parted."""
    again = sorted(shared.again - set(going))
    for start in range(0, len(again), _PAGE):
        forget(connection, again[start : start + _PAGE])
    link = tables.link.c
    for left, right in sorted(shared.pairs):
        connection.execute(delete(tables.link).where(link.left == left, link.right == right))
    return frozenset(again)
