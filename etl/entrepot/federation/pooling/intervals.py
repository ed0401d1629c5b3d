"""What protected counts tell of true ones: bounds, made tighter by the sums of their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from entrepot.federation.analyses.answers import AnswerTable, CountsAnswer, slack, sums_of
from entrepot.federation.analyses.shapes import Key, TableShape

_SWEEPS = 4  # after them nothing moved in any table that was tried


@dataclass(frozen=True)
class Bounds:
    """Persons, both ends included.

    Args:
        shown: what the node wrote; None where it withheld the count.
        likely: for estimates, where nothing better is known.
    """

    low: int
    high: int
    shown: int | None = None
    likely: float | None = None

    @property
    def middle(self) -> float:
        """What was shown, else what is likely, else the middle."""
        if self.shown is not None:
            return float(self.shown)
        return (self.low + self.high) / 2 if self.likely is None else self.likely

    def __add__(self, other: Bounds) -> Bounds:
        both = self.shown is not None and other.shown is not None
        shown = (self.shown or 0) + (other.shown or 0) if both else None
        likely = None if both else self.middle + other.middle
        return Bounds(self.low + other.low, self.high + other.high, shown, likely)


def bounded(answer: CountsAnswer, table: AnswerTable, shape: TableShape) -> dict[Key, Bounds]:
    """Bounds of every figure of one table.

    A withheld count is at most what its shown sums leave, for it may have been withheld to protect
    another; with no sum above it, it is read as `<k`. That is what it looks like: a node that
    refuses looks the same.
    """
    away = slack(answer.threshold, answer.base)
    counts = table.counts()
    limits = {
        key: (0, None) if count is None else (max(answer.threshold, count - away), count + away)
        for key, count in counts.items()
    }
    found: dict[Key, tuple[int, int | None]] = dict(limits)
    for _ in range(_SWEEPS):
        for total, of in sums_of(shape):
            _tighten(found, total, of)
    return {
        key: _bounds(low, high, counts[key], answer.threshold - 1)
        for key, (low, high) in found.items()
    }


def _bounds(low: int, high: int | None, shown: int | None, few: int) -> Bounds:
    """Most withheld counts are below the threshold, though any may be large."""
    most = max(low, few) if high is None else high
    return Bounds(low, most, shown, (low + max(low, min(most, few))) / 2)


def _tighten(found: dict[Key, tuple[int, int | None]], total: Key, of: Iterable[Key]) -> None:
    """One sum and its cells, each by the others; bounds that would cross stay as they are."""
    cells = list(of)
    lows = sum(found[key][0] for key in cells)
    open_cells = [key for key in cells if found[key][1] is None]
    highs = sum(found[key][1] or 0 for key in cells)
    if total not in cells:
        _narrow(found, total, lows, None if open_cells else highs)
    low, high = found[total]
    for key in cells:
        own_low, own_high = found[key]
        most = None if high is None else high - (lows - own_low)
        unknown = set(open_cells) - {key}
        least = None if unknown else low - (highs - (own_high or 0))
        _narrow(found, key, least, most)


def _narrow(
    found: dict[Key, tuple[int, int | None]], key: Key, low: int | None, high: int | None
) -> None:
    own_low, own_high = found[key]
    low = own_low if low is None else max(own_low, low)
    if high is None or (own_high is not None and own_high <= high):
        high = own_high
    if high is None or low <= high:
        found[key] = (low, high)


def summed(tables: Iterable[Mapping[Key, Bounds]]) -> dict[Key, Bounds]:
    """Figures of several sites added."""
    total: dict[Key, Bounds] = {}
    for table in tables:
        for key, one in table.items():
            total[key] = total[key] + one if key in total else one
    return total
