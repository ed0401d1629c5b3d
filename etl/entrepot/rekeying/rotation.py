"""A new root key for a site: every key, sealed cell and look-up made anew, or nothing.

The rotation is a row of the zone's database with a state. Killed anywhere, it goes on from there
(`resume`); until it has ended no other command opens the zone. Everything that register and door
derive is removed; the next run derives it under the new key, from the same records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from entrepot.audit import Action, AuditLog
from entrepot.audit.actions import MAX_TEXT
from entrepot.config import Site
from entrepot.door.derivation import BUCKETS
from entrepot.errors import ConfigurationError
from entrepot.keys import site_keyring
from entrepot.landing.database import (
    FINGERPRINT,
    ROTATION,
    VERSION,
    check_keyring,
    create_tables,
    rebuild,
    write_transaction,
    zone_engine,
    zone_setting,
)
from entrepot.landing.settings import write_setting
from entrepot.landing.tables import record
from entrepot.lock import site_lock
from entrepot.people import person
from entrepot.publication import disown_publication
from entrepot.register.store import forget
from entrepot.register.tables import erased_record
from entrepot.rekeying import former, landed, recoding, roots, succession
from entrepot.rekeying.recoding import Roots
from entrepot.rekeying.tables import rotation, zone_tables

Progress = Callable[[str, int, int], None]
_PAGE = 5000


class State(StrEnum):
    """How far a rotation has come."""

    STARTED = "started"  # records are being sealed again
    RECODED = "recoded"  # every row is under the new key; the former one still opens the site
    SWITCHED = "switched"  # the new key is the site's; the former one and its files remain
    DONE = "done"


@dataclass(frozen=True)
class Rotated:
    """What a rotation did.

    Args:
        version: of the new root key.
        persons: of the release in place, whose ids the re-keying map keeps.
        records: sealed again.
    """

    version: int
    old: str
    new: str
    persons: int
    records: int


def rotate(
    site: Site, by: str, reason: str, progress: Progress, *, new_key_command: str = ""
) -> Rotated:
    """Gives the site a new root key.

    Args:
        by: somebody with the profile `dpo`.
        new_key_command: prints the new key, for sites whose key is not in a file.

    Raises:
        ConfigurationError: not allowed, no reason, or another root key than the zone's.
        EntrepotError: a table that cannot be re-keyed, no space, or a row that does not open;
            before the first change, or to be resumed.
        SiteBusyError: a run or an ingest works on the site.
    """
    person(site, by, "dpo")
    stated = reason.strip()
    if not stated or len(stated) > MAX_TEXT:
        raise ConfigurationError(f"a rotation needs a reason of 1 to {MAX_TEXT} characters")
    with _opened(site) as engine:
        old = site_keyring(site)
        check_keyring(engine, old)
        with engine.connect() as connection:
            recoding.require_known(connection)
        landed.require_space(site)
        new = roots.new_root(site, new_key_command)
        if new.fingerprint in {old.fingerprint, *(one.fingerprint for one in old.former)}:
            raise ConfigurationError("the new root key is this site's, or was")
        _begin(site, engine, Roots(old, new), by, stated)
        return _Rotation(site, engine, Roots(old, new), progress).run()


def _begin(site: Site, engine: Engine, both: Roots, by: str, reason: str) -> None:
    """Logs the rotation and closes the zone to every other command."""
    begun: dict[str, Any] = {
        "version": both.old.version + 1, "old": both.old.fingerprint,
        "new": both.new.fingerprint, "by": by, "reason": reason,
    }  # fmt: skip
    AuditLog(site, both.old).append(Action.KEYS_ROTATED, {"step": "begun", **begun})
    line = {
        **begun, "state": State.STARTED, "last_segment": landed.last_segment(site),
        "started_at": _now(), "persons": 0, "records": 0,
    }  # fmt: skip
    with write_transaction(engine) as connection:
        connection.execute(insert(rotation).values(line))
        write_setting(connection, ROTATION, str(begun["version"]))


def resume(site: Site, progress: Progress, *, new_key_command: str = "") -> Rotated:
    """Goes on with a rotation that was interrupted.

    Raises:
        ConfigurationError: none was, or one of its two root keys is missing.
        EntrepotError: as `rotate`.
        SiteBusyError: it still works, or another command does.
    """
    with _opened(site) as engine:
        with engine.connect() as connection:
            line = under_way(connection)
        if line is None:
            raise ConfigurationError(
                "no rotation was interrupted", where=str(site.root), remedy="entrepot keys show"
            )
        both = roots.both(site, line.old, line.new, new_key_command, line.state == State.SWITCHED)
        return _Rotation(site, engine, both, progress).run()


def under_way(connection: Connection) -> Row[Any] | None:
    """The line of the rotation that has not ended."""
    return connection.execute(select(rotation).where(rotation.c.state != State.DONE)).one_or_none()


class _Rotation:
    """One rotation from its state to its end."""

    def __init__(self, site: Site, engine: Engine, both: Roots, progress: Progress) -> None:
        self._site, self._engine, self._roots, self._progress = site, engine, both, progress

    def run(self) -> Rotated:
        """Does what its state leaves to do; each step may be repeated."""
        steps = {
            State.STARTED: self._recode,
            State.RECODED: self._switch,
            State.SWITCHED: self._clean,
        }
        while (state := State(self._line().state)) is not State.DONE:
            steps[state]()
        line = self._line()
        return Rotated(line.version, line.old, line.new, line.persons, line.records)

    def _line(self) -> Row[Any]:
        query = select(rotation).where(rotation.c.new == self._roots.new.fingerprint)
        with self._engine.connect() as connection:
            return connection.execute(query).one()

    def _recode(self) -> None:
        line, done = self._line(), 0
        with self._engine.connect() as connection:
            ids = list(connection.scalars(select(record.c.record_id)))

        def count(more: int) -> None:
            nonlocal done
            done += more
            self._progress("rotate", done, len(ids))

        landed.reseal(self._site, self._engine, self._roots, line.last_segment, count)
        with write_transaction(self._engine) as connection:
            held = former.published_persons(connection, self._roots.old)
            persons = len({person_id for person_id, _ in held})
            held |= former.numbered_persons(
                connection, self._roots.old, self._site.config.register_
            )
            recoding.recode(connection, self._roots)
            landed.carry_erased(connection, self._roots.new)
            again = sorted(set(ids) - set(connection.scalars(select(erased_record.c.record_id))))
            for start in range(0, len(again), _PAGE):
                forget(connection, again[start : start + _PAGE])
            former.keep(connection, self._roots.new, line.version - 1, held)
            disown_publication(connection)
            write_setting(connection, BUCKETS, "")  # the door writes all of staging anew
            records = self._check(connection)
            self._set(connection, State.RECODED, persons=persons, records=records)

    def _check(self, connection: Connection) -> int:
        """Nothing is committed, and no former key goes, before all opens under the new one."""
        recoding.check(connection, self._roots.new)
        return landed.check(connection, self._roots.new)

    def _switch(self) -> None:
        line = self._line()
        self._roots = succession.close(self._site, self._roots, line)
        roots.put_in_place(self._site)
        with write_transaction(self._engine) as connection:
            write_setting(connection, FINGERPRINT, self._roots.new.fingerprint)
            write_setting(connection, VERSION, str(line.version))
            self._set(connection, State.SWITCHED)

    def _clean(self) -> None:
        succession.open_(self._site, self._roots.new, self._line())
        landed.remove_former(self._site, self._line().last_segment)
        rebuild(self._engine)
        roots.destroy_old(self._site)
        with write_transaction(self._engine) as connection:
            connection.execute(delete(zone_setting).where(zone_setting.c.key == ROTATION))
            self._set(connection, State.DONE, ended_at=_now())

    def _set(self, connection: Connection, state: State, **values: Any) -> None:
        own = rotation.c.new == self._roots.new.fingerprint
        connection.execute(update(rotation).where(own).values(state=state, **values))


@contextmanager
def _opened(site: Site) -> Iterator[Engine]:
    """The zone's database with every table, while nobody else works on the site."""
    with site_lock(site):
        zone_tables()
        engine = zone_engine(site)
        try:
            create_tables(engine)
            yield engine
        finally:
            engine.dispose()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
