"""Composes the road: register → door → map → gate → publish. DAGs and CLI call this function.

The warehouse is a pure function of landing, mappings, vocabulary, keys, registers and `as_of`;
a run that is killed anywhere is repeated by the same command and ends in the same warehouse.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, func, select

from entrepot import __version__
from entrepot.config import Site
from entrepot.errors import (
    EXIT_BLOCKED,
    EXIT_CLEAN,
    EXIT_QUARANTINED,
    ConfigurationError,
    SiteBusyError,
)
from entrepot.feeds.feeds import FeedMappings, load_feeds
from entrepot.keys import PERSON, Keyring, load_keyring
from entrepot.resources import data_files

if TYPE_CHECKING:
    from entrepot.quality.gate import Verdict

Progress = Callable[[str, int, int], None]
LOCK = ".run.lock"


@dataclass(frozen=True)
class RunResult:
    """What a run did; `exit_code` follows the command contract."""

    passed: bool
    published: bool
    release_id: str
    as_of: dt.datetime | None
    report: Path
    failures: tuple[str, ...]
    quarantined: int

    @property
    def exit_code(self) -> int:
        """0 clean, 3 blocked, 4 published with something quarantined."""
        if not self.passed:
            return EXIT_BLOCKED
        return EXIT_QUARANTINED if self.quarantined else EXIT_CLEAN


@contextmanager
def site_lock(site: Site) -> Iterator[None]:
    """One run at a time; the operating system frees the lock of a killed run.

    Raises:
        SiteBusyError: another run holds it.
    """
    descriptor = os.open(site.root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SiteBusyError(
            "another run works on this site", where=str(site.root), remedy="wait until it ends"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def run(site: Site, progress: Progress = lambda stage, done, total: None) -> RunResult:
    """Takes everything pending down the road.

    Raises:
        ConfigurationError: key, mapping, check, vocabulary or register is not fit to run; nothing
            was written.
        SiteBusyError: another run holds the site.
    """
    with site_lock(site):
        keyring = load_keyring(site.root_key)
        mappings = load_feeds(site.overlays)
        engine = _open_zone(site, keyring)
        try:
            return _Road(site, keyring, engine, mappings, progress).travel()
        finally:
            engine.dispose()


def _open_zone(site: Site, keyring: Keyring) -> Engine:
    from entrepot.landing.database import check_keyring, create_tables, zone_engine
    from entrepot.publication import gate_hold
    from entrepot.quality.plan import build_plan
    from entrepot.register.oppositions import require_fresh

    assert gate_hold is not None  # noqa: S101 - importing adds all tables of the zone to its metadata
    build_plan(site.overlays)  # a wrong check refuses the run before anything is written
    _require_vocabulary(site)
    engine = zone_engine(site)
    create_tables(engine)
    check_keyring(engine, keyring)
    with engine.connect() as connection:
        require_fresh(connection, site.config.oppositions)
    return engine


def _require_vocabulary(site: Site) -> None:
    from entrepot.vocabulary.load import read_release

    if not site.vocabulary.is_file():
        raise ConfigurationError(
            "no vocabulary is loaded", where=str(site.root), remedy="entrepot vocabulary load DIR"
        )
    read_release(site.vocabulary)


class _Road:
    """One run's inputs, and the stages in their order."""

    def __init__(
        self, site: Site, keyring: Keyring, engine: Engine, mappings: FeedMappings,
        progress: Progress,
    ) -> None:  # fmt: skip
        self._site, self._keyring, self._engine = site, keyring, engine
        self._mappings, self._progress = mappings, progress

    def travel(self) -> RunResult:
        """Register and door, then the load if anything it depends on changed."""
        generation, opposed = self._pseudonymise()
        as_of = self._as_of()
        if as_of is None and not self._site.warehouse.is_file():
            return self._finish(True, None, (), None)
        if as_of is None:  # the last person opposed: the release becomes empty
            as_of = dt.datetime.combine(self._site.config.data_start, dt.time())
        inputs = self._load_inputs(generation, opposed, as_of)
        if self._is_published(generation, inputs):
            return self._finish(True, as_of, (), None)
        return self._load(generation, opposed, as_of, inputs)

    def _pseudonymise(self) -> tuple[int, list[int]]:
        from entrepot.door.derivation import DoorPass
        from entrepot.register.registering import register_all
        from entrepot.register.snapshot import Snapshot

        register_all(
            self._site, self._engine, self._keyring, self._mappings, self._counter("register")
        )
        with self._engine.connect() as connection:
            snapshot = Snapshot(connection, self._keyring, self._site.config.register_)
        workers = self._site.config.workers or os.cpu_count() or 1
        door = DoorPass(self._site, self._engine, self._keyring, self._mappings)
        generation = door.run(snapshot, self._door_fingerprint(), workers, self._counter("door"))
        opposed = [
            self._keyring.number(PERSON, 53, "id", person.person_key)
            for person in snapshot.persons.values()
            if person.opposed
        ]
        return generation, sorted(opposed)

    def _counter(self, stage: str) -> Callable[[int], None]:
        total = self._received()
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            self._progress(stage, done, total)

        return count

    def _received(self) -> int:
        from entrepot.landing.tables import record

        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(record)) or 0)

    def _door_fingerprint(self) -> str:
        config = self._site.config
        rules = (__version__, self._mappings.fingerprint, config.sources, config.timezone)
        lists = _hash_files(data_files("mappings/text", "*", self._site.overlays))
        return hashlib.sha256(f"{rules!r}{lists}".encode()).hexdigest()

    def _as_of(self) -> dt.datetime | None:
        """The configured date, else the latest message time of the staged records."""
        from entrepot.door.tables import derivation
        from entrepot.register.tables import registration

        if self._site.config.as_of is not None:
            return self._site.config.as_of.replace(tzinfo=None)
        query = (
            select(func.max(registration.c.stated_at))
            .join(derivation, derivation.c.record_id == registration.c.record_id)
            .where(derivation.c.disposition == "staged")
        )
        with self._engine.connect() as connection:
            latest: dt.datetime | None = connection.scalar(query)
            return latest

    def _load_inputs(self, generation: int, opposed: list[int], as_of: dt.datetime) -> str:
        """A fingerprint of everything that the load depends on."""
        site = self._site
        files = [
            *data_files("mappings/omop", "*.sql", site.overlays),
            *data_files("mappings/concepts", "*.csv", site.overlays),
            *data_files("quality/checks", "*.yaml", site.overlays),
            *data_files("quality/thresholds", "*.csv", site.overlays),
            site.vocabulary,
        ]
        config = site.config
        rules = (__version__, generation, opposed, as_of, config.data_start, config.title)
        return hashlib.sha256(f"{rules!r}{_hash_files(files)}".encode()).hexdigest()

    def _is_published(self, generation: int, inputs: str) -> bool:
        from entrepot.publication import is_published

        with self._engine.connect() as connection:
            return is_published(connection, generation, inputs, self._site.warehouse)

    def _load(
        self, generation: int, opposed: list[int], as_of: dt.datetime, inputs: str
    ) -> RunResult:
        from entrepot.landing.database import write_transaction
        from entrepot.load import Load
        from entrepot.publication import record_publication
        from entrepot.publish.release import publish

        load = Load(self._site, generation, as_of, opposed, self._staged_counts())
        try:
            verdict = load.build_and_judge(self._progress)
        except BaseException:
            load.discard()  # rows that nobody judged must not lie about
            raise
        if not verdict.passed:
            load.discard()
            failures = tuple(f"{f.check_id} {f.table}" for f in verdict.failures)
            return self._finish(False, as_of, failures, verdict)
        self._progress("publish", 0, 1)
        held = load.held()
        publish(load.candidate, self._site.warehouse, memory_limit=self._site.config.memory_limit)
        with write_transaction(self._engine) as connection:
            record_publication(connection, generation, inputs, held)
        self._progress("publish", 1, 1)
        return self._finish(True, as_of, (), verdict)

    def _staged_counts(self) -> dict[str, int]:
        from entrepot.report.accounting import staged_counts

        with self._engine.connect() as connection:
            return staged_counts(connection)

    def _finish(
        self,
        passed: bool,
        as_of: dt.datetime | None,
        failures: tuple[str, ...],
        verdict: Verdict | None,
    ) -> RunResult:
        from entrepot.report.run_report import write_report

        report = write_report(self._site, self._engine, passed, as_of, failures, verdict)
        return RunResult(
            passed, passed and as_of is not None, report.release_id, as_of, report.path, failures,
            report.quarantined,
        )  # fmt: skip


def _hash_files(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
