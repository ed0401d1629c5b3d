"""Publishing: one step, nothing left of what was deleted, the former release safe until then."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import entrepot
from entrepot.errors import EXIT_BLOCKED, ConfigurationError, EntrepotError, GateBlockedError
from entrepot.publish.canonical import release_id, table_hashes
from entrepot.publish.ddl import ddl
from entrepot.publish.release import ETL_TABLES, open_warehouse, publish, read_release

SOURCE_ROOT = Path(entrepot.__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}

PERSON = (
    "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth, race_concept_id,"
    " ethnicity_concept_id, person_source_value)"
    " SELECT i, 8507, 1950, 0, 0, 'p' || i FROM range({}) AS t(i)"
)
# Incompressible, so that its bytes stand in the file as they are.
DELETED = hashlib.sha256(b"deleted").hexdigest()
WORKING = hashlib.sha256(b"working").hexdigest()

Make = Callable[..., Path]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "research" / "warehouse.duckdb"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a candidate with `persons` persons and more statements."""

    def write(persons: int, *statements: str, enforce_required: bool = True) -> Path:
        path = tmp_path / "research" / "work" / "candidate.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute(ddl("duckdb", "cdm", enforce_required=enforce_required))
            connection.execute("CREATE SCHEMA etl")
            connection.execute(PERSON.format(persons))
            for statement in statements:
                connection.execute(statement)
        return path

    return write


def _persons(path: Path) -> int:
    with open_warehouse(path) as connection:
        row = connection.execute("SELECT count(*) FROM cdm.person").fetchone()
    return int(row[0]) if row else -1


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.core
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


@pytest.mark.core
def test_equal_content_has_an_equal_name(make: Make, target: Path) -> None:
    first = publish(make(3), target)
    again = publish(make(3), target)
    more = publish(make(4), target)
    assert first.release_id == again.release_id == release_id(first.hashes)
    assert first.release_id != more.release_id
    assert {t for t in first.hashes if first.hashes[t] != more.hashes[t]} == {"person"}


@pytest.mark.core
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


@pytest.mark.core
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


@pytest.mark.core
def test_leftovers_of_a_killed_run_do_no_harm(make: Make, target: Path) -> None:
    publish(make(1), target)
    (target.parent / ".warehouse.duckdb.next").write_bytes(b"half a file")
    (target.parent / ".warehouse.duckdb.next.wal").write_bytes(b"half a log")
    (target.parent / "warehouse.duckdb.wal").write_bytes(b"the log of another file")
    publish(make(2), target)
    assert _persons(target) == 2
    assert _names(target.parent) == ["warehouse.duckdb", "work"]


@pytest.mark.core
def test_what_a_killed_writer_committed_is_published(make: Make, target: Path) -> None:
    candidate = make(1)
    script = (
        f"import duckdb, os; c = duckdb.connect({str(candidate)!r});"
        f" c.execute({PERSON.format(4)!r}); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert candidate.with_name("candidate.duckdb.wal").exists()
    publish(candidate, target)
    assert _persons(target) == 5
    assert _names(candidate.parent) == []


READER = """
import sys
from pathlib import Path
from entrepot.publish.release import open_warehouse
connection = open_warehouse(Path(sys.argv[1]))
for line in sys.stdin:
    print(connection.execute("SELECT count(*) FROM cdm.person").fetchone()[0], flush=True)
"""


@pytest.mark.core
def test_a_reader_keeps_its_release_and_the_next_one_gets_the_new(make: Make, target: Path) -> None:
    publish(make(3), target)
    here = open_warehouse(target)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
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


@pytest.mark.core
def test_an_empty_required_field_blocks_and_the_former_release_stands(
    make: Make, target: Path
) -> None:
    publish(make(2), target)
    former = target.read_bytes()
    candidate = make(3, "UPDATE cdm.person SET year_of_birth = NULL", enforce_required=False)
    with pytest.raises(GateBlockedError, match=r"cdm\.person") as fault:
        publish(candidate, target)
    assert fault.value.exit_code == EXIT_BLOCKED
    assert target.read_bytes() == former
    assert _names(target.parent) == ["warehouse.duckdb", "work"]


@pytest.mark.core
@pytest.mark.parametrize(
    "spoil",
    [
        "DROP TABLE cdm.note",
        "ALTER TABLE cdm.note DROP COLUMN note_title",
        "DROP TABLE cdm.person; CREATE TABLE cdm.person AS SELECT 'DUPONT' AS person_id,"
        " 1 AS gender_concept_id",
        "ALTER TABLE cdm.person ALTER year_of_birth TYPE VARCHAR;"
        " UPDATE cdm.person SET year_of_birth = 'DUPONT'",
    ],
)
def test_a_candidate_that_is_no_cdm_is_refused_without_a_value(
    make: Make, target: Path, spoil: str
) -> None:
    publish(make(2), target)
    former = target.read_bytes()
    with pytest.raises(ConfigurationError) as fault:
        publish(make(3, *spoil.split(";")), target)
    assert "DUPONT" not in str(fault.value)
    assert fault.value.where in {"cdm.note", "cdm.person"}
    assert target.read_bytes() == former


@pytest.mark.core
def test_no_candidate_or_a_damaged_one_is_told(make: Make, target: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no candidate"):
        publish(tmp_path / "absent.duckdb", target)
    damaged = make(1)
    damaged.write_bytes(b"not a database" * 1000)
    with pytest.raises(EntrepotError, match="could not be written"):
        publish(damaged, target)
    assert not target.exists()


@pytest.mark.core
def test_a_full_disk_leaves_the_former_release(make: Make, target: Path) -> None:
    publish(make(2), target)
    former = target.read_bytes()
    candidate = make(
        2,
        "INSERT INTO cdm.concept_synonym SELECT i, hash(i)::VARCHAR || hash(-i)::VARCHAR, 0"
        " FROM range(200000) AS t(i)",
    )
    limit = len(former) + 500_000
    assert candidate.stat().st_size > limit

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    script = (
        "import sys; from pathlib import Path; from entrepot.errors import EntrepotError\n"
        "from entrepot.publish.release import publish\n"
        "try: publish(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except EntrepotError as fault: print(fault)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(candidate), str(target)],
        preexec_fn=small_files,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=True,
    )
    assert "the disk is full: the former release stands untouched" in done.stdout
    assert target.read_bytes() == former
    assert _names(target.parent) == ["warehouse.duckdb", "work"]
    assert _names(candidate.parent) == ["candidate.duckdb"]
    assert publish(candidate, target).rows["concept_synonym"] == 200_000


@pytest.mark.core
@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        ("fsync", errno.ENOSPC, "the disk is full"),
        ("fsync", errno.EIO, "could not be written"),
        ("replace", errno.EDQUOT, "the disk is full"),
        ("replace", errno.EACCES, "could not be written"),
    ],
)
def test_a_failing_disk_before_the_rename_leaves_the_former_release(
    make: Make,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    error: int,
    told: str,
) -> None:
    publish(make(2), target)
    former = target.read_bytes()
    candidate = make(3)

    def fail(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(EntrepotError, match=told):
            publish(candidate, target)
    assert target.read_bytes() == former
    assert _names(target.parent) == ["warehouse.duckdb", "work"]
    assert publish(candidate, target).rows["person"] == 3


@pytest.mark.core
def test_a_disk_that_fails_after_the_rename_says_that_the_release_is_in_place(
    make: Make, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(make(2), target)
    candidate = make(3)
    real = os.fsync
    calls = []

    def second_fails(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(EntrepotError, match="the new release is in place"):
        publish(candidate, target)
    assert _persons(target) == 3


@pytest.mark.core
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


@pytest.mark.core
def test_the_published_file_is_not_writable(make: Make, target: Path) -> None:
    publish(make(1), target)
    assert target.stat().st_mode & 0o222 == 0


@pytest.mark.core
def test_reading_a_release_that_is_none(tmp_path: Path) -> None:
    assert read_release(tmp_path / "absent.duckdb") is None
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA cdm")
    with pytest.raises(ConfigurationError, match="not a release"):
        read_release(path)


@pytest.mark.integration
def test_killed_between_any_two_steps(make: Make, target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "crash"
    folder.mkdir()
    publish(make(2), target).path.rename(folder / "old.template")
    expected = publish(make(5), target).release_id
    make(5).rename(folder / "candidate.template")
    script = Path(__file__).with_name("crash_at_each_line.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), expected],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    # Both sides of the rename were met, and every kill was one or the other.
    assert counts["old"] > 20
    assert counts["new"] > 4
    assert counts["killed"] == counts["old"] + counts["new"]
