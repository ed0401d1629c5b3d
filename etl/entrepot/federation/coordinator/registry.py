"""Nodes and study cards that the coordinator knows, and keys that nobody believes any more."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import ValidationError

from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import NotCanonicalError, canonical, read_canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.coordinator.authority import fingerprint, issue_node
from entrepot.federation.coordinator.database import (
    card,
    node,
    reading,
    revocation,
    writing,
    written,
)
from entrepot.federation.coordinator.log import Act, append
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.envelopes import Revocation, signed


@dataclass(frozen=True)
class Node:
    """A hospital's node as the coordinator knows it; moments are ISO 8601, empty when not yet."""

    name: str
    key: str
    certificate: str
    enrolled: str
    revoked: str
    seen: str


@dataclass(frozen=True)
class Study:
    """A card and when it was closed; empty: open until its own end."""

    card: StudyCard
    hash: str
    added: str
    closed: str

    def open_on(self, day: dt.date) -> bool:
        """Whether questions may be asked that day."""
        return not self.closed and self.card.open_on(day)


def enrol(coordinator: Coordinator, name: str, key: str, request: bytes, now: dt.datetime) -> bytes:
    """Admits a node; returns its certificate (PEM).

    Args:
        key: Ed25519 public key that signs its answers.
        request: for its certificate (`authority.create_request`).

    Raises:
        ConfigurationError: a wrong request or name, or the name or key is taken.
    """
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        raise ConfigurationError("a public key has 64 hexadecimal characters", where=name)
    certificate = issue_node(coordinator.folder, name, request, now)
    row = {
        "name": name, "key": key, "certificate": fingerprint(certificate),
        "enrolled": written(now),
    }  # fmt: skip
    with writing(coordinator.engine) as connection:
        if connection.scalar(
            sa.select(node.c.name).where((node.c.name == name) | (node.c.key == key))
        ):
            raise ConfigurationError(
                "a node of this name or key is there already", where=name,
                remedy="a revoked node comes back under a new name, with new keys",
            )  # fmt: skip
        if connection.scalar(sa.select(revocation.c.key).where(revocation.c.key == key)):
            raise ConfigurationError("this key was revoked", where=name, remedy="make a new key")
        connection.execute(node.insert().values(**row))
        append(connection, Act.NODE_ENROLLED, now, node=name, key=key)
    return certificate


def revoke_node(coordinator: Coordinator, name: str, now: dt.datetime) -> None:
    """From now on its certificate and its signatures are worth nothing; all nodes are told.

    Raises:
        ConfigurationError: no such node.
    """
    key = find_node(coordinator, name).key
    with writing(coordinator.engine) as connection:
        connection.execute(
            node.update().where(node.c.name == name, node.c.revoked.is_(None))
            .values(revoked=written(now))
        )  # fmt: skip
        append(connection, Act.NODE_REVOKED, now, node=name, key=key)
    revoke_key(coordinator, key, now)


def revoke_key(coordinator: Coordinator, key: str, now: dt.datetime) -> None:
    """A researcher's or a node's key that is believed no more; nothing takes it back.

    Raises:
        ConfigurationError: no public key.
    """
    try:
        body = Revocation(key=key, at=now.replace(microsecond=0))
    except ValidationError:
        raise ConfigurationError("a public key has 64 hexadecimal characters") from None
    text = signed(body, "coordinator", coordinator.key).text()
    with writing(coordinator.engine) as connection:
        if connection.scalar(sa.select(revocation.c.key).where(revocation.c.key == key)) is None:
            row = {"key": key, "envelope": text, "at": written(now)}
            connection.execute(revocation.insert().values(**row))
            append(connection, Act.KEY_REVOKED, now, key=key)


def revoked_keys(connection: sa.Connection) -> frozenset[str]:
    """Keys believed no more."""
    return frozenset(connection.scalars(sa.select(revocation.c.key)))


def revocations(connection: sa.Connection) -> tuple[str, ...]:
    """The signed envelopes that every node is handed."""
    return tuple(connection.scalars(sa.select(revocation.c.envelope).order_by(revocation.c.at)))


def nodes(coordinator: Coordinator) -> list[Node]:
    """All nodes, revoked ones too, by name."""
    with reading(coordinator.engine) as connection:
        return [
            Node(**{name: value or "" for name, value in row._mapping.items()})
            for row in connection.execute(sa.select(node).order_by(node.c.name))
        ]


def find_node(coordinator: Coordinator, name: str) -> Node:
    """One node.

    Raises:
        ConfigurationError: none of this name.
    """
    found = next((one for one in nodes(coordinator) if one.name == name), None)
    if found is None:
        raise ConfigurationError(
            "no node of this name", where=name, remedy="entrepot coordinator nodes lists them"
        )
    return found


def read_card(text: bytes, where: str) -> StudyCard:
    """The card of a file; JSON in any spelling.

    Raises:
        ConfigurationError: no card; names the first wrong key.
    """
    try:
        stated = read_canonical(canonical(json.loads(text)))
        return StudyCard.model_validate(stated)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{key}: {first['msg']}", where=where) from None
    except (NotCanonicalError, ValueError, RecursionError):
        raise ConfigurationError("not JSON", where=where) from None


def add_card(coordinator: Coordinator, added: StudyCard, now: dt.datetime) -> str:
    """Takes a study up; returns the card's hash. The nodes' stewards accept it for themselves.

    Raises:
        ConfigurationError: a site that is no node here, or whose key is another.
    """
    known = {one.name: one for one in nodes(coordinator) if not one.revoked}
    for site in added.sites:
        if site.node not in known or known[site.node].key != site.key:
            raise ConfigurationError(
                "the card names a node or a key that is not enrolled here", where=site.node,
                remedy="entrepot coordinator nodes lists the nodes and their keys",
            )  # fmt: skip
    text = canonical(added.model_dump(mode="json")).decode()
    with writing(coordinator.engine) as connection:
        if connection.scalar(sa.select(card.c.hash).where(card.c.hash == added.sha256)) is None:
            row = {"hash": added.sha256, "study": added.study, "card": text, "added": written(now)}
            connection.execute(card.insert().values(**row))
            append(connection, Act.CARD_ADDED, now, study=added.study, card=added.sha256)
    return added.sha256


def close_card(coordinator: Coordinator, hash_: str, now: dt.datetime) -> None:
    """No further question of this card is taken.

    Raises:
        ConfigurationError: no such card.
    """
    found = find_study(coordinator, hash_)
    with writing(coordinator.engine) as connection:
        connection.execute(
            card.update().where(card.c.hash == found.hash, card.c.closed.is_(None))
            .values(closed=written(now))
        )  # fmt: skip
        append(connection, Act.CARD_CLOSED, now, study=found.card.study, card=found.hash)


def studies(coordinator: Coordinator, key: str = "") -> list[Study]:
    """All studies, the newest first.

    Args:
        key: only those whose card names this researcher's key.
    """
    with reading(coordinator.engine) as connection:
        rows = connection.execute(sa.select(card).order_by(card.c.added.desc(), card.c.hash)).all()
    found = [
        Study(StudyCard.model_validate_json(row.card), row.hash, row.added, row.closed or "")
        for row in rows
    ]
    return [
        one for one in found if not key or key in {person.key for person in one.card.researchers}
    ]


def find_study(coordinator: Coordinator, hash_: str) -> Study:
    """The study of a card's hash.

    Raises:
        ConfigurationError: no such card.
    """
    found = next((one for one in studies(coordinator) if one.hash == hash_), None)
    if found is None:
        raise ConfigurationError(
            "no study card of this hash", remedy="entrepot coordinator card list shows them"
        )
    return found
