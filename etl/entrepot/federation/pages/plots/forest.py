"""A forest plot: an effect per site with its interval, and what they make together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from entrepot.federation.pages.plots.drawing import BLUE, GREY, ORANGE, line, log_ticks, text, ticks
from entrepot.federation.pages.wording import Wording
from entrepot.report.dpo.plots import STEP, WIDTH, described, label, margin

_RIGHT = 170  # room for the effect and its interval in figures
_MOST, _LEAST = 9.0, 3.0  # half a side of a square, by its weight


@dataclass(frozen=True)
class Effect:
    """One line.

    Args:
        estimate, low, high: None where a site gave no answer that can be used.
        weight: its share of the whole, 0 to 1; 0 of a pooled line.
        pooled: drawn as a diamond.
    """

    name: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    weight: float = 0.0
    pooled: bool = False


@dataclass(frozen=True)
class _Axis:
    left: float
    right: float
    low: float
    high: float
    log: bool

    def x(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        share = (_place(value, self.log) - _place(self.low, self.log)) / (
            _place(self.high, self.log) - _place(self.low, self.log)
        )
        return self.left + share * (self.right - self.left)


def forest(wording: Wording, title: str, effects: Sequence[Effect], *, log: bool = True) -> Markup:
    """Squares by weight, diamonds for pooled effects, a line where there is no effect.

    Args:
        log: a ratio on a logarithmic axis (no effect: 1), else a difference (no effect: 0).
    """
    if not effects:
        return Markup("")
    left = margin(one.name for one in effects)
    axis, marks = _axis(effects, left, log=log)
    base = len(effects) * STEP + 8
    pieces = [line((axis.x(mark), 0, axis.x(mark), base)) for mark in marks]
    pieces += [text(axis.x(m), base + 15, wording.decimal(m, 2), "middle") for m in marks]
    none = axis.x(1.0 if log else 0.0)
    pieces.append(line((none, 0, none, base), GREY, 1.5, "4 3"))
    for number, one in enumerate(effects):
        y = number * STEP + 4
        pieces.append(label(one.name, left, y))
        pieces += _mark(axis, one, y + 9)
        pieces.append(
            text(axis.right + 12, y + 13, wording.effect(one.estimate, one.low, one.high))
        )
    read = "; ".join(
        f"{one.name} {wording.effect(one.estimate, one.low, one.high)}" for one in effects
    )
    return described(title, read, pieces, base + 24)


def _axis(effects: Sequence[Effect], left: int, *, log: bool) -> tuple[_Axis, list[float]]:
    values = [
        value
        for one in effects
        for value in (one.estimate, one.low, one.high)
        if value is not None and math.isfinite(value) and (value > 0 or not log)
    ]
    none = 1.0 if log else 0.0
    low, high = min([*values, none]), max([*values, none])
    if log:  # an interval that spans more than four decades says nothing beyond them
        low, high = max(low, 0.01), min(high, 100.0)
    marks = log_ticks(min(low, 0.5), max(high, 2.0)) if log else ticks(low, high)
    if len(marks) < 2:
        marks = [none - 1, none, none + 1]
    return _Axis(left + 10, WIDTH - _RIGHT, marks[0], marks[-1], log), marks


def _mark(axis: _Axis, one: Effect, y: float) -> list[Markup]:
    if one.estimate is None:
        return []
    low = one.estimate if one.low is None else one.low
    high = one.estimate if one.high is None else one.high
    if one.pooled:
        corners = ((axis.x(low), y), (axis.x(one.estimate), y - 7), (axis.x(high), y),
                   (axis.x(one.estimate), y + 7))  # fmt: skip
        points = " ".join(f"{x:.1f},{height:.1f}" for x, height in corners)
        return [Markup('<polygon class="pooled" points="{}" fill="{}"/>').format(points, ORANGE)]
    half = _LEAST + (_MOST - _LEAST) * math.sqrt(min(max(one.weight, 0.0), 1.0))
    square = Markup(
        '<rect class="site" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>'
    ).format(axis.x(one.estimate) - half, y - half, 2 * half, 2 * half, BLUE)
    return [line((axis.x(low), y, axis.x(high), y), BLUE, 2), square]


def _place(value: float, log: bool) -> float:
    return math.log(value) if log else value
