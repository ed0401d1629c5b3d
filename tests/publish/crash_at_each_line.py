"""Publishes again and again in child processes, each killed (SIGKILL) one line later than the last.

    python crash_at_each_line.py FOLDER

After every kill the target must be the old file or the new release, and publishing once more must
end in the new one with nothing left over. The CDM is cut down to three tables, or the many small
statements of 39 would take minutes. Prints one JSON line: {"killed": n, "old": n, "new": n}.
Exit 1 and a message when one kill does harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb  # here, so that it is imported once and not in every child

from children import in_child
from entrepot.omop.cdm import Cdm, load_cdm
from entrepot.publish import canonical, ddl, release

TABLES = ("person", "death", "cdm_source")
STEPS_AT_MOST = 500


@dataclass(frozen=True)
class Ground:
    """The files before a kill, made once."""

    folder: Path
    old: Path
    candidate: Path
    release_id: str

    @property
    def target(self) -> Path:
        return self.folder / "site" / "warehouse.duckdb"

    @property
    def work(self) -> Path:
        return self.folder / "site" / "work"


def cut_down() -> None:
    """Three tables instead of 39, in every module that reads the model."""
    small = Cdm(tuple(load_cdm().table(name) for name in TABLES))
    for module in (canonical, ddl, release):
        vars(module)["load_cdm"] = lambda: small


def write_candidate(path: Path, persons: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(ddl.ddl("duckdb"))
        connection.execute("CREATE SCHEMA etl; CREATE TABLE etl.run AS SELECT 1 AS x")
        connection.execute(
            "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth,"
            f" race_concept_id, ethnicity_concept_id) SELECT i, 0, 1950, 0, 0 FROM range({persons})"
            " AS t(i)"
        )


def make_ground(folder: Path) -> Ground:
    """Old release, candidate and the name of its release; engines run in children only."""
    old, candidate, named = folder / "old", folder / "candidate", folder / "named"

    def write() -> None:
        write_candidate(folder / "first", 2)
        release.publish(folder / "first", old)
        write_candidate(candidate, 5)
        shutil.copyfile(candidate, folder / "second")
        named.write_text(release.publish(folder / "second", folder / "new").release_id)

    if in_child(write):
        raise AssertionError("the ground could not be made")
    return Ground(folder, old, candidate, named.read_text())


def kill_at(step: int) -> Callable[[FrameType, str, Any], Any]:
    """A trace function that kills this process at the `step`-th new line of release.py."""
    seen: set[int] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != release.__file__:
            return None
        if event == "line" and frame.f_lineno not in seen:
            seen.add(frame.f_lineno)
            if len(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sound(ground: Ground) -> None:
    """The target is the new release, whole: its tables are those that its own hashes name."""
    said = release.read_release(ground.target)
    if said is None or said.release_id != ground.release_id:
        raise AssertionError("the target is another release")
    connection = release.open_warehouse(ground.target)
    found = canonical.table_hashes(connection)
    connection.close()
    if dict(said.hashes) != found:
        raise AssertionError("the target is not a whole release")


def one_kill(ground: Ground, step: int) -> str:
    """The outcome of a kill at one step: `old`, `new`, or `end` when the run got through."""
    shutil.rmtree(ground.folder / "site", ignore_errors=True)
    ground.work.mkdir(parents=True)
    candidate = ground.work / "candidate.duckdb"
    shutil.copyfile(ground.old, ground.target)
    shutil.copyfile(ground.candidate, candidate)

    def publish_and_die() -> None:
        sys.settrace(kill_at(step))
        release.publish(candidate, ground.target)

    status = in_child(publish_and_die)
    if not os.WIFSIGNALED(status):
        return "end" if status == 0 else "failed"
    outcome = "old" if digest(ground.target) == digest(ground.old) else "new"
    if outcome == "new" and in_child(lambda: sound(ground)):
        return "torn"

    def again() -> None:
        if candidate.exists():
            release.publish(candidate, ground.target)
        sound(ground)

    if in_child(again):
        return "not mended"
    left = sorted(path.name for path in (*ground.target.parent.iterdir(), *ground.work.iterdir()))
    return outcome if left == ["warehouse.duckdb", "work"] else f"left over: {left}"


def main(folder: Path) -> int:
    cut_down()
    ground = make_ground(folder)
    counts = {"killed": 0, "old": 0, "new": 0}
    for step in range(1, STEPS_AT_MOST):
        outcome = one_kill(ground, step)
        if outcome == "end":
            break
        if outcome not in counts:
            sys.stderr.write(f"kill at line {step} of the run: {outcome}\n")
            return 1
        counts[outcome] += 1
        counts["killed"] += 1
    sys.stdout.write(json.dumps(counts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
