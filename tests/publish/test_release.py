"""Publishing: one step, nothing left of what was deleted, the former release safe until then."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from entrepot.errors import ConfigurationError
from entrepot.publish.canonical import release_id, table_hashes
from entrepot.publish.release import ETL_TABLES, open_warehouse, publish, read_release

pytestmark = pytest.mark.core

Make = Callable[..., Path]

# Incompressible, so that its bytes stand in the file as they are.
DELETED = hashlib.sha256(b"deleted").hexdigest()
WORKING = hashlib.sha256(b"working").hexdigest()


def _persons(path: Path) -> int:
    with open_warehouse(path) as connection:
        row = connection.execute("SELECT count(*) FROM cdm.person").fetchone()
    return int(row[0]) if row else -1


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_candidate_becomes_the_release(make: Make, target: Path) -> None:
    candidate = make(3, "CREATE TABLE etl.run AS SELECT 'as_of' AS key, '2024-01-01' AS value")
    published = publish(candidate, target)
    assert published.path == target
    assert published.rows["person"] == 3
    assert len(published.rows) == len(published.hashes) == 39
    assert read_release(target) == published
    with open_warehouse(target) as connection:
        assert table_hashes(connection) == published.hashes
        assert connection.execute("SELECT key, value FROM etl.run").fetchall() == [
            ("as_of", "2024-01-01")
        ]
    assert _names(target.parent) == ["warehouse.duckdb", "work"]
    assert _names(candidate.parent) == []


def test_equal_content_has_an_equal_name(make: Make, target: Path) -> None:
    first = publish(make(3), target)
    again = publish(make(3), target)
    more = publish(make(4), target)
    assert first.release_id == again.release_id == release_id(first.hashes)
    assert first.release_id != more.release_id
    assert {t for t in first.hashes if first.hashes[t] != more.hashes[t]} == {"person"}


def test_only_cdm_and_the_named_etl_tables_are_published(make: Make, target: Path) -> None:
    etl = [f"CREATE TABLE etl.{name} AS SELECT 1 AS x" for name in ETL_TABLES]
    candidate = make(
        1,
        *etl,
        "CREATE TABLE etl.event_resolved AS SELECT 1 AS x",
        "CREATE TABLE cdm.working AS SELECT 1 AS x",
        "CREATE SCHEMA work",
        "CREATE TABLE work.event AS SELECT 1 AS x",
    )
    publish(candidate, target)
    with open_warehouse(target) as connection:
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()")
        published = set(tables.fetchall())
    assert {name for schema, name in published if schema == "etl"} == {*ETL_TABLES, "release"}
    assert {schema for schema, _ in published} == {"cdm", "etl"}
    assert ("cdm", "working") not in published


def test_nothing_deleted_or_dropped_survives_in_the_file(make: Make, target: Path) -> None:
    candidate = make(
        5,
        f"UPDATE cdm.person SET person_source_value = '{DELETED}' WHERE person_id = 4",
        "CHECKPOINT",
        "DELETE FROM cdm.person WHERE person_id = 4",
        f"CREATE TABLE etl.scratch AS SELECT '{WORKING}' AS x",
        "CHECKPOINT",
        "DROP TABLE etl.scratch",
        "CHECKPOINT",
    )
    before = candidate.read_bytes()
    assert DELETED.encode() in before, "the candidate does not hold what it should lose"
    publish(candidate, target)
    after = target.read_bytes()
    assert b"p3" in after
    assert DELETED.encode() not in after
    assert WORKING.encode() not in after


def test_leftovers_of_a_killed_run_do_no_harm(make: Make, target: Path) -> None:
    publish(make(1), target)
    (target.parent / ".warehouse.duckdb.next").write_bytes(b"half a file")
    (target.parent / ".warehouse.duckdb.next.wal").write_bytes(b"half a log")
    (target.parent / "warehouse.duckdb.wal").write_bytes(b"the log of another file")
    publish(make(2), target)
    assert _persons(target) == 2
    assert _names(target.parent) == ["warehouse.duckdb", "work"]


def test_what_a_killed_writer_committed_is_published(make: Make, target: Path) -> None:
    candidate = make(1)
    script = (
        f"import duckdb, os; c = duckdb.connect({str(candidate)!r});"
        " c.execute('INSERT INTO cdm.person BY NAME SELECT * REPLACE (100 AS person_id)"
        " FROM cdm.person'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert candidate.with_name("candidate.duckdb.wal").exists()
    publish(candidate, target)
    assert _persons(target) == 2
    assert _names(candidate.parent) == []


READER = """
import sys
from pathlib import Path
from entrepot.publish.release import open_warehouse
connection = open_warehouse(Path(sys.argv[1]))
for line in sys.stdin:
    print(connection.execute("SELECT count(*) FROM cdm.person").fetchone()[0], flush=True)
"""


def test_a_reader_keeps_its_release_and_the_next_one_gets_the_new(
    make: Make, target: Path, environment: dict[str, str]
) -> None:
    publish(make(3), target)
    here = open_warehouse(target)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as reader:
        assert reader.stdin
        assert reader.stdout

        def ask() -> int:
            assert reader.stdin
            assert reader.stdout
            reader.stdin.write("\n")
            reader.stdin.flush()
            return int(reader.stdout.readline())

        assert ask() == 3
        publish(make(8), target)
        assert ask() == 3
        assert here.execute("SELECT count(*) FROM person").fetchall() == [(3,)]
        assert _persons(target) == 8
        reader.stdin.close()
    here.close()


def test_what_is_durable_before_the_rename(
    make: Make, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file is flushed before it takes the name, the folder after (fsync(2), rename(2))."""
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        order.append(f"fsync {name}")
        fsync(descriptor)

    def watched_replace(source: Path, destination: Path) -> None:
        assert not Path(f"{source}.wal").exists()
        order.append(f"rename {source.name}")
        replace(source, destination)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    publish(make(1), target)
    new = ".warehouse.duckdb.next"
    assert order == [f"fsync {new}", f"rename {new}", "fsync research"]


def test_the_published_file_is_not_writable(make: Make, target: Path) -> None:
    publish(make(1), target)
    assert target.stat().st_mode & 0o222 == 0


def test_reading_a_release_that_is_none(tmp_path: Path) -> None:
    assert read_release(tmp_path / "absent.duckdb") is None
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA cdm")
    with pytest.raises(ConfigurationError, match="not a release"):
        read_release(path)
