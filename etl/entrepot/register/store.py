"""Writes registrations, in one transaction per batch: a killed pass goes on where it stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from entrepot.keys import REGISTER, Keyring
from entrepot.landing.ledger import add_notices
from entrepot.landing.tables import Notice, notice
from entrepot.register import tables
from entrepot.register.person import Identifier
from entrepot.register.registration import Registered

STAGE = "register"


def store(connection: Connection, keyring: Keyring, batch: Iterable[Registered]) -> None:
    """Inserts the registrations and all that hangs on them; the caller holds the transaction."""
    for registered in batch:
        _store_one(connection, keyring, registered)


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


def _store_one(connection: Connection, keyring: Keyring, registered: Registered) -> None:
    subject = _keep_identifiers(connection, keyring, registered)
    digest = None
    if registered.payload and subject is not None:
        digest = keyring.digest(REGISTER, subject, registered.payload)
        sealed = keyring.seal(REGISTER, registered.payload, subject)
        _insert_new(
            connection, tables.identity, {"subject": subject, "digest": digest, "sealed": sealed}
        )
    connection.execute(
        insert(tables.registration).values(
            record_id=registered.record_id,
            event=registered.event[:64],
            stated_at=registered.stated_at,
            control=registered.control,
            subject=subject,
            ins=registered.ins.hmac(keyring) if registered.ins else None,
            identity_digest=digest,
            secret=registered.secret,
            disposition=registered.disposition,
            reason=registered.reason,
            position=registered.position[:40],
            referred=registered.referred,
            personal=registered.personal,
        )
    )
    _store_version(connection, registered)
    _store_relations(connection, keyring, registered, subject)


def _keep_identifiers(
    connection: Connection, keyring: Keyring, registered: Registered
) -> bytes | None:
    linked = [i for left, right, _ in registered.links for i in (left, right)]
    stated = None if registered.referred else registered.subject
    named = [stated, registered.mother, *registered.also, *linked]
    for one in {i for i in named if i is not None}:
        row = {
            "hmac": one.hmac(keyring),
            "authority": one.authority[:120],
            "person_key": one.person_key(keyring),
        }
        _insert_new(connection, tables.identifier, row)
        alias = one.alias(keyring)
        if alias is not None:
            _insert_new(connection, tables.spelling, {"alias": alias, "hmac": row["hmac"]})
    if registered.subject is not None:
        return registered.subject.hmac(keyring)
    return registered.ins.hmac(keyring) if registered.ins is not None else None


def _store_version(connection: Connection, registered: Registered) -> None:
    of, record_id = registered.of, registered.record_id
    if of.set:
        row = {"record_id": record_id, "set": of.set, "order": of.order}
        connection.execute(insert(tables.version).values(row))
    for table, names in ((tables.version_name, of.names), (tables.replacement, of.replaces)):
        rows = [{"record_id": record_id, "hmac": name} for name in sorted(set(names))]
        if rows:
            connection.execute(insert(table), rows)


def _store_relations(
    connection: Connection, keyring: Keyring, registered: Registered, subject: bytes | None
) -> None:
    common = {"record_id": registered.record_id, "version": registered.version()}
    for left, right, relation in registered.links:
        pair = sorted((left.hmac(keyring), right.hmac(keyring)))
        row = {**common, "left": pair[0], "right": pair[1], "relation": relation}
        connection.execute(insert(tables.link).values(row))
    for hmac, position in registered.keys:
        row = {"record_id": registered.record_id, "hmac": hmac, "position": position[:40]}
        connection.execute(insert(tables.stated_key).values(row))
    if registered.mother is not None and subject is not None:
        row = {**common, "child": subject, "mother": registered.mother.hmac(keyring)}
        connection.execute(insert(tables.kin).values(row))
    if registered.opposed_on is not None and registered.subject is not None:
        oppose(
            connection, keyring, registered.subject, registered.opposed_on, "CON",
            record_id=registered.record_id,
        )  # fmt: skip
    add_notices(
        connection,
        (
            Notice(registered.record_id, STAGE, code, position)
            for code, position in registered.notices
        ),
    )


def oppose(
    connection: Connection, keyring: Keyring, identifier: Identifier, opposed_on: dt.date,
    channel: str, *, withdrawn_on: dt.date | None = None, record_id: int | None = None,
) -> None:  # fmt: skip
    """Adds one opposition; the number itself is kept as ciphertext for the DPO's own list."""
    hmac = identifier.hmac(keyring)
    plain = f"{identifier.authority}\x1f{identifier.value}".encode()
    connection.execute(
        insert(tables.opposition).values(
            identifier=hmac,
            sealed=keyring.seal(REGISTER, plain, hmac),
            opposed_on=opposed_on,
            withdrawn_on=withdrawn_on,
            channel=channel[:40],
            recorded_at=dt.datetime.now(dt.UTC).replace(tzinfo=None),
            record_id=record_id,
        )
    )


def _insert_new(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    """Inserts unless the key is there: the same statement said again changes nothing."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
