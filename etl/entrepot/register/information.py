"""The register of information: who was told of the reuse, when, by which channel and which text
(RGPD 13 and 14; LIL 69; for minors LIL 70).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.register.opposition_csv import CHANNEL, day, number_of, read_lines, yes
from entrepot.register.oppositions import fingerprint
from entrepot.register.person import Identifier
from entrepot.register.registers import ALL, OPPOSITION, load_registers
from entrepot.register.store import sealed_line
from entrepot.register.tables import information

_COLUMNS = ("authority", "ipp", "informed_on", "channel", "notice")
_MAX_NOTICE = 40


@dataclass(frozen=True)
class Informed:
    """One information.

    Args:
        notice: version of the text that was given.
        to_holder: it was given to the holder of parental authority of a minor.
        born_on: the minor's date of birth, when it was given; sealed with the number.
    """

    identifier: Identifier
    informed_on: dt.date
    channel: str
    notice: str
    to_holder: bool = False
    born_on: dt.date | None = None


@dataclass(frozen=True)
class InformationLine:
    """One line, without the number."""

    information_id: int
    informed_on: dt.date
    channel: str
    notice: str
    to_holder: bool
    fingerprint: str


def inform(connection: Connection, keyring: Keyring, site: Site, informed: Informed) -> bool:
    """Records an information; False when the same one is there.

    Raises:
        ConfigurationError: an unknown channel, or no version of the notice.
    """
    _check(site, informed)
    table, hmac = information.c, informed.identifier.hmac(keyring)
    same = select(table.information_id).where(
        table.identifier == hmac, table.informed_on == informed.informed_on,
        table.notice == informed.notice, table.to_holder == informed.to_holder,
    )  # fmt: skip
    if connection.scalar(same) is not None:
        return False
    connection.execute(
        insert(information).values(
            **sealed_line(keyring, informed.identifier, informed.born_on),
            informed_on=informed.informed_on,
            channel=informed.channel,
            notice=informed.notice,
            to_holder=informed.to_holder,
            recorded_at=dt.datetime.now(dt.UTC).replace(tzinfo=None),
        )
    )
    return True


def import_informations(connection: Connection, keyring: Keyring, site: Site, path: Path) -> int:
    """Adds what a CSV file `authority,ipp,informed_on,channel,notice` lists; returns its lines.

    Columns `to_holder` and `born_on` may join them.

    Raises:
        ConfigurationError: a missing column or a bad line, by its number; nothing is written.
    """

    def line(row: dict[str, str]) -> Informed:
        informed = Informed(
            number_of(row, site), dt.date.fromisoformat(row["informed_on"]),
            row["channel"].strip() or CHANNEL, row["notice"].strip(),
            yes(row.get("to_holder", "")), day(row.get("born_on", "")),
        )  # fmt: skip
        _check(site, informed)
        return informed

    lines = read_lines(path, _COLUMNS, line)
    log = AuditLog(site, keyring)
    log.append(Action.INFORMED, {"what": "import", "lines": len(lines)}, connection)
    for informed in lines:
        inform(connection, keyring, site, informed)
    return len(lines)


def informations(connection: Connection, keyring: Keyring) -> list[InformationLine]:
    """All lines; a number shows as its fingerprint."""
    query = select(information).order_by(information.c.information_id)
    return [
        InformationLine(
            row.information_id, row.informed_on, row.channel, row.notice, row.to_holder,
            fingerprint(keyring, row.identifier),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _check(site: Site, informed: Informed) -> None:
    load_registers(site.overlays).check(OPPOSITION, ALL, informed.channel)
    if not informed.notice or len(informed.notice) > _MAX_NOTICE:
        raise ConfigurationError(
            f"the version of the notice takes 1 to {_MAX_NOTICE} characters",
            remedy="--notice 2026-03",
        )
