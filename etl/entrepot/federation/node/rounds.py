"""Analyses in rounds: the secrets shared with each other node, and the answers of earlier rounds.

The transcript passes through the coordinator. Each answer in it is signed by its node for just this
query and round, so that nobody else can put a number there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import ValidationError

from entrepot.federation.cards import CardSite, StudyCard
from entrepot.federation.envelopes import AnswerEnvelope, Query, open_signed, read_envelope
from entrepot.federation.keys import read_sealing_key
from entrepot.federation.node.opened import Node
from entrepot.federation.node.papers import pins
from entrepot.federation.node.tables import answer, transaction
from entrepot.federation.refusals import Code, Refused
from entrepot.federation.wire import MAX_SENT

if TYPE_CHECKING:
    from entrepot.federation.analyses import RegressionTurn

ROUNDS = frozenset({"logistic", "cox"})
_INFO = b"entrepot/federation/mask/v1"


def turn(node: Node, sha256: str, query: Query, card: StudyCard, text: str) -> RegressionTurn:
    """What the node knows of the rounds of an analysis.

    Args:
        sha256: hash of the query's body.
        text: the transcript as it came, JSON; empty for the first round.

    Raises:
        Refused: an answer in the transcript is not what its node signed, or not what we gave.
    """
    from entrepot.federation.analyses import RegressionTurn

    others = [one for one in card.sites if one.node in query.audience and one.node != node.name]
    secrets = {one.node: _secret(node, one, query.study, sha256) for one in others}
    rounds = json.loads(text) if text else []
    names = {one.node for one in others} | {node.name}
    transcript = tuple(
        _round(node, sha256, number, found, card, names) for number, found in enumerate(rounds)
    )
    return RegressionTurn(node.name, secrets, transcript)


def _secret(node: Node, peer: CardSite, study: str, query: str) -> bytes:
    """The same 32 bytes on both sides, others for each question."""
    own = read_sealing_key(node.place.masking_key)
    shared = own.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(peer.masking_key)))
    names = "/".join(sorted((node.name, peer.node)))
    info = b"\0".join((_INFO, study.encode(), query.encode(), names.encode()))
    return HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(shared)


def _round(
    node: Node, query: str, number: int, texts: list[str], card: StudyCard, names: set[str]
) -> Mapping[str, Mapping[str, Any]]:
    found, revoked = {}, pins(node).revoked
    for text in texts:
        one = _signed_answer(text, card, revoked)
        if (one.query, one.round) != (query, number) or one.payload is None:
            raise Refused(Code.SIGNATURE_WRONG)
        found[one.node] = one.payload
    if set(found) - names or len(found) != len(texts) or node.name not in found:
        raise Refused(Code.SIGNATURE_WRONG)
    if found[node.name] != _given(node, query, number):
        raise Refused(Code.SIGNATURE_WRONG)
    return found


def _signed_answer(text: str, card: StudyCard, revoked: Collection[str]) -> AnswerEnvelope:
    envelope = read_envelope(text, MAX_SENT)
    try:
        stated = AnswerEnvelope.model_validate(envelope.body)
    except ValidationError:
        raise Refused(Code.UNREADABLE) from None
    site = card.site(stated.node)
    if site is None or site.key in revoked or not open_signed(envelope, "node", site.key):
        raise Refused(Code.SIGNATURE_WRONG)
    return stated


def _given(node: Node, query: str, number: int) -> Any:
    """What this node answered to that round; None when it did not."""
    wanted = sa.select(answer.c.payload).where(
        answer.c.query == query, answer.c.round == number, answer.c.envelope.is_not(None)
    )
    with transaction(node.engine) as connection:
        found = connection.scalar(wanted)
    return None if found is None else json.loads(found)
