"""Re-identification: for listed motives, by two signatures, per person, for a while (SEC-REI)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from entrepot.reidentification import tables
from entrepot.reidentification.disclosed import forget
from entrepot.reidentification.requests import agreed_at, decisions, executions

__all__ = ["facts", "forget"]


def facts(
    connection: sa.Connection, needed: Sequence[str] = ("dpo", "steward")
) -> list[dict[str, Any]]:
    """Each request for the DPO's report, oldest first: no person, no number, no name.

    Keys: `request`, `motive`, `study` (its id or ""), `state` (requested, approved, refused,
    executed, expired), `requested_on`, `decided_on`, `executed_on` (ISO dates or ""),
    `approvers` (the profiles of each who approved, as they were then). Signatures are not judged
    here, nor whether a window has ended: that takes the key (`entrepot reidentify list`).

    Args:
        needed: profiles of which one approval each makes a request approved.
    """
    table = tables.request
    if not sa.inspect(connection).has_table(table.name):
        return []
    return [
        _fact(connection, row, needed)
        for row in connection.execute(sa.select(table).order_by(table.c.requested_at))
    ]


def _fact(connection: sa.Connection, row: sa.Row[Any], needed: Sequence[str]) -> dict[str, Any]:
    made = decisions(connection, row.request_id)
    looks = executions(connection, row.request_id)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    approved = [one for one in made if one.approved]
    if len(approved) < len(made):
        state = "refused"
    elif looks:
        state = "executed"
    elif now > row.until:
        state = "expired"
    else:
        held = [(one.decided_at, frozenset(one.profiles.split(","))) for one in approved]
        state = "requested" if agreed_at(held, needed) is None else "approved"
    return {
        "request": row.request_id,
        "motive": row.motive,
        "study": row.study,
        "state": state,
        "requested_on": row.requested_at.date().isoformat(),
        "decided_on": made[-1].decided_at.date().isoformat() if made else "",
        "executed_on": looks[-1].date().isoformat() if looks else "",
        "approvers": [one.profiles.split(",") for one in approved],
    }
