"""Publishing when something fails: the former release stands, and nothing is left over."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from entrepot.errors import EXIT_BLOCKED, ConfigurationError, EntrepotError, GateBlockedError
from entrepot.publish.release import open_warehouse, publish

Make = Callable[..., Path]


def _persons(path: Path) -> int:
    with open_warehouse(path) as connection:
        row = connection.execute("SELECT count(*) FROM cdm.person").fetchone()
    return int(row[0]) if row else -1


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
def test_a_full_disk_leaves_the_former_release(
    make: Make, target: Path, environment: dict[str, str]
) -> None:
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
        env=environment,
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


@pytest.mark.integration
def test_killed_between_any_two_steps(tmp_path: Path, environment: dict[str, str]) -> None:
    script = Path(__file__).with_name("crash_at_each_line.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(script.parent.parent)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    # Both sides of the rename were met, and every kill was one or the other.
    assert counts["old"] > 20
    assert counts["new"] > 4
    assert counts["killed"] == counts["old"] + counts["new"]
