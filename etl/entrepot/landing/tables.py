"""Tables of the ledger and the shapes of their rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from entrepot.errors import RecordFault
from entrepot.landing.database import metadata
from entrepot.landing.keyed import Landed, keyed
from entrepot.landing.segments import WRAPPED_BYTES

# Fault of a file whose records stand in its place: by rule, no quarantine.
REPLAYED = "replayed_as_records"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

record = sa.Table(
    "record",
    metadata,
    sa.Column("record_id", _ROW_ID, primary_key=True),
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("format", sa.String(16), nullable=False),
    sa.Column("address", sa.LargeBinary(32), nullable=False, unique=True, info=keyed(Landed())),
    sa.Column("received_at", sa.DateTime, nullable=False),  # UTC, of the first delivery
    sa.Column("deliveries", sa.Integer, nullable=False),
    sa.Column("segment", sa.Integer, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("fault_reason", sa.String(64)),
    sa.Column("fault_position", sa.String(64)),
    sqlite_autoincrement=True,  # an id is never given twice
)

# Apart from `record` and erased by zeros of the same size: where rows grow, SQLite moves their
# neighbours between pages and leaves copies that secure_delete misses (2 keys of 3,000 stayed
# readable in a trial). Here rows are appended and overwritten in place, and none was.
data_key = sa.Table(
    "data_key",
    metadata,
    sa.Column("record_id", sa.ForeignKey("record.record_id"), primary_key=True),
    sa.Column("wrapped_key", sa.LargeBinary(WRAPPED_BYTES), nullable=False, info=keyed(Landed())),
)

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("record_id", sa.ForeignKey("record.record_id"), primary_key=True),
    sa.Column("stage", sa.String(16), primary_key=True),
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("position", sa.String(64), primary_key=True),
)


class RecordRow(NamedTuple):
    """One distinct record; `wrapped_key` is None once it is erased."""

    record_id: int
    source: str
    format: str
    address: bytes
    received_at: dt.datetime
    deliveries: int
    segment: int
    offset: int
    length: int
    fault_reason: str | None
    fault_position: str | None
    wrapped_key: bytes | None

    @property
    def fault(self) -> RecordFault | None:
        """Why landing could not take it, if it could not."""
        if self.fault_reason is None:
            return None
        return RecordFault(self.fault_reason, self.fault_position or "")


class Notice(NamedTuple):
    """Something worth telling about a record that went on."""

    record_id: int
    stage: str
    code: str
    position: str


class Counts(NamedTuple):
    """Deliveries of a source, and how many of them had been delivered before."""

    received: int
    duplicates: int


@dataclass(frozen=True)
class Tally:
    """What a batch brought: deliveries, those already known, those with a fault."""

    received: int = 0
    duplicates: int = 0
    faulty: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.received + other.received,
            self.duplicates + other.duplicates,
            self.faulty + other.faulty,
        )
