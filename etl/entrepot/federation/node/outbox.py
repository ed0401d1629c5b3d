"""What leaves the node: signed envelopes that wait for their time, and for whoever carries them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from entrepot.audit import Action, verify
from entrepot.errors import EntrepotError
from entrepot.federation.envelopes import LogHead, Notice, signed
from entrepot.federation.node.opened import Node, stamp, write_setting
from entrepot.federation.node.states import TOLD, State
from entrepot.federation.node.tables import outbox, setting, transaction
from entrepot.federation.refusals import Code
from entrepot.federation.wire import NOTICES

_HEAD_DAY = "head_day"


@dataclass(frozen=True)
class Leaving:
    """One envelope and the path of the wire that takes it."""

    number: int
    path: str
    envelope: str


def notify(
    node: Node, connection: sa.Connection, query: str, state: State, code: Code | None = None,
    due: dt.datetime | None = None,
) -> None:  # fmt: skip
    """A signed notice of how a query stands, in the caller's transaction.

    Args:
        due: when it may leave; at once when None.
    """
    when = due or node.now()
    notice = Notice.model_validate(
        {"node": node.name, "query": query, "state": TOLD[state], "code": code, "at": when}
    )
    enqueue(connection, NOTICES, signed(notice, "node", node.place.signing_key).text(), when)


def enqueue(connection: sa.Connection, path: str, envelope: str, due: dt.datetime) -> None:
    """Keeps an envelope until it was taken."""
    connection.execute(sa.insert(outbox).values(path=path, envelope=envelope, due_at=stamp(due)))


def state_head(node: Node) -> bool:
    """Once a day, the head of the audit log for whoever keeps it outside; False when it is done.

    Raises:
        EntrepotError: the log is not whole. Nothing is stated of it, and no answer leaves.
    """
    day = node.now().date().isoformat()
    if node.read(_HEAD_DAY) == day:
        return False
    found = verify(node.site, node.keyring)
    if not found.intact:
        raise EntrepotError(
            "the audit log was changed or cut: this node answers nothing more",
            where="identifying/audit.log", remedy="entrepot audit verify",
        )  # fmt: skip
    head = node.log(Action.LOG_HEAD_SENT, {"sequence": found.head.sequence + 1})
    stated = LogHead(node=node.name, sequence=head.sequence, mac=head.mac, at=node.now())
    with transaction(node.engine) as connection:
        text = signed(stated, "node", node.place.signing_key).text()
        enqueue(connection, NOTICES, text, node.now())
        write_setting(connection, _HEAD_DAY, day)
    return True


def leaving(node: Node) -> list[Leaving]:
    """What may leave now, in the order in which it was made."""
    waiting = (
        sa.select(outbox)
        .where(outbox.c.sent_at.is_(None), outbox.c.due_at <= stamp(node.now()))
        .order_by(outbox.c.outbox_id)
    )
    with transaction(node.engine) as connection:
        rows = connection.execute(waiting).all()
    return [Leaving(row.outbox_id, row.path, row.envelope) for row in rows]


def send(node: Node, carry: Callable[[Leaving], str]) -> int:
    """Gives each envelope to `carry`; returns how many left.

    Args:
        carry: returns when it was taken, with an empty text; or with the code of a fault that no
            second try mends: the envelope is then kept here and not sent again.

    Raises:
        EntrepotError: what `carry` raises; what was not taken stays.
    """
    taken = 0
    for one in leaving(node):
        fault = carry(one)
        with transaction(node.engine) as connection:
            connection.execute(
                sa.update(outbox)
                .where(outbox.c.outbox_id == one.number)
                .values(sent_at=stamp(node.now()), fault=fault or None)
            )
        taken += not fault
    return taken


def next_slot(node: Node, started: dt.datetime, seconds: int, longest: int) -> dt.datetime:
    """When an answer leaves: it depends on when its question was begun, not on how long it took.

    Args:
        seconds: between two slots; 0: no slots, the answer leaves when it is made.
        longest: seconds that a question may take at most.
    """
    if not seconds:
        return node.now()
    number = -(-(started.timestamp() + longest) // seconds)
    return dt.datetime.fromtimestamp(number * seconds, dt.UTC)


def previous_answer(connection: sa.Connection) -> str:
    """Hash of the answer that left before; zeros of the first."""
    found = connection.scalar(sa.select(setting.c.value).where(setting.c.key == "last_answer"))
    return cast(str, found) if found else "0" * 64
