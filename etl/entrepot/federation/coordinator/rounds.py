"""Regressions take several rounds: when all nodes have answered one, all are asked the next.

The coordinator adds masked shares up and cannot read one of them; every node is handed what all
nodes signed, so that it can follow the path of the coefficients by itself.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from pydantic import ValidationError

from entrepot.federation.analyses import ANALYSIS, Cox, Logistic, ShareAnswer, read_answer
from entrepot.federation.coordinator.database import answer, task, written
from entrepot.federation.envelopes import AnswerEnvelope, Query, read_envelope
from entrepot.federation.wire import MAX_SENT

ANSWERED, QUEUED = "answered", "queued"
LEAST = 3  # nodes: two could read one another's share out of the sum


def transcript(connection: sa.Connection, id_: str, upto: int) -> tuple[tuple[str, ...], ...]:
    """What the nodes signed in the rounds before `upto`, round by round, by node."""
    rounds = []
    for number in range(upto):
        wanted = sa.select(answer.c.envelope).where(
            answer.c.query == id_, answer.c.round == number, answer.c.fault.is_(None)
        )
        rounds.append(tuple(connection.scalars(wanted.order_by(answer.c.node))))
    return tuple(rounds)


def shares(connection: sa.Connection, id_: str, asked: Query) -> list[dict[str, ShareAnswer]]:
    """The rounds of a regression that are complete: every node of the audience has answered."""
    analysis = ANALYSIS.validate_python(asked.analysis)
    found: list[dict[str, ShareAnswer]] = []
    while True:
        texts = transcript(connection, id_, len(found) + 1)[-1]
        given = [AnswerEnvelope.model_validate(read_envelope(t, MAX_SENT).body) for t in texts]
        if {one.node for one in given} != set(asked.audience):
            return found
        read = {one.node: read_answer(one.payload or {}, analysis) for one in given}
        found.append({name: one for name, one in read.items() if isinstance(one, ShareAnswer)})


def advance(connection: sa.Connection, id_: str, asked: Query, now: dt.datetime) -> None:
    """Asks all nodes the next round when one is complete and the regression has not ended."""
    try:
        analysis = ANALYSIS.validate_python(asked.analysis)
    except ValidationError:
        return
    if not isinstance(analysis, Logistic | Cox) or len(asked.audience) < LEAST:
        return
    from entrepot.federation.pooling import next_round

    done = shares(connection, id_, asked)
    asked_for = connection.scalar(sa.select(sa.func.max(task.c.round)).where(task.c.query == id_))
    if len(done) != (asked_for or 0) + 1 or not next_round(analysis, done):
        return
    connection.execute(
        task.update().where(task.c.query == id_)
        .values(round=len(done), state=QUEUED, code=None, given=None, changed=written(now))
    )  # fmt: skip
