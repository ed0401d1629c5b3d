"""Signed envelopes: a body in its canonical spelling, and who signed it in which role.

A researcher signs a query; the coordinator counter-signs it together with that signature and the
study card. A node signs answers, notices and the head of its log. No signature stands for another:
each covers the body's hash, its kind and the role.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from entrepot.federation.canonical import (
    MAX_BYTES,
    NotCanonicalError,
    canonical,
    digest,
    read_canonical,
)
from entrepot.federation.cards import Person, StudyCard
from entrepot.federation.keys import (
    Hash,
    Moment,
    NodeName,
    Nonce,
    Pins,
    PublicKey,
    Signature,
    StudyName,
    signed_by,
)
from entrepot.federation.refusals import Code, Refused
from entrepot.people import public_half, sign

Role = Literal["researcher", "coordinator", "node"]
LONGEST = dt.timedelta(days=31)  # between not_before and not_after
MAX_COHORTS = 20


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Signed(_Strict):
    """One signature of an envelope."""

    role: Role
    key: PublicKey
    signature: Signature


class Envelope(_Strict):
    """A body and its signatures, as they travel."""

    body: dict[str, Any]
    signatures: Annotated[tuple[Signed, ...], Field(min_length=1, max_length=2)]

    def text(self) -> str:
        """The canonical spelling: on the wire and in files."""
        return canonical(self.model_dump(mode="json")).decode()

    @cached_property
    def body_hash(self) -> Hash:
        """By which the body is referred to; signatures may differ."""
        return digest(self.body)


class Query(_Strict):
    """One question of a researcher to the nodes it names.

    Args:
        card: hash of the study card.
        cohorts: definitions in Circe's JSON, by the names that the analysis uses.
        compiler: version that all nodes must have, so that they count the same thing.
        analysis: kind and parameters (`entrepot.federation.analyses`).
        not_before, not_after: when it may be answered.
        answers_to: X25519 key that a sealed answer is written to.
        minimum_cell: raises the study's and the node's; never lowers them.
    """

    act: Literal["entrepot/federation/query"] = "entrepot/federation/query"
    study: StudyName
    card: Hash
    researcher: Person
    cohorts: Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=MAX_COHORTS)]
    compiler: Annotated[str, Field(max_length=40)]
    analysis: dict[str, Any]
    audience: Annotated[tuple[NodeName, ...], Field(min_length=1, max_length=200)]
    nonce: Nonce
    not_before: Moment
    not_after: Moment
    delivery: Literal["sealed", "pooled"] = "sealed"
    answers_to: PublicKey
    minimum_cell: Annotated[int, Field(ge=0, le=1000)] = 0

    @property
    def question_hash(self) -> Hash:
        """What is asked, whoever asks and when: an approval may stand for it again."""
        return digest({"cohorts": self.cohorts, "analysis": self.analysis})


class AnswerEnvelope(_Strict):
    """What a node answers; just one of `payload` and `sealed` is there.

    Args:
        query: hash of the query's body.
        round: of an analysis that takes several; 0 of all others.
        release, vocabulary: id of the frozen release, hash of its vocabulary tables.
        register: hash of the register of oppositions; `excluded`: how many it excludes, rounded.
        policy: hash of the node's disclosure policy.
        payload: the protected answer (`entrepot.federation.analyses.read_answer`).
        sealed: the same for the researcher's key, hexadecimal (`keys.unseal`).
        previous: hash of the node's answer before; zeros of the first.
        log_head: MAC of the last entry of the node's audit log before.
        at: the time slot.
    """

    act: Literal["entrepot/federation/answer"] = "entrepot/federation/answer"
    node: NodeName
    study: StudyName
    query: Hash
    round: Annotated[int, Field(ge=0, le=100)] = 0
    release: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
    vocabulary: Hash
    register_: Annotated[Hash, Field(alias="register")]
    excluded: Annotated[str, Field(pattern=r"^(<11|[1-9]\d*0)$")]
    policy: Hash
    compiler: Annotated[str, Field(max_length=40)]
    payload: dict[str, Any] | None = None
    sealed: Annotated[str | None, Field(pattern=r"^[0-9a-f]+$")] = None
    previous: Hash
    log_head: Hash
    at: Moment
    model_config = ConfigDict(
        extra="forbid", frozen=True, serialize_by_alias=True, validate_by_name=True
    )

    def context(self) -> bytes:
        """What a sealed payload is bound to."""
        return canonical([self.node, self.study, self.query, self.round])


class Notice(_Strict):
    """How a query stands at a node; `code` says why it was refused, and never more."""

    act: Literal["entrepot/federation/notice"] = "entrepot/federation/notice"
    node: NodeName
    query: Hash
    state: Literal["received", "awaiting_steward", "approved", "refused", "released"]
    code: Code | None = None
    at: Moment


class LogHead(_Strict):
    """The last entry of a node's audit log, kept outside of it, once a day."""

    act: Literal["entrepot/federation/head"] = "entrepot/federation/head"
    node: NodeName
    sequence: Annotated[int, Field(ge=0)]
    mac: Hash
    at: Moment


class Revocation(_Strict):
    """A key that is believed no more, signed by the coordinator. Nothing takes it back."""

    act: Literal["entrepot/federation/revocation"] = "entrepot/federation/revocation"
    key: PublicKey
    at: Moment


Body = Query | AnswerEnvelope | Notice | LogHead | Revocation


def signed(body: Body, role: Role, key: Path) -> Envelope:
    """An envelope with its first signature.

    Raises:
        ConfigurationError: the key cannot be read.
    """
    stated = body.model_dump(mode="json", exclude_none=True)
    first = Signed(role=role, key=public_half(key), signature=sign(key, _covered(stated, role)))
    return Envelope(body=stated, signatures=(first,))


def countersigned(envelope: Envelope, key: Path) -> Envelope:
    """The coordinator's signature beside the researcher's, over it and the card that it names.

    Raises:
        ConfigurationError: the key cannot be read.
        ValueError: it is no query that a researcher alone has signed.
    """
    first, *more = envelope.signatures
    if more or first.role != "researcher":
        raise ValueError("only a query that a researcher alone has signed is counter-signed")
    payload = _covered(envelope.body, "coordinator", first)
    second = Signed(role="coordinator", key=public_half(key), signature=sign(key, payload))
    return Envelope(body=envelope.body, signatures=(first, second))


def read_envelope(text: str | bytes, most: int = MAX_BYTES) -> Envelope:
    """The envelope of a text; no signature is checked.

    Raises:
        Refused: `unreadable`.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        return Envelope.model_validate(read_canonical(data, most))
    except (NotCanonicalError, ValidationError):
        raise Refused(Code.UNREADABLE) from None


def open_signed(envelope: Envelope, role: Role, key: str) -> bool:
    """Whether the first signature is of this role and key, and covers the body."""
    first = envelope.signatures[0]
    return (first.role, first.key) == (role, key) and signed_by(
        key, _covered(envelope.body, role), first.signature
    )


def check_query(
    envelope: Envelope, pins: Pins, node: str, now: dt.datetime, seen: Callable[[str], bool]
) -> tuple[Query, StudyCard]:
    """The query of an envelope that this node may consider, and its card.

    Args:
        seen: whether a nonce was used before.

    Raises:
        Refused: the first of its codes that holds; what is told depends on nothing of the data.
    """
    try:
        query = Query.model_validate(envelope.body)
    except ValidationError:
        raise Refused(Code.UNREADABLE) from None
    card = pins.cards.get(query.card)
    if card is None or card.study != query.study:
        raise Refused(Code.CARD_UNKNOWN)
    _check_signatures(envelope, query, card, pins)
    checks = (
        (node not in query.audience or card.site(node) is None, Code.NOT_FOR_THIS_NODE),
        (query.not_after - query.not_before > LONGEST, Code.VALIDITY_TOO_LONG),
        (now < query.not_before, Code.NOT_YET_VALID),
        (now > query.not_after, Code.EXPIRED),
        (not card.open_on(now.date()), Code.STUDY_NOT_OPEN),
        (query.delivery not in card.deliveries, Code.DELIVERY_NOT_ALLOWED),
        (query.analysis.get("kind") not in card.analyses, Code.ANALYSIS_NOT_ALLOWED),
        (seen(query.nonce), Code.REPLAYED),
    )
    for wrong, code in checks:
        if wrong:
            raise Refused(code)
    return query, card


def _check_signatures(envelope: Envelope, query: Query, card: StudyCard, pins: Pins) -> None:
    if len(envelope.signatures) != 2:
        raise Refused(Code.UNSIGNED)
    first, second = envelope.signatures
    if {first.key, second.key} & pins.revoked:
        raise Refused(Code.KEY_REVOKED)
    if not open_signed(envelope, "researcher", card.key_of(query.researcher)):
        raise Refused(Code.SIGNATURE_WRONG)
    payload = _covered(envelope.body, "coordinator", first)
    right = second.role == "coordinator" and second.key in pins.coordinators
    if not (right and signed_by(second.key, payload, second.signature)):
        raise Refused(Code.SIGNATURE_WRONG)


def _covered(body: dict[str, Any], role: Role, beside: Signed | None = None) -> dict[str, Any]:
    """What a signature is over; `beside`: the one that a counter-signature covers too."""
    act = body.get("act")
    if not isinstance(act, str):
        raise Refused(Code.UNREADABLE)
    more = {} if beside is None else {"card": body.get("card"), "beside": beside.signature}
    return {"act": act, "role": role, "sha256": digest(body), **more}
