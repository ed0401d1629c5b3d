"""Reading a record's content by hand: the one way to it, and the log of who did it and why.

The log is one JSON line per access in the identifying zone (`access.log`): appended and durable
before the bytes are deciphered, so that no content is ever seen without its line.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pwd
from pathlib import Path

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring
from entrepot.landing.database import check_keyring, create_tables, private_folder, zone_engine
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import ErasedRecordError, SegmentReader
from entrepot.landing.tables import RecordRow

MAX_WHY = 500
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW


def access_log(site: Site) -> Path:
    """Where the log lies: never in the research zone."""
    return site.identifying / "access.log"


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
        _log(site, record_id, reason)
        return reader.read(row)


def require_reason(why: str) -> str:
    """The reason without the blanks around it.

    Raises:
        ConfigurationError: none, or too long for a log.
    """
    reason = why.strip()
    if reason and len(reason) <= MAX_WHY:
        return reason
    raise ConfigurationError(
        f"reading content needs a reason of 1 to {MAX_WHY} characters",
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


def _log(site: Site, record_id: int, why: str) -> None:
    """Appends one line and waits until the disk has it."""
    line = json.dumps(
        {
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "who": _account(),
            "login": _login(),
            "record": record_id,
            "why": why,
        },
        ensure_ascii=False,
    )
    private_folder(site.identifying)
    try:
        descriptor = os.open(access_log(site), _FLAGS, 0o600)
        try:
            os.write(descriptor, _mended(descriptor) + line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise EntrepotError(
            f"the access log cannot be written ({error.strerror}): nothing is shown",
            where="identifying/access.log",
            remedy="free space on the identifying zone's disk, or mend its rights",
        ) from None


def _mended(descriptor: int) -> bytes:
    """A line that a crash cut short must not swallow the next one."""
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _account() -> str:
    """The account of this process; environment variables could be set to another's name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _login() -> str:
    """Who logged in at the terminal: differs from the account when it is a shared one."""
    try:
        return os.getlogin()
    except OSError:
        return ""
