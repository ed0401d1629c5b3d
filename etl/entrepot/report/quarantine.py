"""What is held, by stage and reason, and one record's whole story; never a record's content."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.landing.access import erased_record, unknown_record
from entrepot.landing.database import create_tables, zone_engine
from entrepot.landing.ledger import ERASED
from entrepot.landing.tables import REPLAYED, data_key, notice, record
from entrepot.publication import gate_hold, published_generation
from entrepot.register.tables import registration
from entrepot.report.dispositions import Meanings, Stage, what_next

# What an event looks like: anything else stands in MSH-9 because the sender's fields slipped, and
# may be a control id or a name.
_EVENT = {
    "hl7v2": re.compile(r"[A-Z]{3}(\^[A-Z][0-9A-Z]{2}(\^[A-Z]{3}_[0-9A-Z]{3})?)?"),
    "cda": re.compile(r"CDA\^(\d{1,7}-\d|SYNTH|REMB|\?)?"),
    "fhir": re.compile(r"[A-Z][a-z]{2,}([A-Z][a-z]+)*"),
}
UNUSUAL = "?"


@dataclass(frozen=True)
class Filter:
    """Which of what is held to tell; empty: any."""

    reason: str = ""
    source: str = ""
    stage: str = ""

    def keeps(self, line: dict[str, Any]) -> bool:
        """Whether the line passes; a row of the gate has no source."""
        wanted = {"reason": self.reason, "source": self.source, "stage": self.stage}
        return all(line.get(key, "") == value for key, value in wanted.items() if value)


def read_quarantine(
    site: Site, chosen: Filter = Filter()
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Records held, in the order of their ids, and rows held by the gate, counted by check.

    Returns:
        Records: record, stage, reason, meaning_fr, meaning_en, source, format, event, position,
        received_at (UTC), count (deliveries). Rows: table, check, stage, reason, meaning_fr,
        meaning_en, count.
    """
    meanings = Meanings(site.overlays)
    with _zone(site) as connection:
        held = [_line(row, meanings) for row in connection.execute(_held())]
    rows = [{**line, **_meaning(line["check"], meanings)} for line in _rows(site)]
    return [one for one in held if chosen.keeps(one)], [one for one in rows if chosen.keeps(one)]


def read_record(site: Site, record_id: int) -> dict[str, Any]:
    """All that is known of one record but its content, whatever became of it.

    Raises:
        ConfigurationError: there is no such record.
        ErasedRecordError: it was erased.
    """
    with _zone(site) as connection:
        row = connection.execute(_story().where(record.c.record_id == record_id)).one_or_none()
        if row is None:
            raise unknown_record(record_id)
        if row.wrapped_key == ERASED and row.fault_reason != REPLAYED:
            raise erased_record(record_id)
        query = select(notice).where(notice.c.record_id == record_id)
        notices = [
            {"stage": one.stage, "code": one.code, "position": one.position}
            for one in connection.execute(query.order_by(*notice.primary_key))
        ]
        status = _status(row, published_generation(connection))
    line = _line(row, Meanings(site.overlays))
    return {
        "record": record_id,
        "status": status,
        **line,
        "next": what_next(line["reason"], line["stage"]) if status == "quarantined" else "",
        "stated_at": row.stated_at,
        "segment": row.segment,
        "offset": row.offset,
        "length": row.length,
        "notices": notices,
    }


@contextmanager
def _zone(site: Site) -> Iterator[Connection]:
    engine = zone_engine(site)
    try:
        create_tables(engine)
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _story() -> Select[Any]:
    return select(
        record, data_key.c.wrapped_key, registration.c.event, registration.c.stated_at,
        derivation.c.disposition, derivation.c.generation, derivation.c.reason,
        derivation.c.position, gate_hold.c.check_id,
    ).select_from(
        record.join(data_key)
        .outerjoin(derivation, derivation.c.record_id == record.c.record_id)
        .outerjoin(registration, registration.c.record_id == record.c.record_id)
        .outerjoin(gate_hold, gate_hold.c.record_id == record.c.record_id)
    )  # fmt: skip


def _held() -> Select[Any]:
    """What the record equation counts as quarantined, and landing's faults before their run."""
    unread = derivation.c.disposition.is_(None) & record.c.fault_reason.is_not(None)
    return (
        _story()
        .where(
            (derivation.c.disposition == "quarantined")
            | gate_hold.c.check_id.is_not(None)
            | (unread & (record.c.fault_reason != REPLAYED))
        )
        .order_by(record.c.record_id)
    )


def _line(row: Row[Any], meanings: Meanings) -> dict[str, Any]:
    reason = row.check_id or row.reason or row.fault_reason or ""
    meaning = meanings.of(reason)
    position = "" if row.check_id else (row.position if row.reason else row.fault_position)
    return {
        "record": row.record_id,
        "stage": _stage(row, meaning.stage) if reason else "",
        "reason": reason,
        "meaning_fr": meaning.french,
        "meaning_en": meaning.english,
        "source": row.source,
        "format": row.format,
        "event": _event(row.format, row.event or ""),
        "position": position or "",
        "received_at": _utc(row.received_at),
        "count": row.deliveries,
    }


def _stage(row: Row[Any], meant: str) -> str:
    """As dispositions.csv says: register may already give what the door would."""
    if row.check_id is not None:
        return Stage.GATE
    return Stage.LANDING if row.fault_reason is not None else meant


def _status(row: Row[Any], published: int) -> str:
    """As the record equation counts it."""
    staged = row.disposition == "staged"
    if row.disposition is None or (staged and row.generation > published):
        return "pending"
    if row.disposition == "quarantined" or row.check_id is not None:
        return "quarantined"
    return "published" if staged else "excluded"


def _event(format_: str, event: str) -> str:
    shape = _EVENT.get(format_)
    if not event or (shape is not None and shape.fullmatch(event)):
        return event
    return UNUSUAL


def _utc(moment: dt.datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds") + "Z"


def _meaning(check: str, meanings: Meanings) -> dict[str, str]:
    found = meanings.of(check)
    return {
        "stage": Stage.GATE,
        "reason": check,
        "meaning_fr": found.french,
        "meaning_en": found.english,
    }


def _rows(site: Site) -> list[dict[str, Any]]:
    """Rows that the gate removed from the published release; before the first, none are told."""
    from entrepot.publish.warehouse import open_warehouse

    if not site.warehouse.is_file():
        return []
    connection = open_warehouse(site.warehouse)
    try:
        found = connection.execute(
            "SELECT cdm_table, check_id, count(*) FROM etl.quarantine GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    finally:
        connection.close()
    return [{"table": table, "check": check, "count": count} for table, check, count in found]
