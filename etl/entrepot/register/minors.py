"""Who has come of age since a holder of parental authority was informed or opposed for them.

They are to be informed themselves (LIL 70). Told by the number of the line in its register, never
by a number of the person.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from entrepot.config import SiteConfig
from entrepot.errors import ConfigurationError, RecordFault
from entrepot.feeds.hl7v2.values import stated_date
from entrepot.keys import Keyring
from entrepot.register.snapshot import Snapshot
from entrepot.register.store import opened_birth
from entrepot.register.tables import information, opposition

OPPOSITION_LINE, INFORMATION_LINE = "opposition", "information"


@dataclass(frozen=True)
class Due:
    """A line that a holder of authority caused, of a person who is due to be informed.

    Args:
        kind: register of the line: opposition or information.
        line: its number there.
        adult_on: when the person came of age; None when nobody stated a date of birth.
    """

    kind: str
    line: int
    adult_on: dt.date | None


def due(
    connection: Connection, keyring: Keyring, config: SiteConfig, snapshot: Snapshot,
    today: dt.date,
) -> list[Due]:  # fmt: skip
    """Lines of persons who are of age and were not informed since; unknown births are told too."""
    told = _told(connection, snapshot)
    found = []
    for kind, number, row in _of_holders(connection):
        root = snapshot.root(row.identifier)
        born = opened_birth(keyring, row) or _born(connection, keyring, snapshot, root)
        adult_on = _birthday(born, config.rights.adult_age) if born else None
        informed = adult_on is not None and any(when >= adult_on for when in told[root])
        if not informed and (adult_on is None or adult_on <= today):
            found.append(Due(kind, number, adult_on))
    return found


def line_of(connection: Connection, kind: str, number: int) -> Row[Any]:
    """A line of a register by its number there.

    Raises:
        ConfigurationError: no such line, or its person was erased.
    """
    lines = {
        OPPOSITION_LINE: select(opposition).where(opposition.c.opposition_id == number),
        INFORMATION_LINE: select(information).where(information.c.information_id == number),
    }
    row = connection.execute(lines[kind]).one_or_none() if kind in lines else None
    if row is None or not row.sealed:
        raise ConfigurationError(
            f"no line {number} of the register {kind}",
            remedy=f"entrepot inform due; registers: {', '.join(lines)}",
        )
    return row


def _told(connection: Connection, snapshot: Snapshot) -> dict[bytes, list[dt.date]]:
    """Person -> when they were informed themselves."""
    table = information.c
    query = select(table.identifier, table.informed_on).where(table.to_holder.is_(False))
    told: dict[bytes, list[dt.date]] = defaultdict(list)
    for row in connection.execute(query):
        told[snapshot.root(row.identifier)].append(row.informed_on)
    return told


def _of_holders(connection: Connection) -> Iterator[tuple[str, int, Row[Any]]]:
    standing = opposition.c.by_holder & opposition.c.withdrawn_on.is_(None)
    query = select(opposition).where(standing, opposition.c.sealed != b"")
    for row in connection.execute(query.order_by(opposition.c.opposition_id)):
        yield OPPOSITION_LINE, row.opposition_id, row
    informed = select(information).where(information.c.to_holder, information.c.sealed != b"")
    for row in connection.execute(informed.order_by(information.c.information_id)):
        yield INFORMATION_LINE, row.information_id, row


def _born(
    connection: Connection, keyring: Keyring, snapshot: Snapshot, root: bytes
) -> dt.date | None:
    """The person's date of birth as their records state it; the latest when they disagree."""
    person = snapshot.persons.get(root)
    if person is None:
        return None
    payloads, _ = snapshot.identity(connection, person)
    found = []
    for payload in payloads:
        for text in json.loads(payload).get("birth_dates", []):
            try:
                date, precision = stated_date(text)
            except RecordFault:
                continue
            if date is not None and precision == "day":
                found.append(date)
    return max(found, default=None)


def _birthday(born: dt.date, age: int) -> dt.date:
    """Born on a 29 February, one comes of age on 1 March."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return dt.date(born.year + age, 3, 1)
