"""Meta-analysis against published results and against statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from entrepot.federation.pooling.meta import Method, meta_analysis

pytestmark = pytest.mark.core
# Thirteen trials of BCG against tuberculosis (Colditz et al., JAMA 1994; 271: 698-702): cases and
# others among the vaccinated, cases and others among the rest.
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
    (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892),
    (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
)  # fmt: skip


def log_risk_ratios() -> tuple[list[float], list[float]]:
    effects, variances = [], []
    for a, b, c, d in BCG:
        effects.append(math.log((a / (a + b)) / (c / (c + d))))
        variances.append(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    return effects, variances


@pytest.mark.parametrize(
    ("method", "tau2", "estimate", "error"),
    [
        # As Viechtbauer prints them (Journal of Statistical Software 2010; 36(3)) for this data.
        ("reml", 0.3132, -0.7145, 0.1798),
        ("dersimonian-laird", 0.3088, -0.7141, 0.1787),
        ("paule-mandel", 0.3181, -0.7150, 0.1809),
    ],
)
def test_published_trials(method: Method, tau2: float, estimate: float, error: float) -> None:
    found = meta_analysis(*log_risk_ratios(), method=method)
    assert found.tau2 == pytest.approx(tau2, abs=5e-5)
    assert found.random.estimate == pytest.approx(estimate, abs=5e-5)
    assert found.random.standard_error == pytest.approx(error, abs=5e-5)
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    assert found.fixed.estimate == pytest.approx(-0.4303, abs=5e-5)
    assert found.fixed.standard_error == pytest.approx(0.0405, abs=5e-5)


@pytest.mark.filterwarnings("ignore::UserWarning")  # statsmodels: of single samples, not asked for
@pytest.mark.parametrize(
    ("method", "theirs"), [("dersimonian-laird", "chi2"), ("paule-mandel", "pm")]
)
@pytest.mark.parametrize("knapp_hartung", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_as_statsmodels(method: Method, theirs: str, knapp_hartung: bool, seed: int) -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    drawn = np.random.default_rng(seed)
    count = 3 + 4 * seed
    variances = drawn.uniform(0.01, 0.5, count)
    effects = drawn.normal(0.2, np.sqrt(variances + 2))
    expected = combine_effects(
        effects, variances, method_re=theirs, use_t=knapp_hartung, atol=1e-11, maxiter=500
    )
    found = meta_analysis(
        list(effects), list(variances), method=method, knapp_hartung=knapp_hartung
    )
    row = expected.summary_frame().loc["random effect wls" if knapp_hartung else "random effect"]
    assert expected.tau2 > 0
    assert found.tau2 == pytest.approx(expected.tau2, abs=1e-8)
    assert found.random.estimate == pytest.approx(row["eff"], abs=1e-8)
    assert found.random.low == pytest.approx(row["ci_low"], abs=1e-8)
    assert found.random.high == pytest.approx(row["ci_upp"], abs=1e-8)
    assert found.q == pytest.approx(expected.q, rel=1e-9)
    assert found.i2 == pytest.approx(expected.i2, abs=1e-9)


@pytest.mark.parametrize("method", ["dersimonian-laird", "paule-mandel", "reml"])
def test_effects_that_agree_have_no_variance_between_them(method: Method) -> None:
    found = meta_analysis([0.2, 0.21, 0.19, 0.2], [0.1, 0.2, 0.1, 0.3], method=method)
    assert found.tau2 == 0
    assert found.random == found.fixed
    assert found.i2 == 0


def test_one_site_is_its_own_summary() -> None:
    found = meta_analysis([0.3], [0.04], knapp_hartung=True)
    assert (found.random.estimate, found.random.standard_error) == (0.3, 0.2)
    assert (found.tau2, found.i2, found.weights) == (0.0, 0.0, (1.0,))


def test_an_effect_without_variance_is_refused() -> None:
    with pytest.raises(ValueError, match="variance"):
        meta_analysis([0.1, 0.2], [0.1, 0.0])
