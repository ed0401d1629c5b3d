"""What the gate costs: fused counts against the floor of reading every column once.

    python bench/gate.py [--rows 1000000]

Prints CPU seconds of this process (the machine is shared, so only ratios of one run mean anything)
for: counting the non-null values of every column of the same tables (the floor), the fused checks,
a whole gate with its quarantine, and what Great Expectations adds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from entrepot.omop.cdm import load_cdm
from entrepot.quality.gate import judge
from entrepot.quality.inputs import GateInputs, stage_inputs
from entrepot.quality.metrics import count_rows, write_metrics
from entrepot.quality.plan import build_plan
from entrepot.quality.rows import quarantine_rows
from entrepot.quality.sql import compile_plan

TYPES = {
    "integer": "BIGINT",
    "float": "DECIMAL(38,10)",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "text": "VARCHAR",
}
FILLED = ("person", "observation_period", "visit_occurrence", "measurement", "note")


def candidate(rows: int) -> duckdb.DuckDBPyConnection:
    """`rows` measurements, a hundredth as many notes and visits, a thousandth as many persons."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA cdm; CREATE SCHEMA etl")
    for table in load_cdm():
        columns = ", ".join(f'"{field.name}" {TYPES[field.kind]}' for field in table.fields)
        connection.execute(f"CREATE TABLE cdm.{table.name} ({columns})")
    persons, visits = max(rows // 1000, 1), max(rows // 100, 1)
    connection.execute(
        f"""
        INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS domain_id,
            'S' AS standard_concept FROM (VALUES (0, 'Metadata'), (8507, 'Gender'),
            (9201, 'Visit'), (3004501, 'Measurement'), (8753, 'Unit'), (706361, 'Meas Value'),
            (32678, 'Metadata'), (4180190, 'Language'), (32817, 'Type Concept'));
        INSERT INTO cdm.person BY NAME SELECT i AS person_id, 8507 AS gender_concept_id,
            1950 + i % 50 AS year_of_birth, 1 + i % 12 AS month_of_birth, 0 AS race_concept_id,
            0 AS ethnicity_concept_id, md5(i::VARCHAR) AS person_source_value
            FROM range({persons}) r(i);
        INSERT INTO cdm.observation_period BY NAME SELECT i AS observation_period_id,
            i AS person_id, DATE '2020-01-01' AS observation_period_start_date,
            DATE '2023-12-31' AS observation_period_end_date, 32817 AS period_type_concept_id
            FROM range({persons}) r(i);
        INSERT INTO cdm.visit_occurrence BY NAME SELECT i AS visit_occurrence_id,
            i % {persons} AS person_id, 9201 AS visit_concept_id, 32817 AS visit_type_concept_id,
            DATE '2020-01-01' + (i % 1400)::INTEGER AS visit_start_date,
            DATE '2020-01-03' + (i % 1400)::INTEGER AS visit_end_date, 'I' AS visit_source_value
            FROM range({visits}) r(i);
        INSERT INTO cdm.measurement BY NAME SELECT i AS measurement_id,
            (i % {visits}) % {persons} AS person_id, 3004501 AS measurement_concept_id,
            DATE '2020-01-02' + ((i % {visits}) % 1400)::INTEGER AS measurement_date,
            32817 AS measurement_type_concept_id, i % 300 / 10 AS value_as_number,
            8753 AS unit_concept_id, i % {visits} AS visit_occurrence_id,
            '14749-6' AS measurement_source_value, 'mmol/L' AS unit_source_value
            FROM range({rows}) r(i);
        INSERT INTO cdm.note BY NAME SELECT i AS note_id, i % {persons} AS person_id,
            DATE '2020-01-02' + (i % 1400)::INTEGER AS note_date, 32817 AS note_type_concept_id,
            706361 AS note_class_concept_id, 32678 AS encoding_concept_id,
            4180190 AS language_concept_id, i AS visit_occurrence_id,
            repeat('Vu le 05.01.2024 10h30, TA 120/80, CRP 12. ', 35) AS note_text
            FROM range({visits}) r(i);
        CREATE TABLE etl.row_disposition (kind VARCHAR, record_key VARCHAR, row_number INT,
            row_key VARCHAR, disposition VARCHAR, reason VARCHAR);
        CREATE TABLE etl.lineage (cdm_table VARCHAR, cdm_id BIGINT, record_key VARCHAR,
            row_key VARCHAR)"""
    )
    for table in ("person", "visit_occurrence", "measurement", "note"):
        connection.execute(
            f"""INSERT INTO etl.lineage SELECT '{table}', {table}_id, md5('r' || {table}_id // 20),
            md5('{table}' || {table}_id) FROM cdm.{table}"""
        )
    connection.execute(
        """INSERT INTO etl.row_disposition SELECT cdm_table, record_key, 0, row_key, 'mapped', ''
        FROM etl.lineage"""
    )
    return connection


def cpu(work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - wall


def floor(connection: duckdb.DuckDBPyConnection) -> None:
    """Counts the values of every column once."""
    for name in FILLED:
        columns = ", ".join(f'count("{column}")' for column in load_cdm().table(name).columns)
        connection.execute(f"SELECT {columns} FROM cdm.{name}").fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    connection = candidate(rows)
    plan = build_plan()
    kinds = connection.execute("SELECT kind, count(*) FROM etl.row_disposition GROUP BY 1")
    counts = dict(kinds.fetchall())
    records = connection.execute("SELECT count(DISTINCT record_key) FROM etl.row_disposition")
    counts["records"] = records.fetchall()[0][0]
    inputs = GateInputs(dt.datetime(2024, 6, 30), (), counts)
    stage_inputs(connection, inputs)
    compiled = compile_plan(plan, inputs.placeholders)
    connection.execute(
        """INSERT INTO cdm.cdm_source BY NAME SELECT 'EDS' AS cdm_source_name, 'EDS'
        AS cdm_source_abbreviation, 'x' AS cdm_holder, DATE '2024-06-30' AS source_release_date,
        DATE '2024-06-30' AS cdm_release_date, 32678 AS cdm_version_concept_id, 'v5'
        AS vocabulary_version"""
    )
    report = quarantine_rows(connection, plan, inputs)
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "floor: every column once": cpu(lambda: floor(connection)),
            f"fused counts, {len(plan.checks)} checks": cpu(
                lambda: count_rows(connection, compiled)
            ),
            "aggregates and etl.metric": cpu(
                lambda: write_metrics(connection, plan, inputs, report)
            ),
            "Great Expectations, import": cpu(_import),
            "Great Expectations, verdict and pages": cpu(
                lambda: judge(connection, plan, inputs, report, Path(folder))
            ),
        }
    base = figures["floor: every column once"][0]
    print(
        f"{rows:,} measurements; checks that count: "
        f"{sum(1 for c in report.found.values() if c.violated)}"
    )
    print(f"{'stage':42} {'CPU s':>8} {'wall s':>8} {'x floor':>8}")
    for stage, (used, wall) in figures.items():
        print(f"{stage:42} {used:8.2f} {wall:8.2f} {used / base:8.1f}")


def _import() -> None:
    import entrepot.quality.validation  # noqa: F401


if __name__ == "__main__":
    main()
