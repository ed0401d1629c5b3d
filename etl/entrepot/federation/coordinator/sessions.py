"""Signing in: a researcher signs a challenge with the very key that signs their queries.

No password and no account: whom a study card names with a key may read that study. The private key
stays where it is; the browser, or the command line, signs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError

from entrepot.federation.canonical import NotCanonicalError, canonical, read_canonical
from entrepot.federation.coordinator.database import nonce, reading, session, writing, written
from entrepot.federation.coordinator.log import Act, append
from entrepot.federation.coordinator.registry import revoked_keys, studies
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.keys import Nonce, PublicKey, Signature, signed_by
from entrepot.people import ACT

SIGN_IN = "entrepot/federation/sign-in"
_LASTS = dt.timedelta(hours=8)
_ANSWERED_WITHIN = dt.timedelta(minutes=10)
_OWNER = "sign-in"


class _Challenge(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    act: str
    coordinator: PublicKey
    nonce: Nonce


class SignedIn(BaseModel):
    """A challenge and the signature over it.

    Args:
        challenge: as it was given, in its canonical spelling.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    challenge: str
    key: PublicKey
    signature: Signature


@dataclass(frozen=True)
class Researcher:
    """Who is signed in: the key, and the names that study cards give it."""

    key: str
    names: tuple[str, ...]


def challenge(coordinator: Coordinator, now: dt.datetime) -> str:
    """A text to be signed once, within ten minutes."""
    made = _Challenge(act=SIGN_IN, coordinator=coordinator.public_key, nonce=secrets.token_hex(16))
    with writing(coordinator.engine) as connection:
        connection.execute(nonce.delete().where(nonce.c.until < written(now)))
        until = written(now + _ANSWERED_WITHIN)
        connection.execute(nonce.insert().values(owner=_OWNER, nonce=made.nonce, until=until))
    return canonical(made.model_dump()).decode()


def sign_in(coordinator: Coordinator, given: SignedIn, now: dt.datetime) -> str | None:
    """The secret of a new session; None when it is refused, which is logged."""
    right = _ours(coordinator, given, now) and bool(_names(coordinator, given.key))
    token = secrets.token_urlsafe(32)
    with writing(coordinator.engine) as connection:
        right = right and given.key not in revoked_keys(connection)
        act = Act.SIGNED_IN if right else Act.SIGN_IN_REFUSED
        append(connection, act, now, key=given.key)
        if right:
            connection.execute(session.delete().where(session.c.until < written(now)))
            row = {"token": _kept(token), "key": given.key, "until": written(now + _LASTS)}
            connection.execute(session.insert().values(**row))
    return token if right else None


def sign_out(coordinator: Coordinator, token: str) -> None:
    """Ends a session; nothing when there is none."""
    with writing(coordinator.engine) as connection:
        connection.execute(session.delete().where(session.c.token == _kept(token)))


def signed_in(coordinator: Coordinator, token: str, now: dt.datetime) -> Researcher | None:
    """Who holds this session; None when it ended, or its key was revoked since."""
    wanted = sa.select(session.c.key).where(
        session.c.token == _kept(token), session.c.until >= written(now)
    )
    with reading(coordinator.engine) as connection:
        key = connection.scalar(wanted)
        if key is None or key in revoked_keys(connection):
            return None
    return Researcher(key, _names(coordinator, key))


def _ours(coordinator: Coordinator, given: SignedIn, now: dt.datetime) -> bool:
    """Whether the challenge is ours, fresh, unused, and signed by the key that is stated."""
    try:
        stated = read_canonical(given.challenge.encode("utf-8", "surrogatepass"), 1_000)
        asked = _Challenge.model_validate(stated)
    except (NotCanonicalError, ValidationError):
        return False
    if (stated[ACT], asked.coordinator) != (SIGN_IN, coordinator.public_key):
        return False
    here = (nonce.c.owner == _OWNER, nonce.c.nonce == asked.nonce, nonce.c.until >= written(now))
    with writing(coordinator.engine) as connection:
        used = connection.execute(nonce.delete().where(*here)).rowcount
    return used == 1 and signed_by(given.key, stated, given.signature)


def _names(coordinator: Coordinator, key: str) -> tuple[str, ...]:
    named = {
        person.name
        for one in studies(coordinator, key)
        for person in one.card.researchers
        if person.key == key
    }
    return tuple(sorted(named))


def _kept(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
