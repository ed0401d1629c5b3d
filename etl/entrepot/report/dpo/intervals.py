"""Bounds of a share that was counted, at 95 %, as whole per mille."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, sqrt

from entrepot.review.bounds import clopper_pearson

_Z = 1.959964


@dataclass(frozen=True)
class Share:
    """A share and its bounds, in per mille; -1 where nothing was counted.

    Args:
        low, high: rounded outwards.
    """

    value: int
    low: int
    high: int


NONE = Share(-1, -1, -1)


def wilson(hits: int, trials: int) -> Share:
    """Wilson's score interval (1927), for many trials.

    Raises:
        ValueError: more hits than trials.
    """
    if not 0 <= hits <= trials:
        raise ValueError("hits are some of the trials")
    if not trials:
        return NONE
    seen, square = hits / trials, _Z * _Z
    middle = (seen + square / (2 * trials)) / (1 + square / trials)
    spread = sqrt(seen * (1 - seen) / trials + square / (4 * trials * trials))
    half = _Z * spread / (1 + square / trials)
    return share(seen, max(middle - half, 0.0), min(middle + half, 1.0))


def exact(hits: int, trials: int) -> Share:
    """Clopper and Pearson's interval (1934): it covers 95 % at least, for few trials.

    Raises:
        ValueError: more hits than trials.
    """
    if not 0 <= hits <= trials:
        raise ValueError("hits are some of the trials")
    if not trials:
        return NONE
    return share(hits / trials, *clopper_pearson(hits, trials))


def share(value: float, low: float, high: float) -> Share:
    """Per mille of shares from 0 to 1; a bound of 1e-9 off a whole per mille is that per mille."""
    return Share(round(1000 * value), floor(1000 * low + 1e-9), ceil(1000 * high - 1e-9))
