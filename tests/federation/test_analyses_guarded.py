"""Every analysis behind the real guard: true values within the bounds, shapes that say nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from entrepot.federation.analyses import (
    Analysis,
    Attrition,
    Characterisation,
    Counts,
    CountsAnswer,
    Cox,
    Feature,
    Incidence,
    Logistic,
    Prevalence,
    RegressionTurn,
    ShareAnswer,
    Stratified,
    Survival,
    Years,
    answered,
    read_answer,
    shapes,
)
from entrepot.federation.analyses.asked import Asked
from entrepot.federation.analyses.performing import Guard as GuardForm
from entrepot.federation.analyses.regression.design import design
from entrepot.federation.analyses.regression.disturbance import disturbance, disturbed
from entrepot.federation.analyses.regression.likelihood import logistic_sums
from entrepot.federation.disclosure import Asker, Guard, Ledger, person_set, read_policy
from entrepot.federation.pooling import Missing, Pooled, next_round, pool
from federation.analysis_rows import (
    ASTHMA,
    COHORTS,
    CREATININE,
    DIABETES,
    METFORMIN,
    STROKE,
    DuckCdm,
    draw,
)
from federation.exact_guard import ExactGuard

pytestmark = pytest.mark.integration
MASKS = f"""SELECT person_id, sum(DISTINCT CASE condition_concept_id
    WHEN {DIABETES} THEN 1 WHEN {ASTHMA} THEN 2 WHEN {STROKE} THEN 4 END) AS mask
  FROM cdm.condition_occurrence GROUP BY person_id"""
FEATURES = (
    Feature(name="metformin", domain="drug", concept_id=METFORMIN),
    Feature(name="creatinine", domain="measurement", concept_id=CREATININE),
)
TABLES: tuple[Analysis, ...] = (
    Counts(cohorts=("diabetes", "stroke")),
    Stratified(cohort="diabetes", by=("sex", "age_band")),
    Stratified(cohort="diabetes", by=("care_site_group",)),
    Attrition(cohort="diabetes", rules=3),
    Characterisation(target="diabetes", comparator="asthma", features=FEATURES),
    Incidence(target="diabetes", comparator="asthma", outcome="stroke"),
    Survival(target="diabetes", outcome="stroke", interval_days=182, intervals=4),
    Prevalence(population="asthma", condition="diabetes", years=Years(first=2019, last=2021)),
)
NODES = ("amiens", "brest", "caen")
PERSONS = 900


@pytest.fixture(scope="module")
def databases() -> dict[str, DuckCdm]:
    return {
        name: DuckCdm(draw(PERSONS, seed=50 + number, start=10_000 * number))
        for number, name in enumerate(NODES)
    }


@pytest.fixture
def guard(tmp_path: Path) -> Callable[..., GuardForm]:
    def made(name: str, *, refused: bool = False) -> GuardForm:
        ledger = Ledger(tmp_path / f"{name}.sqlite", name.encode().ljust(32, b"."))
        start = 10_000 * NODES.index(name)
        everybody = person_set(range(start + 1, start + PERSONS + 1))
        asker = Asker("study", "researcher", "release", dt.date(2026, 11, 22))
        secret = name.encode().ljust(32, b"!")
        return Guard(read_policy(), secret, ledger, everybody, asker, refused=refused)

    return made


def told(database: DuckCdm, analysis: Analysis, guard: GuardForm) -> CountsAnswer:
    asked = Asked(database, COHORTS, {"diabetes": MASKS})
    found = answered(asked, analysis, guard)
    minimum = guard.policy.threshold
    read = read_answer(found.model_dump(mode="json"), analysis, minimum=minimum)
    assert isinstance(read, CountsAnswer)
    return read


@pytest.mark.parametrize("analysis", TABLES, ids=lambda one: one.kind)
def test_the_truth_lies_within_what_is_told(
    databases: dict[str, DuckCdm], guard: Callable[..., GuardForm], analysis: Analysis
) -> None:
    exact = pool({n: told(d, analysis, ExactGuard()) for n, d in databases.items()}, analysis)
    found = pool({n: told(d, analysis, guard(n)) for n, d in databases.items()}, analysis)
    assert len(found.counts) == len(exact.counts) > 0
    for row, true in zip(found.counts, exact.counts, strict=True):
        assert (row.table, row.key) == (true.table, true.key)
        assert true.low == true.high
        assert row.low <= true.low <= row.high
        assert row.least <= true.least
    _curves_within(found, exact)
    _shares_within(found, exact)
    # Nine hundred persons a hospital: most of what is asked is told.
    assert sum(row.low > 0 for row in found.counts) >= len(found.counts) / 3


def _curves_within(found: Pooled, exact: Pooled) -> None:
    for wide, tight in zip(found.curves, exact.curves, strict=True):
        for outer, inner in zip(wide.points, tight.points, strict=True):
            assert outer.low <= inner.low <= inner.high <= outer.high
    for mine, true in zip(found.rates, exact.rates, strict=True):
        assert mine.person_years[0] <= true.person_years[0]
        assert true.person_years[1] <= mine.person_years[1]
        assert mine.events[0] <= true.events[0] <= mine.events[1]


def _shares_within(found: Pooled, exact: Pooled) -> None:
    for mine, true in zip(found.table_one, exact.table_one, strict=True):
        for ours, theirs in ((mine.target, true.target), (mine.difference, true.difference)):
            if ours and theirs:
                assert ours[0] - 1e-12 <= theirs[0] <= theirs[1] <= ours[1] + 1e-12


@pytest.mark.parametrize("analysis", TABLES, ids=lambda one: one.kind)
def test_a_refusal_has_the_shape_of_an_answer_about_nobody(
    databases: dict[str, DuckCdm], guard: Callable[..., GuardForm], analysis: Analysis
) -> None:
    nobody = {name: f"{select} AND c.person_id < 0" for name, select in COHORTS.items()}
    masks = {"diabetes": MASKS.replace("GROUP BY", "WHERE person_id < 0 GROUP BY")}
    empty = answered(Asked(databases["brest"], nobody, masks), analysis, guard("brest"))
    refused = told(databases["amiens"], analysis, guard("amiens", refused=True))
    assert refused == empty
    assert all(cell.count is None for table in refused.tables for cell in table.cells)
    assert [table.name for table in refused.tables] == [shape.name for shape in shapes(analysis)]


def test_few_answers_show_no_names_and_no_site_alone(
    databases: dict[str, DuckCdm], guard: Callable[..., GuardForm]
) -> None:
    analysis = Incidence(target="diabetes", comparator="asthma", outcome="stroke")
    given = {n: told(d, analysis, guard(n)) for n, d in databases.items()}
    three = pool(given, analysis)
    assert [site.name for site in three.sites] == list(NODES)
    two = pool({**given, "caen": Missing("refused")}, analysis)
    assert two.names_hidden
    assert [(site.name, site.state) for site in two.sites] == [
        ("", "answered"), ("", "answered"), ("", "refused"),
    ]  # fmt: skip
    assert [effect.site for effect in two.forests[0].effects] == ["site 1", "site 2"]
    none = pool({name: Missing("late") for name in NODES}, analysis)
    assert none.counts == none.forests == ()
    assert {site.state for site in none.sites} == {"late"}


@pytest.mark.parametrize(
    "analysis",
    [
        Logistic(target="diabetes", comparator="asthma", outcome="stroke", age=False),
        Cox(target="diabetes", comparator="asthma", outcome="stroke", horizon_days=1825, age=False),
    ],
    ids=lambda one: one.kind,
)
def test_a_regression_behind_the_guard(
    databases: dict[str, DuckCdm], guard: Callable[..., GuardForm], analysis: Logistic | Cox
) -> None:
    exact = _regress(databases, analysis, lambda _: ExactGuard())
    found = _regress(databases, analysis, guard)
    assert exact.regression is not None
    assert found.regression is not None
    assert (exact.regression.state, found.regression.state) == ("done", "done")
    pairs = zip(found.regression.coefficients, exact.regression.coefficients, strict=True)
    for mine, true in pairs:
        assert mine.estimate != pytest.approx(true.estimate, abs=1e-6)
        assert abs(mine.estimate - true.estimate) < 3 * mine.error
        assert mine.error > true.error


def _regress(
    databases: dict[str, DuckCdm], analysis: Logistic | Cox, guard: Callable[[str], GuardForm]
) -> Pooled:
    guards = {name: guard(name) for name in NODES}
    rounds: list[dict[str, ShareAnswer]] = []
    while next_round(analysis, rounds):
        payloads: tuple[dict[str, Any], ...] = tuple(
            {name: one.model_dump(mode="json") for name, one in shares.items()} for shares in rounds
        )
        shares = {}
        for name, database in databases.items():
            secrets = {p: "".join(sorted((p, name))).encode().ljust(32) for p in NODES if p != name}
            turn = RegressionTurn(name, secrets, payloads)
            one = answered(Asked(database, COHORTS), analysis, guards[name], turn)
            assert isinstance(one, ShareAnswer)
            shares[name] = one
        rounds.append(shares)
    return pool(dict(rounds[-1]), analysis, rounds=rounds)


def test_too_few_events_give_no_share(
    databases: dict[str, DuckCdm], guard: Callable[..., GuardForm]
) -> None:
    """Five strokes in the cohort: the levels with the outcome are withheld, and so is the share."""
    few = f"{COHORTS['stroke']} AND c.person_id < 30"
    asked = Asked(databases["amiens"], {**COHORTS, "stroke": few})
    analysis = Logistic(target="diabetes", outcome="stroke", age=False)
    turn = RegressionTurn("amiens", {"brest": b"1" * 32, "caen": b"2" * 32})
    one = answered(asked, analysis, guard("amiens"), turn)
    refused = answered(
        Asked(databases["amiens"], COHORTS), analysis, guard("amiens", refused=True), turn
    )
    assert isinstance(one, ShareAnswer)
    assert one.share is None
    assert one == refused


def test_another_covariate_does_not_solve_for_the_sums(
    databases: dict[str, DuckCdm], guard: Callable[..., GuardForm]
) -> None:
    """Were b the same at both sizes but for its scale, two equations would have two unknowns."""
    node, told = guard("amiens"), []
    for features in (FEATURES[:1], FEATURES):
        analysis = Logistic(target="diabetes", outcome="stroke", age=False, features=features)
        rows = design(Asked(databases["amiens"], COHORTS), analysis)
        extra = disturbance(rows, "logistic", node.noise, node.policy.threshold)
        told.append((float(extra.gradient[0]), rows.matrix.shape[1], rows))
    (first, small, rows), (second, large, others) = told
    assert rows.persons.tolist() == others.persons.tolist()
    assert abs(first / second - np.sqrt(small / large)) > 0.01
    again = disturbance(rows, "logistic", node.noise, node.policy.threshold)
    assert float(again.gradient[0]) == first


def test_sums_that_differ_by_one_person_do_not_tell_the_person(
    databases: dict[str, DuckCdm], guard: Callable[..., GuardForm]
) -> None:
    """An attacker who holds all other nodes subtracts the sums with and without a person."""
    analysis = Logistic(target="diabetes", outcome="stroke", age=False)
    node = guard("amiens")
    misses = []
    whole = design(Asked(databases["amiens"], COHORTS), analysis)
    for person in whole.persons[:25].tolist():
        gradients = []
        for where in ("", f" AND c.person_id <> {person}"):
            cohorts = {**COHORTS, "diabetes": COHORTS["diabetes"] + where}
            rows = design(Asked(databases["amiens"], cohorts), analysis)
            zero = np.zeros(rows.matrix.shape[1])
            extra = disturbance(rows, "logistic", node.noise, node.policy.threshold)
            sums = disturbed(logistic_sums(rows.matrix, rows.event, zero), extra, zero)
            gradients.append(sums.gradient[0])
        place = int(np.searchsorted(whole.persons, person))
        # The outcome is what the intercept's difference would say: +0.5 with it, -0.5 without.
        misses.append((gradients[0] - gradients[1] > 0) != bool(whole.event[place]))
    assert 0.2 < np.mean(misses) < 0.8
