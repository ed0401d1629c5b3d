"""Requests and decisions as they are stored, signed and judged."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from entrepot.keys import Keyring
from entrepot.people import ACT
from entrepot.reidentification import tables
from entrepot.reidentification.refusals import Refusal
from entrepot.reidentification.tables import LABEL

REQUEST, APPROVE, REFUSE, EXECUTE = (
    f"reidentification.{act}" for act in ("request", "approve", "refuse", "execute")
)


@dataclass(frozen=True)
class Signer:
    """Who acts, and the file of their private key."""

    name: str
    key: Path


@dataclass(frozen=True)
class Asked:
    """What a requester wants.

    Args:
        numbers: person_ids of the core, or pseudonyms of `study`.
        until: aware; None: as long as the motive allows.
        several: the breach pack: the motive must allow several persons.
    """

    motive: str
    numbers: Sequence[int]
    reason: str
    study: str = ""
    until: dt.datetime | None = None
    several: bool = False


@dataclass(frozen=True)
class Request:
    """Somebody asks who certain persons are.

    Args:
        persons: CDM person_ids of the core, ascending.
        given: the numbers that the requester named, in the order of `persons`.
        study: whose pseudonyms `given` are; empty: the core's own.
        until: UTC; after it nothing is approved nor shown.
        salt: 64 random hexadecimal characters, sealed with the persons. What is signed is a hash
            with it rather than a keyed digest, so that a signature outlives the root key.
    """

    request_id: str
    motive: str
    requester: str
    study: str
    persons: tuple[int, ...]
    given: tuple[int, ...]
    reason: str
    requested_at: dt.datetime
    until: dt.datetime
    salt: str
    signature: str = ""

    def payload(self, act: str, **more: str) -> dict[str, Any]:
        """What is signed: all that the request says; persons and reason as a salted hash."""
        private = json.dumps([self.salt, self.persons, self.given, self.reason])
        return {
            ACT: act,
            "request": self.request_id,
            "motive": self.motive,
            "requester": self.requester,
            "study": self.study,
            "persons": hashlib.sha256(private.encode()).hexdigest(),
            "count": len(self.persons),
            "requested_at": self.requested_at.isoformat(),
            "until": self.until.isoformat(),
            **more,
        }


@dataclass(frozen=True)
class Decision:
    """Somebody else's word on a request."""

    request_id: str
    decided_by: str
    approved: bool
    profiles: str
    public_key: str
    decided_at: dt.datetime
    signature: str

    def payload(self, request: Request) -> dict[str, Any]:
        """What is signed: the whole request, who decides on it, and when."""
        act = APPROVE if self.approved else REFUSE
        more = {"by": self.decided_by, "at": self.decided_at.isoformat(), "as": self.profiles}
        return request.payload(act, **more)


def save(connection: sa.Connection, keyring: Keyring, request: Request) -> None:
    """Writes a new request; persons and reason as ciphertext bound to its id."""
    names = ("persons", "given", "reason", "salt")
    private = {name: getattr(request, name) for name in names}
    sealed = keyring.seal(LABEL, json.dumps(private).encode(), request.request_id.encode())
    connection.execute(
        sa.insert(tables.request).values(
            request_id=request.request_id, motive=request.motive, requester=request.requester,
            study=request.study, persons=len(request.persons), sealed=sealed,
            requested_at=request.requested_at, until=request.until, signature=request.signature,
        )
    )  # fmt: skip


def read(connection: sa.Connection, keyring: Keyring, request_id: str) -> Request:
    """One request.

    Raises:
        Refusal: there is none, or its row was changed.
    """
    table = tables.request
    row = connection.execute(sa.select(table).where(table.c.request_id == request_id)).first()
    if row is None:
        raise Refusal("unknown_request")
    return _request(row, keyring)


def read_all(connection: sa.Connection, keyring: Keyring) -> list[Request]:
    """Every request, oldest first; without persons where `read` would refuse the row."""
    table = tables.request
    found = []
    for row in connection.execute(sa.select(table).order_by(table.c.requested_at)):
        try:
            found.append(_request(row, keyring))
        except Refusal:
            found.append(
                Request(
                    row.request_id, row.motive, row.requester, row.study, (), (), "",
                    row.requested_at, row.until, "", row.signature,
                )
            )  # fmt: skip
    return found


def decisions(connection: sa.Connection, request_id: str) -> list[Decision]:
    """The decisions on a request, in the order of time."""
    table = tables.decision
    query = sa.select(table).where(table.c.request_id == request_id).order_by(table.c.decided_at)
    return [Decision(*row) for row in connection.execute(query)]


def executions(connection: sa.Connection, request_id: str) -> list[dt.datetime]:
    """When a request was executed."""
    table = tables.execution
    query = sa.select(table.c.executed_at).where(table.c.request_id == request_id)
    return sorted(connection.scalars(query))


def agreed_at(
    approvals: Iterable[tuple[dt.datetime, frozenset[str]]], needed: Sequence[str]
) -> dt.datetime | None:
    """When the approvals first held one person for each profile needed; None when they do not.

    Args:
        approvals: time and the approver's profiles; one for each approver.
    """
    complete = [
        max(at for at, _ in chosen)
        for chosen in itertools.permutations(approvals, len(needed))
        if all(profile in held for profile, (_, held) in zip(needed, chosen, strict=True))
    ]
    return min(complete, default=None)


def _request(row: sa.Row[Any], keyring: Keyring) -> Request:
    if not row.sealed:
        raise Refusal("unknown_person")  # erased since: `disclosed.forget`
    try:
        private = json.loads(keyring.unseal(LABEL, row.sealed, row.request_id.encode()))
    except (InvalidTag, ValueError):
        raise Refusal("changed") from None
    return Request(
        row.request_id, row.motive, row.requester, row.study, tuple(private["persons"]),
        tuple(private["given"]), private["reason"], row.requested_at, row.until, private["salt"],
        row.signature,
    )  # fmt: skip
