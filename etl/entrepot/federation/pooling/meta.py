"""Effects of several sites as one: inverse variance, with fixed and with random effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Method = Literal["dersimonian-laird", "paule-mandel", "reml"]
_ENOUGH = 1e-10
_ROUNDS = 200


@dataclass(frozen=True)
class Summary:
    """A pooled effect on the scale of the effects, with its interval."""

    estimate: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True)
class MetaAnalysis:
    """Both models.

    Args:
        weights: of the random effects, sum 1.
        tau2: variance between sites, on the scale of the effects squared.
        q: Cochran's, with sites - 1 degrees of freedom.
        i2: share of the variation that is between sites, 0 to 1 (Higgins and Thompson 2002).
    """

    fixed: Summary
    random: Summary
    weights: tuple[float, ...]
    tau2: float
    q: float
    i2: float


def meta_analysis(
    effects: Sequence[float], variances: Sequence[float], *, method: Method = "dersimonian-laird",
    knapp_hartung: bool = False, level: float = 0.95,
) -> MetaAnalysis:  # fmt: skip
    """Pools effects.

    Args:
        effects: one per site, on a scale where they are about normal (log ratios, logits).
        variances: of the effects, above 0.
        method: of the variance between sites. DerSimonian and Laird 1986; Paule and Mandel 1982;
            restricted maximum likelihood (Viechtbauer 2005).
        knapp_hartung: interval of the random effects by Hartung and Knapp 2001 (t distribution),
            which keeps its level with few sites.
        level: of the intervals.

    Raises:
        ValueError: no effect, or a variance that is not above 0.
    """
    y, v = np.asarray(effects, dtype=float), np.asarray(variances, dtype=float)
    if not len(y) or len(y) != len(v) or not (v > 0).all():
        raise ValueError("each effect needs a variance above 0")
    z = _quantile(level)
    q = _q(y, v, 0.0)
    freedom = len(y) - 1
    tau2 = _tau2(y, v, method) if freedom else 0.0
    weights = 1 / (v + tau2)
    fixed, random = _summary(y, 1 / v, z), _summary(y, weights, z)
    if knapp_hartung and freedom:
        random = _hartung_knapp(y, weights, level)
    i2 = max(0.0, (q - freedom) / q) if q > 0 else 0.0
    shares = tuple(float(one) for one in weights / weights.sum())
    return MetaAnalysis(fixed, random, shares, tau2, q, i2)


def _summary(y: Vector, weights: Vector, z: float) -> Summary:
    estimate = float((weights * y).sum() / weights.sum())
    error = math.sqrt(1 / float(weights.sum()))
    return Summary(estimate, error, estimate - z * error, estimate + z * error)


def _hartung_knapp(y: Vector, weights: Vector, level: float) -> Summary:
    from scipy.stats import t

    freedom = len(y) - 1
    estimate = float((weights * y).sum() / weights.sum())
    spread = float((weights * (y - estimate) ** 2).sum()) / freedom
    error = math.sqrt(spread / float(weights.sum()))
    half = float(t.ppf((1 + level) / 2, freedom)) * error
    return Summary(estimate, error, estimate - half, estimate + half)


def _tau2(y: Vector, v: Vector, method: Method) -> float:
    if method == "paule-mandel":
        return _paule_mandel(y, v)
    start = _dersimonian_laird(y, v)
    return _reml(y, v, start) if method == "reml" else start


def _dersimonian_laird(y: Vector, v: Vector) -> float:
    weights = 1 / v
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    return max(0.0, float((_q(y, v, 0.0) - (len(y) - 1)) / scale))


def _paule_mandel(y: Vector, v: Vector) -> float:
    """The variance for which Q is its expectation; Q falls as it grows."""
    from scipy.optimize import brentq

    freedom = len(y) - 1
    if _q(y, v, 0.0) <= freedom:
        return 0.0
    high = float(v.max() + y.var())
    while _q(y, v, high) > freedom:
        high *= 2
    return float(brentq(lambda tau2: _q(y, v, tau2) - freedom, 0.0, high, xtol=_ENOUGH))


def _reml(y: Vector, v: Vector, tau2: float) -> float:
    """Fisher scoring from DerSimonian and Laird's value (Viechtbauer 2005, equation 14)."""
    for _ in range(_ROUNDS):
        weights = 1 / (v + tau2)
        mean = (weights * y).sum() / weights.sum()
        square = (weights**2).sum()
        wanted = (weights**2 * ((y - mean) ** 2 - v)).sum() / square + 1 / weights.sum()
        if abs(wanted - tau2) < _ENOUGH:
            break
        tau2 = max(0.0, float(wanted))
    return tau2


def _q(y: Vector, v: Vector, tau2: float) -> float:
    weights = 1 / (v + tau2)
    mean = (weights * y).sum() / weights.sum()
    return float((weights * (y - mean) ** 2).sum())


def _quantile(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))
