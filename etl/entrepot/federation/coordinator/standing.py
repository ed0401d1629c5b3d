"""How a query stands at each node: who is late, silent, refuses, or gave what cannot be used."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import sqlalchemy as sa

from entrepot.federation.coordinator.database import answer, reading, written
from entrepot.federation.coordinator.questions import Question
from entrepot.federation.coordinator.registry import nodes
from entrepot.federation.coordinator.rounds import ANSWERED, QUEUED
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.envelopes import AnswerEnvelope, read_envelope
from entrepot.federation.wire import MAX_SENT

UNDERWAY, MISSING = "underway", "missing"
_HIDDEN = ("approved", "released", ANSWERED)


@dataclass(frozen=True)
class Standing:
    """One node of a query.

    Args:
        state: of `queued silent received awaiting_steward approved refused released answered
            poisoned missing revoked underway`.
        code: why it refused, or why its answer was set aside.
        release, excluded: of its answer; empty before.
    """

    node: str
    state: str
    code: str
    changed: str
    release: str = ""
    excluded: str = ""


def answers(coordinator: Coordinator, query: str, round_: int = 0) -> dict[str, AnswerEnvelope]:
    """Answers that may be used, by node: signed, checked, of this round."""
    wanted = sa.select(answer).where(
        answer.c.query == query, answer.c.round == round_, answer.c.fault.is_(None)
    )
    with reading(coordinator.engine) as connection:
        rows = connection.execute(wanted.order_by(answer.c.node)).all()
    return {
        row.node: AnswerEnvelope.model_validate(read_envelope(row.envelope, MAX_SENT).body)
        for row in rows
    }


def standings(coordinator: Coordinator, asked: Question, now: dt.datetime) -> list[Standing]:
    """Every node of a query, by name.

    While fewer answers are there than `minimum_sites`, which sites gave them stays hidden (T9):
    approved, released and answered look alike until the query expires.
    """
    faults = _faults(coordinator, asked.id)
    given = answers(coordinator, asked.id)
    known = {one.name: one for one in nodes(coordinator)}
    quiet = written(now - dt.timedelta(hours=coordinator.settings.quiet_hours))
    late = written(now) > asked.expires
    hidden = len(given) < coordinator.settings.minimum_sites and not late
    found = []
    for name, (state, code, changed) in asked.states.items():
        one = Standing(name, state, code, changed)
        if name in faults:
            one = replace(one, state="poisoned", code=faults[name])
        elif name in given:
            about = given[name]
            one = replace(one, state=ANSWERED, release=about.release, excluded=about.excluded)
        elif state != "refused" and known[name].revoked:
            one = replace(one, state="revoked")
        elif state != "refused" and late:
            one = replace(one, state=MISSING)
        elif state == QUEUED and max(known[name].seen, known[name].enrolled) < quiet:
            one = replace(one, state="silent")
        if hidden and one.state in _HIDDEN:
            one = Standing(name, UNDERWAY, "", asked.submitted)
        found.append(one)
    return found


def _faults(coordinator: Coordinator, query: str) -> dict[str, str]:
    wanted = sa.select(answer.c.node, answer.c.fault).where(
        answer.c.query == query, answer.c.fault.is_not(None)
    )
    with reading(coordinator.engine) as connection:
        return {row.node: row.fault for row in connection.execute(wanted)}
