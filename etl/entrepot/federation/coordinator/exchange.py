"""What a node fetches and brings: queries, notices, answers, the head of its log."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from entrepot.federation.canonical import MAX_BYTES
from entrepot.federation.cards import StudyCard
from entrepot.federation.coordinator.calls import Call, CallFault
from entrepot.federation.coordinator.checking import fault_of
from entrepot.federation.coordinator.database import (
    answer,
    card,
    head,
    query,
    reading,
    task,
    writing,
    written,
)
from entrepot.federation.coordinator.log import Act, append
from entrepot.federation.coordinator.registry import revocations
from entrepot.federation.coordinator.rounds import ANSWERED, QUEUED, advance, transcript
from entrepot.federation.envelopes import (
    AnswerEnvelope,
    Envelope,
    LogHead,
    Notice,
    Query,
    open_signed,
    read_envelope,
)
from entrepot.federation.refusals import Code, Refused
from entrepot.federation.wire import MAX_SENT, MAX_TASKS, Task, Tasks

# Nothing leads back from these; an answer follows a release, and a notice may come after it.
_FINAL = ("refused", ANSWERED)
Body = TypeVar("Body", bound=BaseModel)


def tasks_for(call: Call) -> Tasks:
    """Queries of which this node has said nothing yet, the oldest first."""
    again = call.now - dt.timedelta(seconds=call.coordinator.settings.again_seconds)
    wanted = (
        sa.select(query.c.id, query.c.envelope, task.c.round)
        .join(task, task.c.query == query.c.id)
        .where(
            task.c.node == call.node.name, task.c.state == QUEUED,
            query.c.expires >= written(call.now),
            sa.or_(task.c.given.is_(None), task.c.given <= written(again)),
        )
        .order_by(query.c.submitted, query.c.id)
        .limit(MAX_TASKS)
    )  # fmt: skip
    with reading(call.coordinator.engine) as connection:
        found = tuple(
            Task(
                task=row.id, envelope=row.envelope,
                transcript=transcript(connection, row.id, row.round),
            )
            for row in connection.execute(wanted).all()
        )  # fmt: skip
        revoked = revocations(connection)
    if found:
        with writing(call.coordinator.engine) as connection:
            here = (task.c.node == call.node.name, task.c.query.in_([one.task for one in found]))
            connection.execute(task.update().where(*here).values(given=written(call.now)))
    return Tasks(tasks=found, revocations=revoked)


def take_notice(call: Call, text: str) -> str:
    """A notice about a query, or the head of the node's log; returns the envelope's SHA-256.

    Raises:
        CallFault: `unreadable`, `proof`, `unknown`, `other_answer`; logged.
    """
    envelope = _opened(call, text, MAX_BYTES)
    if envelope.body.get("act") == LogHead.model_fields["act"].default:
        _keep_head(call, _typed(call, envelope, LogHead), text)
    else:
        _keep_notice(call, _typed(call, envelope, Notice))
    return _sha256(text)


def take_answer(call: Call, text: str) -> str:
    """A signed answer; a second, different one to the same query is refused.

    What does not hold together is kept and shown as poisoned, never added to the others (T10).

    Raises:
        CallFault: `unreadable`, `proof`, `unknown`, `other_answer`; logged.
    """
    given = _typed(call, _opened(call, text, MAX_SENT), AnswerEnvelope)
    asked, minimum = _query(call, given.query)
    sha, name = _sha256(text), call.node.name
    with writing(call.coordinator.engine) as connection:
        here = (answer.c.query == given.query, answer.c.node == name, answer.c.round == given.round)
        before = connection.scalar(sa.select(answer.c.sha256).where(*here))
        fault = fault_of(asked, given, minimum, _round(connection, call, given.query), call.now)
        code = fault if before is None else "other_answer"
        if before is None:
            row = {"query": given.query, "node": name, "round": given.round, "envelope": text,
                   "sha256": sha, "received": written(call.now), "fault": fault}  # fmt: skip
            connection.execute(answer.insert().values(**row))
            _change(connection, call, given.query, ANSWERED)
            advance(connection, given.query, asked, call.now)
        if before != sha:
            act = Act.ANSWER_REFUSED if code else Act.ANSWER
            append(connection, act, call.now, node=name, query=given.query, code=code)
    if before not in (None, sha):
        raise CallFault("other_answer")
    return sha


def _keep_notice(call: Call, told: Notice) -> None:
    """A replayed envelope makes the node tell its present state again: nothing changes by it."""
    _query(call, told.query)
    code = told.code.value if told.code else None
    with writing(call.coordinator.engine) as connection:
        if told.code is not Code.REPLAYED:
            _change(connection, call, told.query, told.state, code)
        elif _state(connection, call, told.query) == QUEUED:
            _change(connection, call, told.query, told.state)
        append(
            connection, Act.NOTICE, call.now, node=call.node.name, query=told.query,
            state=told.state, code=code,
        )  # fmt: skip


def _keep_head(call: Call, told: LogHead, text: str) -> None:
    """A log only grows: another entry under a number that is known is a log that was rewritten."""
    name = call.node.name
    with writing(call.coordinator.engine) as connection:
        rows = connection.execute(sa.select(head).where(head.c.node == name))
        known = {row.sequence: row.mac for row in rows}
        shorter = told.sequence < max(known, default=0)
        rewritten = shorter or known.get(told.sequence, told.mac) != told.mac
        if not rewritten and told.sequence not in known:
            row = {"node": name, "sequence": told.sequence, "mac": told.mac, "envelope": text,
                   "received": written(call.now)}  # fmt: skip
            connection.execute(head.insert().values(**row))
        act = Act.HEAD_REFUSED if rewritten else Act.HEAD
        append(connection, act, call.now, node=name, sequence=told.sequence)
    if rewritten:
        raise CallFault("other_answer")


def _change(
    connection: sa.Connection, call: Call, id_: str, state: str, code: str | None = None
) -> None:
    connection.execute(
        task.update()
        .where(task.c.query == id_, task.c.node == call.node.name, task.c.state.not_in(_FINAL))
        .values(state=state, code=code, changed=written(call.now))
    )


def _state(connection: sa.Connection, call: Call, id_: str) -> str | None:
    wanted = sa.select(task.c.state).where(task.c.query == id_, task.c.node == call.node.name)
    return connection.scalar(wanted)


def _round(connection: sa.Connection, call: Call, id_: str) -> int:
    wanted = sa.select(task.c.round).where(task.c.query == id_, task.c.node == call.node.name)
    return int(connection.scalar(wanted) or 0)


def _query(call: Call, id_: str) -> tuple[Query, int]:
    """The query of this id, asked of this node, and the smallest cell that its card allows."""
    wanted = (
        sa.select(query.c.envelope, card.c.card)
        .join(task, task.c.query == query.c.id)
        .join(card, card.c.hash == query.c.card)
        .where(query.c.id == id_, task.c.node == call.node.name)
    )
    with reading(call.coordinator.engine) as connection:
        found = connection.execute(wanted).first()
    if found is None:
        raise call.refused("unknown")
    minimum = StudyCard.model_validate_json(found.card).minimum_cell
    return Query.model_validate(read_envelope(found.envelope).body), minimum


def _opened(call: Call, text: str, most: int) -> Envelope:
    """An envelope that this node signed."""
    try:
        envelope = read_envelope(text, most)
        signed = len(envelope.signatures) == 1 and open_signed(envelope, "node", call.node.key)
    except Refused:
        raise call.refused("unreadable") from None
    if not signed:
        raise call.refused("proof")
    return envelope


def _typed(call: Call, envelope: Envelope, model: type[Body]) -> Body:
    """The body of an envelope, which names its sender."""
    try:
        body = model.model_validate(envelope.body)
    except ValidationError:
        raise call.refused("unreadable") from None
    if getattr(body, "node", None) != call.node.name:
        raise call.refused("proof")
    return body


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
