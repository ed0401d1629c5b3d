"""A landed file that nobody could cut when it came, cut into records now.

The file's own line stays in the ledger as the rule `replayed_as_records`; its bytes now lie in its
records, each of which can be erased by itself, so the file's own key is erased: else an erased
record would live on in it. A file that is one record keeps its line and loses its fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice

import sqlalchemy as sa

from entrepot.config import Site, Source
from entrepot.landing.arrival import Arrival
from entrepot.landing.containers import Container
from entrepot.landing.ingest import arrivals
from entrepot.landing.ledger import ERASED, STAGE, Ledger, add_notices
from entrepot.landing.segments import SegmentWriter
from entrepot.landing.sniff import FORMATS, SNIFF_BYTES, sniff
from entrepot.landing.tables import REPLAYED, Notice, RecordRow, data_key, record

BATCH_RECORDS = 1000
# Of these the ledger holds packed bytes, or none: only the sender can help.
_LOST = frozenset({"container_unreadable", "container_too_large", "record_too_large"})


class Recut(StrEnum):
    """What became of the file."""

    UNCHANGED = "unchanged"  # the same fault again
    MENDED = "mended"  # it is one record, with another fault or none
    CUT = "cut"  # its records stand in its place


def can_be_cut(row: RecordRow) -> bool:
    """Whether landing kept the file as it would read it today."""
    return row.fault is not None and row.fault.reason not in {*_LOST, REPLAYED}


def arrivals_again(site: Site, row: RecordRow, content: bytes) -> Iterator[Arrival]:
    """What the splitter makes today of a landed file, in the format that was named or seen then."""
    container = Container(
        lambda: iter([content]), lambda: iter([content]), sniff(content[:SNIFF_BYTES])
    )
    named = row.format if row.format in FORMATS else None
    return arrivals(container, named, site.config.sources.get(row.source, Source()).format)


def cut_again(
    connection: sa.Connection,
    ledger: Ledger,
    segments: SegmentWriter,
    row: RecordRow,
    found: Iterable[Arrival],
) -> tuple[Recut, int]:
    """Enters the records of a landed file as if it came now, with its first time of receipt.

    The caller calls `segments.sync()` before it commits.

    Args:
        row: the file's line.
        found: what the splitter makes of its bytes (`arrivals_again`).

    Returns:
        What became of it, and how many records were delivered by it.
    """
    own: list[Arrival] = []
    others = _others(ledger, row, found, own)
    delivered = 0
    while batch := list(islice(others, BATCH_RECORDS)):
        tally = ledger.add(connection, row.source, batch, segments, row.received_at)
        delivered += tally.received
    if own:
        return _mend(connection, row, own[0]), delivered
    if not delivered:
        return Recut.UNCHANGED, 0
    this = record.c.record_id == row.record_id
    connection.execute(
        sa.update(record).where(this).values(fault_reason=REPLAYED, fault_position=None)
    )
    connection.execute(
        sa.update(data_key).where(data_key.c.record_id == row.record_id).values(wrapped_key=ERASED)
    )
    return Recut.CUT, delivered


def _others(
    ledger: Ledger, row: RecordRow, found: Iterable[Arrival], own: list[Arrival]
) -> Iterator[Arrival]:
    """The arrivals that are not the file itself, which was counted when it came."""
    for arrival in found:
        if ledger.address(row.source, arrival) == row.address:
            own.append(arrival)
        else:
            yield arrival


def _mend(connection: sa.Connection, row: RecordRow, arrival: Arrival) -> Recut:
    add_notices(connection, [Notice(row.record_id, STAGE, *mark) for mark in arrival.marks])
    fault = arrival.fault
    reason, position = (fault.reason, fault.position) if fault else (None, None)
    if (reason, arrival.format) == (row.fault_reason, row.format):
        return Recut.UNCHANGED
    connection.execute(
        sa.update(record)
        .where(record.c.record_id == row.record_id)
        .values(format=arrival.format, fault_reason=reason, fault_position=position)
    )
    return Recut.MENDED
