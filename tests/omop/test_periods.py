"""Observation periods: the rule of Themis worked out in Python, with many rows on one day."""

from __future__ import annotations

import datetime as dt
import random

import duckdb
import pyarrow as pa
import pytest

from entrepot.omop.candidate import run_sql
from entrepot.publish.ddl import ddl

pytestmark = pytest.mark.core

START, END = dt.date(2018, 1, 1), dt.date(2024, 12, 31)
GAP, AFTER = 548, 60
Stay = tuple[dt.date, dt.date]


def told(chance: random.Random) -> list[Stay]:
    """Stays of one person: days apart, years apart, and several that begin on one day."""
    stays, day = [], START - dt.timedelta(days=40)
    for _ in range(chance.randint(1, 5)):
        day += dt.timedelta(days=chance.choice([0, 3, 200, GAP - 1, GAP, GAP + 1, 700]))
        for _ in range(chance.randint(1, 4)):
            stays.append((day, day + dt.timedelta(days=chance.choice([0, 0, 5, 90]))))
        day = max(day, max(last for _, last in stays) - dt.timedelta(days=chance.randint(0, 9)))
    return [(first, last) for first, last in stays if first <= END]


def periods(stays: list[Stay]) -> list[Stay]:
    """A gap of 548 days opens a new period; 60 days follow the last event, within the data."""
    found: list[list[dt.date]] = []
    for first, last in sorted(stays):
        if last < START:
            continue
        begun = max(first, START)
        if found and (begun - found[-1][1]).days < GAP:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([begun, last])
    after = dt.timedelta(days=AFTER)
    return [(first, max(first, min(last + after, END))) for first, last in found]


def test_rows_that_begin_on_one_day_are_one_event_of_the_record() -> None:
    chance = random.Random(3)
    people = {number: told(chance) for number in range(1, 3001)}
    rows = [(person, *stay) for person, stays in people.items() for stay in stays]
    chance.shuffle(rows)
    connection = duckdb.connect()
    connection.execute(ddl("duckdb", "cdm", enforce_required=False))
    run_sql(connection, "macros")
    connection.execute(
        f"CREATE TABLE run_parameter AS SELECT DATE '{START}' AS data_start,"
        f" TIMESTAMP '{END} 12:00:00' AS as_of;"
        "CREATE TABLE map_type_concepts AS SELECT 'period' AS context_code, 32817 AS concept_id"
    )
    columns = dict(
        zip(("person_id", "first_day", "last_day"), zip(*rows, strict=True), strict=True)
    )
    connection.register("told", pa.table({name: list(one) for name, one in columns.items()}))
    connection.execute(
        "INSERT INTO cdm.visit_occurrence BY NAME SELECT person_id, first_day AS visit_start_date,"
        " last_day AS visit_end_date FROM told"
    )
    # Nobody's death comes before the end of the data: it ends no period.
    connection.execute(
        "INSERT INTO cdm.death BY NAME SELECT DISTINCT person_id, DATE '2024-12-31' AS death_date"
        " FROM told WHERE person_id % 2 = 0"
    )
    run_sql(connection, "observation_period")
    found: dict[int, list[Stay]] = {}
    for person, first, last in connection.execute(
        "SELECT person_id, observation_period_start_date, observation_period_end_date"
        " FROM cdm.observation_period ORDER BY ALL"
    ).fetchall():
        found.setdefault(person, []).append((first, last))
    expected = {person: spans for person, stays in people.items() if (spans := periods(stays))}
    assert sum(len(spans) > 1 for spans in expected.values()) > 300
    assert found == expected
