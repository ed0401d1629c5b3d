"""Data that no CDM should hold, and definitions hardly anybody writes: as Circe's SQL has them.

Expected rows are worked out from circe-be's templates (`generateCohort.sql`,
`groupQuery.sql`): an end is one when it is not before its event's start, and a nested criterion
keeps each of its events once.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from entrepot.cohorts import (
    Dialect,
    Outcome,
    compile_cohort,
    compile_outcome,
    read_definition,
)
from entrepot.cohorts.explaining import explain
from entrepot.cohorts.validating import validate
from entrepot.errors import ConfigurationError

pytestmark = pytest.mark.core

TABLES = """CREATE SCHEMA cdm;
CREATE TABLE cdm.concept (concept_id BIGINT, invalid_reason VARCHAR);
INSERT INTO cdm.concept VALUES (1, NULL), (2, NULL);
CREATE TABLE cdm.person (person_id BIGINT, year_of_birth INTEGER);
INSERT INTO cdm.person SELECT i, 1980 FROM range(1, 9) t(i);
CREATE TABLE cdm.observation_period (person_id BIGINT, observation_period_start_date DATE,
  observation_period_end_date DATE);
CREATE TABLE cdm.visit_occurrence (visit_occurrence_id BIGINT, person_id BIGINT,
  visit_concept_id BIGINT, visit_start_date DATE, visit_end_date DATE);
CREATE TABLE cdm.condition_occurrence (condition_occurrence_id BIGINT, person_id BIGINT,
  condition_concept_id BIGINT, condition_start_date DATE, condition_end_date DATE,
  visit_occurrence_id BIGINT);
"""
Row = tuple[int, dt.date, dt.date]


def day(number: int) -> dt.date:
    """Days count from 1 January 2011."""
    return dt.date(2011, 1, 1) + dt.timedelta(number)


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(TABLES)
        yield opened


def observe(database: duckdb.DuckDBPyConnection, person: int, *periods: tuple[int, int]) -> None:
    for first, last in periods:
        database.execute(
            "INSERT INTO cdm.observation_period VALUES (?, ?, ?)", [person, day(first), day(last)]
        )


def visit(database: duckdb.DuckDBPyConnection, person: int, start: int, end: int | None) -> None:
    last = None if end is None else day(end)
    database.execute(
        "INSERT INTO cdm.visit_occurrence SELECT count(*) + 1, ?, 1, ?, ?"
        " FROM cdm.visit_occurrence",
        [person, day(start), last],
    )


def condition(database: duckdb.DuckDBPyConnection, person: int, concept: int, start: int) -> None:
    database.execute(
        "INSERT INTO cdm.condition_occurrence SELECT count(*) + 1, ?, ?, ?, ?, NULL"
        " FROM cdm.condition_occurrence",
        [person, concept, day(start), day(start)],
    )


def definition(criterion: str = "VisitOccurrence", **changes: Any) -> dict[str, Any]:
    sets = [
        {"id": n, "name": f"set {n}", "expression": {"items": [{"concept": {"CONCEPT_ID": n}}]}}
        for n in (1, 2)
    ]
    return {
        "ConceptSets": sets,
        "PrimaryCriteria": {
            "CriteriaList": [{criterion: {"CodesetId": 1}}],
            "PrimaryCriteriaLimit": {"Type": "All"},
        },
        "QualifiedLimit": {"Type": "All"},
        "ExpressionLimit": {"Type": "All"},
        **changes,
    }


def offset(field: str, days: int) -> dict[str, Any]:
    return {"DateOffset": {"DateField": field, "Offset": days}}


def rows(database: duckdb.DuckDBPyConnection, told: dict[str, Any]) -> list[Row]:
    expression = read_definition(json.dumps(told), "odd")
    outcome = Outcome.of(database.execute(compile_outcome(expression, Dialect.DUCKDB)).fetchall())
    alone = database.execute(compile_cohort(expression, Dialect.DUCKDB)).fetchall()
    assert sorted(alone) == list(outcome.rows)
    return list(outcome.rows)


@pytest.mark.parametrize("days", [0, 3])
def test_an_end_before_its_start_or_unknown_is_no_end(
    database: duckdb.DuckDBPyConnection, days: int
) -> None:
    """`CE.end_date >= I.start_date`, and an offset has no other end: such events are left out."""
    observe(database, 1, (0, 300))
    visit(database, 1, 10, 5)
    visit(database, 1, 30, None)
    visit(database, 1, 50, 55)
    told = definition(EndStrategy=offset("EndDate", days))
    assert rows(database, told) == [(1, day(50), day(55 + days))]


def test_an_end_before_its_start_joins_nothing(database: duckdb.DuckDBPyConnection) -> None:
    observe(database, 1, (0, 300))
    visit(database, 1, 10, 5)
    visit(database, 1, 15, 20)
    told = definition(
        EndStrategy=offset("EndDate", 1), CollapseSettings={"CollapseType": "ERA", "EraPad": 30}
    )
    assert rows(database, told) == [(1, day(15), day(21))]


def test_a_censoring_event_ends_what_has_no_end(database: duckdb.DuckDBPyConnection) -> None:
    """Of several ends the first that is not before the start."""
    observe(database, 1, (0, 300))
    visit(database, 1, 10, 5)
    condition(database, 1, 2, 12)
    censoring = [{"ConditionOccurrence": {"CodesetId": 2}}]
    told = definition(EndStrategy=offset("EndDate", 1), CensoringCriteria=censoring)
    assert rows(database, told) == [(1, day(10), day(12))]


def test_a_nested_event_in_two_periods_counts_once(database: duckdb.DuckDBPyConnection) -> None:
    """Periods that share a day: the group is asked in both, the event stays one."""
    for person in (1, 2):
        observe(database, person, (0, 100), (100, 300))
        visit(database, person, 200, 201)
        condition(database, person, 2, 100)
    condition(database, 2, 2, 110)
    grown = {"Type": "ALL", "DemographicCriteriaList": [{"Age": {"Value": 1, "Op": "gt"}}]}
    nested = {"ConditionOccurrence": {"CodesetId": 2, "CorrelatedCriteria": grown}}
    twice = {
        "Criteria": nested,
        "StartWindow": {"Start": {"Coeff": -1}, "End": {"Coeff": 1}},
        "IgnoreObservationPeriod": True,
        "Occurrence": {"Type": 2, "Count": 2},
    }
    rule = {"name": "two", "expression": {"Type": "ALL", "CriteriaList": [twice]}}
    assert rows(database, definition(InclusionRules=[rule])) == [(2, day(200), day(300))]


@pytest.mark.parametrize("limit", ["QualifiedLimit", "ExpressionLimit", "PrimaryCriteriaLimit"])
def test_a_limit_of_null_is_none(database: duckdb.DuckDBPyConnection, limit: str) -> None:
    """`type != null && !type.equalsIgnoreCase("ALL")`; a limit that is not there is the first."""
    observe(database, 1, (0, 300))
    visit(database, 1, 10, 11)
    visit(database, 1, 30, 31)
    told = definition(EndStrategy=offset("EndDate", 0), AdditionalCriteria={"Type": "ALL"})
    holder = told["PrimaryCriteria"] if limit.startswith("Primary") else told
    holder[limit] = {"Type": None}
    assert len(rows(database, told)) == 2
    del holder[limit]
    assert rows(database, told) == [(1, day(10), day(11))]


def test_whole_numbers_may_be_written_as_fractions_and_days_short() -> None:
    """As Java's reader takes them; 1.5 is no whole number in either."""
    told, odd = definition(), definition()
    for one, number, written in ((told, 1, "2012-01-05"), (odd, 1.0, "2012-1-5")):
        criterion = one["PrimaryCriteria"]["CriteriaList"][0]["VisitOccurrence"]
        criterion["CodesetId"] = number
        criterion["OccurrenceStartDate"] = {"Value": written, "Op": "gt"}
        criterion["Age"] = {"Value": number * 18, "Op": "gte"}
    assert read_definition(json.dumps(odd), "odd") == read_definition(json.dumps(told), "told")


def test_what_a_vocabulary_server_says_of_a_concept_is_no_matter() -> None:
    """Web API adds counts, and codes come as numbers; only the id has a meaning."""
    told, odd = definition(), definition()
    concept = odd["ConceptSets"][0]["expression"]["items"][0]["concept"]
    concept |= {"RECORD_COUNT": 12, "DESCENDANT_RECORD_COUNT": 40}
    assert read_definition(json.dumps(odd), "odd") == read_definition(json.dumps(told), "told")
    concept["CONCEPT_CODE"] = 427
    read_definition(json.dumps(odd), "odd")


def test_hundreds_of_criteria_side_by_side() -> None:
    """62 rules of a few criteria each are one row of joins; PhenotypeLibrary has 35 at most.

    Who validates compiles for every dialect.
    """
    one = {
        "Criteria": {"ConditionOccurrence": {"CodesetId": 2}},
        "StartWindow": {"Start": {"Coeff": -1}, "End": {"Coeff": 1}},
        "Occurrence": {"Type": 2, "Count": 1},
    }
    none = one | {"Occurrence": {"Type": 0, "Count": 0}}
    rule = {"name": "", "expression": {"Type": "ALL", "CriteriaList": [one, none] * 3}}
    expression = read_definition(json.dumps(definition(InclusionRules=[rule] * 60)), "wide")
    assert validate(expression) == []


@pytest.mark.parametrize("value", [1e24, -1e30, 10**18])
def test_a_number_beyond_all_measures_is_refused_by_its_path(value: float) -> None:
    told = definition()
    told["PrimaryCriteria"]["CriteriaList"] = [
        {"Measurement": {"CodesetId": 1, "ValueAsNumber": {"Value": value, "Op": "gt"}}}
    ]
    with pytest.raises(ConfigurationError, match=r"1000000000000000.*ValueAsNumber\.Value"):
        read_definition(json.dumps(told), "odd")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_changes_a_cohort_is_said(language: str) -> None:
    """The concept set numbered 0, and limits without any rule."""

    def said(told: dict[str, Any]) -> str:
        return explain(read_definition(json.dumps(told), "odd"), language)

    plain, coded = definition("ConditionOccurrence"), definition("ConditionOccurrence")
    coded["ConceptSets"][1]["id"] = 0
    plain["ConceptSets"][1]["id"] = 0
    criterion = coded["PrimaryCriteria"]["CriteriaList"][0]["ConditionOccurrence"]
    criterion["ConditionSourceConcept"] = 0
    assert "set 2" in "".join(set(said(coded).splitlines()) - set(said(plain).splitlines()))
    last = {"Type": "Last"}
    emptied = {"QualifiedLimit": last, "AdditionalCriteria": {"Type": "ALL"}}
    for limit in ({"ExpressionLimit": last}, emptied):
        assert said(definition(**limit)) != said(definition())
