"""Readers while releases follow each other: each sees one of them, whole, and none is cut off.

In release n every table of TABLES holds n rows, and `release` says so too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from entrepot.config import Publish
from entrepot.errors import EntrepotError
from entrepot.publish.ddl import ddl
from entrepot.publish.postgres import PostgresRelease, publish_postgres
from entrepot.publish.release import publish
from postgres_server import Given, Server

pytestmark = pytest.mark.integration

SIZES = (3, 5, 7, 11)
FILL = {
    "person": "SELECT i, 8507, 1950, NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL,"
    " NULL, NULL, NULL, NULL",
    "observation_period": "SELECT i, i, DATE '2024-01-01', DATE '2024-01-02', 0",
    "death": "SELECT i, DATE '2024-01-02', NULL, NULL, 0, NULL, NULL",
    "fact_relationship": "SELECT 0, i, 0, i, 0",
}
TABLES = tuple(FILL)
PUBLICATIONS = 6


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A release of each size."""
    folder = tmp_path_factory.mktemp("releases")
    made = {}
    for size in SIZES:
        candidate, made[size] = folder / "candidate", folder / f"{size}.duckdb"
        with duckdb.connect(str(candidate)) as connection:
            connection.execute(ddl("duckdb"))
            connection.execute("CREATE SCHEMA etl")
            for table, select in FILL.items():
                connection.execute(f"INSERT INTO cdm.{table} {select} FROM range({size}) AS t(i)")
        publish(candidate, made[size])
    return made


class Place:
    """A schema of its own, its publisher, and connections that read it."""

    def __init__(self, url: str, schema: str, files: dict[int, Path]) -> None:
        self.url, self.schema, self._files = url, schema, files

    def publish(self, size: int, wait_seconds: float = 60) -> PostgresRelease:
        settings = {"url": self.url, "schema": self.schema, "wait_seconds": wait_seconds}
        return publish_postgres(self._files[size], Publish.model_validate(settings))

    def reader(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url, autocommit=True)

    def counts(self) -> str:
        """One statement that names every table."""
        stated = f"(SELECT row_count FROM {self.schema}_etl.release WHERE cdm_table = '{{0}}')"
        cells = [f"(SELECT count(*) FROM {self.schema}.{table})" for table in TABLES]
        return "SELECT " + ", ".join([*cells, *map(stated.format, TABLES)])

    def count(self, table: str) -> str:
        return f"SELECT count(*) FROM {self.schema}.{table}"


@pytest.fixture
def place(server: Server | Given, files: dict[int, Path], request: pytest.FixtureRequest) -> Place:
    """A first release of 3 rows a table."""
    made = Place(server.url(), f"r{abs(hash(request.node.name)) % 10**9}", files)
    made.publish(3)
    return made


def _one(connection: psycopg.Connection[tuple[Any, ...]], sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row


def _statements(place: Place, seen: set[tuple[Any, ...]], ended: threading.Event) -> None:
    with place.reader() as connection:
        while not ended.is_set():
            seen.add(_one(connection, place.counts()))


def _prepared(place: Place, seen: set[tuple[Any, ...]], ended: threading.Event) -> None:
    with place.reader() as connection:
        while not ended.is_set():
            row = connection.execute(place.counts().encode(), prepare=True).fetchone()
            seen.add(row or ())


def _snapshots(place: Place, seen: set[tuple[Any, ...]], ended: threading.Event) -> None:
    """The snapshot is taken first, the tables are met one by one, at any moment of a load."""
    with place.reader() as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        pause = 0.0
        while not ended.is_set():
            with connection.transaction():
                _one(connection, "SELECT txid_current_snapshot()")
                row = []
                for table in TABLES:
                    ended.wait(pause)
                    row.append(_one(connection, place.count(table))[0])
            seen.add(tuple(row))
            pause = (pause + 0.013) % 0.1


def _unqualified(place: Place, seen: set[tuple[Any, ...]], ended: threading.Event) -> None:
    """Names without their schema, as most researchers write them."""
    with place.reader() as connection:
        connection.execute(f"SET search_path = {place.schema}, {place.schema}_etl".encode())
        statement = place.counts().replace(f"{place.schema}_etl.", "")
        while not ended.is_set():
            seen.add(_one(connection, statement.replace(f"{place.schema}.", "")))


def _transactions(place: Place, seen: set[tuple[Any, ...]], ended: threading.Event) -> None:
    """READ COMMITTED: each statement has a snapshot of its own, the locks last."""
    with place.reader() as connection:
        while not ended.is_set():
            with connection.transaction():
                seen.add(tuple(_one(connection, place.count(table))[0] for table in TABLES))


def test_every_reader_sees_whole_releases_only(place: Place) -> None:
    readers = (_statements, _prepared, _unqualified, _snapshots, _transactions)
    seen: dict[str, set[tuple[Any, ...]]] = {reader.__name__: set() for reader in readers}
    ended = threading.Event()
    with ThreadPoolExecutor(len(readers)) as pool:
        running = [pool.submit(one, place, seen[one.__name__], ended) for one in readers]
        try:
            for number in range(PUBLICATIONS):
                place.publish(SIZES[number % len(SIZES)])
        finally:
            ended.set()
        for one in running:
            one.result()  # a reader that was refused, or ended by a deadlock, fails here
    for name, rows in seen.items():
        assert all(len(set(row)) == 1 for row in rows), (name, rows)
        assert {row[0] for row in rows} <= set(SIZES), name
        assert len(rows) > 1, f"{name} met no publication"


def test_a_snapshot_older_than_the_release_finds_it_filled(place: Place) -> None:
    with place.reader() as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            _one(connection, "SELECT txid_current_snapshot()")
            place.publish(5)
            assert set(_one(connection, place.counts())) == {5}
            # By an index, which was built after the snapshot.
            connection.execute("SET LOCAL enable_seqscan = off")
            found = _one(connection, place.count("person") + " WHERE person_id = 4")
            assert found == (1,)


@pytest.fixture
def publishing(place: Place) -> Iterator[Callable[..., threading.Thread]]:
    """Publishes in a thread, and waits until it waits for the readers."""
    threads: list[threading.Thread] = []

    def start(size: int, outcome: list[object], wait_seconds: float = 60) -> threading.Thread:
        def act() -> None:
            try:
                outcome.append(place.publish(size, wait_seconds))
            except EntrepotError as error:
                outcome.append(error)

        thread = threading.Thread(target=act)
        threads.append(thread)
        thread.start()
        with place.reader() as connection:
            while not _one(connection, WAITING)[0]:
                assert thread.is_alive()
                time.sleep(0.01)
        return thread

    yield start
    for thread in threads:
        thread.join()


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"


def test_a_reader_who_holds_one_table_and_asks_for_the_next_keeps_the_former_release(
    place: Place, publishing: Callable[..., threading.Thread]
) -> None:
    outcome: list[object] = []
    with place.reader() as connection:
        with connection.transaction():
            found = [_one(connection, place.count(TABLES[-1]))[0]]
            publishing(5, outcome)
            # Waits while the publisher waits for us; it gives way before either is a deadlock.
            found += [_one(connection, place.count(table))[0] for table in TABLES]
            assert found == [3] * 5
            assert outcome == []
        while not outcome:
            time.sleep(0.01)
        assert isinstance(outcome[0], PostgresRelease)
        assert set(_one(connection, place.counts())) == {5}


def test_a_reader_who_never_ends_stops_the_publication_and_not_the_other_readers(
    place: Place, publishing: Callable[..., threading.Thread]
) -> None:
    outcome: list[object] = []
    with place.reader() as idle, place.reader() as other, idle.transaction():
        _one(idle, place.count("person"))
        thread = publishing(5, outcome, wait_seconds=3)
        served = 0
        while thread.is_alive():
            assert set(_one(other, place.counts())) == {3}
            served += 1
        assert served > 3
        (error,) = outcome
        assert isinstance(error, EntrepotError)
        assert f"process {idle.info.backend_pid}" in error.what
        assert "publish.wait_seconds" in error.remedy
        assert _one(idle, place.count("death")) == (3,)
        assert _one(other, f"SELECT to_regnamespace('{place.schema}_next')") == (None,)
    assert place.publish(5).rows["person"] == 5
