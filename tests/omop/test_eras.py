"""Eras: cases worked out by hand from OHDSI's rule, and OHDSI's own result on Synthea27Nj."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.omop.candidate import run_sql
from entrepot.publish.ddl import ddl

pytestmark = pytest.mark.core

DIABETES, HYPERTENSION = 201826, 320128
AMOXICILLIN, CLAVULANATE, BOTH, VACCINE = 1713332, 1759842, 40000001, 40000002
Span = tuple[str, str | None]
DAY = dt.date(2024, 1, 1)


def day(number: int) -> str:
    """The n-th day after 1 January 2024."""
    return f"{DAY + dt.timedelta(days=number):%Y-%m-%d}"


@pytest.fixture
def cdm() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(ddl("duckdb", "cdm", enforce_required=False))
    connection.execute(
        f"""INSERT INTO cdm.concept BY NAME SELECT * FROM (VALUES
        ({AMOXICILLIN}, 'Drug', 'Ingredient', 'S'), ({CLAVULANATE}, 'Drug', 'Ingredient', 'S'),
        ({BOTH}, 'Drug', 'Clinical Drug', 'S'), ({VACCINE}, 'Drug', 'CVX', 'S'),
        (21603965, 'Drug', 'ATC 5th', 'C'))
        t(concept_id, domain_id, concept_class_id, standard_concept);
        INSERT INTO cdm.concept_ancestor BY NAME SELECT * FROM (VALUES
        ({AMOXICILLIN}, {AMOXICILLIN}), ({AMOXICILLIN}, {BOTH}), ({CLAVULANATE}, {BOTH}),
        ({BOTH}, {BOTH}), (21603965, {BOTH}), (21603965, {AMOXICILLIN}))
        t(ancestor_concept_id, descendant_concept_id)"""
    )
    run_sql(connection, "macros")
    return connection


def conditions(
    connection: duckdb.DuckDBPyConnection,
    spans: list[Span],
    concept: int = DIABETES,
    person: int = 1,
    first: int = 100,
) -> list[tuple[Any, ...]]:
    """Occurrences of these spans -> eras: start, end, occurrences."""
    for number, (start, end) in enumerate(spans, first):
        connection.execute(
            "INSERT INTO cdm.condition_occurrence BY NAME SELECT ? AS condition_occurrence_id,"
            " ? AS person_id, ? AS condition_concept_id, ?::DATE AS condition_start_date,"
            " ?::DATE AS condition_end_date",
            [number, person, concept, start, end],
        )
    connection.execute("DELETE FROM cdm.condition_era")
    run_sql(connection, "condition_era")
    return connection.execute(
        "SELECT condition_era_start_date::VARCHAR, condition_era_end_date::VARCHAR,"
        " condition_occurrence_count FROM cdm.condition_era WHERE condition_concept_id = ?"
        " AND person_id = ? ORDER BY 1", [concept, person],
    ).fetchall()  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "eras"),
    [
        # 30 days from the end to the next start are one era, 31 are two.
        ([(day(0), day(9)), (day(39), day(40))], [(day(0), day(40), 2)]),
        ([(day(0), day(9)), (day(40), day(41))], [(day(0), day(9), 1), (day(40), day(41), 1)]),
        # An occurrence without an end lasts one day: 31 days from start to start are one era.
        ([(day(0), None), (day(31), None)], [(day(0), day(32), 2)]),
        ([(day(0), None), (day(32), None)], [(day(0), day(1), 1), (day(32), day(33), 1)]),
        # What overlaps or lies inside is one era, which ends with the last to end.
        ([(day(0), day(20)), (day(10), day(50))], [(day(0), day(50), 2)]),
        ([(day(0), day(100)), (day(5), day(6)), (day(130), day(131))], [(day(0), day(131), 3)]),
        ([(day(0), day(100)), (day(5), day(6)), (day(131), day(132))],
         [(day(0), day(100), 2), (day(131), day(132), 1)]),
        # The same day twice.
        ([(day(0), day(0)), (day(0), day(0))], [(day(0), day(0), 2)]),
    ],
)  # fmt: skip
def test_condition_eras(
    cdm: duckdb.DuckDBPyConnection, spans: list[Span], eras: list[tuple[Any, ...]]
) -> None:
    random.shuffle(spans)
    assert conditions(cdm, spans) == eras


def test_eras_are_of_one_person_and_one_concept(cdm: duckdb.DuckDBPyConnection) -> None:
    conditions(cdm, [(day(0), day(1))])
    conditions(cdm, [(day(2), day(3))], concept=HYPERTENSION, first=200)
    conditions(cdm, [(day(2), day(3))], person=2, first=300)
    conditions(cdm, [(day(0), day(9))], concept=0, first=400)
    found = cdm.execute("SELECT person_id, condition_concept_id FROM cdm.condition_era").fetchall()
    assert sorted(found) == [(1, DIABETES), (1, HYPERTENSION), (2, DIABETES)]


def test_an_era_keeps_its_id_when_it_grows(cdm: duckdb.DuckDBPyConnection) -> None:
    conditions(cdm, [(day(0), day(1)), (day(90), day(91))])
    ids = "SELECT condition_era_id FROM cdm.condition_era ORDER BY 1"
    before = cdm.execute(ids).fetchall()
    assert len(set(before)) == 2
    conditions(cdm, [(day(10), day(20))], first=500)
    assert before == cdm.execute(ids).fetchall()


def drugs(
    connection: duckdb.DuckDBPyConnection, exposures: list[tuple[int, str, str | None]]
) -> list[tuple[Any, ...]]:
    """Exposures of these products -> eras: ingredient, start, end, exposures, gap days."""
    for number, (concept, start, end) in enumerate(exposures, 100):
        connection.execute(
            "INSERT INTO cdm.drug_exposure BY NAME SELECT ? AS drug_exposure_id, 1 AS person_id,"
            " ? AS drug_concept_id, ?::DATE AS drug_exposure_start_date,"
            " ?::DATE AS drug_exposure_end_date",
            [number, concept, start, end],
        )
    run_sql(connection, "drug_era")
    return connection.execute(
        "SELECT drug_concept_id, drug_era_start_date::VARCHAR, drug_era_end_date::VARCHAR,"
        " drug_exposure_count, gap_days FROM cdm.drug_era ORDER BY 1, 2"
    ).fetchall()


@pytest.mark.parametrize(
    ("exposures", "eras"),
    [
        # Days 0-9 and 39-49: 49 days from first to last, 9 + 10 exposed, 30 of gap.
        ([(AMOXICILLIN, day(0), day(9)), (AMOXICILLIN, day(39), day(49))],
         [(AMOXICILLIN, day(0), day(49), 2, 30)]),
        ([(AMOXICILLIN, day(0), day(9)), (AMOXICILLIN, day(40), day(49))],
         [(AMOXICILLIN, day(0), day(9), 1, 0), (AMOXICILLIN, day(40), day(49), 1, 0)]),
        # What overlaps is counted once: no gap, and none negative.
        ([(AMOXICILLIN, day(0), day(20)), (AMOXICILLIN, day(10), day(30)),
          (AMOXICILLIN, day(12), day(13))], [(AMOXICILLIN, day(0), day(30), 3, 0)]),
        # From one end to a start five days later: five days of gap.
        ([(AMOXICILLIN, day(0), day(20)), (AMOXICILLIN, day(5), day(6)),
          (AMOXICILLIN, day(25), day(26))], [(AMOXICILLIN, day(0), day(26), 3, 5)]),
        # A product of two ingredients counts for both, and joins the ingredient given alone.
        ([(BOTH, day(0), day(7)), (AMOXICILLIN, day(20), day(27))],
         [(AMOXICILLIN, day(0), day(27), 2, 13), (CLAVULANATE, day(0), day(7), 1, 0)]),
        # Clavulanate is not its own ancestor here: an ingredient counts for itself all the same.
        ([(CLAVULANATE, day(0), day(1))], [(CLAVULANATE, day(0), day(1), 1, 0)]),
        # No ingredient, or no concept: no era.
        ([(VACCINE, day(0), day(0)), (0, day(0), day(7))], []),
    ],
)  # fmt: skip
def test_drug_eras(
    cdm: duckdb.DuckDBPyConnection,
    exposures: list[tuple[int, str, str | None]],
    eras: list[tuple[Any, ...]],
) -> None:
    random.shuffle(exposures)
    assert drugs(cdm, exposures) == eras
    ids = cdm.execute("SELECT drug_era_id FROM cdm.drug_era").fetchall()
    assert len(set(ids)) == len(ids)


def test_eras_of_two_ingredients_and_of_fanned_out_exposures_share_no_id(
    cdm: duckdb.DuckDBPyConnection,
) -> None:
    """A code of two concepts makes two exposures: the eras of both have ids of their own."""
    cdm.execute(
        f"""INSERT INTO cdm.drug_exposure BY NAME
        SELECT fan_out_id(77, o) AS drug_exposure_id, 1 AS person_id, {BOTH} AS drug_concept_id,
        DATE '2024-01-01' + 100 * o::INTEGER AS drug_exposure_start_date FROM range(4) t(o)"""
    )
    run_sql(cdm, "drug_era")
    assert cdm.execute(
        "SELECT count(*), count(DISTINCT drug_era_id) FROM cdm.drug_era"
    ).fetchall() == [(8, 8)]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 40)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_eras_are_the_days_joined_over_thirty(
    spans: list[tuple[int, int]], shuffled: random.Random
) -> None:
    """Oracle: mark every half day of each span and of the 30 days after it; runs of marks are eras.

    Half days, so that a start 31 days after an end only touches the marks and joins nothing.
    """
    marked = {h for start, length in spans for h in range(2 * start, 2 * (start + length + 30) + 1)}
    runs = [h // 2 for h in sorted(marked) if h - 1 not in marked]
    expected = []
    for start in runs:
        reached = [s for s in spans if start <= s[0]]
        inside = [s for s in reached if set(range(2 * start, 2 * s[0] + 1)) <= marked]
        end = max(s[0] + s[1] for s in inside)
        expected.append((day(start), day(end), len(inside)))
    connection = duckdb.connect()
    connection.execute(ddl("duckdb", "cdm", enforce_required=False))
    run_sql(connection, "macros")
    shuffled.shuffle(spans)
    told: list[Span] = [(day(start), day(start + length)) for start, length in spans]
    assert conditions(connection, told) == expected


def test_condition_eras_are_those_of_ohdsi_on_synthea(shared: Path) -> None:
    """470 occurrences of Synthea27Nj and the 469 eras that OHDSI's own script made of them."""
    folder = shared / "quality" / "synthea27nj_cdm54"
    connection = duckdb.connect()
    connection.execute(ddl("duckdb", "cdm", enforce_required=False))
    run_sql(connection, "macros")
    occurrences = folder / "condition_occurrence.parquet"
    connection.execute(f"INSERT INTO cdm.condition_occurrence BY NAME FROM '{occurrences}'")
    run_sql(connection, "condition_era")
    columns = """person_id, condition_concept_id, condition_era_start_date,
        condition_era_end_date, condition_occurrence_count"""
    query = f"SELECT {columns} FROM {{}} ORDER BY ALL"
    theirs = connection.execute(query.format(f"'{folder / 'condition_era.parquet'}'")).fetchall()
    assert len(theirs) == 469
    assert connection.execute(query.format("cdm.condition_era")).fetchall() == theirs
