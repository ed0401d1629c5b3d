"""Definitions written in Python are those that ATLAS would have written."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import duckdb
import pytest

from entrepot.cohorts import Dialect, compile_cohort, read_definition
from entrepot.cohorts.definition import CohortExpression
from entrepot.cohorts.writing import (
    all_of,
    any_of,
    at_least,
    at_least_of,
    at_most,
    between,
    cohort,
    concepts,
    containing,
    event,
    person,
    times,
)
from entrepot.errors import ConfigurationError
from entrepot.publish.ddl import ddl

pytestmark = pytest.mark.core

DIABETES = concepts("Diabetes", 201826).without(4058243)
INSULIN = concepts("Insulin", 21600713)


def draft() -> CohortExpression:
    """A definition that uses each step once."""
    return (
        cohort("Diabetes")
        .entry(
            event("ConditionOccurrence", DIABETES)
            .first()
            .where(age=at_least(18), gender=[8532], stop_reason=containing("x")),
            prior_days=365,
            keep="All",
        )
        .restricted(times(event("Measurement")).within(-30, 0), keep="First")
        .rule(
            "no insulin",
            times(event("DrugExposure", INSULIN), exactly=0).before(),
            any_of(person(age=between(20, 60)), person(race=[8527])),
        )
        .rule(
            "seen twice",
            at_least_of(
                1,
                times(event("VisitOccurrence"), at_least=2, distinct="START_DATE")
                .within(0, None, of="end")
                .ending_within(None, 90)
                .outside_observation(),
            ),
        )
        .keeping("First")
        .leaving(days=365, after="end")
        .censored_by(event("Death"))
        .joined(30)
        .within(dt.date(2020, 1, 1), dt.date(2024, 12, 31))
        .definition()
    )


# What circe-be's classes would write for the same; window sides: Coeff -1 is before.
def _window(start: dict[str, int], end: dict[str, int], index: bool, event: bool) -> dict[str, Any]:
    return {"Start": start, "End": end, "UseIndexEnd": index, "UseEventEnd": event}


WRITTEN: dict[str, Any] = {
    "Title": "Diabetes",
    "ConceptSets": [
        {"id": 0, "name": "Diabetes", "expression": {"items": [
            {"concept": {"CONCEPT_ID": 201826}, "includeDescendants": True},
            {"concept": {"CONCEPT_ID": 4058243}, "includeDescendants": True, "isExcluded": True},
        ]}},
        {"id": 1, "name": "Insulin", "expression": {"items": [
            {"concept": {"CONCEPT_ID": 21600713}, "includeDescendants": True}]}},
    ],
    "PrimaryCriteria": {
        "CriteriaList": [{"ConditionOccurrence": {
            "CodesetId": 0, "First": True, "Age": {"Value": 18, "Op": "gte"},
            "Gender": [{"CONCEPT_ID": 8532}], "StopReason": {"Text": "x", "Op": "contains"}}}],
        "ObservationWindow": {"PriorDays": 365, "PostDays": 0},
        "PrimaryCriteriaLimit": {"Type": "All"},
    },
    "AdditionalCriteria": {"Type": "ALL", "CriteriaList": [{
        "Criteria": {"Measurement": {}},
        "StartWindow": _window({"Days": 30, "Coeff": -1}, {"Days": 0, "Coeff": 1}, False, False),
        "Occurrence": {"Type": 2, "Count": 1}}]},
    "QualifiedLimit": {"Type": "First"},
    "InclusionRules": [
        {"name": "no insulin", "expression": {"Type": "ALL", "CriteriaList": [{
            "Criteria": {"DrugExposure": {"CodesetId": 1}},
            "StartWindow": _window({"Coeff": -1}, {"Days": 1, "Coeff": -1}, False, False),
            "Occurrence": {"Type": 0, "Count": 0}}],
            "Groups": [{"Type": "ANY", "DemographicCriteriaList": [
                {"Age": {"Value": 20, "Op": "bt", "Extent": 60}},
                {"Race": [{"CONCEPT_ID": 8527}]}]}]}},
        {"name": "seen twice", "expression": {"Type": "ALL", "Groups": [
            {"Type": "AT_LEAST", "Count": 1, "CriteriaList": [{
                "Criteria": {"VisitOccurrence": {}},
                "StartWindow": _window({"Days": 0, "Coeff": 1}, {"Coeff": 1}, True, False),
                "EndWindow": _window({"Coeff": -1}, {"Days": 90, "Coeff": 1}, False, True),
                "Occurrence": {"Type": 2, "Count": 2, "IsDistinct": True,
                               "CountColumn": "START_DATE"},
                "IgnoreObservationPeriod": True}]}]}},
    ],
    "ExpressionLimit": {"Type": "First"},
    "EndStrategy": {"DateOffset": {"DateField": "EndDate", "Offset": 365}},
    "CensoringCriteria": [{"Death": {}}],
    "CollapseSettings": {"CollapseType": "ERA", "EraPad": 30},
    "CensorWindow": {"StartDate": "2020-01-01", "EndDate": "2024-12-31"},
}  # fmt: skip


def test_the_json_is_circes() -> None:
    assert draft() == read_definition(json.dumps(WRITTEN), "circe")


def test_what_is_written_is_read_again_as_it_was() -> None:
    assert read_definition(draft().json(), "again") == draft()


def test_a_drug_era_ends_the_cohort_and_sets_fill_attributes_of_ids() -> None:
    stays = concepts("Stays", 9201, descendants=False, mapped=True)
    told = (
        cohort("Treated")
        .entry(
            event("DrugExposure", INSULIN)
            .where(visit_type=stays, drug_source_concept=INSULIN)
            .that(all_of(times(event("Death"), at_most=0)))
        )
        .leaving_with(INSULIN, gap_days=30, offset=7, days_supply=28)
        .definition()
    )
    [one] = told.primary_criteria.criteria_list
    assert one.drug_exposure is not None
    assert one.drug_exposure.visit_type_cs is not None
    assert one.drug_exposure.correlated_criteria is not None
    assert one.drug_exposure.correlated_criteria.criteria_list[0].occurrence.type == 1
    numbers = {one.name: one.id for one in told.concept_sets}
    assert one.drug_exposure.visit_type_cs.codeset_id == numbers["Stays"]
    assert one.drug_exposure.drug_source_concept == numbers["Insulin"]
    assert one.drug_exposure.codeset_id == numbers["Insulin"]
    assert told.end_strategy is not None
    assert told.end_strategy.custom_era is not None
    assert told.end_strategy.custom_era.drug_codeset_id == numbers["Insulin"]
    assert (told.end_strategy.custom_era.gap_days, told.end_strategy.custom_era.offset) == (30, 7)


def test_two_sets_of_one_name_are_two_and_the_same_set_twice_is_one() -> None:
    told = (
        cohort("twice")
        .entry(
            event("ConditionOccurrence", concepts("a", 1)),
            event("ConditionOccurrence", concepts("a", 1)),
            event("ConditionOccurrence", concepts("a", 2)),
        )
        .definition()
    )
    assert [one.id for one in told.concept_sets] == [0, 1]


def test_what_is_written_runs() -> None:
    """Persons 1 and 2 have the event; only person 1 is 18 at it."""
    connection = duckdb.connect()
    connection.execute(ddl("duckdb", enforce_required=False))
    for number, born in ((1, 1960), (2, 2015)):
        connection.execute(
            "INSERT INTO cdm.person (person_id, year_of_birth) VALUES (?, ?)", [number, born]
        )
        connection.execute(
            "INSERT INTO cdm.observation_period (person_id, observation_period_start_date,"
            " observation_period_end_date) VALUES (?, DATE '2019-01-01', DATE '2024-12-31')",
            [number],
        )
        connection.execute(
            "INSERT INTO cdm.condition_occurrence (condition_occurrence_id, person_id,"
            " condition_concept_id, condition_start_date) VALUES (?, ?, 201826, '2021-05-04')",
            [number, number],
        )
    connection.execute("INSERT INTO cdm.concept (concept_id) VALUES (201826)")
    told = (
        cohort("adults")
        .entry(event("ConditionOccurrence", concepts("d", 201826)).where(age=at_least(18)))
        .rule("no later event", times(event("Measurement"), at_most=0))
        .leaving(days=10)
        .definition()
    )
    found = connection.execute(compile_cohort(told, Dialect.DUCKDB, "cdm")).fetchall()
    assert found == [(1, dt.date(2021, 5, 4), dt.date(2021, 5, 14))]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (lambda: event("Diagnosis"), "no such kind"),
        (lambda: event("ObservationPeriod", DIABETES), "takes no concept set"),
        (lambda: event("Death").where(ages=at_most(3)), "no attribute ages"),
        (lambda: person(sex=[8532]), "no attribute sex"),
        (lambda: times(event("Death"), at_least=1, exactly=1), "give one of"),
        (lambda: times(event("Death"), distinct="NAME"), "nothing of that name"),
        (lambda: times(event("Death")).within(0, 1, of="middle"), "start or end"),
        (lambda: cohort("x").entry(event("Death")).leaving(days=1, after="never"), "start or end"),
        (lambda: cohort("nobody").definition(), "no entry event"),
    ],
)
def test_a_mistake_is_named_where_it_is_made(step: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        step()


def test_a_day_and_a_number_do_not_mix() -> None:
    with pytest.raises(TypeError):
        between(dt.date(2020, 1, 1), 3)
    with pytest.raises(TypeError):
        between(3, dt.date(2020, 1, 1))
