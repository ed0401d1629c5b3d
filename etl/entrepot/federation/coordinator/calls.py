"""Who a request of a node is from: its certificate and its signature must both say so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from entrepot.federation.coordinator.database import node, nonce, writing, written
from entrepot.federation.coordinator.log import Act, append
from entrepot.federation.coordinator.registry import Node, nodes
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.wire import FRESH, ProofError, check_proof


class CallFault(Exception):  # noqa: N818 - a disposition that travels as an exception
    """A request that is refused with a code of `wire.FAULTS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Request:
    """What came over HTTPS.

    Args:
        certificate: SHA-256 of the one that the connection was made with; empty without one.
        proof: the header `wire.PROOF`.
        path: with its query string.
    """

    certificate: str
    proof: str
    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True)
class Call:
    """A request whose node is known."""

    coordinator: Coordinator
    node: Node
    now: dt.datetime

    def refused(self, code: str) -> CallFault:
        """Logs the refusal and returns it to be raised."""
        return refused(self.coordinator, self.node.name, code, self.now)


def authenticate(coordinator: Coordinator, request: Request, now: dt.datetime) -> Call:
    """The call of a node that is enrolled, not revoked, and made just this request just now.

    Raises:
        CallFault: `revoked`, or `proof` whatever else is wrong; logged under the node whose
            certificate was shown.
    """
    every = nodes(coordinator)
    shown = next((one for one in every if one.certificate == request.certificate), None)
    name = shown.name if shown else None
    if shown is None:
        raise refused(coordinator, name, "proof", now)
    if shown.revoked:
        raise refused(coordinator, name, "revoked", now)
    keys = {shown.name: shown.key}
    try:
        proof = check_proof(request.proof, keys, request.method, request.path, request.body, now)
    except ProofError:
        raise refused(coordinator, name, "proof", now) from None
    if not _first_use(coordinator, shown.name, proof.nonce, now):
        raise refused(coordinator, name, "proof", now)
    return Call(coordinator, shown, now)


def refused(coordinator: Coordinator, name: str | None, code: str, now: dt.datetime) -> CallFault:
    """Logs a refusal under a node's name, or under nobody's, and returns it to be raised."""
    with writing(coordinator.engine) as connection:
        append(connection, Act.REQUEST_REFUSED, now, node=name, code=code)
    return CallFault(code)


def _first_use(coordinator: Coordinator, name: str, used: str, now: dt.datetime) -> bool:
    owner = f"request {name}"
    with writing(coordinator.engine) as connection:
        connection.execute(nonce.delete().where(nonce.c.until < written(now)))
        known = sa.select(nonce.c.nonce).where(nonce.c.owner == owner, nonce.c.nonce == used)
        if connection.scalar(known) is not None:
            return False
        until = written(now + 2 * FRESH)
        connection.execute(nonce.insert().values(owner=owner, nonce=used, until=until))
        connection.execute(node.update().where(node.c.name == name).values(seen=written(now)))
    return True
