"""The ledger: one line per distinct record of a source, how often it came, and what it suffers.

`received = duplicates + distinct`: a second delivery of the same bytes by the same source only
counts (DESIGN 1). An erased record keeps its line, as a tombstone: sending it again counts
and does not bring it back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa

from entrepot.errors import EntrepotError
from entrepot.keys import LANDING, Keyring
from entrepot.landing.arrival import Arrival
from entrepot.landing.database import database_errors, forget_deleted, write_transaction
from entrepot.landing.segments import WRAPPED_BYTES, SegmentWriter
from entrepot.landing.tables import Counts, Notice, RecordRow, Tally, data_key, notice, record

STAGE = "landing"
ERASED = bytes(WRAPPED_BYTES)
_PAGE = 1000  # rows a statement reads or writes


class Ledger:
    """The records of a zone; every list is ordered by `record_id` and read by pages."""

    def __init__(self, engine: sa.Engine, keyring: Keyring) -> None:
        self._engine, self._keyring = engine, keyring

    def address(self, source: str, arrival: Arrival) -> bytes:
        """The keyed address of a record: HMAC of source and content, never a plain hash."""
        return self._keyring.digest(LANDING, *_addressed(source, arrival))

    def _found(
        self, connection: sa.Connection, source: str, arrivals: dict[bytes, Arrival]
    ) -> dict[bytes, _Known]:
        """Address -> the record's line, also when its address was carried over from a former root
        key because its content was gone by then."""
        known = _known(connection, list(arrivals))
        if not self._keyring.former:
            return known
        carried = {
            former: address
            for address, arrival in arrivals.items()
            if address not in known
            for former in self._keyring.digests(LANDING, *_addressed(source, arrival))[1:]
        }
        found = _known(connection, list(carried))
        return known | {carried[former]: row for former, row in found.items()}

    def add(
        self,
        connection: sa.Connection,
        source: str,
        batch: Sequence[Arrival],
        segments: SegmentWriter,
        received_at: dt.datetime,
    ) -> Tally:
        """Enters a batch: seals what is new, counts what is known.

        The caller calls `segments.sync()` before it commits, so that no line of the ledger
        ever points at bytes that a power cut took.
        """
        arrivals: dict[bytes, Arrival] = {}
        deliveries: dict[bytes, int] = {}
        for arrival in batch:
            address = self.address(source, arrival)
            deliveries[address] = deliveries.get(address, 0) + 1
            arrivals[address] = _better(arrivals.get(address), arrival)
        known = self._found(connection, source, arrivals)
        fresh = {a: arrival for a, arrival in arrivals.items() if a not in known}
        _count_again(connection, known, deliveries, arrivals)
        ids = {address: row.record_id for address, row in known.items()}
        ids |= _insert(connection, source, fresh, deliveries, segments, received_at)
        add_notices(
            connection,
            (
                Notice(ids[address], STAGE, mark.code, mark.position)
                for address, arrival in arrivals.items()
                for mark in arrival.marks
            ),
        )
        return Tally(len(batch), len(batch) - len(fresh), sum(a.fault is not None for a in batch))

    def records(self, after_id: int = 0, ids: Iterable[int] | None = None) -> Iterator[RecordRow]:
        """Records with an id above `after_id`, or those of `ids` (unknown ids are left out)."""
        query = (
            sa.select(record, data_key.c.wrapped_key).join(data_key).order_by(record.c.record_id)
        )
        if ids is not None:
            wanted = sorted(set(ids))
            for start in range(0, len(wanted), _PAGE):
                page = wanted[start : start + _PAGE]
                yield from self._rows(query.where(record.c.record_id.in_(page)))
            return
        while True:  # a short transaction a page: a long one would hold the journal
            rows = self._rows(query.where(record.c.record_id > after_id).limit(_PAGE))
            yield from rows
            if len(rows) < _PAGE:
                return
            after_id = rows[-1].record_id

    def _rows(self, query: sa.Select[tuple[object, ...]]) -> list[RecordRow]:
        with database_errors(), self._engine.connect() as connection:
            rows = [RecordRow._make(row) for row in connection.execute(query)]
        return [r._replace(wrapped_key=None) if r.wrapped_key == ERASED else r for r in rows]

    def counts(self) -> dict[str, Counts]:
        """Received and duplicates of each source that ever sent something."""
        query = sa.select(
            record.c.source, sa.func.sum(record.c.deliveries), sa.func.count()
        ).group_by(record.c.source)
        with database_errors(), self._engine.connect() as connection:
            return {
                source: Counts(int(received), int(received) - distinct)
                for source, received, distinct in connection.execute(query)
            }

    def notices(self, record_id: int | None = None) -> Iterator[Notice]:
        """The notices of one record, or of all."""
        query = sa.select(notice).order_by(*notice.primary_key)
        if record_id is not None:
            query = query.where(notice.c.record_id == record_id)
        with database_errors(), self._engine.connect() as connection:
            for row in connection.execute(query):
                yield Notice(*row)

    def erase(self, *record_ids: int) -> None:
        """Destroys the data keys of these records, for ever; their lines stay as tombstones.

        Raises:
            EntrepotError: an id that no record has (nothing is erased), or a reader that still
                holds the former state (the keys are gone from the tables: repeat the command).
        """
        wanted = set(record_ids)
        with write_transaction(self._engine) as connection:
            for page in _pages(sorted(wanted)):
                erased = connection.execute(
                    sa.update(data_key)
                    .where(data_key.c.record_id.in_(page))
                    .values(wrapped_key=ERASED)
                )
                if erased.rowcount != len(page):
                    raise EntrepotError("a record to erase is not in the ledger")
        forget_deleted(self._engine, data_key)


def erase_keys(connection: sa.Connection, record_ids: Iterable[int]) -> None:
    """Destroys data keys within the caller's transaction, which ends with `rebuild`."""
    for page in _pages(sorted(set(record_ids))):
        connection.execute(
            sa.update(data_key).where(data_key.c.record_id.in_(page)).values(wrapped_key=ERASED)
        )


def reseal(
    connection: sa.Connection, segments: SegmentWriter, row: RecordRow, content: bytes
) -> None:
    """Gives a record other bytes under a new data key; the former ones lose theirs.

    The address stays that of the bytes received, so that their next delivery only counts. The
    caller calls `segments.sync()` before it commits.
    """
    location = segments.append(content, row.address)
    this = record.c.record_id == row.record_id
    place = {name: getattr(location, name) for name in ("segment", "offset", "length")}
    connection.execute(sa.update(record).where(this).values(**place))
    connection.execute(
        sa.update(data_key)
        .where(data_key.c.record_id == row.record_id)
        .values(wrapped_key=location.wrapped_key)
    )


def add_notices(connection: sa.Connection, notices: Iterable[Notice]) -> None:
    """Enters notices of any stage; one that is already there is left as it is."""
    wanted = set(notices)
    for page in _pages(sorted({n.record_id for n in wanted})):
        there = connection.execute(sa.select(notice).where(notice.c.record_id.in_(page)))
        wanted -= {Notice(*row) for row in there}
    if wanted:
        connection.execute(notice.insert(), [n._asdict() for n in sorted(wanted)])


def _addressed(source: str, arrival: Arrival) -> tuple[str | bytes, ...]:
    """What a record's address is made of."""
    if arrival.digest:
        return (source, b"sha256", arrival.digest)
    return (source, arrival.content)


def _pages(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _PAGE):
        yield ids[start : start + _PAGE]


def _better(known: Arrival | None, arrival: Arrival) -> Arrival:
    """Of two deliveries of the same bytes, the one without a fault, with the marks of both."""
    if known is None:
        return arrival
    best = known if known.fault is None else arrival
    return replace(best, marks=(*known.marks, *arrival.marks))


class _Known(NamedTuple):
    record_id: int
    fault_reason: str | None


def _known(connection: sa.Connection, addresses: list[bytes]) -> dict[bytes, _Known]:
    found: dict[bytes, _Known] = {}
    columns = (record.c.address, record.c.record_id, record.c.fault_reason)
    for start in range(0, len(addresses), _PAGE):
        page = addresses[start : start + _PAGE]
        for address, *rest in connection.execute(
            sa.select(*columns).where(record.c.address.in_(page))
        ):
            found[address] = _Known(*rest)
    return found


def _count_again(
    connection: sa.Connection,
    known: dict[bytes, _Known],
    deliveries: dict[bytes, int],
    arrivals: dict[bytes, Arrival],
) -> None:
    """Counts known records again; one that comes without the fault it had is taken up."""
    this = record.c.record_id == sa.bindparam("id")
    if known:
        connection.execute(
            sa.update(record)
            .where(this)
            .values(deliveries=record.c.deliveries + sa.bindparam("times")),
            [{"id": row.record_id, "times": deliveries[a]} for a, row in known.items()],
        )
    mended = [
        {"id": row.record_id, "readable": arrivals[a].format}
        for a, row in known.items()
        if row.fault_reason is not None and arrivals[a].fault is None
    ]
    if mended:
        connection.execute(
            sa.update(record)
            .where(this)
            .values(format=sa.bindparam("readable"), fault_reason=None, fault_position=None),
            mended,
        )


def _insert(
    connection: sa.Connection,
    source: str,
    fresh: dict[bytes, Arrival],
    deliveries: dict[bytes, int],
    segments: SegmentWriter,
    received_at: dt.datetime,
) -> dict[bytes, int]:
    """Seals and enters new records; returns their ids by address."""
    if not fresh:
        return {}
    rows, keys = [], {}
    for address, arrival in fresh.items():
        location = segments.append(arrival.content, address)
        keys[address] = location.wrapped_key
        rows.append(
            {
                "source": source,
                "format": arrival.format,
                "address": address,
                "received_at": received_at,
                "deliveries": deliveries[address],
                "segment": location.segment,
                "offset": location.offset,
                "length": location.length,
                "fault_reason": arrival.fault.reason if arrival.fault else None,
                "fault_position": arrival.fault.position if arrival.fault else None,
            }
        )
    # told by address: asking for the ids in the order of the rows costs a statement a row
    inserted = record.insert().returning(record.c.address, record.c.record_id)
    ids: dict[bytes, int] = dict(connection.execute(inserted, rows).all())
    wrapped = [{"record_id": ids[a], "wrapped_key": key} for a, key in keys.items()]
    connection.execute(data_key.insert(), sorted(wrapped, key=itemgetter("record_id")))
    return ids
