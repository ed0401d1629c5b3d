"""Which records speak no longer: a newer version of their resource or document set exists, or
another record replaces or withdraws them (DESIGN 6).

The result depends on the set of records, never on their arrival. A record that the register
itself refused (its time is not believed) replaces nothing.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, select

from entrepot.register import tables

SUPERSEDED, REPLACED = "superseded_version", "replaced"


def stale_records(connection: Connection) -> dict[int, str]:
    """Record -> the rule by which it is excluded."""
    registration = tables.registration
    refused = set(
        connection.scalars(
            select(registration.c.record_id).where(registration.c.disposition == "quarantined")
        )
    )
    newest: dict[bytes, tuple[str, int]] = {}
    named: dict[bytes, set[int]] = defaultdict(set)
    versions = connection.execute(select(tables.version)).all()
    for row in versions:
        named[row.set].add(row.record_id)
        if row.record_id not in refused:
            newest[row.set] = max(newest.get(row.set, ("", 0)), (row.order, row.record_id))
    sets = {row.record_id: row.set for row in versions}
    found = {
        row.record_id: SUPERSEDED
        for row in versions
        if row.record_id not in refused and newest[row.set][1] != row.record_id
    }
    for row in connection.execute(select(tables.version_name)):
        named[row.hmac].add(row.record_id)
    for row in connection.execute(select(tables.replacement)):
        own_set = sets.get(row.record_id) == row.hmac  # told by order: a newer version stands
        if row.record_id not in refused and not own_set:
            for record_id in named.get(row.hmac, set()) - refused - {row.record_id}:
                found.setdefault(record_id, REPLACED)
    return found
