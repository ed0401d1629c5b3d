"""What the gate costs: one run, five ways to judge the same rows.

    python bench/gate.py [--rows 5000000] [--without-single]

Prints CPU seconds of this process (the machine is shared, so only ratios of one run mean anything)
for DQD's 2,374 checks and ours together: a bare count of every column, one query per check, the
fused SQL alone, what Great Expectations adds to it, and DQD's checks and ours apart.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from entrepot.omop.cdm import Field, Table, load_cdm
from entrepot.quality.anywhere.counting import PlanCounts
from entrepot.quality.anywhere.judging import Judging
from entrepot.quality.database import DuckDatabase
from entrepot.quality.dqd.counts import Counting
from entrepot.quality.dqd.types import Catalogue, load_catalogue
from entrepot.quality.dqd.verdicts import judge
from entrepot.quality.inputs import GateInputs
from entrepot.quality.plan import build_plan

AS_OF = dt.datetime(2024, 6, 30)
TODAY = dt.date(2024, 7, 1)
TYPES = {
    "integer": "BIGINT",
    "float": "DECIMAL(38,10)",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "text": "VARCHAR",
}
# Shares of the event rows by table, about those of a French hospital's warehouse; every optional
# column is filled: the bare count of a column reads it too.
EVENTS = {
    "measurement": 60, "drug_exposure": 12, "observation": 8, "condition_occurrence": 8,
    "procedure_occurrence": 6, "visit_detail": 2, "visit_occurrence": 2, "note": 1, "specimen": 1,
}  # fmt: skip
DOMAINS = sorted({one.domain for table in load_cdm() for one in table.fields if one.domain})
CONCEPTS = 1000
"""Concepts of each domain; those of the n-th begin at n times this number."""


def write_warehouse(path: Path, rows: int) -> None:
    """A sound CDM of `rows` events, 50 a visit and 5 visits a person."""
    visits = max(rows // 50, 1)
    persons = max(visits // 5, 1)
    domains = ", ".join(f"'{one}'" for one in DOMAINS)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA cdm")
        for table in load_cdm():
            columns = ", ".join(f'"{one.name}" {TYPES[one.kind]}' for one in table.fields)
            connection.execute(f"CREATE TABLE cdm.{table.name} ({columns})")
        for statement in (
            f"""INSERT INTO cdm.concept BY NAME SELECT i AS concept_id, 'c' || i AS concept_name,
            [{domains}][1 + i // {CONCEPTS}] AS domain_id, 'S' AS standard_concept,
            'x' AS vocabulary_id, 'c' || i AS concept_code
            FROM range(1, {CONCEPTS * len(DOMAINS)}) r(i)""",
            f"""INSERT INTO cdm.person BY NAME SELECT i AS person_id,
            {_concept("Gender")} + i % 2 AS gender_concept_id, 1940 + i % 60 AS year_of_birth,
            1 + i % 12 AS month_of_birth, 0 AS race_concept_id, 0 AS ethnicity_concept_id,
            md5('p' || i) AS person_source_value FROM range({persons}) r(i)""",
            f"""INSERT INTO cdm.observation_period BY NAME SELECT person_id AS
            observation_period_id, person_id, DATE '2020-01-01' AS observation_period_start_date,
            DATE '2024-06-30' AS observation_period_end_date, {_concept("Type Concept")} AS
            period_type_concept_id FROM cdm.person""",
            f"""INSERT INTO cdm.cdm_source BY NAME SELECT 'EDS' AS cdm_source_name, 'EDS' AS
            cdm_source_abbreviation, 'x' AS cdm_holder, DATE '2024-06-30' AS source_release_date,
            DATE '2024-06-30' AS cdm_release_date, {_concept("Metadata")} AS
            cdm_version_concept_id, 'v5' AS vocabulary_version""",
        ):
            connection.execute(statement)
        for name, share in EVENTS.items():
            fields = ", ".join(_value(load_cdm().table(name), one, visits, persons)
                               for one in load_cdm().table(name).fields)  # fmt: skip
            connection.execute(
                f"INSERT INTO cdm.{name} BY NAME SELECT {fields}"
                f" FROM range({rows * share // 100}) r(i)"
            )


def _concept(domain: str) -> int:
    """The first concept of a domain, or 0."""
    return DOMAINS.index(domain) * CONCEPTS + 1 if domain in DOMAINS else 0


def _value(table: Table, one: Field, visits: int, persons: int) -> str:
    """What a column holds; a tenth of the optional ones is empty. `k` tells events of a visit."""
    k = f"(i // {visits} % {CONCEPTS - 1})"
    by_kind = {
        "date": f"DATE '2020-01-02' + CAST(i % {visits} % 1400 AS INTEGER)",
        "datetime": f"DATE '2020-01-02' + CAST(i % {visits} % 1400 AS INTEGER) + INTERVAL 9 HOUR",
        "text": f"'s' || {k}", "integer": "NULL", "float": f"1 + {k}",
    }  # fmt: skip
    value = {
        f"{table.name}_id": "i", "person_id": f"i % {visits} % {persons}",
        "visit_occurrence_id": f"i % {visits}", "days_supply": "1", "refills": "1",
        "quantity": f"1 + {k}",
        "note_text": "repeat('Vu le 05.01.2024 10h30, TA 120/80, CRP 12. ', 35) || i",
    }.get(one.name, by_kind[one.kind])  # fmt: skip
    if one.name.endswith("concept_id"):
        value = f"{_concept(one.domain)} + {k}" if _concept(one.domain) else "0"
    if not one.required and value != "NULL" and one.name != "visit_occurrence_id":
        value = f"CASE WHEN i % 10 = 3 THEN NULL ELSE {value} END"
    return f'{value} AS "{one.name}"'


def cpu(work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - wall


def bare_count(path: Path) -> None:
    """Counts the values of every column once."""
    database = DuckDatabase(path)
    for table in load_cdm():
        columns = ", ".join(f'count("{column}")' for column in table.columns)
        database.rows(f"SELECT {columns} FROM cdm.{table.name}")


def fused(path: Path) -> int:
    """All of DQD's checks and ours, as the gate asks them; the number of checks."""
    return ours(path) + dqd(path)


def ours(path: Path) -> int:
    database = DuckDatabase(path)
    plan = build_plan(anywhere=True)
    return len(PlanCounts(plan, database, database.columns(), GateInputs(AS_OF)).counts())


def dqd(path: Path) -> int:
    database, catalogue = DuckDatabase(path), load_catalogue()
    return len(Counting(catalogue, database, database.columns(), TODAY).counts())


def single(path: Path) -> None:
    """The same conditions, one query for each check."""
    database, catalogue = DuckDatabase(path), load_catalogue()
    columns = database.columns()
    for check in catalogue.checks:
        alone = Catalogue(catalogue.cdm, (check,), catalogue.sets)
        Counting(alone, database, columns, TODAY).counts()
    plan, inputs = build_plan(anywhere=True), GateInputs(AS_OF)
    for item in plan.checks:
        alone_plan = replace(plan, checks=(item,))
        PlanCounts(alone_plan, database, columns, inputs).counts()


def whole(path: Path) -> int:
    """Counts, verdicts and Great Expectations over DQD's checks and ours: the whole gate."""
    from entrepot.quality.answers import dqd_findings, validate_findings

    database, catalogue = DuckDatabase(path), load_catalogue()
    columns = database.columns()
    counts = Counting(catalogue, database, columns, TODAY).counts()
    theirs = dqd_findings(judge(catalogue, counts, columns))
    judging = Judging(database, GateInputs(AS_OF))
    findings = [*judging.judge().findings, *theirs]
    asked = [one.check_id for one in judging.asked] + [one.check_id for one in catalogue.checks]
    validate_findings(findings, asked)
    return len(findings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--without-single", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        written, _ = cpu(lambda: write_warehouse(path, given.rows))
        print(f"{given.rows:,} events, {os.cpu_count()} cores, DuckDB {duckdb.__version__};"
              f" {written:.0f} CPU s to write")  # fmt: skip
        _report(path, one_by_one=not given.without_single)


def _report(path: Path, *, one_by_one: bool) -> None:
    bare_count(path)  # the file's pages are in memory from here on
    stages: Mapping[str, Callable[[], object]] = {
        "bare count of every column": lambda: bare_count(path),
        "DQD's checks, fused": lambda: dqd(path),
        "our checks, fused": lambda: ours(path),
        "all checks, fused": lambda: fused(path),
        "Great Expectations, import": _import,
        "all checks, fused, and Great Expectations": lambda: whole(path),
        **({"one query per check": lambda: single(path)} if one_by_one else {}),
    }
    figures: dict[str, tuple[float, float]] = {}
    print(f"{'':44} {'CPU s':>8} {'wall s':>8} {'x bare':>8} {'x fused':>8}")
    for stage, work in stages.items():
        figures[stage] = used, wall = cpu(work)
        base = figures["bare count of every column"][0]
        ratio = f"{used / figures['all checks, fused'][0]:8.2f}" if (
            "all checks, fused" in figures) else f"{'':8}"  # fmt: skip
        print(f"{stage:44} {used:8.1f} {wall:8.1f} {used / base:8.1f} {ratio}", flush=True)
    together = sum(figures[name][0] for name in (
        "Great Expectations, import", "all checks, fused, and Great Expectations"))  # fmt: skip
    print(f"whole gate with its import: {together / figures['all checks, fused'][0]:.2f} x fused")


def _import() -> None:
    import entrepot.quality.answers  # noqa: F401


if __name__ == "__main__":
    main()
