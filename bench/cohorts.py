"""Cohorts: compile and execution time beside OHDSI's SQL, and every expected result on request.

    python bench/cohorts.py [--every 10]
    python bench/cohorts.py --golden [--engines duckdb,postgres,spark] [--every 1]

On the CDM of each shared definition, in one run, in CPU seconds of this process (DuckDB with one
thread): reading and compiling here, in `duckcdm` (its Circe, and its SqlRender to DuckDB) and in
`ohdsi-circepy`; executing our one SELECT and Circe's statements (without statistics, as both have
none). Rows of both are compared. Goal: half of Circe's execution time.

`--golden` compares rows and masks with the expected ones on each engine (550 of PhenotypeLibrary,
643 of the sweep) and ends with 1 when one differs. It needs no other compiler.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "etl"), str(ROOT / "tests"), str(ROOT / "tests" / "cohorts")]

from golden_cohorts import POSTGRES_TYPES, Cdms, Golden, fault, goldens  # noqa: E402

from entrepot.cohorts import (  # noqa: E402
    Dialect,
    Outcome,
    compile_cohort,
    compile_outcome,
    read_definition,
)
from entrepot.errors import ConfigurationError  # noqa: E402

if TYPE_CHECKING:
    import duckdb

FAMILIES = ("phenotypelibrary", "sweep")
TARGET = """CREATE SCHEMA results; CREATE TABLE results.cohort (cohort_definition_id BIGINT,
  subject_id BIGINT, cohort_start_date DATE, cohort_end_date DATE)"""
# A thousand queries that run once each: nothing is compiled, no plan is kept (they filled 2 GB) and
# none adapts: definition 726 has thousands of stages once its subqueries are in place, and after
# each of them the adaptive planner walks over all (half an hour, not ended).
SPARK = """
memory_limit: 6GB
spark:
  master: "local[2]"
  conf:
    spark.driver.defaultJavaOptions: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
    spark.sql.codegen.wholeStage: false
    spark.sql.codegen.factoryMode: NO_CODEGEN
    spark.sql.adaptive.enabled: false
    spark.sql.shuffle.partitions: 1
    spark.sql.ui.retainedExecutions: 1
    spark.ui.retainedJobs: 1
    spark.ui.retainedStages: 1
    spark.ui.retainedTasks: 1
"""
Answer = Callable[[Golden, str], list[tuple[Any, ...]]]


def main() -> None:
    """Prints one line per measure."""
    import os

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--every", type=int, default=0)
    parser.add_argument("--golden", action="store_true")
    parser.add_argument("--engines", default="duckdb,postgres,spark")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("ENTREPOT_SHARED", ROOT.parent / "shared"))
    if not (shared / "cohorts").is_dir():
        print("the shared cohorts are not on this machine (ENTREPOT_SHARED)")
        return
    if arguments.golden:
        engines = arguments.engines.split(",")
        wrong = sum(_golden(shared, Dialect(name), arguments.every or 1) for name in engines)
        sys.exit(1 if wrong else 0)
    for family in FAMILIES:
        _compare(shared, family, arguments.every or 10)


def _compare(shared: Path, family: str, every: int) -> None:
    try:
        import circe.api as circepy
        import duckcdm.circe as duckcdm
        from duckcdm import sqlrender
    except ImportError:
        print("pip install 'entrepot[bench]' to compare with duckcdm and ohdsi-circepy")
        return
    times: Counter[str] = Counter()
    cdms, count, differ = Cdms(shared), 0, 0
    cdms.connection.execute(TARGET)
    for golden in goldens(shared, family, every):
        text = golden.text()
        cdms.fill(golden)
        options = duckcdm.BuildExpressionQueryOptions(
            cohort_id=1, cdm_schema="cdm", target_table="results.cohort",
            result_schema="results", generate_stats=False,
        )  # fmt: skip
        try:
            with _timed(times, "compile, entrepot"):
                ours = compile_cohort(read_definition(text, golden.id), Dialect.DUCKDB)
            with _timed(times, "compile, duckcdm"):
                circe = duckcdm.build_cohort_query(text, options)
            with _timed(times, "compile, duckcdm's SqlRender"):
                circe = sqlrender.translate(sqlrender.render(circe), "duckdb")
            with _timed(times, "compile, ohdsi-circepy"):
                circepy.build_cohort_query(circepy.cohort_expression_from_json(text))
            with _timed(times, "execute, Circe's SQL"):
                theirs = _circe(cdms.connection, sqlrender.split_sql(circe))
        except Exception as error:
            print(f"{family} {golden.id} left out: {type(error).__name__}")
            continue
        with _timed(times, "execute, entrepot"):
            rows = cdms.connection.execute(ours).fetchall()
        differ += sorted(rows) != theirs
        count += 1
    _tell(family, times, count, differ)


def _tell(family: str, times: Counter[str], count: int, differ: int) -> None:
    for name, seconds in sorted(times.items()):
        print(f"{family}: {name:<30} {1000 * seconds / count:8.1f} ms a cohort")
    ratio = times["execute, entrepot"] / times["execute, Circe's SQL"]
    print(f"{family}: {count} cohorts, {ratio:.2f} of Circe's execution (goal 0.50),"
          f" {differ} with other rows")  # fmt: skip


def _circe(connection: duckdb.DuckDBPyConnection, statements: list[str]) -> list[Any]:
    for statement in statements:
        if statement.strip():
            connection.execute(statement)
    rows = "SELECT subject_id, cohort_start_date, cohort_end_date FROM results.cohort ORDER BY ALL"
    return connection.execute(rows).fetchall()


@contextmanager
def _timed(times: Counter[str], name: str) -> Iterator[None]:
    begun = time.process_time()
    yield
    times[name] += time.process_time() - begun  # type: ignore[assignment]


def _golden(shared: Path, dialect: Dialect, every: int) -> int:
    """Definitions whose rows or masks differ on one engine."""
    wrong = 0
    for family in FAMILIES:
        seen: Counter[str] = Counter()
        begun = time.monotonic()
        cdms = Cdms(shared)
        with _ENGINES[dialect](cdms) as (answer, schema):
            for golden in goldens(shared, family, every):
                verdict = _verdict(shared, golden, dialect, answer, schema)
                seen[verdict.split(":")[0] if verdict else "same"] += 1
                if sum(seen.values()) % 100 == 0:
                    print(f"{dialect} {family} {dict(seen)}", flush=True)
                if verdict and not verdict.startswith(("refused", "no reference")):
                    print(f"{dialect} {family} {golden.id} {verdict}", flush=True)
                    wrong += 1
        print(f"{dialect} {family} {dict(seen)} in {time.monotonic() - begun:.0f} s", flush=True)
    return wrong


def _verdict(shared: Path, golden: Golden, dialect: Dialect, answer: Answer, schema: str) -> str:
    try:
        sql = compile_outcome(golden.expression(), dialect, schema)
    except ConfigurationError as error:
        return f"refused: {error.where}" if "rows" not in golden.record else f"wrong: {error}"
    try:
        outcome = Outcome.of(answer(golden, sql))
    except Exception as error:
        return f"error: {type(error).__name__} {str(error)[:200]}"
    if "rows" not in golden.record:
        return "no reference"
    told = fault(shared, golden, outcome)
    return f"wrong: {told}" if told else ""


@contextmanager
def _duckdb(cdms: Cdms) -> Iterator[tuple[Answer, str]]:
    def answer(golden: Golden, sql: str) -> list[tuple[Any, ...]]:
        cdms.fill(golden)
        return cdms.connection.execute(sql).fetchall()

    yield answer, "cdm"


@contextmanager
def _postgres(cdms: Cdms) -> Iterator[tuple[Answer, str]]:
    import psycopg

    from postgres_server import own_server

    with own_server() as server, psycopg.connect(server.url()) as connection:
        connection.execute("CREATE SCHEMA cdm")
        connection.execute("SET jit = off")
        for table, fields in cdms.columns.items():
            typed = ", ".join(f'"{name}" {POSTGRES_TYPES[kind]}' for name, kind in fields.items())
            connection.execute(f"CREATE TABLE cdm.{table} ({typed})".encode())
        connection.commit()

        def answer(golden: Golden, sql: str) -> list[tuple[Any, ...]]:
            for table in cdms.fill(golden):
                with connection.cursor().copy(f"COPY cdm.{table} FROM STDIN".encode()) as copy:
                    for row in cdms.rows(table):
                        copy.write_row(row)
            connection.execute("SET TRANSACTION READ ONLY")
            try:
                return connection.execute(sql.encode()).fetchall()
            finally:
                connection.rollback()

        yield answer, "cdm"


@contextmanager
def _spark(cdms: Cdms) -> Iterator[tuple[Answer, str]]:
    from entrepot.engine.spark.session import session
    from sparks import site_with

    with TemporaryDirectory() as folder, session(site_with(Path(folder), SPARK)) as spark:
        views: set[str] = set()

        def answer(golden: Golden, sql: str) -> list[tuple[Any, ...]]:
            for table in cdms.fill(golden) | (set(cdms.columns) - views):
                arrow = cdms.connection.sql(f"FROM cdm.{table}").to_arrow_table()
                spark.createDataFrame(arrow).createOrReplaceTempView(table)
                views.add(table)
            return [tuple(row) for row in spark.sql(sql).collect()]

        yield answer, ""


_ENGINES = {Dialect.DUCKDB: _duckdb, Dialect.POSTGRES: _postgres, Dialect.SPARK: _spark}

if __name__ == "__main__":
    main()
