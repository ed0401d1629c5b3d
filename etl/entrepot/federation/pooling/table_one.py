"""Table 1: shares and their standardised differences, from bounds of counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from entrepot.federation.analyses.parameters import Characterisation
from entrepot.federation.analyses.shapes import NO, Key, TableShape
from entrepot.federation.pooling.figures import ShareRow
from entrepot.federation.pooling.intervals import Bounds

Share = tuple[float, float]


def rows(
    analysis: Characterisation, shapes: Mapping[str, TableShape],
    tables: Mapping[str, Mapping[Key, Bounds]],
) -> Iterator[ShareRow]:  # fmt: skip
    """One row per age band, sex and feature."""
    for name, shape in shapes.items():
        group, _, what = name.partition(":")
        if group != analysis.target:
            continue
        for key in shape.inner():
            if what.startswith("feature:") and key == (NO,):
                continue
            other = tables.get(f"{analysis.comparator}:{what}")
            target = share(tables[name], key)
            comparator = share(other, key) if other else None
            both = (target, comparator) if target and comparator else None
            told = what.removeprefix("feature:") if what.startswith("feature:") else key[0]
            label = told if what.startswith("feature:") else f"{what}:{told}"
            yield ShareRow(label, target, comparator, difference(*both) if both else None)


def share(table: Mapping[Key, Bounds], key: Key) -> Share | None:
    """Lower and upper bound of a cell's share of its table; None when there may be nobody."""
    cell, total = table[key], table[("*",)]
    others = [one for other, one in table.items() if other not in (key, ("*",))]
    fewest = max(sum(one.low for one in others), total.low - cell.high)
    most = min(sum(one.high for one in others), total.high - cell.low)
    if not total.low:
        return None
    return cell.low / max(1, cell.low + most), cell.high / max(1, cell.high + fewest)


def difference(target: Share, comparator: Share) -> tuple[float, float] | None:
    """Bounds of the standardised difference of two proportions; None when it has none.

    It grows with the first share and falls with the second, so its bounds are at their corners.
    """
    low = standardised(target[0], comparator[1])
    high = standardised(target[1], comparator[0])
    return None if low is None or high is None else (low, high)


def standardised(first: float, second: float) -> float | None:
    """(p1 - p2) / sqrt((p1(1-p1) + p2(1-p2)) / 2) (Austin 2009); None for everybody and nobody."""
    spread = (first * (1 - first) + second * (1 - second)) / 2
    if spread > 0:
        return (first - second) / math.sqrt(spread)
    return 0.0 if first == second else None
