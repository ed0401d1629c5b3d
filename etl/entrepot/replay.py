"""`entrepot quarantine replay`: the next run works on chosen quarantined records anew.

A file that landing could not cut is cut into records now; what register and door decided is
forgotten. Nothing is judged here: an unchanged cause quarantines the record again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, delete, select, update

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.keys import Keyring, site_keyring
from entrepot.landing.access import erased_record, unknown_record
from entrepot.landing.database import (
    check_keyring,
    create_tables,
    forget_deleted,
    write_transaction,
    zone_engine,
)
from entrepot.landing.ledger import Ledger
from entrepot.landing.recut import Recut, arrivals_again, can_be_cut, cut_again
from entrepot.landing.segments import SegmentReader, SegmentWriter
from entrepot.landing.tables import REPLAYED, RecordRow, data_key, record
from entrepot.lock import site_lock
from entrepot.publication import gate_hold
from entrepot.register.store import forget

ANEW = bytes(32)  # a digest that no derivation has: the door derives the record again
_PAGE = 5000


@dataclass(frozen=True)
class Choice:
    """Which quarantined records: those named, those of one reason, or (neither) all."""

    records: tuple[int, ...] = ()
    reason: str = ""


@dataclass
class Replayed:
    """What the next run will work on.

    Args:
        records: quarantined records that wait again.
        files: those of them that were cut into records anew.
        cut: deliveries that came out of these files.
    """

    records: int = 0
    files: int = 0
    cut: int = 0


@dataclass(frozen=True)
class _Held:
    """Ids of chosen records by what has to be forgotten of them."""

    settled: set[int] = field(default_factory=set)  # their disposition stands in the database
    landing: set[int] = field(default_factory=set)  # landing gave them a fault


def replay(site: Site, choice: Choice) -> Replayed:
    """Makes the next run work on them; a second call finds nothing more to do.

    Raises:
        ConfigurationError: an unknown record, or another root key.
        ErasedRecordError: a record named was erased.
        SiteBusyError: a run or an ingest works on the site.
    """
    with site_lock(site):
        keyring = site_keyring(site)
        engine = zone_engine(site)
        try:
            create_tables(engine)
            check_keyring(engine, keyring)
            return _Replay(site, engine, keyring).replay(choice)
        finally:
            engine.dispose()


class _Replay:
    """One replay's database, ledger and keys."""

    def __init__(self, site: Site, engine: Engine, keyring: Keyring) -> None:
        self._site, self._engine, self._keyring = site, engine, keyring
        self._ledger = Ledger(engine, keyring)

    def replay(self, choice: Choice) -> Replayed:
        if choice.records:
            self._refuse_unknown(choice.records)
        with self._engine.connect() as connection:
            held = _held(connection, choice)
        result = Replayed()
        changed = self._cut(held.landing, result) if held.landing else set()
        self._forget(sorted(held.settled))
        result.records = len(held.settled | changed)
        return result

    def _refuse_unknown(self, ids: tuple[int, ...]) -> None:
        rows = {row.record_id: row for row in self._ledger.records(ids=ids)}
        for record_id in ids:
            if record_id not in rows:
                raise unknown_record(record_id)
            row = rows[record_id]
            if row.wrapped_key is None and row.fault_reason != REPLAYED:
                raise erased_record(record_id)

    def _cut(self, ids: set[int], result: Replayed) -> set[int]:
        """Cuts faulty files again; gives those that changed."""
        changed = set()
        with (
            SegmentReader(self._site.segments, self._keyring) as reader,
            SegmentWriter(self._site.segments, self._keyring) as segments,
        ):
            for row in self._ledger.records(ids=ids):
                if not can_be_cut(row) or row.wrapped_key is None:
                    continue
                recut, delivered = self._cut_one(row, reader.read(row), segments)
                result.cut += delivered
                result.files += recut is Recut.CUT
                if recut is not Recut.UNCHANGED:
                    changed.add(row.record_id)
        if result.files:
            forget_deleted(self._engine, data_key)
        return changed

    def _cut_one(
        self, row: RecordRow, content: bytes, segments: SegmentWriter
    ) -> tuple[Recut, int]:
        """One transaction a file: killed in between, it is done or as it was."""
        found = arrivals_again(self._site, row, content)
        with write_transaction(self._engine) as connection:
            recut, delivered = cut_again(connection, self._ledger, segments, row, found)
            _forget_page(connection, [row.record_id])
            segments.sync()
        return recut, delivered

    def _forget(self, ids: list[int]) -> None:
        for start in range(0, len(ids), _PAGE):
            with write_transaction(self._engine) as connection:
                _forget_page(connection, ids[start : start + _PAGE])


def _forget_page(connection: Connection, ids: list[int]) -> None:
    """The gate's records have rows in staging: the door removes them when it derives them anew."""
    forget(connection, ids)
    chosen, staged = derivation.c.record_id.in_(ids), derivation.c.disposition == "staged"
    connection.execute(delete(derivation).where(chosen, ~staged))
    connection.execute(update(derivation).where(chosen, staged).values(digest=ANEW))


def _held(connection: Connection, choice: Choice) -> _Held:
    """The chosen records that are quarantined and do not wait already."""
    query = (
        select(
            record.c.record_id, record.c.fault_reason, derivation.c.disposition,
            derivation.c.reason, derivation.c.digest, gate_hold.c.check_id,
        )
        .outerjoin(derivation, derivation.c.record_id == record.c.record_id)
        .outerjoin(gate_hold, gate_hold.c.record_id == record.c.record_id)
        .where(
            (derivation.c.disposition == "quarantined")
            | gate_hold.c.check_id.is_not(None)
            | record.c.fault_reason.is_not(None)
        )
        .order_by(record.c.record_id)
    )  # fmt: skip
    held, named = _Held(), set(choice.records)
    for row in connection.execute(query):
        settled = row.disposition == "quarantined" or row.check_id is not None
        faulty = row.fault_reason not in (None, REPLAYED)
        reason = row.check_id or row.reason or row.fault_reason
        chosen = row.record_id in named if named else choice.reason in ("", reason)
        if not chosen:
            continue
        if settled and row.digest != ANEW:
            held.settled.add(row.record_id)
        if faulty:
            held.landing.add(row.record_id)
    return held
