"""Whom no question may count: read from the registers at each question, on the keys' side.

The register of a moment is told by a keyed hash of its lines, and how many it excludes by a rounded
number. Neither depends on what the warehouse holds of these persons: removing their data changes no
answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from entrepot.config import Site
from entrepot.keys import Keyring
from entrepot.landing.database import check_keyring, create_tables, zone_engine
from entrepot.register.erasure_log import ERASE, Erasure, ErasureLog
from entrepot.register.registers import ALL, STUDY
from entrepot.register.tables import opposition
from entrepot.register.withdrawn import withdrawn_persons

LABEL = "federation/register/v1"
SMALLEST, STEP = 11, 10


@dataclass(frozen=True)
class Exclusions:
    """The registers as they stand for one study.

    Args:
        persons: `person_id`, under every number that ever stood for them.
        register: keyed hash of both registers and of the list of erasures.
        excluded: persons who opposed, opposed to this study or were erased, as lines count them:
            `<11`, else up to the next ten.
    """

    persons: frozenset[int]
    register: str
    excluded: str


def exclusions(site: Site, keyring: Keyring, study: str) -> Exclusions:
    """The registers now; with every opposition to this study alone.

    Raises:
        ConfigurationError: the zone is of another key, or the list of erasures is damaged.
    """
    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        with engine.connect() as connection:
            return read_exclusions(site, keyring, connection, study)
    finally:
        engine.dispose()


def read_exclusions(site: Site, keyring: Keyring, connection: Connection, study: str) -> Exclusions:
    """`exclusions`, for a caller who is connected."""
    lines = connection.execute(select(opposition).order_by(opposition.c.opposition_id)).all()
    erasures = ErasureLog(site, keyring).lines()
    scopes = (ALL, f"{STUDY}:{study}")
    standing = {
        line.identifier for line in lines if line.withdrawn_on is None and line.scope in scopes
    }
    erased = sum(one.act == ERASE for one in erasures)
    persons = withdrawn_persons(site, keyring, connection, study)
    return Exclusions(
        frozenset(persons), _version(keyring, lines, erasures), _shown(len(standing) + erased)
    )


def _version(keyring: Keyring, lines: Sequence[Row[Any]], erasures: Sequence[Erasure]) -> str:
    """Keyed: whoever knows a number and its register's lines cannot try it."""
    stated = [
        f"{line.identifier.hex()} {line.register} {line.scope} {line.opposed_on}"
        f" {line.withdrawn_on} {line.until}"
        for line in lines
    ]
    stated += [f"{one.sequence} {one.mac}" for one in erasures]
    return keyring.digest(LABEL, "\n".join(stated)).hex()


def _shown(count: int) -> str:
    return f"<{SMALLEST}" if count < SMALLEST else str(-(-count // STEP) * STEP)
