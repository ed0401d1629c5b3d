"""What `status` and `quarantine list` show: counts, reasons and keys; never a record's content."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.keys import load_keyring
from entrepot.landing.database import check_keyring, create_tables, zone_engine
from entrepot.landing.tables import record
from entrepot.publication import gate_hold
from entrepot.register.tables import registration
from entrepot.report.accounting import records


def read_status(site: Site) -> dict[str, Any]:
    """`{"sources": {name: counts}, "tables": {name: rows}, "release": id}`."""
    from entrepot.publish.release import read_release

    engine = zone_engine(site)
    try:
        create_tables(engine)
        with engine.connect() as connection:
            counted = records(connection)
    finally:
        engine.dispose()
    release = read_release(site.warehouse)
    return {
        "sources": {name: counts.as_dict() for name, counts in sorted(counted.sources.items())},
        "tables": dict(release.rows) if release else {},
        "release": release.release_id if release else None,
    }


def read_quarantine(site: Site) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Records and rows in quarantine."""
    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, load_keyring(site.root_key))
        query = (
            select(
                record.c.record_id, record.c.source, registration.c.event, derivation.c.reason,
                derivation.c.position,
                gate_hold.c.check_id,
            )
            .join(derivation, derivation.c.record_id == record.c.record_id)
            .outerjoin(registration, registration.c.record_id == record.c.record_id)
            .outerjoin(gate_hold, gate_hold.c.record_id == record.c.record_id)
            .where((derivation.c.disposition == "quarantined") | gate_hold.c.check_id.is_not(None))
            .order_by(record.c.record_id)
        )  # fmt: skip
        with engine.connect() as connection:
            held = [
                {
                    "record": row.record_id, "source": row.source, "event": row.event or "",
                    "reason": row.check_id or row.reason, "position": row.position,
                }
                for row in connection.execute(query)
            ]  # fmt: skip
    finally:
        engine.dispose()
    return held, _rows(site)


def _rows(site: Site) -> list[dict[str, Any]]:
    from entrepot.publish.warehouse import open_warehouse

    if not site.warehouse.is_file():
        return []
    connection = open_warehouse(site.warehouse)
    try:
        found = connection.execute(
            "SELECT cdm_table, cdm_id, check_id FROM etl.quarantine ORDER BY ALL"
        ).fetchall()
    finally:
        connection.close()
    return [{"table": table, "id": key, "check": check} for table, key, check in found]
