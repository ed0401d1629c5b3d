"""What k-anonymity and l-diversity of the DPO's report cost in SQL on a large warehouse.

    python bench/risk.py [--persons 1000000]

A generated release of as many persons, three stays and eight diagnoses each, a twentieth of them
dead. Limit: the stays and the diagnoses grouped by person once, measured in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable

import duckdb

from entrepot.report.dpo.alike import read_spec, statement

STAYS, DIAGNOSES, DEAD = 3, 8, 20
MEMORY = "2GB"  # as a site's default


def release(persons: int) -> duckdb.DuckDBPyConnection:
    """Tables with the columns that the queries read; `hash` spreads values evenly and always so."""
    connection = duckdb.connect(config={"memory_limit": MEMORY})
    connection.execute(
        f"""
        CREATE SCHEMA cdm;
        CREATE TABLE cdm.person AS SELECT i AS person_id,
            8507 + 25 * (hash(i) % 2)::INTEGER AS gender_concept_id,
            1925 + (hash(i + 1) % 95)::INTEGER AS year_of_birth,
            1 + (hash(i + 2) % 12)::INTEGER AS month_of_birth,
            (CASE WHEN hash(i + 3) % 100 < 80 THEN hash(i + 3) % 3 ELSE hash(i + 4) % 96 END)
                ::INTEGER AS location_id
            FROM range({persons}) r(i);
        CREATE TABLE cdm.location AS SELECT i::INTEGER AS location_id, i::VARCHAR AS county
            FROM range(96) r(i);
        CREATE TABLE cdm.visit_occurrence AS SELECT (hash(i) % {persons})::BIGINT AS person_id,
            DATE '2012-01-01' + (hash(i + 7) % 4000)::INTEGER AS visit_start_date
            FROM range({persons * STAYS}) r(i);
        CREATE TABLE cdm.death AS SELECT i * {DEAD} AS person_id,
            DATE '2015-01-01' + (hash(i) % 3000)::INTEGER AS death_date
            FROM range({persons // DEAD}) r(i);
        CREATE TABLE cdm.condition_occurrence AS SELECT (hash(i) % {persons})::BIGINT AS person_id,
            1 + floor(pow((hash(i + 11) % 100000) / 100000.0, 3) * 3000)::INTEGER
                AS condition_concept_id
            FROM range({persons * DIAGNOSES}) r(i)"""
    )
    return connection


def timed(name: str, work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of one step, printed."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    work()
    after, spent = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - wall
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name:44} {cpu:8.2f} {spent:8.2f}")
    return cpu, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--persons", type=int, default=1_000_000)
    persons = parser.parse_args().persons
    connection, spec = release(persons), read_spec(())

    def run(sql: str) -> object:
        return connection.execute(sql).fetchall()

    print(f"{persons:,} persons, {platform.machine()}, {os.cpu_count()} processors, {MEMORY}")
    print(f"{'step':44} {'CPU s':>8} {'wall s':>8}")
    limit = timed("limit: both tables by person, once", lambda: _grouped(connection))
    named = ", ".join(f"{column} AS {name}" for name, column in spec.attributes.items())
    steps = [
        timed("one row a person", lambda: run(statement("person", named))),
        timed("diagnoses, each once", lambda: run(statement("diagnosis", ""))),
    ]
    for name, level in spec.levels.items():
        known = ", ".join(level.attributes)
        steps.append(timed(f"k, {name}", lambda k=known: run(statement("classes", k))))
        if level.diversity:
            steps.append(timed(f"l, {name}", lambda k=known: run(statement("diversity", k))))
    cpu, wall = (sum(column) for column in zip(*steps, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"all levels: {cpu:.1f} CPU s, {wall:.1f} s, {cpu / limit[0]:.1f} x the limit, {peak} MB")


def _grouped(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("visit_occurrence", "condition_occurrence"):
        connection.execute(
            f"SELECT max(n) FROM (SELECT count(*) AS n FROM cdm.{table} GROUP BY person_id)"
        ).fetchall()


if __name__ == "__main__":
    main()
