"""Waits for other publishers and for readers, so that nobody is cut off and nobody waits long.

A name is resolved anew for every statement, and one by one: a statement, or a transaction with one
snapshot, that found one table before the switch and another after it would mix two releases. So
every table of the former release is locked before the switch. A reader who holds one table and asks
for another then waits for us while we wait for it: we give way at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from entrepot.errors import EntrepotError
from entrepot.publish.postgres_connection import execute

if TYPE_CHECKING:
    from entrepot.publish.postgres_connection import Database

# Two numbers name an advisory lock; the first says that it is ours.
_LOCK_CLASS = 0x0E57

# New readers wait while we wait. The first tries are shorter than the server's deadlock_timeout
# (1 s unless changed), so that no reader is ended with "deadlock detected" even if we are slow to
# give way; longer ones come only when readers were met that simply take longer.
_FIRST_WAIT_MILLISECONDS = 500
_LONGEST_WAIT_MILLISECONDS = 10_000
_LOOK_EVERY_SECONDS = 0.03

_PUBLISHERS = """
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = %s AND objid::bigint = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_HOLDERS = """
SELECT DISTINCT pid FROM pg_locks
WHERE locktype = 'relation' AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = ANY(%s::oid[])
ORDER BY 1
"""
# Cancels the wait of a process that waits for one which waits for it; the table it waited for.
_GIVE_WAY = """
SELECT relation::bigint, pg_cancel_backend(pid) FROM pg_locks
WHERE pid = %(pid)s AND locktype = 'relation' AND NOT granted
  AND EXISTS (SELECT FROM unnest(pg_blocking_pids(%(pid)s)) AS holder
              WHERE %(pid)s = ANY(pg_blocking_pids(holder)))
"""


class Patience:
    """How long a publication waits for others, in all."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def pause(self, longest: float) -> bool:
        """Waits a moment; False when the time is over."""
        left = self._end - time.monotonic()
        # At random, so as not to keep in step with a reader that repeats itself.
        moment = random.uniform(longest / 10, longest)  # noqa: S311 - no secret
        time.sleep(max(0.0, min(left, moment)))
        return left > 0


def take_turn(database: Database, schema: str, patience: Patience) -> None:
    """One publisher at a time; the lock goes with the transaction, however that ends.

    Raises:
        EntrepotError: another publisher works on the schema.
    """
    number = execute(database, "SELECT hashtext(%s)", (schema,))[0][0]
    statement = "SELECT pg_try_advisory_xact_lock(%s, %s)"
    while not execute(database, statement, (_LOCK_CLASS, number))[0][0]:
        if not patience.pause(1.0):
            holders = execute(database, _PUBLISHERS, (_LOCK_CLASS, number % 2**32))
            raise EntrepotError(
                f"another publication works on this schema (process {listed(holders)})",
                where=schema,
                remedy="wait until it ends, or SELECT pg_terminate_backend(…), then run again",
            )


def lock_tables(
    database: Database,
    second: Database,
    tables: Sequence[tuple[int, str]],
    patience: Patience,
) -> None:
    """Locks the tables, all of them, against every reader, until the transaction ends.

    Args:
        second: another connection of the same role, which looks on.
        tables: (oid, name).

    Raises:
        EntrepotError: readers do not end.
    """
    import psycopg

    names = dict(tables)
    order = list(names)
    wait = _first_wait(database)
    # Asked of the server: a connection pool between tells another number.
    pid = int(execute(database, "SELECT pg_backend_pid()")[0][0])
    while True:
        gave_way: list[int] = []
        try:
            with database.transaction():
                # Of the statement: lock_timeout would count for each of the tables anew.
                execute(database, f"SET LOCAL statement_timeout = {wait}")
                with _giving_way(second, pid, gave_way):
                    listing = ", ".join(names[oid] for oid in order)
                    execute(database, f"LOCK TABLE {listing} IN ACCESS EXCLUSIVE MODE")
                # A cancellation that came too late for the lock ends here, within the savepoint.
                execute(database, "SET LOCAL statement_timeout = 0")
            return
        except psycopg.errors.QueryCanceled:
            # Whoever holds nothing can wait for no one's harm: the busiest table is the first.
            order = [*gave_way, *(oid for oid in order if oid not in gave_way)]
            if not gave_way:
                wait = min(2 * wait, _LONGEST_WAIT_MILLISECONDS)
            if not patience.pause(0.1 if gave_way else wait / 1000):
                _give_up(database, order)


def listed(rows: Sequence[tuple[object, ...]]) -> str:
    """The first cells of a few rows."""
    return ", ".join(str(row[0]) for row in rows[:5]) or "unknown"


def _first_wait(database: Database) -> int:
    half = "SELECT setting::int / 2 FROM pg_settings WHERE name = 'deadlock_timeout'"
    return min(_FIRST_WAIT_MILLISECONDS, int(execute(database, half)[0][0]))


@contextmanager
def _giving_way(second: Database, pid: int, gave_way: list[int]) -> Iterator[None]:
    """Looks, beside the wait, whether it has become one of two that wait for each other."""
    import psycopg

    ended = threading.Event()

    def look() -> None:
        # Blind, we still give way when the time of the statement is over.
        with suppress(psycopg.Error):
            while not gave_way and not ended.wait(_LOOK_EVERY_SECONDS):
                found = second.execute(_GIVE_WAY.encode(), {"pid": pid}).fetchall()
                gave_way.extend(oid for oid, _ in found)

    watcher = threading.Thread(target=look, name="entrepot-giving-way")
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _give_up(database: Database, oids: Sequence[int]) -> None:
    holders = execute(database, _HOLDERS, (list(oids),))
    raise EntrepotError(
        f"readers keep the former release open (process {listed(holders)}): it stands",
        remedy="SELECT pid, usename, xact_start FROM pg_stat_activity shows them; end them or"
        " raise publish.wait_seconds, then run again",
    )
