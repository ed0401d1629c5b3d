"""Loading a vocabulary and resolving a batch of codes, beside a bare pass over the same files.

    python bench/vocabulary.py [--concepts 1000000] [--codes 20000]

Writes an Athena folder of that many concepts (two relationships and two ancestors each), then
measures in the same run, in CPU seconds of the process:

* bare: DuckDB's read_csv counts the rows of the nine files, every field as text;
* load: `load_vocabulary`, with types, checks and the content hash;
* resolve: `resolve` for distinct codes, half of them diagnoses without their dot, a tenth unknown.

Goal: load at most 4 bare passes, resolve at most 1 CPU second; exit code 1 above.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "etl"))

from entrepot.vocabulary.athena import TABLES, find_file
from entrepot.vocabulary.load import load_vocabulary
from entrepot.vocabulary.resolve import resolve

LOAD_GOAL, RESOLVE_GOAL = 4.0, 1.0
ALWAYS = "'19700101', '20991231', NULL"

# Shares as in a full Athena download: most concepts are SNOMED, RxNorm and LOINC, ICD-10 is small.
GENERATED = {
    "concept": "SELECT i, CASE WHEN i = 0 THEN 'none' ELSE 'Concept \"' || i || '\" of a set' END,"
    " CASE WHEN i % 3 = 0 THEN 'Condition' ELSE 'Measurement' END,"
    " CASE WHEN i % 100 < 45 THEN 'SNOMED' WHEN i % 100 < 75 THEN 'RxNorm'"
    " WHEN i % 100 < 95 THEN 'LOINC' ELSE 'CIM10' END, 'Class',"
    " CASE WHEN i % 100 < 95 AND i > 0 THEN 'S' END,"
    f" CASE WHEN i % 100 < 95 THEN '' || i ELSE 'X' || i // 10 || '.' || i % 10 END, {ALWAYS}"
    " FROM range($n) t(i)",
    "concept_relationship": "SELECT i, i - i % 100 + 1, k, " + ALWAYS + " FROM range($n) t(i),"
    " (VALUES ('Maps to'), ('Is a')) r(k)",
    "concept_ancestor": "SELECT i // (k + 1), i, k, k FROM range($n) t(i), (VALUES (0), (1)) d(k)",
    "vocabulary": "SELECT 'None', 'release', NULL, 'bench 1', 0",
}


def write_folder(folder: Path, concepts: int) -> None:
    """An Athena folder; tables that are not generated have their header alone."""
    with duckdb.connect() as connection:
        for table in TABLES:
            names = ", ".join(column.name for column in table.columns)
            empty = f"SELECT {', '.join('NULL' for _ in table.columns)} WHERE false"
            query = GENERATED.get(table.name, empty).replace("$n", str(concepts))
            connection.execute(
                f"COPY (SELECT * FROM ({query}) rows({names})) TO '{folder / table.file_name}'"
                " (HEADER, DELIMITER '\t', QUOTE '', ESCAPE '')"
            )


def bare_pass(folder: Path) -> None:
    """Counts the rows of the nine files, every field as text."""
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE bare AS FROM read_csv('{find_file(folder, table)}',"
                " delim = '\t', quote = '', escape = '', header = true, all_varchar = true)"
            )


def open_batch(vocabulary: Path, codes: int) -> duckdb.DuckDBPyConnection:
    """Half results by LOINC, half diagnoses as PMSI writes them, a tenth of them unknown."""
    # one thread: on a busy machine idle workers spin, and their CPU time is not the statement's
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"ATTACH '{vocabulary}' AS vocabulary (READ_ONLY); CREATE SCHEMA etl")
    connection.execute(
        "CREATE TEMP TABLE code_use AS SELECT * FROM ("
        " SELECT CASE vocabulary_id WHEN 'LOINC' THEN 'LN' ELSE 'CIM10' END AS system,"
        " CASE WHEN concept_id % 10 = 9 THEN concept_code || 'Z'"
        " ELSE replace(concept_code, '.', '') END AS code, 1 AS frequency,"
        " row_number() OVER (PARTITION BY vocabulary_id ORDER BY concept_id) AS place"
        " FROM vocabulary.concept WHERE vocabulary_id IN ('LOINC', 'CIM10')"
        f") WHERE place <= {codes // 2}"
    )
    return connection


def resolve_batch(connection: duckdb.DuckDBPyConnection) -> None:
    """What a run does once."""
    resolve(connection, dt.date(2026, 1, 1), vocabulary="vocabulary.main")


def spent(action: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and wall seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concepts", type=int, default=1_000_000)
    parser.add_argument("--codes", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, target = Path(name) / "athena", Path(name) / "vocabulary.duckdb"
        folder.mkdir()
        write_folder(folder, options.concepts)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        bare, bare_wall = spent(lambda: bare_pass(folder))
        load, load_wall = spent(lambda: load_vocabulary(folder, target))
        with open_batch(target, options.codes) as connection:
            batch, batch_wall = spent(lambda: resolve_batch(connection))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    print(f"{options.concepts} concepts, {size:.0f} MB in nine files, {options.codes} codes")
    print(f"bare     {bare:6.2f} CPU s {bare_wall:6.2f} s")
    print(f"load     {load:6.2f} CPU s {load_wall:6.2f} s   {load / bare:.2f} x bare")
    print(f"resolve  {batch:6.2f} CPU s {batch_wall:6.2f} s")
    print(f"peak memory {peak:.0f} MB")
    return 0 if load <= LOAD_GOAL * bare and batch <= RESOLVE_GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
