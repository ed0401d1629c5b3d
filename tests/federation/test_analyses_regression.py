"""Regression over three nodes: as over all rows together, and only along its own path."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses import (
    Cox,
    Feature,
    Logistic,
    PathError,
    RegressionTurn,
    ShareAnswer,
    answered,
)
from entrepot.federation.analyses.asked import Asked
from entrepot.federation.analyses.regression import (
    MAX_ROUNDS,
    covariance,
    follow,
    parameter_names,
)
from entrepot.federation.analyses.regression.likelihood import cox_sums
from entrepot.federation.analyses.regression.masking import masked, unmasked
from entrepot.federation.pooling import Missing, Regressed, next_round, pool
from federation.analysis_rows import (
    ASTHMA,
    COHORTS,
    CREATININE,
    DIABETES,
    STROKE,
    DuckCdm,
    Patient,
    draw,
)
from federation.exact_guard import ExactGuard

pytestmark = pytest.mark.integration
NODES = ("amiens", "brest", "caen")
FEATURES = (Feature(name="creatinine", domain="measurement", concept_id=CREATININE),)
ODDS = Logistic(target="diabetes", comparator="asthma", outcome="stroke", horizon_days=365,
                features=FEATURES)  # fmt: skip
HAZARD = Cox(target="diabetes", comparator="asthma", outcome="stroke", horizon_days=730,
             features=FEATURES)  # fmt: skip
Regression = Logistic | Cox
Rounds = list[dict[str, ShareAnswer]]


@pytest.fixture(scope="module")
def hospitals() -> list[list[Patient]]:
    return [draw(700, seed=number + 20, start=10_000 * number) for number in range(3)]


@pytest.fixture(scope="module")
def databases(hospitals: list[list[Patient]]) -> list[DuckCdm]:
    return [DuckCdm(patients) for patients in hospitals]


def secrets(node: str, nodes: Sequence[str] = NODES) -> dict[str, bytes]:
    return {peer: "-".join(sorted((node, peer))).encode().ljust(32, b".") for peer in nodes
            if peer != node}  # fmt: skip


def turn(node: str, rounds: Rounds) -> RegressionTurn:
    told: list[dict[str, dict[str, Any]]] = [
        {name: one.model_dump(mode="json") for name, one in shares.items()} for shares in rounds
    ]
    return RegressionTurn(node, secrets(node), tuple(told))


def take(database: DuckCdm, analysis: Regression, node: str, rounds: Rounds) -> ShareAnswer:
    answer = answered(Asked(database, COHORTS), analysis, ExactGuard(), turn(node, rounds))
    assert isinstance(answer, ShareAnswer)
    return answer


def all_rounds(databases: Sequence[DuckCdm], analysis: Regression) -> Rounds:
    rounds: Rounds = []
    while next_round(analysis, rounds):
        rounds.append({
            node: take(database, analysis, node, rounds)
            for node, database in zip(NODES, databases, strict=True)
        })  # fmt: skip
    return rounds


@pytest.fixture(scope="module")
def odds(databases: list[DuckCdm]) -> Rounds:
    return all_rounds(databases, ODDS)


def lines(patients: list[Patient], site: int, horizon: int) -> list[dict[str, float]]:
    """One line per person of either cohort and not both."""
    found = []
    for one in patients:
        diabetes, asthma = one.entries(DIABETES), one.entries(ASTHMA)
        strokes = one.entries(STROKE)
        entry = (diabetes or asthma or [None])[0]
        if bool(diabetes) == bool(asthma) or entry is None or one.gender == 0:
            continue
        if any(day <= entry for day in strokes):
            continue
        last = min((one.observed[1] - entry).days, horizon)
        days = [(day - entry).days for day in strokes]
        event = bool(days) and days[0] <= last
        age = entry.year - one.born
        seen = any(0 <= (entry - day).days <= 365 for _, day in one.measurements)
        found.append({
            "site": site, "group:target": bool(diabetes), "age:50-69": 50 <= age < 70,
            "age:70+": age >= 70, "sex:male": one.gender == 8507, "creatinine:yes": seen,
            "days": days[0] if event else last, "event": event,
        })  # fmt: skip
    return [{key: float(value) for key, value in line.items()} for line in found]


def result(analysis: Regression, rounds: Rounds) -> Regressed:
    found = pool(dict(rounds[-1]), analysis, rounds=rounds).regression
    assert found is not None
    return found


def test_odds_as_over_all_rows(hospitals: list[list[Patient]], odds: Rounds) -> None:
    import pandas as pd
    import statsmodels.api as sm

    data = pd.DataFrame([
        line for site, patients in enumerate(hospitals) for line in lines(patients, site, 365)
        if line["event"] or line["days"] == 365
    ])  # fmt: skip
    names = [name for name in parameter_names(ODDS) if name != "intercept"]
    model = sm.Logit(data["event"], sm.add_constant(data[names])).fit(disp=0, tol=1e-12)
    found = result(ODDS, odds)
    assert found.state == "done"
    assert [one.name for one in found.coefficients] == ["intercept", *names]
    for one, theirs, error in zip(found.coefficients, model.params, model.bse, strict=True):
        assert one.estimate == pytest.approx(theirs, abs=1e-5)
        assert one.error == pytest.approx(error, rel=1e-4)
        assert one.low < one.ratio < one.high


def test_hazards_as_over_all_rows(hospitals: list[list[Patient]], databases: list[DuckCdm]) -> None:
    import pandas as pd
    from lifelines import CoxPHFitter

    data = pd.DataFrame([
        line for site, patients in enumerate(hospitals) for line in lines(patients, site, 730)
    ])  # fmt: skip
    model = CoxPHFitter().fit(data, "days", "event", strata=["site"])
    found = result(HAZARD, all_rounds(databases, HAZARD))
    assert [one.name for one in found.coefficients] == list(parameter_names(HAZARD))
    for one in found.coefficients:
        assert one.estimate == pytest.approx(model.params_[one.name], abs=1e-4)
        assert one.error == pytest.approx(model.standard_errors_[one.name], rel=1e-3)


def test_ties_by_efron_on_a_case_done_by_hand() -> None:
    """Two of three fail on one day: denominators 3 and 3 - 2/2 at β = 0, one of them exposed."""
    matrix, days = np.array([[1.0], [0.0], [0.0]]), np.array([1.0, 1.0, 2.0])
    sums = cox_sums(matrix, days, np.array([1.0, 1.0, 0.0]), np.zeros(1))
    assert sums.gradient[0] == pytest.approx(1 - 1 / 3 - (1 - 0.5) / 2)
    assert sums.information[0, 0] == pytest.approx((1 / 3 - 1 / 9) + (0.25 - 0.0625))


def test_a_share_alone_says_nothing(odds: Rounds, databases: list[DuckCdm]) -> None:
    """Two nodes of three, or one under two labels, give numbers spread over the whole range."""
    shares = [one.share or () for one in odds[0].values()]
    for some in (*itertools.combinations(shares, 1), *itertools.combinations(shares, 2)):
        assert float(np.median(np.abs(unmasked(some)))) > 2**80
    assert float(np.abs(unmasked(shares)).max()) < 2**20
    assert shares[0] != (odds[1]["amiens"].share or ())


def test_masks_fall_out_of_the_sum() -> None:
    numbers = {node: np.array([1.25, -3e6, float(n)]) for n, node in enumerate(NODES)}
    shares = [masked(values, node, secrets(node), "x") for node, values in numbers.items()]
    assert unmasked(shares).tolist() == pytest.approx([3.75, -9e6, 3.0])
    other = masked(numbers["caen"], "caen", secrets("caen"), "y")
    assert abs(float(unmasked([shares[0], shares[1], other])[0])) > 2**40


def test_errors_hold_what_the_disturbance_adds() -> None:
    """The covariance of b - E·β against that of ten thousand drawn ones."""
    beta, drawn = np.array([-2.0, 0.5, 0.0]), np.random.default_rng(5)
    thresholds = (11, 20)
    moved = np.zeros((10_000, 3))
    for threshold in thresholds:
        b = drawn.uniform(-1, 1, (10_000, 3)) * (threshold - 1) / 2 * np.sqrt(3)
        upper = np.triu(drawn.uniform(-1, 1, (10_000, 3, 3)) * (threshold - 1) / 4 * np.sqrt(3))
        symmetric = upper + np.triu(upper, 1).transpose(0, 2, 1)
        moved += b - symmetric @ beta
    found = covariance("logistic", thresholds, beta)
    assert np.allclose(found, np.cov(moved.T), atol=0.05 * float(np.abs(found).max()))


def test_fewer_than_three_nodes_are_refused(databases: list[DuckCdm]) -> None:
    asked = Asked(databases[0], COHORTS)
    for peers in (
        {},
        secrets("amiens", NODES[:2]),
        {**secrets("amiens", NODES[:2]), "amiens": b""},
    ):
        with pytest.raises(ConfigurationError, match="three nodes"):
            answered(asked, ODDS, ExactGuard(), RegressionTurn("amiens", peers))
    with pytest.raises(ConfigurationError, match="three nodes"):
        answered(asked, ODDS, ExactGuard())


def changed(answer: ShareAnswer, **fields: object) -> ShareAnswer:
    return ShareAnswer.model_validate({**answer.model_dump(), **fields})


def test_a_node_turns_down_a_path_that_is_not_its_own(
    databases: list[DuckCdm], odds: Rounds
) -> None:
    """Coefficients are never stated; whoever alters a share of ours, or a round, gets nothing."""
    ours, zero = odds[0]["amiens"], "0" * 32
    moved = ours.share and (zero, *ours.share[1:])
    wrong: list[tuple[str, Rounds]] = [
        ("not ours", [{**odds[0], "amiens": changed(ours, share=moved)}]),
        ("gave no share", [{**odds[0], "brest": changed(odds[0]["brest"], share=None)}]),
        ("other nodes", [{node: odds[0][node] for node in NODES[:2]}]),
        ("other nodes", [{**odds[0], "dijon": odds[0]["brest"]}]),
        ("not ours", [odds[0], odds[0]]),
        ("not ours", [odds[0], {**odds[1], "amiens": changed(ours, round=1)}]),
        ("has ended", odds),
    ]
    for what, rounds in wrong:
        with pytest.raises(PathError, match=what):
            take(databases[0], ODDS, "amiens", rounds)


def test_another_nodes_share_that_was_altered_leads_to_no_chosen_coefficients(
    databases: list[DuckCdm], odds: Rounds
) -> None:
    """Signatures refuse it before; without them a step is still at most 1 and ends the path."""
    share = list(odds[0]["brest"].share or ())
    share[0] = f"{(int(share[0], 16) + (1000 << 40)) % 2**128:032x}"
    rounds = [{**odds[0], "brest": changed(odds[0]["brest"], share=tuple(share))}]
    size = len(parameter_names(ODDS))
    assert float(np.abs(follow(rounds, size).beta).max()) <= 1.0


def test_the_path_is_short(odds: Rounds) -> None:
    assert 3 <= len(odds) <= MAX_ROUNDS
    with pytest.raises(PathError, match="after the end"):
        follow([*odds, odds[-1]], len(parameter_names(ODDS)))
    with pytest.raises(PathError, match="more rounds"):
        follow([odds[0]] * (MAX_ROUNDS + 1), len(parameter_names(ODDS)))


def test_a_node_that_gives_no_share_ends_it(odds: Rounds) -> None:
    """Too few events and a refusal look the same: no share."""
    rounds = [{**odds[0], "caen": changed(odds[0]["caen"], share=None)}]
    found = pool({**rounds[0], "dijon": Missing("late")}, ODDS, rounds=rounds)
    assert found.regression == Regressed("withheld", 1)
    assert not next_round(ODDS, rounds)
