"""Reading a record's content by hand: the one way to it, and the log of who did it and why.

Each access is an entry of the audit log, durable before the bytes are deciphered, so that no
content is ever seen without its line.
"""

from __future__ import annotations

from entrepot.audit import Action, AuditLog
from entrepot.audit.actions import MAX_TEXT
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.landing.database import check_keyring, create_tables, zone_engine
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import ErasedRecordError, SegmentReader
from entrepot.landing.tables import RecordRow


def read_content(site: Site, keyring: Keyring, record_id: int, why: str) -> bytes:
    """The record's bytes as they were landed; the access is logged first.

    Args:
        why: what the reader needs the content for; kept in the log.

    Raises:
        ConfigurationError: no reason given, no such record, or another root key.
        ErasedRecordError: its key was erased.
        EntrepotError: the log cannot be written (nothing is read), or the bytes are damaged.
    """
    reason = require_reason(why)
    row = _row(site, keyring, record_id)
    with SegmentReader(site.segments, keyring) as reader:
        log = AuditLog(site, keyring)
        log.append(Action.CONTENT_READ, {"record": record_id, "why": reason})
        return reader.read(row)


def require_reason(why: str) -> str:
    """The reason without the blanks around it.

    Raises:
        ConfigurationError: none, or too long for a log.
    """
    reason = why.strip()
    if reason and len(reason) <= MAX_TEXT:
        return reason
    raise ConfigurationError(
        f"reading content needs a reason of 1 to {MAX_TEXT} characters",
        remedy='--reason-for-access "why"',
    )


def _row(site: Site, keyring: Keyring, record_id: int) -> RecordRow:
    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        row = next(Ledger(engine, keyring).records(ids=[record_id]), None)
    finally:
        engine.dispose()
    if row is None:
        raise unknown_record(record_id)
    if row.wrapped_key is None:
        raise erased_record(record_id)
    return row


def unknown_record(record_id: int) -> ConfigurationError:
    """What is said of an id that no record has."""
    return ConfigurationError(f"there is no record {record_id}", remedy="entrepot quarantine list")


def erased_record(record_id: int) -> ErasedRecordError:
    """What is said of a record whose key is gone."""
    return ErasedRecordError(
        f"record {record_id} was erased: only its line in the ledger is left",
        remedy="nothing; its content cannot come back",
    )
