"""The register pass: every landed record that is not registered yet, by one writer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from itertools import islice

from sqlalchemy import Connection, Engine, delete, func, select

from entrepot.config import Site
from entrepot.feeds.feeds import FeedMappings, Feeds
from entrepot.keys import Keyring
from entrepot.landing.database import write_transaction
from entrepot.landing.ledger import Ledger, add_notices
from entrepot.landing.segments import SegmentReader
from entrepot.landing.settings import read_setting, write_setting
from entrepot.landing.sniff import CDA, FHIR, HL7V2
from entrepot.landing.tables import REPLAYED, Notice, RecordRow, notice
from entrepot.register.erased import ERASED, stripped
from entrepot.register.erasures import apply_erasures
from entrepot.register.person import Identifier
from entrepot.register.refusal import Refusal
from entrepot.register.registration import Landed, Registered, Registrar
from entrepot.register.store import forget, store
from entrepot.register.tables import (
    erased_record,
    identifier,
    registration,
    spelling,
    version,
)

FINGERPRINT = "register_fingerprint"
BATCH_RECORDS = 500
FORMATS = frozenset({HL7V2, FHIR, CDA})
REUSED = "control_id_reused"
CONFLICT = "version_conflict"
_ORDER_WITHOUT_CONTENT = 12 + 1 + 20  # version number | time

Progress = Callable[[int], None]


def register_all(
    site: Site, engine: Engine, keyring: Keyring, mappings: FeedMappings, progress: Progress
) -> None:
    """Registers what is new; registers all anew when mappings or rules of identity changed.

    The list of erasures is applied first, and what comes of an erased person is destroyed in the
    transaction that registers it.

    Args:
        progress: called with the number of records done.

    Raises:
        ConfigurationError: the list of erasures is damaged or older than what was noted.
    """
    _forget_if_changed(site, engine, mappings)
    registrar = Registrar(site.config, keyring, Feeds(mappings))
    # Twice where somebody was erased: what was just read may part others from them.
    for _ in range(2):
        parted = apply_erasures(site, engine, keyring).parted
        if not _register_new(site, engine, keyring, registrar, parted, progress):
            break
    with write_transaction(engine) as connection:
        _notice_reused_controls(connection)
        _notice_conflicts(connection)


def _register_new(
    site: Site, engine: Engine, keyring: Keyring, registrar: Registrar,
    parted: Collection[int], progress: Progress,
) -> bool:  # fmt: skip
    """Registers what is new, by batches; whether the list of erasures has to be applied again."""
    with engine.connect() as connection:
        done = set(connection.scalars(select(registration.c.record_id)))
        refusal = Refusal(connection, site, keyring, parted)
    rows = (row for row in Ledger(engine, keyring).records() if row.record_id not in done)
    registered_any = False
    with SegmentReader(site.segments, keyring) as reader, refusal:
        while batch := list(islice(rows, BATCH_RECORDS)):
            registered = [_judged(registrar, reader, refusal, row) for row in batch]
            with write_transaction(engine) as connection:
                store(connection, keyring, registered)
                refusal.settle(connection)
            progress(len(batch))
            registered_any = True
    return registered_any and refusal.needed


def rules_fingerprint(site: Site, mappings: FeedMappings) -> str:
    """What the registrations depend on besides the records."""
    config = site.config
    consents = (config.oppositions.con_types, config.rights.optout_types)
    rules = (config.register_, consents, config.sources, config.timezone)
    return hashlib.sha256(f"{mappings.fingerprint}{rules!r}".encode()).hexdigest()


def _register(registrar: Registrar, reader: SegmentReader, row: RecordRow) -> Registered:
    if row.fault is not None and (row.wrapped_key is not None or row.fault.reason == REPLAYED):
        disposition = "excluded" if row.fault.reason == REPLAYED else "quarantined"
        return Registered(row.record_id, disposition, row.fault.reason, row.fault.position)
    if row.wrapped_key is None:
        return stripped(row.record_id, ERASED)
    return registrar.register(_landed(reader, row))


def _judged(
    registrar: Registrar, reader: SegmentReader, refusal: Refusal, row: RecordRow
) -> Registered:
    registered = _register(registrar, reader, row)
    numbers: list[Identifier] = []
    named = registered.subject or registered.ins
    if refusal.needed and not named and row.wrapped_key is not None and row.format in FORMATS:
        numbers = registrar.own_numbers(_landed(reader, row))
    return refusal.judge(registered, row, numbers)


def _landed(reader: SegmentReader, row: RecordRow) -> Landed:
    return Landed(row.record_id, row.source, row.format, reader.read(row), row.received_at)


def _forget_if_changed(site: Site, engine: Engine, mappings: FeedMappings) -> None:
    current = rules_fingerprint(site, mappings)
    with write_transaction(engine) as connection:
        if read_setting(connection, FINGERPRINT) == current:
            return
        known = _readable(connection)
        for start in range(0, len(known), BATCH_RECORDS):
            forget(connection, known[start : start + BATCH_RECORDS])
        for table in (identifier, spelling):  # what the former rules found is found anew or gone
            connection.execute(delete(table))
        write_setting(connection, FINGERPRINT, current)


def _readable(connection: Connection) -> list[int]:
    """Registered records that can be read again: an erased one keeps what is known of it."""
    gone = select(erased_record.c.record_id)
    query = select(registration.c.record_id).where(registration.c.record_id.not_in(gone))
    return list(connection.scalars(query))


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
