"""Publishes again and again in child processes, each killed (SIGKILL) one line later than the last.

    python crash_at_each_line.py FOLDER RELEASE_ID

FOLDER holds `candidate.template`, whose release is RELEASE_ID, and `old.template`. After every kill
the target must be the old file or the new release, and publishing once more must end in the new one
with nothing left over.
Prints one JSON line: {"killed": n, "old": n, "new": n}. Exit 1 and a message when one line fails.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from entrepot.publish import release
from entrepot.publish.canonical import table_hashes

STEPS_AT_MOST = 500
# Their lines only write into the new file, as the lines of _write around them do.
PER_TABLE = frozenset({"_copy", "_copy_etl", "_state"})


def kill_at(step: int) -> Callable[[FrameType, str, Any], Any]:
    """A trace function that kills this process at the `step`-th new line of release.py."""
    seen: set[int] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if code.co_filename != release.__file__ or code.co_name in PER_TABLE:
            return None
        if event == "line" and frame.f_lineno not in seen:
            seen.add(frame.f_lineno)
            if len(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def in_child(action: Callable[[], None]) -> int:
    """Runs `action` in a forked process; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sound(target: Path, expected: str) -> None:
    """The file is a whole release: it opens, and its tables are those its own hashes name."""
    said = release.read_release(target)
    if said is None or said.release_id != expected:
        raise AssertionError("the target is another release")
    connection = release.open_warehouse(target)
    found = table_hashes(connection)
    connection.close()
    if dict(said.hashes) != found:
        raise AssertionError("the target is not a whole release")


def one_kill(folder: Path, step: int, expected: str) -> str:
    """The outcome of a kill at one step: `old`, `new`, or `end` when the run got through."""
    site, work = folder / "site", folder / "site" / "work"
    shutil.rmtree(site, ignore_errors=True)
    work.mkdir(parents=True)
    target, candidate = site / "warehouse.duckdb", work / "candidate.duckdb"
    shutil.copyfile(folder / "old.template", target)
    shutil.copyfile(folder / "candidate.template", candidate)
    old = digest(target)

    def publish_and_die() -> None:
        sys.settrace(kill_at(step))
        release.publish(candidate, target)

    status = in_child(publish_and_die)
    if not os.WIFSIGNALED(status):
        return "end" if status == 0 else "failed"
    outcome = "old" if digest(target) == old else "new"
    if outcome == "new" and in_child(lambda: sound(target, expected)):
        return "torn"

    def again() -> None:
        if candidate.exists() and release.publish(candidate, target).release_id != expected:
            raise AssertionError("another release was published")

    if in_child(again) or digest(target) == old:
        return "not mended"
    left = sorted(path.name for path in (*site.iterdir(), *work.iterdir()))
    return outcome if left == ["warehouse.duckdb", "work"] else f"left over: {left}"


def main(folder: Path, expected: str) -> int:
    counts = {"killed": 0, "old": 0, "new": 0}
    for step in range(1, STEPS_AT_MOST):
        outcome = one_kill(folder, step, expected)
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
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
