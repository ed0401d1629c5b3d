"""Appending to the log: one line under a file lock, durable before the act that it stands for.

A line that a crash cut short belongs to an act that never took place. The next append ends it with
a line feed and takes its number; `verify` tells it as torn. When the file ends before the head
that was noted, the next entry follows the noted head, so that work goes on and the gap stays.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.audit.actions import Action, Facts, check_facts
from entrepot.audit.entry import MAX_LINE, Entry, Sealer
from entrepot.audit.head import Head, HeadRecord
from entrepot.config import Site
from entrepot.durable import sync
from entrepot.errors import EntrepotError
from entrepot.keys import Keyring

if TYPE_CHECKING:
    from sqlalchemy import Connection

NAME = "audit.log"
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def log_path(site: Site) -> Path:
    """Where the log lies: never in the research zone."""
    return site.identifying / NAME


class AuditLog:
    """The log of one site, for whoever is about to act."""

    def __init__(self, site: Site, keyring: Keyring) -> None:
        self._site, self._sealer = site, Sealer(keyring)

    def append(
        self, action: Action, facts: Facts | None = None, connection: Connection | None = None
    ) -> Head:
        """Logs an act; when it returns, the line is on the disk and the act may begin.

        Args:
            facts: ids, counts and reasons among those that `action` may state; no identifier.
            connection: of a caller within a transaction of the zone's database. Without it the
                caller must not be in one: SQLite would wait for itself.

        Raises:
            EntrepotError: the line or the head cannot be written; the act must not take place.
            ValueError: a fact that the act does not state.
        """
        stated = dict(facts or {})
        check_facts(action, stated)
        record = HeadRecord(self._site, connection)
        record.prepare()
        with _opened(self._site) as descriptor:
            base, torn = self._base(descriptor, record)
            entry = Entry(
                base.sequence + 1, _now(), _account(), _login(), str(action), stated, base.mac
            )
            line, mac = self._sealer.line(entry)
            if len(line) >= MAX_LINE:
                raise ValueError(f"{action} states too much")
            _write(descriptor, b"\n" * torn + line + b"\n")
        # After the lock: who holds the database and waits for the file must not wait for us.
        head = Head(entry.sequence, mac)
        record.advance(head)
        return head

    def _base(self, descriptor: int, record: HeadRecord) -> tuple[Head, bool]:
        """What the next entry follows, and whether the last line lacks its end."""
        size = os.fstat(descriptor).st_size
        start = max(0, size - 4 * MAX_LINE)
        lines = os.pread(descriptor, size - start, start).split(b"\n")
        last = Head()
        for line in reversed(lines):
            entry = self._sealer.genuine(line)
            if entry is not None:
                last = Head(entry.sequence, entry.mac)
                break
        noted = record.read() or Head()
        return (last if last.sequence > noted.sequence else noted), bool(lines[-1])


def read_entries(site: Site, keyring: Keyring) -> Iterator[Entry]:
    """The genuine entries, in the order of the file; `verify` says whether they are all."""
    sealer = Sealer(keyring)
    path = log_path(site)
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            entry = sealer.genuine(line.removesuffix(b"\n"))
            if entry is not None:
                yield entry


@contextmanager
def _opened(site: Site) -> Iterator[int]:
    """The file, locked against other processes and threads; made for its owner alone."""
    try:
        site.identifying.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = log_path(site)
        new = not path.exists()
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise _refused(error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
        if new:
            sync(site.identifying)
    except OSError as error:
        raise _refused(error) from None
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    """All of it or nothing: what a full disk let through is taken back."""
    size = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):  # where it may only grow, the rest stays as a torn line
            os.ftruncate(descriptor, size)
        raise


def _refused(error: OSError) -> EntrepotError:
    return EntrepotError(
        f"the audit log cannot be written ({error.strerror}): the act is refused",
        where=f"identifying/{NAME}",
        remedy="free space on the identifying zone's disk, or mend its rights",
    )


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


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
