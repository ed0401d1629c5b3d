"""Opposition lines from a CSV file: all of them or none.

Columns `authority,ipp,opposed_on,withdrawn_on`; `scope`, `until`, `by_holder` and `born_on` may
join them.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, select, update

from entrepot.audit import Action, AuditLog
from entrepot.audit.actions import Facts
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.register.freshness import confirm
from entrepot.register.person import Identifier
from entrepot.register.registers import ALL, OPPOSITION, Registers, Stated, load_registers
from entrepot.register.store import oppose
from entrepot.register.tables import opposition

CHANNEL = "import"
_COLUMNS = ("authority", "ipp", "opposed_on", "withdrawn_on")
_YES, _NO = {"1", "true", "yes", "oui"}, {"", "0", "false", "no", "non"}
Line = TypeVar("Line")


@dataclass(frozen=True)
class _Line:
    identifier: Identifier
    opposed_on: dt.date
    withdrawn_on: dt.date | None
    stated: Stated


def import_csv(
    connection: Connection, keyring: Keyring, path: Path, site: Site, register: str = OPPOSITION
) -> int:
    """Adds (and withdraws) what a CSV file lists; returns its number of lines.

    Raises:
        ConfigurationError: a missing column or a bad line, by its number; nothing is written.
    """
    rules = load_registers(site.overlays)
    lines = read_lines(path, _COLUMNS, lambda row: _line(row, site, rules, register))
    log = AuditLog(site, keyring)
    facts: Facts = {"lines": len(lines), "register": register}
    log.append(Action.OPPOSITIONS_IMPORTED, facts, connection)
    for line in lines:
        _enter(connection, keyring, line)
    confirm(connection, register)
    return len(lines)


def read_lines(
    path: Path, columns: tuple[str, ...], read: Callable[[dict[str, str]], Line]
) -> list[Line]:
    """Every line of a CSV file, read by `read`.

    Raises:
        ConfigurationError: a missing column, or what `read` refused, with the line's number.
    """
    found = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = set(columns) - set(reader.fieldnames or ())
        if missing:
            raise ConfigurationError(f"column {min(missing)} is missing", where=str(path))
        for number, row in enumerate(reader, start=2):
            where = f"{path.name}:{number}"
            try:
                found.append(read({name: value or "" for name, value in row.items() if name}))
            except ConfigurationError as error:
                raise ConfigurationError(error.what, where=where, remedy=error.remedy) from None
            except ValueError:
                raise ConfigurationError("not a date", where=where) from None
    return found


def number_of(row: dict[str, str], site: Site) -> Identifier:
    """The person's number of a line.

    Raises:
        ConfigurationError: there is none.
    """
    if not row["ipp"].strip():
        raise ConfigurationError("no number")
    alias = site.config.register_.authority_alias
    authority = row["authority"].strip()
    return Identifier(alias.get(authority, authority), row["ipp"].strip(), "")


def yes(text: str) -> bool:
    """A yes or no of a line.

    Raises:
        ConfigurationError: neither.
    """
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise ConfigurationError("neither yes nor no")
    return word in _YES


def day(text: str) -> dt.date | None:
    """A date of a line, None when it is empty; raises ValueError."""
    return dt.date.fromisoformat(text.strip()) if text.strip() else None


def _line(row: dict[str, str], site: Site, rules: Registers, register: str) -> _Line:
    scope = row.get("scope", "").strip() or ALL
    rules.check(register, scope, CHANNEL)
    born_on, by_holder = day(row.get("born_on", "")), yes(row.get("by_holder", ""))
    stated = Stated(register, scope, day(row.get("until", "")), by_holder, born_on)
    opposed_on = dt.date.fromisoformat(row["opposed_on"])
    return _Line(number_of(row, site), opposed_on, day(row["withdrawn_on"]), stated)


def _enter(connection: Connection, keyring: Keyring, line: _Line) -> None:
    table = opposition.c
    same = select(table.opposition_id).where(
        table.identifier == line.identifier.hmac(keyring), table.opposed_on == line.opposed_on,
        table.register == line.stated.register, table.scope == line.stated.scope,
    )  # fmt: skip
    found = connection.scalar(same)
    if found is None:
        oppose(
            connection, keyring, line.identifier, line.opposed_on, CHANNEL, line.stated,
            withdrawn_on=line.withdrawn_on,
        )  # fmt: skip
    elif line.withdrawn_on is not None:
        connection.execute(
            update(opposition)
            .where(table.opposition_id == found)
            .values(withdrawn_on=line.withdrawn_on)
        )
