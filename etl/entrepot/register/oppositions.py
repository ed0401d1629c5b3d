"""The registers of oppositions: who objected to reuse, since when, through which channel.

Two of them, told apart by `mappings/privacy/rights.yaml`: opposition (RGPD 21, LIL 74) and the
opt-out from secondary use (EHDS, article 71). Applied before mapping and replayed at every run
(CNIL, référentiel EDS section 9). A line holds from the moment it is entered, whatever date it
states: a right that was exercised is not waited for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from entrepot.keys import REGISTER, Keyring
from entrepot.register.freshness import CONFIRMED, confirm
from entrepot.register.opposition_csv import import_csv
from entrepot.register.person import Identifier
from entrepot.register.registers import ALL, OPPOSITION, PLAIN, Stated
from entrepot.register.store import oppose
from entrepot.register.tables import opposition

__all__ = [
    "CONFIRMED", "OppositionLine", "add", "confirm", "end_expired", "fingerprint", "import_csv",
    "listing", "withdraw",
]  # fmt: skip


@dataclass(frozen=True)
class OppositionLine:
    """One line, without the number: the DPO finds persons by number, not the other way."""

    opposition_id: int
    register: str
    scope: str
    opposed_on: dt.date
    until: dt.date | None
    withdrawn_on: dt.date | None
    by_holder: bool
    channel: str
    fingerprint: str


def add(
    connection: Connection, keyring: Keyring, identifier: Identifier, opposed_on: dt.date,
    channel: str, stated: Stated = PLAIN,
) -> bool:  # fmt: skip
    """Records an opposition; False when the same one already stands."""
    table = opposition.c
    standing = select(table.opposition_id).where(
        table.identifier == identifier.hmac(keyring), table.withdrawn_on.is_(None),
        table.register == stated.register, table.scope == stated.scope,
        table.until == stated.until if stated.until else table.until.is_(None),
    )  # fmt: skip
    confirm(connection, stated.register)
    if connection.scalar(standing) is not None:
        return False
    oppose(connection, keyring, identifier, opposed_on, channel, stated)
    return True


def withdraw(
    connection: Connection, keyring: Keyring, identifier: Identifier, withdrawn_on: dt.date,
    register: str = OPPOSITION, scope: str = "",
) -> int:  # fmt: skip
    """Withdraws the number's standing lines of a register; returns how many stood.

    Args:
        scope: only lines of this scope; empty: of every scope.
    """
    table = opposition.c
    chosen = [
        table.identifier == identifier.hmac(keyring),
        table.withdrawn_on.is_(None),
        table.register == register,
    ]
    if scope:
        chosen.append(table.scope == scope)
    done = connection.execute(update(opposition).where(*chosen).values(withdrawn_on=withdrawn_on))
    confirm(connection, register)
    return int(done.rowcount)


def end_expired(connection: Connection, keyring: Keyring, today: dt.date) -> list[str]:
    """Closes the lines whose last day is over; returns the persons' fingerprints.

    The clock writes the register, and the warehouse is made from the register alone.
    """
    table = opposition.c
    over = (table.withdrawn_on.is_(None), table.until < today)
    rows = connection.execute(select(table.opposition_id, table.identifier).where(*over)).all()
    if rows:
        connection.execute(update(opposition).where(*over).values(withdrawn_on=table.until))
    return [fingerprint(keyring, row.identifier) for row in rows]


def listing(connection: Connection, keyring: Keyring, register: str = "") -> list[OppositionLine]:
    """All lines, of one register when it is named; a number shows as its fingerprint."""
    query = select(opposition).order_by(opposition.c.opposition_id)
    if register:
        query = query.where(opposition.c.register == register)
    return [
        OppositionLine(
            row.opposition_id, row.register, row.scope, row.opposed_on, row.until,
            row.withdrawn_on, row.by_holder, row.channel, fingerprint(keyring, row.identifier),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def opposed_numbers(connection: Connection, scope: str = ALL) -> set[bytes]:
    """HMACs of the numbers with a standing line of this scope, in any register."""
    table = opposition.c
    query = select(table.identifier).where(table.withdrawn_on.is_(None), table.scope == scope)
    return set(connection.scalars(query))


def fingerprint(keyring: Keyring, identifier: bytes) -> str:
    """What stands for a number in lists and in the audit log: it finds nobody."""
    return keyring.keyed(REGISTER, identifier)[:12]
