"""What the ledger tells the gate of each source: counts and days, worked out by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import create_engine, insert

from entrepot.door.tables import derivation
from entrepot.landing.database import metadata
from entrepot.landing.tables import record
from entrepot.quality.inputs import Feed
from entrepot.register.tables import registration
from entrepot.road.fed import feeds

pytestmark = pytest.mark.core

# source, day of receipt, deliveries, register's and door's disposition, rows by kind
RECORDS = (
    ("adt", "2024-03-01", 1, "known", "staged", '{"stay": 1, "movement": 1}'),
    ("adt", "2024-03-01", 3, "known", "staged", '{"stay": 1}'),
    ("adt", "2024-03-09", 1, "known", "quarantined", "{}"),
    ("lab", "2024-02-01", 1, "quarantined", None, None),
    ("lab", "2024-02-02", 2, "known", "excluded", "{}"),
    ("lab", "2024-03-31", 1, None, None, None),
)


def test_each_source_has_its_counts_and_its_rhythm() -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        for number, (source, day, deliveries, known, door, kinds) in enumerate(RECORDS):
            received = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(8, number))
            connection.execute(insert(record).values(
                record_id=number, source=source, format="hl7v2", address=bytes([number]) * 32,
                received_at=received, deliveries=deliveries, segment=1, offset=0, length=1,
            ))  # fmt: skip
            if known:
                connection.execute(insert(registration).values(record_id=number, disposition=known))
            if door:
                connection.execute(insert(derivation).values(
                    record_id=number, digest=b"", record_key="", person_key="", disposition=door,
                    reason="", position="", kinds=kinds, generation=1,
                ))  # fmt: skip
        found = feeds(connection)
    assert found == (
        Feed("adt", 3, 5, 3, 1, 2, dt.date(2024, 3, 9), 8),
        Feed("lab", 3, 4, 0, 1, 3, dt.date(2024, 3, 31), 58),
    )
