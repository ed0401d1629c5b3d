"""Papers a node believes: study cards that its steward accepted, keys that were revoked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import sqlalchemy as sa
from pydantic import ValidationError

from entrepot.audit import Action, read_entries
from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import NotCanonicalError, canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.envelopes import Revocation, open_signed, read_envelope
from entrepot.federation.keys import Pins
from entrepot.federation.node.opened import Node, stamp
from entrepot.federation.node.tables import card as cards
from entrepot.federation.node.tables import revocation, transaction
from entrepot.federation.refusals import Refused
from entrepot.people import person, sign, verify
from entrepot.publish.frozen import forget, freeze

Mode = Literal["manual", "once", "counts"]
MODES: tuple[Mode, ...] = get_args(Mode)
APPROVERS = ("steward", "dpo")
MAX_CARD = 200_000  # bytes


@dataclass(frozen=True)
class HeldCard:
    """A card that was accepted.

    Args:
        mode: `manual`: the steward decides of each question; `once`: of each new question of the
            study, the same one asked again passes; `counts`: counts pass, all else is decided.
        release: the frozen release that answers the study.
        root: fingerprint of the root key that its `person_id` come from: after a rotation nobody
            who opposes would be found in it, so that it answers nothing more.
    """

    card: StudyCard
    mode: Mode
    release: str
    root: str
    accepted_by: str
    ended: bool


def read_card(path: Path) -> StudyCard:
    """A study card's file.

    Raises:
        ConfigurationError: no card; names the key that is wrong.
    """
    try:
        data = path.read_bytes()
        if len(data) > MAX_CARD:
            raise ConfigurationError("too large for a study card", where=str(path))
        value = json.loads(data)
        canonical(value)
        return StudyCard.model_validate(value)
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{key}: {first['msg']}", where=str(path)) from None
    except (ValueError, RecursionError, NotCanonicalError):
        raise ConfigurationError("not JSON", where=str(path)) from None


def accept(node: Node, card: StudyCard, mode: Mode, by: str, key: Path) -> HeldCard:
    """The steward takes part in a study: its card is pinned, the published release is frozen.

    Raises:
        ConfigurationError: `by` may not decide, or did not sign; the card names other keys than
            this node's; nothing is published.
    """
    who = person(node.site, by, *APPROVERS)
    site = card.site(node.name)
    if site is None or (site.key, site.masking_key) != node.place.public_keys():
        raise ConfigurationError(
            "the card does not name this node with its present keys", where=card.study,
            remedy="entrepot node show prints them for the study's coordinator",
        )  # fmt: skip
    _require_own_release(node)
    release = freeze(node.site).release
    stated = _acceptance(card.sha256, mode, release)
    signature = sign(key, stated)
    verify(who, stated, signature)
    node.log(Action.CARD_ACCEPTED, {**_facts(card), "mode": mode, "by": by, "release": release})
    row = {
        "card": card.sha256, "study": card.study, "mode": mode, "release": release,
        "root": node.keyring.fingerprint, "accepted_by": by, "signature": signature,
        "text": canonical(card.model_dump(mode="json")).decode(),
        "accepted_at": stamp(node.now()),
    }  # fmt: skip
    with transaction(node.engine) as connection:
        connection.execute(sa.delete(cards).where(cards.c.card == card.sha256))
        connection.execute(sa.insert(cards).values(row))
    return HeldCard(card, mode, release, node.keyring.fingerprint, by, ended=False)


def _require_own_release(node: Node) -> None:
    """Person ids of a release come from the root key under which it was made."""
    made = rotated = 0
    for entry in read_entries(node.site, node.keyring):
        made = entry.sequence if entry.action == Action.PUBLISHED else made
        rotated = entry.sequence if entry.action == Action.KEYS_ROTATED else rotated
    if rotated > made:
        raise ConfigurationError(
            "the release in place was made under a former root key", remedy="entrepot run"
        )


def end(node: Node, sha256: str, by: str) -> None:
    """The study asks nothing more here; its release is let go when no other stands on it.

    Raises:
        ConfigurationError: no such card, or `by` may not decide.
    """
    person(node.site, by, *APPROVERS)
    held = next((one for one in held_cards(node) if one.card.sha256 == sha256), None)
    if held is None or held.ended:
        raise ConfigurationError("no such study here", remedy="entrepot node studies")
    node.log(Action.CARD_ENDED, {**_facts(held.card), "by": by})
    with transaction(node.engine) as connection:
        connection.execute(
            sa.update(cards).where(cards.c.card == sha256).values(ended_at=stamp(node.now()))
        )
    let_go(node)


def let_go(node: Node) -> list[str]:
    """Removes the frozen releases of studies that are over; returns their ids."""
    today = node.now().date()
    kept = {one.release for one in held_cards(node) if not one.ended and today <= one.card.ends_on}
    if loader := node.site.config.federation.url.get_secret_value():
        from entrepot.federation.node.postgres import drop

        drop(loader, kept)
    return forget(node.site, kept)


def held_cards(node: Node) -> list[HeldCard]:
    """Every card that was accepted, by study.

    Raises:
        ConfigurationError: one of them is not signed by whoever accepted it.
    """
    with transaction(node.engine) as connection:
        rows = connection.execute(sa.select(cards).order_by(cards.c.study, cards.c.accepted_at))
        return [_held(node, row) for row in rows.all()]


def _held(node: Node, row: Any) -> HeldCard:
    card = StudyCard.model_validate_json(row.text)
    stated = _acceptance(card.sha256, row.mode, row.release)
    verify(person(node.site, row.accepted_by), stated, row.signature)
    return HeldCard(
        card,
        cast(Mode, row.mode),
        row.release,
        row.root,
        row.accepted_by,
        row.ended_at is not None,
    )


def pins(node: Node) -> Pins:
    """Whom the node believes now."""
    with transaction(node.engine) as connection:
        revoked = frozenset(connection.scalars(sa.select(revocation.c.key)))
    held = {one.card.sha256: one.card for one in held_cards(node) if not one.ended}
    coordinators = frozenset(node.site.config.federation.coordinator_keys) - revoked
    return Pins(coordinators, held, revoked)


def revoke(node: Node, key: str, by: str) -> bool:
    """A key is believed no more; False when it was not already.

    Raises:
        ConfigurationError: `by` may not decide.
    """
    person(node.site, by, *APPROVERS)
    return _revoke(node, key, by)


def take_revocation(node: Node, text: str) -> bool:
    """A revocation that a pinned coordinator signed; False when it is none, or known.

    A coordinator can stop questions as it likes anyway: this lets it do no more.
    """
    try:
        envelope = read_envelope(text)
        stated = Revocation.model_validate(envelope.body)
    except (Refused, ValidationError):
        return False
    trusted = pins(node).coordinators
    if not any(open_signed(envelope, "coordinator", key) for key in trusted):
        return False
    return _revoke(node, stated.key, "coordinator")


def _revoke(node: Node, key: str, by: str) -> bool:
    with transaction(node.engine) as connection:
        known = connection.scalar(sa.select(revocation.c.key).where(revocation.c.key == key))
    if known is not None:
        return False
    node.log(Action.KEY_REVOKED, {"key": key[:16], "by": by})
    with transaction(node.engine) as connection:
        connection.execute(sa.insert(revocation).values(key=key, at=stamp(node.now()), by=by))
    return True


def _acceptance(card: str, mode: str, release: str) -> dict[str, str]:
    act = "entrepot/federation/acceptance"
    return {"act": act, "card": card, "mode": mode, "release": release}


def _facts(card: StudyCard) -> dict[str, str]:
    basis = f"{card.legal_basis.kind} {card.legal_basis.reference}"
    return {"study": card.study, "card": card.sha256, "basis": basis}
