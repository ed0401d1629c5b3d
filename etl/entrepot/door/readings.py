"""Keeps what the door saw in each record besides its rows, in one transaction with its fate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from entrepot.door.tables import reading, shape
from entrepot.door.workers import Outcome

_PAGE = 500


def forget_readings(connection: Connection, record_ids: list[int] | None = None) -> None:
    """Removes the readings of these records, or all; a shape stays for the next record of it."""
    if record_ids is None:
        connection.execute(delete(reading))
        return
    for start in range(0, len(record_ids), _PAGE):
        page = record_ids[start : start + _PAGE]
        connection.execute(delete(reading).where(reading.c.record_id.in_(page)))


def add_readings(connection: Connection, outcomes: Iterable[Outcome]) -> None:
    """Enters the readings of records that were read to their end: not of quarantined ones."""
    read = [outcome for outcome in outcomes if outcome.disposition != "quarantined"]
    shapes = {_shape_id(elements): elements for elements in {one.unread for one in read}}
    known: set[bytes] = set()
    wanted = list(shapes)
    for start in range(0, len(wanted), _PAGE):
        page = wanted[start : start + _PAGE]
        known.update(connection.scalars(select(shape.c.shape_id).where(shape.c.shape_id.in_(page))))
    fresh = [{"shape_id": i, "elements": text} for i, text in shapes.items() if i not in known]
    if fresh:
        connection.execute(insert(shape), fresh)
    if read:
        connection.execute(insert(reading), [_line(outcome) for outcome in read])


def _line(outcome: Outcome) -> dict[str, object]:
    return {
        "record_id": outcome.record_id,
        "shape_id": _shape_id(outcome.unread),
        "attachments": outcome.attachments,
        "masked": json.dumps(outcome.masked, sort_keys=True),
    }


def _shape_id(elements: str) -> bytes:
    """Names of elements alone: a plain hash of them tells nothing of anybody."""
    return hashlib.sha256(elements.encode()).digest()[:16]
