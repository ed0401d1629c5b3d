"""A node at work: its site, keys, folder, database and clock, given to whatever it does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from entrepot.audit import Action, AuditLog, Head
from entrepot.audit.actions import Facts
from entrepot.config import Site
from entrepot.federation.node.place import NodePlace, node_place
from entrepot.federation.node.tables import open_engine, setting, transaction
from entrepot.keys import Keyring, site_keyring

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The time, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Node:
    """What every act of a node needs.

    Args:
        keyring: for the audit log and the registers; no question is given it.
    """

    site: Site
    keyring: Keyring
    place: NodePlace
    engine: sa.Engine
    now: Clock = utc_now

    @property
    def name(self) -> str:
        """As study cards call it."""
        return self.place.name

    def log(self, action: Action, facts: Facts) -> Head:
        """Into the site's audit log, before the act."""
        return AuditLog(self.site, self.keyring).append(action, facts)

    def read(self, key: str) -> str:
        """A setting of the node's database; empty when it was never written."""
        with transaction(self.engine) as connection:
            found = connection.scalar(sa.select(setting.c.value).where(setting.c.key == key))
        return str(found or "")


def write_setting(connection: sa.Connection, key: str, value: str) -> None:
    """Keeps a setting."""
    connection.execute(sa.delete(setting).where(setting.c.key == key))
    connection.execute(sa.insert(setting).values(key=key, value=value))


def stamp(moment: dt.datetime) -> str:
    """A time as the node's database has it: UTC, ISO 8601, to the second."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def open_node(site: Site, now: Clock = utc_now) -> Iterator[Node]:
    """The site's node.

    Raises:
        ConfigurationError: the site is no node, or its keys are missing.
    """
    place = node_place(site)
    engine = open_engine(place.database)
    try:
        yield Node(site, site_keyring(site), place, engine, now)
    finally:
        engine.dispose()
