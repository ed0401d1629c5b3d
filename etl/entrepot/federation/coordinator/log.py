"""What happened here, refusals too: append-only, each entry chained to the one before.

An entry holds names of nodes and studies, hashes and codes; never an answer, never free text of a
request. Its last hash, written down elsewhere, proves all before it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from entrepot.federation.canonical import canonical
from entrepot.federation.coordinator.database import log, written

START = "0" * 64


class Act(StrEnum):
    """What an entry tells."""

    NODE_ENROLLED = "node_enrolled"
    NODE_REVOKED = "node_revoked"
    KEY_REVOKED = "key_revoked"
    CARD_ADDED = "card_added"
    CARD_CLOSED = "card_closed"
    QUERY_SUBMITTED = "query_submitted"
    QUERY_REFUSED = "query_refused"
    NOTICE = "notice"
    ANSWER = "answer"
    ANSWER_REFUSED = "answer_refused"
    HEAD = "head"
    HEAD_REFUSED = "head_refused"
    REQUEST_REFUSED = "request_refused"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"


def append(
    connection: sa.Connection, act: Act, now: dt.datetime, **facts: str | int | None
) -> None:
    """Adds an entry within the caller's transaction."""
    last = connection.execute(
        sa.select(log.c.number, log.c.hash).order_by(log.c.number.desc()).limit(1)
    ).first()
    number, before = (last.number + 1, last.hash) if last else (1, START)
    known = {name: value for name, value in facts.items() if value is not None}
    entry = canonical({"act": act.value, "at": written(now), **known}).decode()
    connection.execute(
        log.insert().values(number=number, entry=entry, hash=_chained(before, entry))
    )


def entries(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """All entries in their order."""
    for (entry,) in connection.execute(sa.select(log.c.entry).order_by(log.c.number)):
        yield json.loads(entry)


def verify(connection: sa.Connection) -> int | None:
    """The number of the first entry that is not what was written; None when all are."""
    before, expected = START, 1
    for row in connection.execute(sa.select(log).order_by(log.c.number)):
        if row.number != expected or row.hash != _chained(before, row.entry):
            return expected
        before, expected = row.hash, expected + 1
    return None


def _chained(before: str, entry: str) -> str:
    return hashlib.sha256(f"{before}\n{entry}".encode()).hexdigest()
