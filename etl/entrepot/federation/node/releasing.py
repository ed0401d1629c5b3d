"""Answers leave: at their time, chained to the one before, sealed where nobody adds them up."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa

from entrepot.audit import Action
from entrepot.federation.canonical import canonical
from entrepot.federation.envelopes import AnswerEnvelope, Envelope, Query, signed
from entrepot.federation.keys import seal
from entrepot.federation.node.opened import Node, stamp, write_setting
from entrepot.federation.node.outbox import enqueue, previous_answer
from entrepot.federation.node.states import State
from entrepot.federation.node.tables import answer, request, transaction
from entrepot.federation.wire import RESULTS


def release_due(node: Node) -> int:
    """Signs every answer whose time has come and hands it to the outbox; returns how many."""
    query = (
        sa.select(answer, request.c.envelope.label("asked"))
        .join(request, request.c.query == answer.c.query)
        .where(
            request.c.state == State.RUN, answer.c.envelope.is_(None),
            answer.c.slot_at <= stamp(node.now()),
        )
        .order_by(answer.c.answer_id)
    )  # fmt: skip
    with transaction(node.engine) as connection:
        rows = connection.execute(query).all()
    for row in rows:
        _release(node, row)
    return len(rows)


def _release(node: Node, row: Any) -> None:
    query = Query.model_validate(Envelope.model_validate_json(row.asked).body)
    payload = json.loads(row.payload)
    facts = {
        "query": row.query, "study": query.study, "round": row.round, "delivery": query.delivery,
        "answer": hashlib.sha256(row.payload.encode()).hexdigest(),
    }  # fmt: skip
    head = node.log(Action.ANSWER_RELEASED, facts)
    with transaction(node.engine) as connection:
        stated = AnswerEnvelope.model_validate(
            {
                **json.loads(row.stated), "node": node.name, "study": query.study,
                "query": row.query, "round": row.round, "compiler": query.compiler,
                "payload": payload, "previous": previous_answer(connection),
                "log_head": head.mac, "at": row.slot_at,
            }
        )  # fmt: skip
        envelope = signed(delivered(stated, query), "node", node.place.signing_key)
        enqueue(connection, RESULTS, envelope.text(), node.now())
        write_setting(connection, "last_answer", envelope.body_hash)
        connection.execute(
            sa.update(answer)
            .where(answer.c.answer_id == row.answer_id)
            .values(envelope=envelope.text())
        )
        connection.execute(
            sa.update(request).where(request.c.query == row.query).values(state=State.RELEASED)
        )


def delivered(stated: AnswerEnvelope, query: Query) -> AnswerEnvelope:
    """The answer as it may pass through the coordinator."""
    if query.delivery == "pooled":
        return stated
    sealed = seal(canonical(stated.payload), query.answers_to, stated.context())
    return stated.model_copy(update={"payload": None, "sealed": sealed})
