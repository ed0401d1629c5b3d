"""The register pass: every landed record that is not registered yet, by one writer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy import Connection, Engine, delete, func, select

from entrepot.config import Site
from entrepot.feeds.feeds import FeedMappings, Feeds
from entrepot.keys import Keyring
from entrepot.landing.database import write_transaction
from entrepot.landing.ledger import Ledger, add_notices
from entrepot.landing.segments import SegmentReader
from entrepot.landing.settings import read_setting, write_setting
from entrepot.landing.tables import REPLAYED, Notice, RecordRow, notice
from entrepot.register.registration import Landed, Registered, Registrar
from entrepot.register.store import forget, store
from entrepot.register.tables import identifier, registration, spelling, version

FINGERPRINT = "register_fingerprint"
BATCH_RECORDS = 500
REUSED = "control_id_reused"
CONFLICT = "version_conflict"
_ORDER_WITHOUT_CONTENT = 12 + 1 + 20  # version number | time

Progress = Callable[[int], None]


def register_all(
    site: Site, engine: Engine, keyring: Keyring, mappings: FeedMappings, progress: Progress
) -> None:
    """Registers what is new; registers all anew when mappings or rules of identity changed.

    Args:
        progress: called with the number of records done.
    """
    ledger = Ledger(engine, keyring)
    _forget_if_changed(site, engine, mappings)
    with engine.connect() as connection:
        done = set(connection.scalars(select(registration.c.record_id)))
    registrar = Registrar(site.config, keyring, Feeds(mappings))
    rows = (row for row in ledger.records() if row.record_id not in done)
    with SegmentReader(site.segments, keyring) as reader:
        while batch := list(islice(_readable(rows), BATCH_RECORDS)):
            registered = [_register(registrar, reader, row) for row in batch]
            with write_transaction(engine) as connection:
                store(connection, keyring, registered)
            progress(len(batch))
    with write_transaction(engine) as connection:
        _notice_reused_controls(connection)
        _notice_conflicts(connection)


def rules_fingerprint(site: Site, mappings: FeedMappings) -> str:
    """What the registrations depend on besides the records."""
    config = site.config
    rules = (config.register_, config.oppositions.con_types, config.sources, config.timezone)
    return hashlib.sha256(f"{mappings.fingerprint}{rules!r}".encode()).hexdigest()


def _readable(rows: Iterator[RecordRow]) -> Iterator[RecordRow]:
    """Records with bytes, and those that need none: landing has said what is wrong with them."""
    return (row for row in rows if row.wrapped_key is not None or row.fault is not None)


def _register(registrar: Registrar, reader: SegmentReader, row: RecordRow) -> Registered:
    if row.fault is not None:
        disposition = "excluded" if row.fault.reason == REPLAYED else "quarantined"
        return Registered(row.record_id, disposition, row.fault.reason, row.fault.position)
    content = reader.read(row)
    return registrar.register(
        Landed(row.record_id, row.source, row.format, content, row.received_at)
    )


def _forget_if_changed(site: Site, engine: Engine, mappings: FeedMappings) -> None:
    current = rules_fingerprint(site, mappings)
    with write_transaction(engine) as connection:
        if read_setting(connection, FINGERPRINT) == current:
            return
        known = list(connection.scalars(select(registration.c.record_id)))
        for start in range(0, len(known), BATCH_RECORDS):
            forget(connection, known[start : start + BATCH_RECORDS])
        for table in (identifier, spelling):  # what the former rules found is found anew or gone
            connection.execute(delete(table))
        write_setting(connection, FINGERPRINT, current)


def _notice_reused_controls(connection: Connection) -> None:
    """MSH-10 repeats in real feeds with other content: told, never used as an identity."""
    connection.execute(delete(notice).where(notice.c.code == REUSED))
    table = registration
    reused = (
        select(table.c.control)
        .where(table.c.control.is_not(None))
        .group_by(table.c.control)
        .having(func.count() > 1)
    )
    ids = connection.scalars(select(table.c.record_id).where(table.c.control.in_(reused)))
    add_notices(connection, [Notice(one, "register", REUSED, "MSH-10") for one in ids])


def _notice_conflicts(connection: Connection) -> None:
    """Two versions of one resource, stated at the same time, that say different things."""
    connection.execute(delete(notice).where(notice.c.code == CONFLICT))
    rank = func.substr(version.c.order, 1, _ORDER_WITHOUT_CONTENT).label("rank")
    tied = (
        select(version.c.set, rank)
        .group_by(version.c.set, rank)
        .having(func.count() > 1)
        .subquery()
    )
    query = select(version.c.record_id).join(
        tied, (version.c.set == tied.c.set) & (rank == tied.c.rank)
    )
    add_notices(
        connection, [Notice(one, "register", CONFLICT, "") for one in connection.scalars(query)]
    )
