"""Writes registrations, in one transaction per batch: a killed pass goes on where it stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Insert, Row, Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from entrepot.keys import IDENTIFIER, REGISTER, Keyring
from entrepot.landing.ledger import add_notices
from entrepot.landing.tables import Notice, notice
from entrepot.register import tables
from entrepot.register.person import Identifier
from entrepot.register.registers import PLAIN, Stated
from entrepot.register.registration import Registered

STAGE = "register"

_Line = dict[str, object]
# Tables of which many records state the same line, and tables of which each has its own.
_STATED_AGAIN = (tables.identity, tables.identifier, tables.spelling)
_OF_A_RECORD = (
    tables.registration, tables.version, tables.version_name, tables.replacement, tables.link,
    tables.stated_key, tables.kin, tables.opposition,
)  # fmt: skip


def store(connection: Connection, keyring: Keyring, batch: Iterable[Registered]) -> None:
    """Inserts the registrations and all that hangs on them; the caller holds the transaction.

    One statement for each table: a statement for each row costs more than the rows.
    """
    lines = _Lines(keyring)
    for registered in batch:
        lines.add(registered)
    lines.write(connection)


def forget(connection: Connection, record_ids: list[int]) -> None:
    """Removes registrations (a changed mapping, an erased record) with what hangs on them."""
    hanging = (tables.link, tables.stated_key, tables.kin, tables.version, tables.version_name)
    for table in (*hanging, tables.replacement, tables.registration):
        connection.execute(delete(table).where(table.c.record_id.in_(record_ids)))
    con = tables.opposition
    connection.execute(delete(con).where(con.c.record_id.in_(record_ids)))
    connection.execute(
        delete(notice).where(notice.c.record_id.in_(record_ids), notice.c.stage == STAGE)
    )
    stated = select(tables.registration.c.subject, tables.registration.c.identity_digest)
    kept = {(row.subject, row.identity_digest) for row in connection.execute(stated)}
    for row in connection.execute(select(tables.identity.c.subject, tables.identity.c.digest)):
        if (row.subject, row.digest) not in kept:
            identity = tables.identity
            connection.execute(
                delete(identity).where(
                    identity.c.subject == row.subject, identity.c.digest == row.digest
                )
            )


class _Lines:
    """The lines of one batch, by table."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._new: dict[Table, dict[tuple[bytes, ...], _Line]] = {t: {} for t in _STATED_AGAIN}
        self._lines: dict[Table, list[_Line]] = {table: [] for table in _OF_A_RECORD}
        self._notices: list[Notice] = []

    def add(self, registered: Registered) -> None:
        """One registration and what hangs on it."""
        subject = self._identifiers(registered)
        digest = None
        if registered.payload and subject is not None:
            digest = self._identity(subject, registered.payload)
        self._lines[tables.registration].append(
            {
                "record_id": registered.record_id,
                "event": registered.event[:64],
                "stated_at": registered.stated_at,
                "control": registered.control,
                "subject": subject,
                "ins": registered.ins.hmac(self._keyring) if registered.ins else None,
                "identity_digest": digest,
                "secret": registered.secret,
                "disposition": registered.disposition,
                "reason": registered.reason,
                "position": registered.position[:40],
                "referred": registered.referred,
                "personal": registered.personal,
            }
        )
        self._version(registered)
        self._relations(registered, subject)

    def write(self, connection: Connection) -> None:
        """Inserts every line; what a former batch stated already stays as it is."""
        for table, stated in self._new.items():
            if stated:
                connection.execute(_insert_new(connection, table), list(stated.values()))
        for table, lines in self._lines.items():
            if lines:
                connection.execute(insert(table), lines)
        add_notices(connection, self._notices)

    def _identity(self, subject: bytes, payload: bytes) -> bytes:
        digest = self._keyring.digest(REGISTER, subject, payload)
        stated = self._new[tables.identity]
        if (subject, digest) not in stated:
            sealed = self._keyring.seal(REGISTER, payload, subject)
            stated[subject, digest] = {"subject": subject, "digest": digest, "sealed": sealed}
        return digest

    def _identifiers(self, registered: Registered) -> bytes | None:
        linked = [i for left, right, _ in registered.links for i in (left, right)]
        stated = None if registered.referred else registered.subject
        named = [stated, registered.mother, *registered.also, *linked]
        for one in named:
            if one is not None:
                self._identifier(one)
        if registered.subject is not None:
            return registered.subject.hmac(self._keyring)
        return registered.ins.hmac(self._keyring) if registered.ins is not None else None

    def _identifier(self, one: Identifier) -> None:
        hmac, alias = one.hmac(self._keyring), one.alias(self._keyring)
        known = self._new[tables.identifier]
        if (hmac,) not in known:
            key = one.person_key(self._keyring)
            known[hmac,] = {"hmac": hmac, "authority": one.authority[:120], "person_key": key}
        # What a rotation made of hashes whose number nobody keeps is another spelling of it.
        carried = self._keyring.digests(IDENTIFIER, one.authority, one.value)[1:]
        for spelled in (alias, *carried):
            if spelled is not None:
                self._new[tables.spelling][spelled, hmac] = {"alias": spelled, "hmac": hmac}

    def _version(self, registered: Registered) -> None:
        of, record_id = registered.of, registered.record_id
        if of.set:
            self._lines[tables.version].append(
                {"record_id": record_id, "set": of.set, "order": of.order}
            )
        for table, names in ((tables.version_name, of.names), (tables.replacement, of.replaces)):
            lines = self._lines[table]
            lines += [{"record_id": record_id, "hmac": name} for name in sorted(set(names))]

    def _relations(self, registered: Registered, subject: bytes | None) -> None:
        lines, keyring, record_id = self._lines, self._keyring, registered.record_id
        common = {"record_id": record_id, "version": registered.version()}
        for left, right, relation in registered.links:
            pair = sorted((left.hmac(keyring), right.hmac(keyring)))
            lines[tables.link].append(
                {**common, "left": pair[0], "right": pair[1], "relation": relation}
            )
        lines[tables.stated_key] += [
            {"record_id": record_id, "hmac": hmac, "position": position[:40]}
            for hmac, position in registered.keys
        ]
        if registered.mother is not None and subject is not None:
            lines[tables.kin].append(
                {**common, "child": subject, "mother": registered.mother.hmac(keyring)}
            )
        if registered.opposed_on is not None and registered.subject is not None:
            stated = Stated(registered.opposition_register)
            line = _opposition(
                keyring, registered.subject, registered.opposed_on, "CON", stated
            )  # fmt: skip
            lines[tables.opposition].append({**line, "record_id": record_id})
        self._notices += [
            Notice(record_id, STAGE, code, position) for code, position in registered.notices
        ]


def oppose(
    connection: Connection, keyring: Keyring, identifier: Identifier, opposed_on: dt.date,
    channel: str, stated: Stated = PLAIN, *, withdrawn_on: dt.date | None = None,
) -> None:  # fmt: skip
    """Adds one opposition; the number itself is kept as ciphertext for the DPO's own list."""
    line = _opposition(keyring, identifier, opposed_on, channel, stated)
    connection.execute(insert(tables.opposition).values(**line, withdrawn_on=withdrawn_on))


def sealed_line(
    keyring: Keyring, identifier: Identifier, born_on: dt.date | None
) -> dict[str, bytes | None]:
    """What a line of a register keeps of a number: its HMAC, and ciphertext for the DPO."""
    hmac = identifier.hmac(keyring)
    plain = f"{identifier.authority}\x1f{identifier.value}".encode()
    born = keyring.seal(REGISTER, born_on.isoformat().encode(), hmac) if born_on else None
    return {"identifier": hmac, "sealed": keyring.seal(REGISTER, plain, hmac), "born": born}


def opened_number(keyring: Keyring, line: Row[Any]) -> tuple[str, str]:
    """Authority and number of a line of a register.

    Raises:
        InvalidTag: the line was erased, or was sealed under another key.
    """
    authority, _, number = (
        keyring.unseal(REGISTER, line.sealed, line.identifier).decode().partition("\x1f")
    )
    return authority, number


def opened_birth(keyring: Keyring, line: Row[Any]) -> dt.date | None:
    """The date of birth that was given with the number, if it was."""
    if not line.born:
        return None
    return dt.date.fromisoformat(keyring.unseal(REGISTER, line.born, line.identifier).decode())


def _opposition(
    keyring: Keyring, identifier: Identifier, opposed_on: dt.date, channel: str, stated: Stated
) -> _Line:
    return {
        **sealed_line(keyring, identifier, stated.born_on),
        "opposed_on": opposed_on,
        "channel": channel[:40],
        "recorded_at": dt.datetime.now(dt.UTC).replace(tzinfo=None),
        "register": stated.register,
        "scope": stated.scope,
        "until": stated.until,
        "by_holder": stated.by_holder,
    }


def _insert_new(connection: Connection, table: Table) -> Insert:
    """Inserts unless the key is there: the same statement said again changes nothing."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
