"""Counts of every analysis against loops over the same rows, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from entrepot.cohorts import CohortExpression, read_definition
from entrepot.errors import ConfigurationError
from entrepot.federation.analyses import (
    Analysis,
    Attrition,
    Characterisation,
    Counts,
    CountsAnswer,
    Feature,
    Prevalence,
    Stratified,
    Survival,
    Years,
    answered,
    perform,
)
from entrepot.federation.analyses.asked import Asked, Readable
from entrepot.federation.analyses.follow_up import followed
from federation.analysis_rows import (
    ASTHMA,
    CODES,
    COHORTS,
    CREATININE,
    DIABETES,
    METFORMIN,
    PARENT,
    STROKE,
    DuckCdm,
    Patient,
    draw,
    lines,
    postgres_cdm,
)
from federation.exact_guard import ExactGuard
from postgres_server import any_server

pytestmark = pytest.mark.integration
MASKS = f"""SELECT person_id, sum(DISTINCT CASE condition_concept_id
    WHEN {DIABETES} THEN 1 WHEN {ASTHMA} THEN 2 WHEN {STROKE} THEN 4 END) AS mask
  FROM cdm.condition_occurrence GROUP BY person_id"""
Told = dict[tuple[str, ...], int]


@pytest.fixture(scope="module")
def patients() -> list[Patient]:
    return draw(400, seed=7)


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def database(request: pytest.FixtureRequest, patients: list[Patient]) -> Iterator[Readable]:
    if request.param == "duckdb":
        yield DuckCdm(patients)
        return
    pytest.importorskip("psycopg")
    with any_server() as server, postgres_cdm(server.url(), patients) as found:
        yield found


@pytest.fixture
def ask(database: Readable) -> Callable[[Analysis], CountsAnswer]:
    def answer(analysis: Analysis) -> CountsAnswer:
        asked = Asked(database, COHORTS, {"diabetes": MASKS})
        found = answered(asked, analysis, ExactGuard())
        assert isinstance(found, CountsAnswer)
        return found

    return answer


def told(answer: CountsAnswer, name: str) -> Told:
    """Counts above 0 by key."""
    return {key: count for key, count in answer.table(name).counts().items() if count}


def first(one: Patient, concept: int) -> dt.date | None:
    days = one.entries(concept)
    return days[0] if days else None


def test_counts(ask: Callable[[Analysis], CountsAnswer], patients: list[Patient]) -> None:
    answer = ask(Counts(cohorts=("diabetes", "stroke")))
    for name, concept in (("diabetes", DIABETES), ("stroke", STROKE)):
        expected = sum(bool(one.entries(concept)) for one in patients)
        assert told(answer, name) == {(): expected}


def test_strata(ask: Callable[[Analysis], CountsAnswer], patients: list[Patient]) -> None:
    years = Years(first=2019, last=2020)
    answer = ask(Stratified(cohort="diabetes", by=("sex", "age_band", "year"), years=years))
    expected: Counter[tuple[str, ...]] = Counter()
    for one in patients:
        entry = first(one, DIABETES)
        if entry is None:
            continue
        age = entry.year - one.born
        band = "90+" if age >= 90 else f"{age // 10 * 10}-{age // 10 * 10 + 9}"
        sex = {8507: "male", 8532: "female"}.get(one.gender, "unknown")
        year = "before" if entry.year < 2019 else "after" if entry.year > 2020 else str(entry.year)
        for kept in range(8):
            key = (sex, band, year)
            expected[tuple(v if kept >> n & 1 else "*" for n, v in enumerate(key))] += 1
    assert told(answer, "diabetes") == expected


def test_care_sites(ask: Callable[[Analysis], CountsAnswer], patients: list[Patient]) -> None:
    answer = ask(Stratified(cohort="diabetes", by=("care_site_group",)))
    groups = {"MCO": "acute", "URG": "emergency", "SMR": "rehabilitation"}
    expected: Counter[tuple[str, ...]] = Counter()
    for one in patients:
        entry = first(one, DIABETES)
        if entry is None:
            continue
        stays = sorted(
            (v for v in one.visits if v[1] <= entry <= v[2]), key=lambda v: (v[1], -v[0])
        )
        code = CODES[stays[-1][3] - 1] if stays else None
        expected[(groups.get(code or "", "other"),)] += 1
        expected[("*",)] += 1
    assert len(expected) == 5
    assert told(answer, "diabetes") == expected


def test_attrition(ask: Callable[[Analysis], CountsAnswer], patients: list[Patient]) -> None:
    answer = ask(Attrition(cohort="diabetes", rules=3))
    left = [one for one in patients if one.conditions]
    expected: Told = {("*",): len(left)}
    for number, concept in enumerate((DIABETES, ASTHMA, STROKE), 1):
        passing = [one for one in left if one.entries(concept)]
        expected[(str(number),)] = len(left) - len(passing)
        left = passing
        expected[("kept",) if number == 3 else (f"after:{number}",)] = len(left)
    assert told(answer, "diabetes") == expected


@pytest.mark.parametrize("window", [30, 365, 3650])
def test_table_one(
    ask: Callable[[Analysis], CountsAnswer], patients: list[Patient], window: int
) -> None:
    features = (
        Feature(name="metformin", domain="drug", concept_id=METFORMIN),
        Feature(name="creatinine", domain="measurement", concept_id=CREATININE),
        Feature(name="parent", domain="condition", concept_id=PARENT),
        Feature(name="parent_itself", domain="condition", concept_id=PARENT, descendants=False),
    )
    answer = ask(Characterisation.model_validate({
        "target": "asthma", "comparator": "stroke", "features": features, "window_days": window,
    }))  # fmt: skip

    def having(one: Patient, name: str, entry: dt.date) -> bool:
        events = {
            "metformin": one.drugs, "creatinine": one.measurements,
            "parent": [event for event in one.conditions if event[0] == DIABETES],
        }.get(name, [])  # fmt: skip
        return any(0 <= (entry - day).days <= window for _, day in events)

    for group, concept in (("asthma", ASTHMA), ("stroke", STROKE)):
        members = [(one, day) for one in patients if (day := first(one, concept))]
        for feature in features:
            yes = sum(having(one, feature.name, day) for one, day in members)
            expected = {("yes",): yes, ("no",): len(members) - yes, ("*",): len(members)}
            shown = {key: count for key, count in expected.items() if count}
            assert told(answer, f"{group}:feature:{feature.name}") == shown
        men = sum(one.gender == 8507 for one, _ in members)
        assert told(answer, f"{group}:sex")[("male",)] == men
        over = sum(day.year - one.born >= 90 for one, day in members)
        assert told(answer, f"{group}:age_band").get(("90+",), 0) == over


@pytest.mark.parametrize("at", ["first_day", "any_day"])
def test_prevalence(
    ask: Callable[[Analysis], CountsAnswer], patients: list[Patient], at: str
) -> None:
    answer = ask(Prevalence.model_validate({
        "population": "asthma", "condition": "diabetes", "at": at,
        "years": {"first": 2018, "last": 2024},
    }))  # fmt: skip
    for year in range(2018, 2025):
        begin = dt.date(year, 1, 1)
        end = begin if at == "first_day" else dt.date(year, 12, 31)

        def active(one: Patient, concept: int, begin: dt.date = begin, end: dt.date = end) -> bool:
            return one.observed[1] >= begin and any(day <= end for day in one.entries(concept))

        there = [one for one in patients if active(one, ASTHMA)]
        yes = sum(active(one, DIABETES) for one in there)
        expected = {("yes",): yes, ("no",): len(there) - yes, ("*",): len(there)}
        assert told(answer, str(year)) == {key: count for key, count in expected.items() if count}


@pytest.mark.parametrize("keep_prior", [False, True])
def test_days_and_outcomes(database: Readable, patients: list[Patient], keep_prior: bool) -> None:
    found = followed(Asked(database, COHORTS), "diabetes", "stroke")
    told = [one.until(365) for one in found if keep_prior or not one.prior]
    expected = [(one.days, one.event) for one in lines(patients, 365, keep_prior=keep_prior)]
    assert sorted(told) == sorted(expected)
    assert sum(event for _, event in told) > 15


MEN = {"Gender": [{"CONCEPT_ID": 8507, "CONCEPT_NAME": "MALE"}]}
OVER_50 = {"Age": {"Value": 50, "Op": "gte"}}


def definition(concept: int, *rules: dict[str, object]) -> CohortExpression:
    """In OHDSI's language: every event of a concept, of persons who satisfy the rules at it."""
    stated = [
        {"name": f"rule {n}", "expression": {
            "Type": "ALL", "DemographicCriteriaList": [rule], "CriteriaList": [], "Groups": [],
        }}
        for n, rule in enumerate(rules)
    ]  # fmt: skip
    items = [{"concept": {"CONCEPT_ID": concept, "CONCEPT_NAME": "x"}, "includeDescendants": True}]
    return read_definition(json.dumps({
        "ConceptSets": [{"id": 0, "name": "x", "expression": {"items": items}}],
        "PrimaryCriteria": {
            "CriteriaList": [{"ConditionOccurrence": {"CodesetId": 0}}],
            "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
            "PrimaryCriteriaLimit": {"Type": "All"},
        },
        "QualifiedLimit": {"Type": "All"}, "ExpressionLimit": {"Type": "All"},
        "InclusionRules": stated,
        "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0},
    }), "a definition of this test")  # fmt: skip


def test_a_definition_is_compiled_and_counted(database: Readable, patients: list[Patient]) -> None:
    """PARENT reaches diabetes by `concept_ancestor`; the second cohort has an inclusion rule."""
    cohorts = {"all": definition(PARENT), "men": definition(STROKE, MEN)}
    answer = perform(database, cohorts, Counts(cohorts=("all", "men")), ExactGuard())
    assert isinstance(answer, CountsAnswer)
    assert told(answer, "all") == {(): sum(bool(one.entries(DIABETES)) for one in patients)}
    men = sum(bool(one.entries(STROKE)) for one in patients if one.gender == 8507)
    assert told(answer, "men") == {(): men}


def test_follow_up_of_compiled_cohorts(database: Readable, patients: list[Patient]) -> None:
    cohorts = {"diabetes": definition(PARENT), "stroke": definition(STROKE)}
    analysis = Survival(target="diabetes", outcome="stroke", interval_days=365, intervals=1)
    answer = perform(database, cohorts, analysis, ExactGuard())
    assert isinstance(answer, CountsAnswer)
    # Eras end with observation, so only a person's first stroke is an entry: outcomes before the
    # first diabetes exclude, and no later one of such a person counts.
    expected = [line.event for line in lines(patients, 365)]
    assert told(answer, "diabetes")[("event:1",)] == sum(expected)
    assert told(answer, "diabetes")[("*",)] == len(expected)


def test_attrition_of_a_definition(database: Readable, patients: list[Patient]) -> None:
    """A person's best event: whoever is a man at 50 or later at any of them loses at no rule."""
    cohorts = {"men": definition(STROKE, MEN, OVER_50)}
    answer = perform(database, cohorts, Attrition(cohort="men", rules=2), ExactGuard())
    assert isinstance(answer, CountsAnswer)
    ever = [one for one in patients if one.entries(STROKE)]
    men = [one for one in ever if one.gender == 8507]
    kept = [one for one in men if any(day.year - one.born >= 50 for day in one.entries(STROKE))]
    assert told(answer, "men") == {
        ("*",): len(ever), ("1",): len(ever) - len(men), ("2",): len(men) - len(kept),
        ("after:1",): len(men), ("kept",): len(kept),
    }  # fmt: skip
    whole = perform(
        database, {"all": definition(STROKE)}, Attrition(cohort="all", rules=0), ExactGuard()
    )
    assert isinstance(whole, CountsAnswer)
    assert told(whole, "all") == {("kept",): len(ever), ("*",): len(ever)}


def test_rules_that_are_stated_wrongly_are_refused(database: Readable) -> None:
    with pytest.raises(ConfigurationError, match="number of inclusion rules"):
        perform(
            database, {"men": definition(STROKE, MEN)}, Attrition(cohort="men", rules=2),
            ExactGuard(),
        )  # fmt: skip


def test_a_question_that_names_another_cohort_is_refused(database: Readable) -> None:
    with pytest.raises(ConfigurationError, match="cohort unknown"):
        perform(database, {}, Counts(cohorts=("unknown",)), ExactGuard())
