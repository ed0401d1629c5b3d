"""An approved question is answered: views are opened, counts protected, the answer waits its time.

What goes wrong inside is told to the node's steward and log; outside it is one code, at the time at
which the answer would have left.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from entrepot.audit import Action
from entrepot.errors import EntrepotError
from entrepot.federation.canonical import canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.envelopes import Envelope, Query
from entrepot.federation.node.asked import definitions, parameters
from entrepot.federation.node.exclusions import Exclusions, exclusions
from entrepot.federation.node.opened import Node, stamp
from entrepot.federation.node.outbox import next_slot, notify
from entrepot.federation.node.papers import HeldCard, held_cards
from entrepot.federation.node.policies import in_force
from entrepot.federation.node.rounds import ROUNDS, turn
from entrepot.federation.node.states import State
from entrepot.federation.node.tables import ARRIVAL, answer, request, transaction
from entrepot.federation.node.views import DuckViews
from entrepot.federation.refusals import Code, Refused
from entrepot.publish.frozen import Frozen, read_frozen, take_out

if TYPE_CHECKING:
    from entrepot.federation.disclosure import Policy
    from entrepot.federation.node.views import NodeDatabase

log = logging.getLogger("entrepot.node")
LEDGER_LABEL = "federation/ledger/v1"
REGRESSION_COST = 5  # questions of the budget: see docs/adr/0025


@dataclass(frozen=True)
class Work:
    """One approved question with all that it is answered from."""

    sha256: str
    query: Query
    card: StudyCard
    held: HeldCard
    transcript: str
    round: int


@dataclass(frozen=True)
class Made:
    """A protected answer, and what it was made from."""

    payload: dict[str, Any]
    frozen: Frozen
    excluded: Exclusions
    policy: Policy
    repeated: int


def answer_due(node: Node) -> int:
    """Answers every approved question; returns how many were worked on."""
    policy = in_force(node)
    works = _approved(node)
    for work in works:
        _answer(node, work, policy)
    return len(works)


def _approved(node: Node) -> list[Work]:
    query = sa.select(request).where(request.c.state == State.APPROVED).order_by(ARRIVAL)
    with transaction(node.engine) as connection:
        rows = connection.execute(query).all()
    held = {one.card.sha256: one for one in held_cards(node)} if rows else {}
    found = []
    for row in rows:
        asked = Query.model_validate(Envelope.model_validate_json(row.envelope).body)
        one, rounds = held[row.card], row.rounds or ""
        number = len(json.loads(rounds)) if rounds else 0
        found.append(Work(row.query, asked, one.card, one, rounds, number))
    return found


def _answer(node: Node, work: Work, policy: Policy) -> None:
    started = node.now()
    due = next_slot(
        node, started, int(policy.slot_seconds), node.site.config.federation.timeout_seconds
    )
    try:
        _still_valid(work, started)
        made = _made(node, work, policy)
    except Refused as refusal:
        _refuse(node, work, refusal.code, due)
    except Exception as error:  # a question that ends the service would come again at each start
        log.warning("question %s failed: %s", work.sha256[:16], _told(error))
        _refuse(node, work, Code.FAILED, due)
    else:
        _keep(node, work, made, due)


def _told(error: Exception) -> str:
    """For this site's own log; a bug by its place, as its text may quote a value."""
    if isinstance(error, EntrepotError):
        return error.what
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    return f"{type(error).__name__} at {where}"


def _still_valid(work: Work, now: dt.datetime) -> None:
    if work.held.ended or not work.card.open_on(now.date()):
        raise Refused(Code.STUDY_NOT_OPEN)
    if now > work.query.not_after:
        raise Refused(Code.EXPIRED)


def _made(node: Node, work: Work, policy: Policy) -> Made:
    """The one place where a question meets data."""
    from entrepot.federation.analyses import perform

    wanted = max(work.card.minimum_cell, work.query.minimum_cell)
    stricter = policy.raised(threshold=wanted)
    analysis = parameters(work.query)
    if analysis.kind not in stricter.analyses:
        raise Refused(Code.ANALYSIS_NOT_ALLOWED)
    cohorts = definitions(work.query)
    frozen = read_frozen(node.site, work.held.release)
    if frozen is None or work.held.root != node.keyring.fingerprint:
        raise Refused(Code.NO_RELEASE)
    excluded = exclusions(node.site, node.keyring, work.query.study)
    config = node.site.config.federation
    everywhere = exclusions(node.site, node.keyring, "").persons
    take_out(frozen, everywhere, config.memory_limit)
    rounds = (
        turn(node, work.sha256, work.query, work.card, work.transcript)
        if analysis.kind in ROUNDS
        else None
    )
    with (
        _views(node, frozen, work.card, excluded, everywhere) as database,
        _guard(node, work, stricter, database) as guard,
    ):
        made = perform(database, cohorts, analysis, guard, rounds, overlays=node.site.overlays)
        repeated = guard.repeated
    return Made(made.model_dump(mode="json"), frozen, excluded, stricter, repeated)


@contextmanager
def _views(
    node: Node, frozen: Frozen, card: StudyCard, excluded: Exclusions, gone: frozenset[int]
) -> Iterator[NodeDatabase]:
    """What the question is asked of, by the engine that the site states."""
    config = node.site.config.federation
    if loader := config.url.get_secret_value():
        from entrepot.federation.node.postgres import NodeServer

        server = NodeServer(
            loader, config.reader.get_secret_value(), config.memory_limit, config.timeout_seconds
        )
        held: NodeDatabase = server.views(frozen, card.sha256, card.tables, excluded.persons, gone)
    else:
        held = DuckViews(
            frozen.path, card.tables, excluded.persons, memory_limit=config.memory_limit,
            seconds=config.timeout_seconds, spill=node.site.work / "federation_spill",
        )  # fmt: skip
    try:
        yield held
    finally:
        held.close()


@contextmanager
def _guard(node: Node, work: Work, policy: Policy, database: NodeDatabase) -> Iterator[Any]:
    """Disclosure control bound to this node, this asker and everybody who may be counted."""
    from entrepot.federation.disclosure import Asker, Guard, Ledger, person_set

    day = node.now().astimezone(node.site.zone).date()
    asker = Asker(work.query.study, work.query.researcher, work.held.release, day)
    everybody = person_set(one for (one,) in database.rows("SELECT person_id FROM cdm.person"))
    with Ledger(node.place.ledger, node.place.derived(LEDGER_LABEL)) as ledger:
        # Sums of several nodes are disturbed, not counted: many regressions would average it out.
        cost = REGRESSION_COST if work.query.analysis.get("kind") in ROUNDS else 1
        within = work.round > 0 or ledger.spend(asker, policy, cost)
        yield Guard(policy, node.place.secret(), ledger, everybody, asker, refused=not within)


def _keep(node: Node, work: Work, made: Made, due: dt.datetime) -> None:
    cells = [one for table in made.payload.get("tables", ()) for one in table["cells"]]
    withheld = sum(one["count"] is None for one in cells)
    node.log(
        Action.QUERY_ANSWERED,
        {
            "query": work.sha256, "study": work.query.study, "round": work.round,
            "release": made.frozen.release, "register": made.excluded.register,
            "policy": made.policy.sha256, "cells": len(cells), "withheld": withheld,
            "repeated": made.repeated,
        },
    )  # fmt: skip
    stated = {
        "release": made.frozen.release, "vocabulary": made.frozen.vocabulary,
        "register": made.excluded.register, "excluded": made.excluded.excluded,
        "policy": made.policy.sha256,
    }  # fmt: skip
    hold = node.site.config.federation.hold_answers and work.round == 0
    state = State.AWAITING_RELEASE if hold else State.RUN
    with transaction(node.engine) as connection:
        connection.execute(
            sa.insert(answer).values(
                query=work.sha256, round=work.round, payload=canonical(made.payload).decode(),
                stated=canonical(stated).decode(), slot_at=stamp(due),
            )
        )  # fmt: skip
        _move(connection, work.sha256, state)


def _refuse(node: Node, work: Work, code: Code, due: dt.datetime) -> None:
    facts = {"query": work.sha256, "study": work.query.study, "code": str(code), "by": ""}
    node.log(Action.QUERY_REFUSED, facts)
    with transaction(node.engine) as connection:
        _move(connection, work.sha256, State.REFUSED, str(code))
        notify(node, connection, work.sha256, State.REFUSED, code, due)


def _move(connection: sa.Connection, query: str, state: State, code: str | None = None) -> None:
    connection.execute(
        sa.update(request)
        .where(request.c.query == query, request.c.state == State.APPROVED)
        .values(state=state, code=code)
    )
