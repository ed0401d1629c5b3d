"""The door pass: derives every record whose digest changed, bucket by bucket.

Each slice ends in one database transaction that records the dispositions and names the staging
generation that holds their rows: a killed pass goes on after its last slice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, Row, delete, insert, select

from entrepot.config import Site
from entrepot.door.identities import identity_of, stays_of
from entrepot.door.readings import add_readings, forget_readings
from entrepot.door.record import Task
from entrepot.door.tables import derivation
from entrepot.door.workers import BatchResult, Derive, Outcome, derive_all
from entrepot.feeds.feeds import FeedMappings
from entrepot.keys import RECORD, Keyring
from entrepot.landing.database import write_transaction
from entrepot.landing.ledger import Ledger, add_notices
from entrepot.landing.segments import SegmentReader
from entrepot.landing.settings import read_setting, write_setting
from entrepot.landing.tables import Notice, RecordRow, notice
from entrepot.register.snapshot import Person, Snapshot, Standing
from entrepot.staging.store import (
    SITE_BUCKET,
    bucket_of,
    remove_other_generations,
    write_generation,
)

STAGE = "door"
GENERATION = "staging_generation"
BUCKETS = "staging_buckets"
SLICE_RECORDS = 20_000
BATCH_RECORDS = 100
MOST_RECORDS = 500  # of one person: a server's export may hold thousands
NOBODY = Person(b"")  # whose the records of units and professionals are

Progress = Callable[[int], None]


class DoorPass:
    """One pass over all records of a site."""

    def __init__(
        self, site: Site, engine: Engine, keyring: Keyring, mappings: FeedMappings,
        derive: Derive = derive_all,
    ) -> None:  # fmt: skip
        self._site, self._engine, self._keyring = site, engine, keyring
        self._mappings, self._derive_all = mappings, derive
        self._ledger = Ledger(engine, keyring)
        self._buckets = str(site.config.staging.buckets)
        self._anew = False

    def run(self, snapshot: Snapshot, fingerprint: str, workers: int, progress: Progress) -> int:
        """Derives what changed; returns the staging generation in force.

        Args:
            fingerprint: of mappings, lists, configuration and code.
            progress: called with the number of records done.
        """
        with self._engine.connect() as connection:
            generation = int(read_setting(connection, GENERATION) or 0)
            known = {row.record_id: row for row in connection.execute(select(derivation))}
            self._anew = read_setting(connection, BUCKETS) != self._buckets
        if self._anew:  # files are named by bucket: another number of them is another store
            known = {}
        remove_other_generations(self._site.staging, generation)
        standings = snapshot.standings(fingerprint)
        changed = [s for s in standings if _digest(known.get(s.record_id)) != s.digest]
        for part in self._slices(changed, snapshot):
            generation = self._derive(part, known, snapshot, generation, workers)
            remove_other_generations(self._site.staging, generation)
            progress(len(part))
        return generation

    def _slices(self, changed: list[Standing], snapshot: Snapshot) -> Iterator[list[Standing]]:
        """Whole buckets, so that each bucket's file is written once."""
        buckets: dict[str, list[Standing]] = defaultdict(list)
        for standing in changed:
            person = _person_key(standing, snapshot)
            buckets[bucket_of(person, self._site.config.staging.buckets)].append(standing)
        part: list[Standing] = []
        for name in sorted(buckets):
            part += sorted(buckets[name], key=lambda s: (_person_key(s, snapshot), s.record_id))
            if len(part) >= SLICE_RECORDS:
                yield part
                part = []
        if part:
            yield part

    def _derive(
        self, part: list[Standing], known: dict[int, Row[Any]], snapshot: Snapshot,
        generation: int, workers: int,
    ) -> int:  # fmt: skip
        rows = {row.record_id: row for row in self._ledger.records(ids=[s.record_id for s in part])}
        to_read = [s for s in part if s.disposition == "known" and s.record_id in rows]
        results = self._derive_all(
            self._batches(to_read, rows, snapshot), len(to_read), self._site.config,
            self._keyring, self._mappings, workers,
        )  # fmt: skip
        tables, outcomes = _collect(results)
        removed = self._removed(part, known, rows)
        buckets = self._site.config.staging.buckets
        following = write_generation(
            self._site.staging, generation, tables, removed, buckets, anew=self._anew
        )
        settled = {outcome.record_id: outcome for outcome in outcomes}
        with write_transaction(self._engine) as connection:
            keys = {row.record_id: self._record_key(row) for row in rows.values()}
            if self._anew:
                connection.execute(delete(derivation))
                forget_readings(connection)
            _record(connection, part, settled, keys, following)
            write_setting(connection, BUCKETS, self._buckets)
            write_setting(connection, GENERATION, str(following))
        self._anew = False
        return following

    def _batches(
        self, standings: list[Standing], rows: dict[int, RecordRow], snapshot: Snapshot
    ) -> Iterator[list[Task]]:
        reader = SegmentReader(self._site.segments, self._keyring)
        person, identity, stays = b"", identity_of([]), {}
        batch: list[Task] = []
        with reader, self._engine.connect() as connection:
            for standing in standings:
                root = standing.person or b""
                if root != person:
                    known = snapshot.persons.get(root)
                    ever, now = snapshot.identity(connection, known) if known else ([], [])
                    person, identity, stays = root, identity_of(ever), stays_of(now)
                    if len(batch) >= BATCH_RECORDS:
                        yield batch
                        batch = []
                row = rows[standing.record_id]
                known = snapshot.persons[root] if root else NOBODY
                batch.append(
                    Task(
                        row.record_id, row.source, row.format, reader.read(row), row.received_at,
                        self._record_key(row), known.person_key, known.mother_key, identity, stays,
                    )
                )  # fmt: skip
                if len(batch) >= MOST_RECORDS:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def _record_key(self, row: RecordRow) -> str:
        return self._keyring.keyed(RECORD, row.address)

    def _removed(
        self, part: list[Standing], known: dict[int, Row[Any]], rows: dict[int, RecordRow]
    ) -> dict[str, set[str]]:
        """Bucket -> keys of records whose former rows go."""
        removed: dict[str, set[str]] = defaultdict(set)
        for standing in part:
            former = known.get(standing.record_id)
            if former is None or former.disposition != "staged":
                continue
            key = self._record_key(rows[standing.record_id])
            bucket = bucket_of(former.person_key, self._site.config.staging.buckets)
            removed[bucket].add(key)
            removed[SITE_BUCKET].add(key)
        return removed


def _digest(row: Row[Any] | None) -> bytes | None:
    return None if row is None else row.digest


def _person_key(standing: Standing, snapshot: Snapshot) -> str:
    return "" if standing.person is None else snapshot.persons[standing.person].person_key


def _collect(results: Iterator[BatchResult]) -> tuple[dict[str, pa.Table], list[Outcome]]:
    tables: dict[str, list[pa.Table]] = defaultdict(list)
    outcomes: list[Outcome] = []
    for result in results:
        outcomes += result.outcomes
        for kind, table in result.tables.items():
            tables[kind].append(table)
    return {kind: pa.concat_tables(found) for kind, found in tables.items()}, outcomes


def _record(
    connection: Connection,
    part: list[Standing],
    settled: dict[int, Outcome],
    keys: dict[int, str],
    generation: int,
) -> None:
    ids = [standing.record_id for standing in part]
    for start in range(0, len(ids), 500):
        page = ids[start : start + 500]
        connection.execute(delete(derivation).where(derivation.c.record_id.in_(page)))
        connection.execute(
            delete(notice).where(notice.c.record_id.in_(page), notice.c.stage == STAGE)
        )
    lines = [
        {**_line(one, settled.get(one.record_id), generation), "record_key": keys[one.record_id]}
        for one in part
    ]
    connection.execute(insert(derivation), lines)
    forget_readings(connection, ids)
    add_readings(connection, settled.values())
    add_notices(
        connection,
        (
            Notice(outcome.record_id, STAGE, code, position)
            for outcome in settled.values()
            for code, position in outcome.notices
        ),
    )


def _line(standing: Standing, outcome: Outcome | None, generation: int) -> dict[str, object]:
    line: dict[str, object] = {
        "record_id": standing.record_id,
        "digest": standing.digest,
        "person_key": "",
        "disposition": standing.disposition,
        "reason": standing.reason,
        "position": standing.position,
        "kinds": "{}",
        "generation": generation,
    }
    if outcome is not None:
        line.update(
            person_key=outcome.person_key,
            disposition=outcome.disposition,
            reason=outcome.reason,
            position=outcome.position,
            kinds=json.dumps(outcome.kinds, sort_keys=True),
        )
    return line
