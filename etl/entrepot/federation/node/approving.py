"""The steward decides: which questions run, which answers leave; each decision is signed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from entrepot.audit import Action
from entrepot.errors import ConfigurationError
from entrepot.federation.envelopes import Envelope
from entrepot.federation.node.opened import Node, stamp
from entrepot.federation.node.outbox import notify
from entrepot.federation.node.papers import APPROVERS
from entrepot.federation.node.states import State
from entrepot.federation.node.tables import ARRIVAL, answer, request, transaction
from entrepot.federation.refusals import STEWARD, Code
from entrepot.people import person, verify

CODES = tuple(str(code) for code in STEWARD)
_DECIDED = (State.AWAITING_STEWARD, State.AWAITING_RELEASE)


@dataclass(frozen=True)
class Asked:
    """One question, for whoever decides of it; no data of anybody is in it."""

    query: str
    study: str
    card: str
    researcher: str
    question: str
    kind: str
    cohorts: dict[str, dict[str, Any]]
    analysis: dict[str, Any]
    state: State
    code: str
    received_at: str
    not_after: str
    decided_by: str


def listing(node: Node, state: State | None = None) -> list[Asked]:
    """Questions in the order in which they came, of one state when it is given."""
    query = sa.select(request).order_by(ARRIVAL)
    if state is not None:
        query = query.where(request.c.state == state)
    with transaction(node.engine) as connection:
        return [_asked(row) for row in connection.execute(query).all()]


def _asked(row: Any) -> Asked:
    body = Envelope.model_validate_json(row.envelope).body
    return Asked(
        row.query, row.study, row.card, row.researcher, row.question, row.kind, body["cohorts"],
        body["analysis"], State(row.state), row.code or "", row.received_at, row.not_after,
        row.decided_by or "",
    )  # fmt: skip


def find(node: Node, start: str) -> Asked:
    """The question whose hash begins so.

    Raises:
        ConfigurationError: none, or several.
    """
    found = [one for one in listing(node) if one.query.startswith(start)]
    if not start or len(found) != 1:
        raise ConfigurationError(
            "no question of this hash" if not found else "several questions begin so",
            remedy="entrepot node requests",
        )
    return found[0]


def answers_of(node: Node, query: str) -> list[dict[str, Any]]:
    """The protected answers to a question, round by round: what would leave."""
    wanted = sa.select(answer.c.payload).where(answer.c.query == query).order_by(answer.c.round)
    with transaction(node.engine) as connection:
        return [json.loads(text) for text in connection.scalars(wanted)]


def decision(query: str, approved: bool, code: str = "", state: str = "") -> dict[str, Any]:
    """What a steward signs: of just this query, in the state that they saw.

    Args:
        code: of a refusal, one of CODES.
        state: `awaiting_release` for the decision on an answer; else on the question.
    """
    return {
        "act": "entrepot/federation/decision", "query": query, "approved": approved, "code": code,
        "about": "answer" if state == State.AWAITING_RELEASE else "question",
    }  # fmt: skip


def decide(
    node: Node, query: str, by: str, approved: bool, code: str = "", signature: str = ""
) -> State:
    """Approves or refuses; the act is logged first.

    Args:
        signature: of `decision`; empty only for an answer that the orchestrator's own auth manager
            vouches for (`decide_unsigned`).

    Raises:
        ConfigurationError: nobody who may decide, another signature or code, or there is nothing
            to decide any more.
    """
    asked = find(node, query)
    who = person(node.site, by, *APPROVERS)
    verify(who, decision(asked.query, approved, code, asked.state), signature)
    return _decide(node, asked, by, approved, code, signature)


def decide_unsigned(node: Node, query: str, by: str, approved: bool, code: str = "") -> State:
    """A decision taken in Airflow, whose auth manager says who answered.

    It approves this question alone: no later one passes because of it.
    """
    return _decide(node, find(node, query), by, approved, code, None)


def _decide(
    node: Node, asked: Asked, by: str, approved: bool, code: str, signature: str | None
) -> State:
    if asked.state not in _DECIDED:
        raise ConfigurationError(
            f"this question is {asked.state}: nothing is to be decided", where=asked.query[:16]
        )
    if (code in CODES) == approved:
        raise ConfigurationError("a refusal states one code", remedy=f"one of {', '.join(CODES)}")
    following = _following(asked.state, approved)
    _log(node, asked, by, approved, code)
    with transaction(node.engine) as connection:
        values = {
            "state": following, "code": None if approved else code, "decided_by": by,
            "decided_at": stamp(node.now()), "signature": signature,
        }  # fmt: skip
        done = connection.execute(
            sa.update(request)
            .where(request.c.query == asked.query, request.c.state == asked.state)
            .values(values)
        ).rowcount
        if not done:
            raise ConfigurationError("somebody else has just decided", where=asked.query[:16])
        refused = None if approved else Code(code)
        notify(node, connection, asked.query, following, refused)
    return following


def _following(state: State, approved: bool) -> State:
    if not approved:
        return State.REFUSED
    return State.APPROVED if state is State.AWAITING_STEWARD else State.RUN


def _log(node: Node, asked: Asked, by: str, approved: bool, code: str) -> None:
    facts = {"query": asked.query, "study": asked.study, "by": by}
    if approved:
        mode = "answer" if asked.state is State.AWAITING_RELEASE else "question"
        node.log(Action.QUERY_APPROVED, {**facts, "question": asked.question, "mode": mode})
    else:
        node.log(Action.QUERY_REFUSED, {**facts, "code": code})
