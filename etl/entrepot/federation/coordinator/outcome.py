"""What a question's answers say together, for whoever may read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from entrepot.federation.analyses import (
    ANALYSIS,
    Analysis,
    Answer,
    Cox,
    Logistic,
    ShareAnswer,
    read_answer,
)
from entrepot.federation.coordinator.database import answer, query, reading
from entrepot.federation.coordinator.questions import Question
from entrepot.federation.coordinator.registry import find_study
from entrepot.federation.coordinator.rounds import shares
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.coordinator.standing import answers, standings
from entrepot.federation.pooling import Missing, Pooled, pool

ALONE = 1  # a sum over one site is that site (T9)
LEAST_NAMED = 3
_LIKE: Mapping[str, Literal["refused", "late", "missing"]] = {"refused": "refused"}


@dataclass(frozen=True)
class Outcome:
    """Pooled results, or why there are none.

    Args:
        pooled: None while too few sites have answered, or when answers are sealed.
        answered: how many usable answers there are.
        by_site: whether sites may be told apart (`minimum_sites` have answered).
        missing: sites without a usable answer.
        each: every site's own counts, where sites may be told apart.
    """

    analysis: Analysis
    pooled: Pooled | None
    answered: int
    by_site: bool
    missing: tuple[str, ...]
    each: tuple[tuple[str, Pooled], ...] = ()


def pooled_outcome(
    analysis: Analysis, read: Mapping[str, Answer], states: Mapping[str, str], least: int,
    rounds: Sequence[Mapping[str, ShareAnswer]] = (), minimum_sites: int = LEAST_NAMED,
) -> Outcome:  # fmt: skip
    """Pools what could be read.

    Args:
        states: of every node that was asked.
        least: answers below which nothing is shown.
        rounds: of a regression, those that are complete.
    """
    by_site = len(read) >= minimum_sites
    missing = tuple(name for name in states if name not in read)
    if len(read) < least:
        return Outcome(analysis, None, len(read), by_site, missing)
    unread = {name: Missing(_LIKE.get(states[name], "missing")) for name in missing}
    pooled = pool({**read, **unread}, analysis, rounds=rounds)
    each = tuple((name, pool({name: one}, analysis)) for name, one in sorted(read.items()))
    return Outcome(analysis, pooled, len(read), by_site, missing, each if by_site else ())


def outcome(coordinator: Coordinator, asked: Question, now: dt.datetime) -> Outcome:
    """Sums of protected counts as intervals; a site without an answer is missing, never 0."""
    analysis = ANALYSIS.validate_python(asked.query.analysis)
    given = {} if asked.query.delivery == "sealed" else answers(coordinator, asked.id)
    read = {name: read_answer(one.payload or {}, analysis) for name, one in given.items()}
    states = {one.node: one.state for one in standings(coordinator, asked, now)}
    rounds: list[dict[str, ShareAnswer]] = []
    if isinstance(analysis, Logistic | Cox):
        with reading(coordinator.engine) as connection:
            rounds = shares(connection, asked.id, asked.query)
    minimum = coordinator.settings.minimum_sites
    return pooled_outcome(analysis, read, states, ALONE + 1, rounds, minimum)


def bundle(coordinator: Coordinator, asked: Question, now: dt.datetime) -> dict[str, Any]:
    """What the researcher needs to check every signature and open every answer by themselves.

    Returns:
        `query` and `answers` as they were signed, `card`, and the states of the nodes.
    """
    wanted = sa.select(answer.c.envelope).where(
        answer.c.query == asked.id, answer.c.fault.is_(None)
    )
    with reading(coordinator.engine) as connection:
        signed = connection.scalar(sa.select(query.c.envelope).where(query.c.id == asked.id))
        given = list(connection.scalars(wanted.order_by(answer.c.round, answer.c.node)))
    study = find_study(coordinator, asked.card)
    if asked.query.delivery == "pooled":  # the pages' rule holds for what is downloaded too
        given = given if outcome(coordinator, asked, now).by_site else []
    return {
        "query": signed, "card": study.card.model_dump(mode="json"), "answers": given,
        "states": {one.node: one.state for one in standings(coordinator, asked, now)},
    }  # fmt: skip
