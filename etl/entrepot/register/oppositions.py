"""The opposition register: who objected to reuse, since when, through which channel.

Applied before mapping and replayed at every run (CNIL, référentiel EDS section 9; RGPD 21).
Its freshness is confirmed by a person; an unconfirmed register refuses a run, it changes no row.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select, update

from entrepot.audit import Action, AuditLog
from entrepot.config import Oppositions, Site
from entrepot.errors import ConfigurationError
from entrepot.keys import REGISTER, Keyring
from entrepot.landing.settings import read_setting, write_setting
from entrepot.register.person import Identifier
from entrepot.register.store import oppose
from entrepot.register.tables import opposition

CONFIRMED = "oppositions_confirmed_at"
_COLUMNS = ("authority", "ipp", "opposed_on", "withdrawn_on")


@dataclass(frozen=True)
class OppositionLine:
    """One opposition, without the number: the DPO finds persons by number, not the other way."""

    opposition_id: int
    opposed_on: dt.date
    withdrawn_on: dt.date | None
    channel: str
    fingerprint: str


def add(
    connection: Connection, keyring: Keyring, identifier: Identifier, opposed_on: dt.date,
    channel: str,
) -> bool:  # fmt: skip
    """Records an opposition; False when the same one already stands."""
    table = opposition
    standing = select(table.c.opposition_id).where(
        table.c.identifier == identifier.hmac(keyring), table.c.withdrawn_on.is_(None)
    )
    confirm(connection)
    if connection.scalar(standing) is not None:
        return False
    oppose(connection, keyring, identifier, opposed_on, channel)
    return True


def withdraw(
    connection: Connection, keyring: Keyring, identifier: Identifier, withdrawn_on: dt.date
) -> int:
    """Withdraws every standing opposition of the number; returns how many stood."""
    table = opposition
    done = connection.execute(
        update(table)
        .where(table.c.identifier == identifier.hmac(keyring), table.c.withdrawn_on.is_(None))
        .values(withdrawn_on=withdrawn_on)
    )
    confirm(connection)
    return int(done.rowcount)


def listing(connection: Connection, keyring: Keyring) -> list[OppositionLine]:
    """All oppositions; a number shows as the fingerprint that `oppose add` printed."""
    rows = connection.execute(select(opposition).order_by(opposition.c.opposition_id))
    return [
        OppositionLine(
            row.opposition_id, row.opposed_on, row.withdrawn_on, row.channel,
            fingerprint(keyring, row.identifier),
        )
        for row in rows
    ]  # fmt: skip


def fingerprint(keyring: Keyring, identifier: bytes) -> str:
    """What stands for a number in lists and in the audit log: it finds nobody."""
    return keyring.keyed(REGISTER, identifier)[:12]


def import_csv(connection: Connection, keyring: Keyring, path: Path, site: Site) -> int:
    """Adds (and withdraws) what a CSV file `authority,ipp,opposed_on,withdrawn_on` lists.

    Raises:
        ConfigurationError: a missing column or a bad line, by its number; nothing is written.
    """
    lines = list(_read(path, site))
    log = AuditLog(site, keyring)
    log.append(Action.OPPOSITIONS_IMPORTED, {"lines": len(lines)}, connection)
    table = opposition
    for identifier, opposed_on, withdrawn_on in lines:
        same = select(table.c.opposition_id).where(
            table.c.identifier == identifier.hmac(keyring), table.c.opposed_on == opposed_on
        )
        found = connection.scalar(same)
        if found is None:
            oppose(connection, keyring, identifier, opposed_on, "import", withdrawn_on=withdrawn_on)
        elif withdrawn_on is not None:
            connection.execute(
                update(table)
                .where(table.c.opposition_id == found)
                .values(withdrawn_on=withdrawn_on)
            )
    confirm(connection)
    return len(lines)


def confirm(connection: Connection) -> None:
    """The register is up to date as of now."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    write_setting(connection, CONFIRMED, now.isoformat())


def require_fresh(connection: Connection, config: Oppositions) -> None:
    """Refuses a run on a register that nobody confirmed for `max_age_days`.

    Raises:
        ConfigurationError: says how old it is and which command confirms it.
    """
    if not config.required:
        return
    remedy = "entrepot oppose import FILE, or entrepot oppose confirm"
    confirmed = read_setting(connection, CONFIRMED)
    if confirmed is None:
        raise ConfigurationError("the opposition register was never confirmed", remedy=remedy)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    age = now - dt.datetime.fromisoformat(confirmed)
    if age > dt.timedelta(days=config.max_age_days):
        raise ConfigurationError(
            f"the opposition register was last confirmed {age.days} days ago,"
            f" more than {config.max_age_days}",
            where="site.yaml: oppositions.max_age_days",
            remedy=remedy,
        )


def _read(path: Path, site: Site) -> list[tuple[Identifier, dt.date, dt.date | None]]:
    found = []
    alias = site.config.register_.authority_alias
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = set(_COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise ConfigurationError(f"column {min(missing)} is missing", where=str(path))
        for number, row in enumerate(reader, start=2):
            try:
                opposed_on = dt.date.fromisoformat(row["opposed_on"])
                text = row["withdrawn_on"]
                withdrawn_on = dt.date.fromisoformat(text) if text else None
            except ValueError:
                raise ConfigurationError("not a date", where=f"{path.name}:{number}") from None
            if not row["ipp"]:
                raise ConfigurationError("no number", where=f"{path.name}:{number}")
            authority = alias.get(row["authority"], row["authority"])
            found.append((Identifier(authority, row["ipp"].strip(), ""), opposed_on, withdrawn_on))
    return found
