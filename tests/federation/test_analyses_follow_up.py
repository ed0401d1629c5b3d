"""Survival and incidence: the life table against lifelines and against days counted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from entrepot.federation.analyses import CountsAnswer, Incidence, Survival, answered
from entrepot.federation.analyses.asked import Asked
from entrepot.federation.pooling import Missing, pool
from federation.analysis_rows import COHORTS, DuckCdm, Line, Patient, draw, lines
from federation.exact_guard import ExactGuard

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def hospitals() -> list[list[Patient]]:
    return [draw(800, seed=number, start=10_000 * number) for number in range(1, 4)]


@pytest.fixture(scope="module")
def databases(hospitals: list[list[Patient]]) -> list[DuckCdm]:
    return [DuckCdm(patients) for patients in hospitals]


def asked(database: DuckCdm) -> Asked:
    return Asked(database, COHORTS)


def answers(databases: list[DuckCdm], analysis: Incidence | Survival) -> dict[str, CountsAnswer]:
    found = {}
    for number, database in enumerate(databases):
        answer = answered(asked(database), analysis, ExactGuard())
        assert isinstance(answer, CountsAnswer)
        found[f"hospital {number + 1}"] = answer
    return found


@pytest.mark.parametrize(("width", "count"), [(30, 12), (91, 8), (365, 1)])
def test_kaplan_meier_lies_between_the_bounds(
    hospitals: list[list[Patient]], databases: list[DuckCdm], width: int, count: int
) -> None:
    from lifelines import KaplanMeierFitter

    analysis = Survival.model_validate({
        "target": "diabetes", "outcome": "stroke", "interval_days": width, "intervals": count,
    })  # fmt: skip
    pooled = pool(answers(databases, analysis), analysis)
    everybody = [line for patients in hospitals for line in lines(patients, width * count)]
    fitter = KaplanMeierFitter().fit(
        [line.days for line in everybody], [line.event for line in everybody]
    )
    (curve,) = pooled.curves
    assert len(curve.points) == count + 1
    for point in curve.points:
        truth = float(fitter.predict(point.day))
        assert point.low - 1e-12 <= truth <= point.high + 1e-12
        assert point.estimate == pytest.approx(truth, abs=0.01)
        if point.day:
            assert point.error == pytest.approx(_greenwood(everybody, point.day), rel=0.05)
    if width < 365:
        assert curve.points[-1].high - curve.points[-1].low < 0.05


def _greenwood(everybody: list[Line], day: int) -> float:
    """Kaplan and Meier's estimate and Greenwood's error, step by step."""
    survival, spread = 1.0, 0.0
    for at in sorted({line.days for line in everybody if line.event and line.days <= day}):
        risk = sum(line.days >= at for line in everybody)
        events = sum(line.event and line.days == at for line in everybody)
        survival *= 1 - events / risk
        spread += events / (risk * (risk - events))
    return float(survival * np.sqrt(spread))


@pytest.mark.parametrize(("width", "count"), [(30, 12), (91, 4), (182, 2)])
def test_person_time_lies_between_the_bounds(
    hospitals: list[list[Patient]], databases: list[DuckCdm], width: int, count: int
) -> None:
    analysis = Incidence.model_validate({
        "target": "diabetes", "outcome": "stroke", "interval_days": width, "intervals": count,
    })  # fmt: skip
    (rate,) = pool(answers(databases, analysis), analysis).rates
    everybody = [line for patients in hospitals for line in lines(patients, width * count)]
    years = sum(line.days for line in everybody) / 365.25
    events = sum(line.event for line in everybody)
    assert rate.events == (events, events)
    assert rate.person_years[0] <= years <= rate.person_years[1]
    assert rate.estimate == pytest.approx(1000 * events / years, rel=0.03)
    assert rate.high is not None
    assert rate.low <= 1000 * events / years <= rate.high


def test_a_rate_ratio_by_site_and_together(
    hospitals: list[list[Patient]], databases: list[DuckCdm]
) -> None:
    analysis = Incidence(target="diabetes", comparator="asthma", outcome="stroke",
                         interval_days=91, intervals=4)  # fmt: skip
    (forest,) = pool(answers(databases, analysis), analysis).forests
    assert forest.measure == "rate_ratio"
    assert [effect.site for effect in forest.effects] == [f"hospital {n}" for n in (1, 2, 3)]
    assert sum(effect.weight for effect in forest.effects) == pytest.approx(1)
    assert forest.fixed is not None
    assert forest.random is not None
    # Both groups are drawn in one way: their rates are the same.
    assert forest.fixed.low is not None
    assert forest.fixed.high is not None
    assert forest.fixed.low < 1 < forest.fixed.high


def test_a_missing_node_is_no_zero(databases: list[DuckCdm]) -> None:
    analysis = Survival(target="diabetes", outcome="stroke", interval_days=91, intervals=4)
    given = answers(databases, analysis)
    whole = pool(given, analysis)
    without = pool({**given, "hospital 4": Missing("late")}, analysis)
    assert without.curves == whole.curves
    assert [(site.name, site.state) for site in without.sites][-1] == ("hospital 4", "late")
