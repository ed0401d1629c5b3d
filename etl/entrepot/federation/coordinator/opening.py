"""Answers at the researcher's desk: each signature checked against the card, each seal opened."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import ValidationError

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses import ANALYSIS, ShareAnswer, read_answer
from entrepot.federation.canonical import NotCanonicalError, read_canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.coordinator.checking import fault_of, fault_of_payload
from entrepot.federation.coordinator.outcome import ALONE, Outcome, pooled_outcome
from entrepot.federation.envelopes import (
    AnswerEnvelope,
    Envelope,
    Query,
    open_signed,
    read_envelope,
)
from entrepot.federation.refusals import Refused
from entrepot.federation.wire import MAX_SENT

_WHERE = "the coordinator's bundle"
_Given = dict[tuple[str, int], AnswerEnvelope]  # by node and round


@dataclass(frozen=True)
class Opened:
    """A question and its answers, believed because the nodes signed them.

    Args:
        faults: node -> why its answer was set aside.
        answers: the envelopes that may be used, sealed ones opened.
    """

    query: Query
    card: StudyCard
    id: str
    outcome: Outcome
    answers: dict[str, AnswerEnvelope]
    faults: dict[str, str]
    states: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """For programs: pooled results, sites without an answer, faults."""
        pooled = self.outcome.pooled
        figures = asdict(pooled) if pooled else {"counts": []}
        missing = list(self.outcome.missing)
        return {**figures, "query": self.id, "missing": missing, "faults": self.faults}


def open_bundle(bundle: dict[str, Any], key: X25519PrivateKey | None) -> Opened:
    """Checks and opens what `outcome.bundle` gave; the coordinator is believed in nothing.

    Args:
        key: the one that answers were sealed for; None where none is sealed.

    Raises:
        ConfigurationError: no bundle, or the key is missing.
    """
    signed, query, card = _question(bundle)
    texts, states = bundle.get("answers"), bundle.get("states")
    if not isinstance(texts, list) or not isinstance(states, dict):
        raise ConfigurationError("this is no bundle of answers", where=_WHERE)
    given, faults = _signed_answers(texts, card, signed.body_hash)
    opened: _Given = {}
    for (name, number), one in given.items():
        clear = one if one.sealed is None else _unsealed(one, key)
        fault = _fault(query, one, card.minimum_cell, number) or _fault(
            query, clear, card.minimum_cell, number, opened=True
        )
        if fault or clear is None:
            faults[name] = fault or "sealed"
        else:
            opened[name, number] = clear
    first = {name: one for (name, number), one in opened.items() if number == 0}
    outcome = _outcome(query, opened, states)
    return Opened(query, card, signed.body_hash, outcome, first, faults, states)


def _question(bundle: dict[str, Any]) -> tuple[Envelope, Query, StudyCard]:
    """The question as its researcher signed it, under just this card."""
    try:
        signed = read_envelope(bundle["query"])
        query = Query.model_validate(signed.body)
        card = StudyCard.model_validate(bundle["card"])
    except (KeyError, TypeError, AttributeError, ValidationError, Refused):
        raise ConfigurationError("this is no bundle of answers", where=_WHERE) from None
    own = open_signed(signed, "researcher", card.key_of(query.researcher))
    if card.sha256 != query.card or not own:
        raise ConfigurationError(
            "card, question and signature do not belong together", where=_WHERE
        )
    return signed, query, card


def _fault(
    query: Query, one: AnswerEnvelope | None, minimum: int, round_: int, *, opened: bool = False
) -> str | None:
    """The coordinator's checks once more; when an answer came, it alone knows."""
    if one is None:
        return "sealed"
    if opened:
        return fault_of_payload(query, one, minimum)
    return fault_of(query, one, minimum, round_, query.not_before)


def _signed_answers(texts: list[str], card: StudyCard, id_: str) -> tuple[_Given, dict[str, str]]:
    """Answers that a site of the card signed, to just this question, by node and round."""
    given: _Given = {}
    faults: dict[str, str] = {}
    for text in texts:
        try:
            envelope = read_envelope(text, MAX_SENT)
        except Refused:
            continue  # nobody's: whoever it was of is shown as missing
        name = str(envelope.body.get("node"))
        site = card.site(name)
        if site is None or not open_signed(envelope, "node", site.key):
            faults[name] = "signature_wrong"
            continue
        try:
            one = AnswerEnvelope.model_validate(envelope.body)
        except ValidationError:
            faults[name] = "unreadable"
            continue
        if one.query == id_:
            given[name, one.round] = one
        else:
            faults[name] = "other_study"
    return given, faults


def _unsealed(sealed: AnswerEnvelope, key: X25519PrivateKey | None) -> AnswerEnvelope | None:
    """The same answer with its payload; None when it was sealed for another key, or changed."""
    from entrepot.federation.keys import unseal

    if key is None:
        raise ConfigurationError(
            "the answers are sealed", where=_WHERE, remedy="give --answers-key"
        )
    try:
        plain = unseal(sealed.sealed or "", key, sealed.context())
        payload = read_canonical(plain, MAX_SENT)
    except (ValueError, NotCanonicalError):
        return None
    return sealed.model_copy(update={"payload": payload, "sealed": None})


def _outcome(query: Query, opened: _Given, states: dict[str, str]) -> Outcome:
    """What was written to the researcher is theirs to read, of a single site too."""
    analysis = ANALYSIS.validate_python(query.analysis)
    read = {key: read_answer(one.payload or {}, analysis) for key, one in opened.items()}
    first = {name: one for (name, number), one in read.items() if number == 0}
    rounds: list[dict[str, ShareAnswer]] = []
    while all((name, len(rounds)) in read for name in query.audience):
        every = {name: read[name, len(rounds)] for name in query.audience}
        rounds.append({name: one for name, one in every.items() if isinstance(one, ShareAnswer)})
    known = {name: states.get(name, "missing") for name in query.audience}
    return pooled_outcome(analysis, first, known, ALONE, rounds)
