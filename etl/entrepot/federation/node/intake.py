"""A question comes in: the papers are checked first, then what is asked, before anybody sees it.

Nothing here opens the warehouse: what a refusal tells is of the question alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from entrepot.audit import Action
from entrepot.federation.canonical import canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.envelopes import Envelope, Query, check_query, read_envelope
from entrepot.federation.node.asked import check_question
from entrepot.federation.node.opened import Node, stamp
from entrepot.federation.node.outbox import notify
from entrepot.federation.node.papers import HeldCard, held_cards, pins
from entrepot.federation.node.states import State
from entrepot.federation.node.tables import nonce, refusal, request, transaction
from entrepot.federation.refusals import Code, Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Taken:
    """What became of an envelope: its query's hash, state, and code when it was refused."""

    query: str
    state: State
    code: Code | None = None


def receive(node: Node, text: str | bytes, transcript: Sequence[Sequence[str]] = ()) -> Taken:
    """Takes one envelope, of the wire or of a file.

    Args:
        transcript: signed answers of the rounds before, of an analysis in rounds.
    """
    try:
        envelope = read_envelope(text)
    except Refused as refusal:
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return _refuse(node, hashlib.sha256(data).hexdigest(), "", refusal.code)
    known = _known(node, envelope.body_hash)
    if known is not None:
        return _again(node, known, transcript)
    try:
        query, card = check_query(
            envelope, pins(node), node.name, node.now(), lambda value: _seen(node, value)
        )
    except Refused as refusal:
        study = envelope.body.get("study")
        named = study if isinstance(study, str) and study.replace("-", "_").isidentifier() else ""
        return _refuse(node, envelope.body_hash, named[:40], refusal.code)
    return _consider(node, envelope, query, card)


def _consider(node: Node, envelope: Envelope, query: Query, card: StudyCard) -> Taken:
    """Its papers are in order: whatever is said of it now is kept."""
    sha256 = envelope.body_hash
    held = next(one for one in held_cards(node) if one.card.sha256 == query.card)
    node.log(
        Action.QUERY_RECEIVED,
        {
            "query": sha256, "question": query.question_hash, "study": query.study,
            "card": query.card, "researcher": query.researcher,
            "basis": f"{card.legal_basis.kind} {card.legal_basis.reference}",
            "analysis": str(query.analysis["kind"])[:40],
        },
    )  # fmt: skip
    code: Code | None = None
    try:
        check_question(node.site, query, card)
    except Refused as refusal:
        code = refusal.code
    with transaction(node.engine) as connection:
        state = State.REFUSED if code else _first_state(connection, query, held)
        connection.execute(sa.insert(request).values(_row(node, envelope, query, state, code)))
        connection.execute(
            sa.insert(nonce).values(nonce=query.nonce, not_after=stamp(query.not_after))
        )
        notify(node, connection, sha256, state, code)
    if code is not None:
        facts = {"query": sha256, "study": query.study, "code": str(code), "by": ""}
        node.log(Action.QUERY_REFUSED, facts)
    if state is State.APPROVED:
        node.log(
            Action.QUERY_APPROVED,
            {"query": sha256, "question": query.question_hash, "study": query.study, "by": "",
             "mode": held.mode},
        )  # fmt: skip
    return Taken(sha256, state, code)


def _row(
    node: Node, envelope: Envelope, query: Query, state: State, code: Code | None
) -> dict[str, Any]:
    return {
        "query": envelope.body_hash, "study": query.study, "card": query.card,
        "researcher": query.researcher, "question": query.question_hash,
        "kind": str(query.analysis["kind"]), "envelope": envelope.text(), "state": state,
        "code": code, "received_at": stamp(node.now()), "not_after": stamp(query.not_after),
        "decided_by": "" if state is State.APPROVED else None,
    }  # fmt: skip


def _first_state(connection: Connection, query: Query, held: HeldCard) -> State:
    """The study's mode may approve what its steward has approved as such."""
    if held.mode == "counts" and query.analysis.get("kind") == "counts":
        return State.APPROVED
    if held.mode == "once":
        same = sa.select(request.c.query).where(
            request.c.question == query.question_hash, request.c.card == query.card,
            request.c.decided_by != "", request.c.signature.is_not(None),
            request.c.state.in_(State.allowed()),
        )  # fmt: skip
        if connection.scalar(same.limit(1)) is not None:
            return State.APPROVED
    return State.AWAITING_STEWARD


def _again(node: Node, known: Mapping[str, Any], transcript: Sequence[Sequence[str]]) -> Taken:
    """The next round of an analysis; anything else that came before is a replay, never run."""
    if transcript and known["state"] == State.RELEASED:
        with transaction(node.engine) as connection:
            done = connection.execute(
                sa.update(request)
                .where(request.c.query == known["query"], request.c.state == State.RELEASED)
                .values(state=State.APPROVED, rounds=_spelt(transcript))
            ).rowcount
        if done:
            return Taken(known["query"], State.APPROVED)
    state = State(known["state"])
    _tell(node, known["query"], known["study"], state, Code.REPLAYED)
    return Taken(known["query"], state, Code.REPLAYED)


def _spelt(transcript: Sequence[Sequence[str]]) -> str:
    return canonical([list(one) for one in transcript]).decode()


def _refuse(node: Node, query: str, study: str, code: Code) -> Taken:
    """Nothing is kept of what nobody we believe has signed, except the line of the log."""
    _tell(node, query, study, State.REFUSED, code)
    return Taken(query, State.REFUSED, code)


def _tell(node: Node, query: str, study: str, state: State, code: Code) -> None:
    """Into the log, and to the coordinator: once a day of each message and code."""
    day = node.now().date().isoformat()
    same = (refusal.c.query == query, refusal.c.code == code)
    with transaction(node.engine) as connection:
        if connection.scalar(sa.select(refusal.c.day).where(*same)) == day:
            return
    node.log(Action.QUERY_REFUSED, {"query": query, "study": study, "code": str(code), "by": ""})
    with transaction(node.engine) as connection:
        connection.execute(sa.delete(refusal).where(*same))
        connection.execute(sa.insert(refusal).values(query=query, code=str(code), day=day))
        notify(node, connection, query, state, code)


def _known(node: Node, query: str) -> Mapping[str, Any] | None:
    with transaction(node.engine) as connection:
        found = connection.execute(sa.select(request).where(request.c.query == query))
        row = found.mappings().one_or_none()
        return None if row is None else {str(name): value for name, value in row.items()}


def _seen(node: Node, value: str) -> bool:
    with transaction(node.engine) as connection:
        return connection.scalar(sa.select(nonce.c.nonce).where(nonce.c.nonce == value)) is not None
