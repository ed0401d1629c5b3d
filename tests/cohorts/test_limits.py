"""First and last limits on dense data, beside a plain reading of Circe's rules.

The expected results of the shared set hardly notice a wrong limit (1 to 5 of 24 cohorts): here
persons have many events of the same day, so that every limit and every tie decides a row.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import duckdb
import pytest

from entrepot.cohorts import Dialect, Outcome, compile_cohort, compile_outcome, read_definition
from entrepot.cohorts.definition import CohortExpression, LimitType

pytestmark = pytest.mark.core

FIRST_DAY = dt.date(2020, 1, 1)
LIMITS = list(itertools.product(LimitType, repeat=3))
TABLES = """CREATE SCHEMA cdm;
CREATE TABLE cdm.concept (concept_id BIGINT, invalid_reason VARCHAR);
INSERT INTO cdm.concept VALUES (1, NULL), (2, NULL), (3, NULL);
CREATE TABLE cdm.observation_period (person_id BIGINT, observation_period_start_date DATE,
  observation_period_end_date DATE);
CREATE TABLE cdm.condition_occurrence (condition_occurrence_id BIGINT, person_id BIGINT,
  condition_concept_id BIGINT, condition_start_date DATE, condition_end_date DATE,
  visit_occurrence_id BIGINT);
"""
PRIMARY, NEAR, BEFORE = 1, 2, 3


@dataclass(frozen=True)
class Event:
    """A condition of one person; days count from the first."""

    id: int
    person: int
    concept: int
    start: int
    end: int
    observed: tuple[int, int] = (0, 0)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Few days, so that many events share theirs."""
    rng = random.Random(7)
    found = []
    for number, person in enumerate(rng.choices(range(1, 41), k=900)):
        start = rng.choice([0, 3, 3, 4, 10, 11, 20, 21, 33, 40, 70])
        end = start + rng.choice([0, 1, 5, 12])
        found.append(Event(number + 1, person, rng.choice([1, 1, 2, 3]), start, end))
    return found


@pytest.fixture(scope="module")
def database(events: list[Event]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(TABLES)
        for person in {event.person for event in events}:
            for first, last in observed(person):
                opened.execute(
                    "INSERT INTO cdm.observation_period VALUES (?, ?, ?)",
                    [person, day(first), day(last)],
                )
        opened.executemany(
            "INSERT INTO cdm.condition_occurrence VALUES (?, ?, ?, ?, ?, NULL)",
            [[e.id, e.person, e.concept, day(e.start), day(e.end)] for e in events],
        )
        yield opened


def observed(person: int) -> list[tuple[int, int]]:
    """Some are observed twice, with a gap in which events do not count."""
    return [(0, 90)] if person % 3 else [(0, 10), (20, 60)]


def day(number: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(number)


@pytest.mark.parametrize("limits", LIMITS, ids="/".join)
@pytest.mark.parametrize("additional", [True, False], ids=["additional", "plain"])
@pytest.mark.parametrize("rule", [True, False], ids=["rule", "free"])
def test_every_limit(
    database: duckdb.DuckDBPyConnection,
    events: list[Event],
    limits: tuple[LimitType, LimitType, LimitType],
    additional: bool,
    rule: bool,
) -> None:
    expression = definition(limits, additional, rule)
    expected = Plain(events, limits, additional, rule)
    sql = compile_outcome(expression, Dialect.DUCKDB)
    outcome = Outcome.of(database.execute(sql).fetchall())
    assert outcome.rows == expected.rows()
    assert outcome.rows
    if rule:
        assert (outcome.events, outcome.persons) == expected.masks()
    alone = database.execute(compile_cohort(expression, Dialect.DUCKDB)).fetchall()
    assert tuple(sorted(alone)) == outcome.rows


def test_the_data_notice_every_limit(events: list[Event]) -> None:
    answers = {limits: Plain(events, limits, True, True).rows() for limits in LIMITS}
    # Once one event of a person is left, later limits choose between one and one.
    assert len(set(answers.values())) == 3 + 2 + 2


class Plain:
    """The same rules in plain Python, event by event (circe-be, `generateCohort.sql`)."""

    def __init__(
        self,
        events: list[Event],
        limits: tuple[LimitType, LimitType, LimitType],
        additional: bool,
        rule: bool,
    ) -> None:
        self.events, self.limits, self.additional, self.rule = events, limits, additional, rule

    def rows(self) -> tuple[tuple[int, dt.date, dt.date], ...]:
        kept = [event for event in self.qualified() if not self.rule or self.before(event)]
        found = []
        for person, group in by_person(limited(kept, self.limits[2])).items():
            for start, end in joined((e.start, min(e.end, e.observed[1])) for e in group):
                found.append((person, day(start), day(end)))
        return tuple(sorted(found))

    def masks(self) -> tuple[dict[int, int], dict[int, int]]:
        events: dict[int, int] = {}
        persons: dict[int, int] = {}
        for group in by_person(self.qualified()).values():
            masks = [int(self.before(event)) for event in group]
            for mask in masks:
                events[mask] = events.get(mask, 0) + 1
            persons[max(masks)] = persons.get(max(masks), 0) + 1
        return events, persons

    def qualified(self) -> list[Event]:
        seen = [
            replace(event, observed=period)
            for event in self.events
            if event.concept == PRIMARY
            for period in observed(event.person)
            if period[0] <= event.start <= period[1]
        ]
        primary = limited(seen, self.limits[0])
        if not self.additional:
            return primary
        return limited([event for event in primary if self.near(event)], self.limits[1])

    def near(self, index: Event) -> bool:
        """A condition of the second kind at most 5 days away."""
        return self.any(index, NEAR, lambda e: abs(e.start - index.start) <= 5)

    def before(self, index: Event) -> bool:
        """A condition of the third kind in the 10 days before."""
        return self.any(index, BEFORE, lambda e: index.start - 10 <= e.start <= index.start)

    def any(self, index: Event, concept: int, close: Callable[[Event], bool]) -> bool:
        first, last = index.observed
        return any(
            close(event)
            for event in self.events
            if event.person == index.person
            and event.concept == concept
            and first <= event.start <= last
        )


def by_person(events: list[Event]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    for event in events:
        found.setdefault(event.person, []).append(event)
    return found


def limited(events: list[Event], limit: LimitType) -> list[Event]:
    """Of the first or last day, the event with the lowest id."""
    if limit is LimitType.ALL:
        return events
    sign = -1 if limit is LimitType.LAST else 1
    groups = by_person(events).values()
    return [min(group, key=lambda event: (sign * event.start, event.id)) for group in groups]


def joined(periods: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Periods that share a day become one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(periods):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def definition(
    limits: tuple[LimitType, LimitType, LimitType], additional: bool, rule: bool
) -> CohortExpression:
    told = {
        "ConceptSets": [
            {"id": n, "expression": {"items": [{"concept": {"CONCEPT_ID": n}}]}}
            for n in (PRIMARY, NEAR, BEFORE)
        ],
        "PrimaryCriteria": {
            "CriteriaList": [{"ConditionOccurrence": {"CodesetId": PRIMARY}}],
            "PrimaryCriteriaLimit": {"Type": limits[0]},
        },
        "QualifiedLimit": {"Type": limits[1]},
        "ExpressionLimit": {"Type": limits[2]},
        "EndStrategy": {"DateOffset": {"DateField": "EndDate", "Offset": 0}},
    }
    if additional:
        told["AdditionalCriteria"] = group(NEAR, -5, 5)
    if rule:
        told["InclusionRules"] = [{"name": "before", "expression": group(BEFORE, -10, 0)}]
    return read_definition(json.dumps(told), "here")


def group(codeset: int, first: int, last: int) -> dict[str, object]:
    sides = {
        side: {"Coeff": -1 if days <= 0 else 1, "Days": abs(days)}
        for side, days in (("Start", first), ("End", last))
    }
    member = {
        "Criteria": {"ConditionOccurrence": {"CodesetId": codeset}},
        "StartWindow": sides,
        "Occurrence": {"Type": 2, "Count": 1},
    }
    return {"Type": "ALL", "CriteriaList": [member]}
