"""Exact bounds of a share (Clopper and Pearson, 1934), without a statistics package.

`x` and `n` need not be whole: a clustered sample is worth fewer draws than it has (Korn and
Graubard, 1998).
"""

from __future__ import annotations

import math

LEVEL = 0.95
_STEPS = 200
_TINY = 1e-300


def clopper_pearson(x: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Both ends of the two-sided interval of a share of which `x` of `n` draws were seen.

    0 of 300 gives an upper end of 1.22 %, as the reference on pseudonymisation states it.
    """
    if n <= 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = _quantile(tail, x, n - x + 1) if x > 0 else 0.0
    high = _quantile(1 - tail, x + 1, n - x) if x < n else 1.0
    return low, high


def _quantile(p: float, a: float, b: float) -> float:
    """Where the distribution function of Beta(a, b) reaches `p`, by halving."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if high - low < 1e-15:
            break
        if _beta(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b), by Lentz's method (DLMF 8.17.22)."""
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, 10_000):
        for even in (True, False):
            if even:
                term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            else:
                term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d, c = 1 + term * d, 1 + term / c
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
