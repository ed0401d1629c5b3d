"""What the ledger knows of each source, as aggregates for the gate: the true times of receipt."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from sqlalchemy import Connection, Select, func, select

from entrepot.door.tables import derivation
from entrepot.landing.tables import record
from entrepot.quality.inputs import Feed
from entrepot.register.tables import registration


def feeds(connection: Connection) -> tuple[Feed, ...]:
    """One line per source, by name; files that were replaced by their records count as received."""
    records: Counter[str] = Counter()
    deliveries: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    staged: Counter[str] = Counter()
    for line in connection.execute(_counted()):
        records[line.source] += line.records
        deliveries[line.source] += line.deliveries
        if line.disposition == "staged":
            staged[line.source] += line.records * sum(json.loads(line.kinds).values())
        elif line.disposition == "quarantined" or line.registered == "quarantined":
            refused[line.source] += line.records
    days = _days(connection)
    return tuple(
        Feed(
            source, records[source], deliveries[source], staged[source], refused[source],
            len(days[source]), max(days[source]), _longest_pause(days[source]),
        )
        for source in sorted(records)
    )  # fmt: skip


def _counted() -> Select[tuple[str, int, int, str | None, str | None, str | None]]:
    """Records have few shapes: grouped by theirs, a ledger of millions gives some hundred lines."""
    return (
        select(
            record.c.source, func.count().label("records"),
            func.sum(record.c.deliveries).label("deliveries"), derivation.c.disposition,
            derivation.c.kinds, registration.c.disposition.label("registered"),
        )
        .select_from(
            record.outerjoin(derivation, derivation.c.record_id == record.c.record_id)
            .outerjoin(registration, registration.c.record_id == record.c.record_id)
        )
        .group_by(
            record.c.source, derivation.c.disposition, derivation.c.kinds,
            registration.c.disposition,
        )
    )  # fmt: skip


def _days(connection: Connection) -> dict[str, list[dt.date]]:
    found: dict[str, list[dt.date]] = {}
    day = func.date(record.c.received_at)
    query = select(record.c.source, day.label("day")).distinct().order_by(record.c.source, day)
    for source, value in connection.execute(query):
        # SQLite gives text, PostgreSQL a date.
        stated = value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
        found.setdefault(source, []).append(stated)
    return found


def _longest_pause(days: Iterable[dt.date]) -> int:
    return max(((late - early).days for early, late in pairwise(days)), default=0)
