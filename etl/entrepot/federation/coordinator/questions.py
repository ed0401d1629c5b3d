"""Questions that researchers submit: checked, counter-signed, laid out for each node.

The coordinator refuses what no honest node would answer, so that a fault is told at once; each node
checks everything again and trusts nothing of this.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import ValidationError

from entrepot.errors import EntrepotError
from entrepot.federation.coordinator.database import nonce, query, reading, task, writing, written
from entrepot.federation.coordinator.log import Act, append
from entrepot.federation.coordinator.registry import Study, nodes, revoked_keys, studies
from entrepot.federation.coordinator.rounds import QUEUED
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.envelopes import (
    LONGEST,
    Envelope,
    Query,
    countersigned,
    open_signed,
    read_envelope,
)
from entrepot.federation.refusals import Code, Refused

THRESHOLD_LOWERED = "threshold_lowered"
NODE_UNKNOWN = "node_unknown"


class SubmissionError(EntrepotError):
    """A query that the coordinator does not take.

    Args:
        code: of `refusals.Code`, or one of this module's.
    """

    def __init__(self, code: str) -> None:
        self.code = str(code)
        super().__init__(
            f"the query is refused: {self.code}", remedy="docs/how-to/federation.md says why"
        )


@dataclass(frozen=True)
class Question:
    """A query that was taken.

    Args:
        states: node -> (state, refusal code, moment of the change).
    """

    id: str
    query: Query
    card: str
    submitted: str
    expires: str
    states: dict[str, tuple[str, str, str]]


def submit(coordinator: Coordinator, text: str | bytes, now: dt.datetime) -> str:
    """Takes a query that a researcher alone has signed; returns its id.

    The same envelope twice is the same query.

    Raises:
        SubmissionError: it is not taken; the refusal is logged.
    """
    try:
        envelope = read_envelope(text)
        asked = _checked(coordinator, envelope, now)
    except (Refused, SubmissionError) as refused:
        with writing(coordinator.engine) as connection:
            append(connection, Act.QUERY_REFUSED, now, code=str(refused.code))
        raise SubmissionError(str(refused.code)) from None
    if _known(coordinator, envelope.body_hash):
        return envelope.body_hash
    both = countersigned(envelope, coordinator.key)
    with writing(coordinator.engine) as connection:
        _use_nonce(connection, asked)
        connection.execute(
            query.insert().values(
                id=envelope.body_hash, card=asked.card, researcher=asked.researcher,
                analysis=str(asked.analysis.get("kind")), delivery=asked.delivery,
                submitted=written(now), expires=written(asked.not_after), envelope=both.text(),
            )
        )  # fmt: skip
        rows = [
            {
                "query": envelope.body_hash,
                "node": name,
                "round": 0,
                "state": QUEUED,
                "changed": written(now),
            }
            for name in asked.audience
        ]
        connection.execute(task.insert(), rows)
        append(connection, Act.QUERY_SUBMITTED, now, study=asked.study, query=envelope.body_hash)
    return envelope.body_hash


def questions(coordinator: Coordinator, card: str = "") -> list[Question]:
    """All queries (of one card), the newest first."""
    wanted = sa.select(query).order_by(query.c.submitted.desc(), query.c.id)
    with reading(coordinator.engine) as connection:
        found = connection.execute(wanted.where(query.c.card == card) if card else wanted).all()
        states = connection.execute(sa.select(task).order_by(task.c.node)).all()
    return [
        Question(
            row.id, Query.model_validate(read_envelope(row.envelope).body), row.card,
            row.submitted, row.expires,
            {one.node: (one.state, one.code or "", one.changed) for one in states
             if one.query == row.id},
        )
        for row in found
    ]  # fmt: skip


def _checked(coordinator: Coordinator, envelope: Envelope, now: dt.datetime) -> Query:
    try:
        asked = Query.model_validate(envelope.body)
    except ValidationError:
        raise Refused(Code.UNREADABLE) from None
    study = next((one for one in studies(coordinator) if one.hash == asked.card), None)
    if study is None or study.card.study != asked.study:
        raise Refused(Code.CARD_UNKNOWN)
    _check_signature(coordinator, envelope, asked, study)
    known = {one.name for one in nodes(coordinator) if not one.revoked}
    lowered = 0 < asked.minimum_cell < study.card.minimum_cell
    checks: tuple[tuple[bool, str], ...] = (
        (any(study.card.site(name) is None for name in asked.audience), Code.NOT_FOR_THIS_NODE),
        (not set(asked.audience) <= known, NODE_UNKNOWN),
        (len(set(asked.audience)) != len(asked.audience), Code.UNREADABLE),
        (asked.not_after <= asked.not_before, Code.EXPIRED),
        (asked.not_after - asked.not_before > LONGEST, Code.VALIDITY_TOO_LONG),
        (now > asked.not_after, Code.EXPIRED),
        (not study.open_on(now.date()), Code.STUDY_NOT_OPEN),
        (asked.delivery not in study.card.deliveries, Code.DELIVERY_NOT_ALLOWED),
        (asked.analysis.get("kind") not in study.card.analyses, Code.ANALYSIS_NOT_ALLOWED),
        (lowered, THRESHOLD_LOWERED),
        (_nonce_of_another(coordinator, asked, envelope.body_hash), Code.REPLAYED),
    )
    for wrong, code in checks:
        if wrong:
            raise SubmissionError(code)
    return asked


def _check_signature(
    coordinator: Coordinator, envelope: Envelope, asked: Query, study: Study
) -> None:
    if len(envelope.signatures) != 1:
        raise Refused(Code.UNSIGNED)
    key = study.card.key_of(asked.researcher)
    with reading(coordinator.engine) as connection:
        if {key, envelope.signatures[0].key} & revoked_keys(connection):
            raise Refused(Code.KEY_REVOKED)
    if not key or not open_signed(envelope, "researcher", key):
        raise Refused(Code.SIGNATURE_WRONG)


def _known(coordinator: Coordinator, id_: str) -> bool:
    with reading(coordinator.engine) as connection:
        return connection.scalar(sa.select(query.c.id).where(query.c.id == id_)) is not None


def _nonce_of_another(coordinator: Coordinator, asked: Query, id_: str) -> bool:
    """A nonce that another query used; the same query sent again is no replay here."""
    with reading(coordinator.engine) as connection:
        used = connection.scalar(
            sa.select(nonce.c.nonce).where(
                nonce.c.owner == _owner(asked), nonce.c.nonce == asked.nonce
            )
        )
    return used is not None and not _known(coordinator, id_)


def _use_nonce(connection: sa.Connection, asked: Query) -> None:
    connection.execute(
        nonce.insert().values(
            owner=_owner(asked), nonce=asked.nonce, until=written(asked.not_after)
        )
    )


def _owner(asked: Query) -> str:
    return f"query {asked.card}"
