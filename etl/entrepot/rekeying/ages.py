"""What may be told of a site's keys: versions, dates, splits; never a key."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, func, inspect, select

from entrepot.landing.database import FINGERPRINT, zone_setting
from entrepot.landing.tables import record
from entrepot.rekeying.rotation import State
from entrepot.rekeying.tables import escrow, former_id, rotation


def facts(connection: Connection) -> dict[str, Any]:
    """Root keys of the zone and what was done with them; dates are UTC, ISO 8601, or None.

    Keys: `version` and `fingerprint` of the key in force; `since` (its rotation, or the first
    record received under a first key) and `age_days`; `rotations` (version, old, new, by, reason,
    state, started_at, ended_at, persons, records), oldest first; `interrupted` (a rotation has not
    ended); `escrow` (split, version, fingerprint, shares, threshold, by, split_at, in_force) oldest
    first; `escrowed` (a split of the key in force exists); `former_ids` (lines of the re-keying
    map).
    """
    names = set(inspect(connection).get_table_names())
    rotations = _rows(connection, rotation, names)
    splits = _rows(connection, escrow, names)
    settings = select(zone_setting.c.value).where(zone_setting.c.key == FINGERPRINT)
    fingerprint = connection.scalar(settings)
    ended = [one for one in rotations if one["new"] == fingerprint and one["ended_at"]]
    since = ended[-1]["ended_at"] if ended else connection.scalar(_first_receipt())
    for one in splits:
        one["in_force"] = one["fingerprint"] == fingerprint
    mapped = select(func.count()).select_from(former_id)
    return {
        "version": ended[-1]["version"] if ended else 1,
        "fingerprint": fingerprint,
        "since": _text(since),
        "age_days": (_today() - since.date()).days if since else None,
        "rotations": [_told(one) for one in rotations],
        "interrupted": any(one["state"] != State.DONE for one in rotations),
        "escrow": [_told(one) for one in splits],
        "escrowed": any(one["in_force"] for one in splits),
        "former_ids": int(connection.scalar(mapped) or 0) if former_id.name in names else 0,
    }


def _rows(connection: Connection, table: Any, names: set[str]) -> list[dict[str, Any]]:
    """Its rows in their order; none in a zone that an earlier version made."""
    if table.name not in names:
        return []
    order = table.c.version if table is rotation else table.c.split_at
    return [dict(row) for row in connection.execute(select(table).order_by(order)).mappings()]


def _first_receipt() -> Any:
    return select(func.min(record.c.received_at))


def _told(line: dict[str, Any]) -> dict[str, Any]:
    hidden = {"last_segment"}
    return {name: _text(value) for name, value in line.items() if name not in hidden}


def _text(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, dt.datetime) else value


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
