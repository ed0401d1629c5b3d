"""Publishes to PostgreSQL, and does itself harm on the way.

    python publisher.py FILE URL SCHEMA kill TABLES

is killed (SIGKILL) when so many tables are loaded.

    python publisher.py FILE URL SCHEMA lines

forks one child per line of the code that locks and switches, each killed at its line. FILE has two
releases, `FILE.old` and `FILE.new`; what PostgreSQL holds after each kill is counted. Exit 1 and a
message when a kill leaves anything but one whole release.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

# Imported here once, and not in every child; an engine's threads start with its first use.
import duckdb  # noqa: F401
import psycopg
from pyarrow import csv  # noqa: F401

from children import in_child
from entrepot.config import Publish
from entrepot.publish import postgres, postgres_locks, postgres_switch

# The end of the transaction, and what follows it; a kill in the load is a test of its own.
MODULES = {
    postgres.__file__: {"publish_postgres"},
    postgres_locks.__file__: {"lock_tables"},
    postgres_switch.__file__: {"switch"},
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def settings(url: str, schema: str) -> Publish:
    return Publish.model_validate({"url": url, "schema": schema, "wait_seconds": 30})


def is_killed(action: Callable[[], None]) -> bool:
    """Whether a child was killed at its work; its own failure ends this process too."""
    status = in_child(action)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
        sys.exit("the publication failed without being killed")
    return os.WIFSIGNALED(status)


def kill_at(step: int) -> Callable[[FrameType, str, Any], Any]:
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_name not in MODULES.get(frame.f_code.co_filename, ()):
            return None
        place = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and place not in seen:
            seen.add(place)
            if len(seen) == step:
                die()
        return trace

    return trace


def held(url: str, schema: str) -> str:
    """The release that PostgreSQL holds, which must be whole, and nothing beside it."""
    now, stated = postgres.hash_postgres(settings(url, schema))
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT nspname::text FROM pg_namespace WHERE nspname ~ %s ORDER BY 1",
            (f"^{schema}(_|$)",),
        ).fetchall()
    if now != stated or found != [(schema,), (f"{schema}_etl",)]:
        sys.exit(f"not a whole release: {found}")
    found_release = postgres.read_postgres(settings(url, schema))
    return found_release.release_id if found_release else ""


def at_each_line(file: str, url: str, schema: str) -> dict[str, int]:
    counts = {"killed": 0, "old": 0, "new": 0}
    old, new = (Path(f"{file}.{name}") for name in ("old", "new"))
    former = found = ""
    for step in range(1, 500):
        if found != former or not former:
            is_killed(lambda: publish(old, url, schema))
            former = held_in_child(url, schema, file)

        def publish_and_die(step: int = step) -> None:
            sys.settrace(kill_at(step))
            publish(new, url, schema)

        if not is_killed(publish_and_die):
            return counts
        found = held_in_child(url, schema, file)
        counts["killed"] += 1
        counts["old" if found == former else "new"] += 1
    return counts


def publish(path: Path, url: str, schema: str) -> None:
    postgres.publish_postgres(path, settings(url, schema))


def held_in_child(url: str, schema: str, file: str) -> str:
    # Threads of an engine do not survive a fork: the parent starts none.
    told = Path(f"{file}.held")
    is_killed(lambda: told.write_text(held(url, schema)) and None)
    return told.read_text()


def main(file: str, url: str, schema: str, how: str, tables: str = "") -> None:
    if how == "lines":
        sys.stdout.write(json.dumps(at_each_line(file, url, schema)) + "\n")
        return

    def progress(done: int, total: int) -> None:
        if done == int(tables):
            die()

    postgres.publish_postgres(Path(f"{file}.new"), settings(url, schema), progress=progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
