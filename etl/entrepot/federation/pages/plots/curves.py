"""Survival curves (Kaplan and Meier 1958): steps, each with the band in which it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from entrepot.federation.pages.plots.drawing import GRID, legend, line, text, ticks
from entrepot.federation.pages.wording import Wording
from entrepot.report.dpo.plots import PALETTE, WIDTH, described

_HEIGHT, _LEFT, _TOP, _RIGHT = 300.0, 52.0, 10.0, 14.0


@dataclass(frozen=True)
class Curve:
    """One group.

    Args:
        points: (day, low, high, estimate) of survival, 0 to 1; each holds from its day on.
    """

    name: str
    points: tuple[tuple[float, float, float, float], ...]


def curves(wording: Wording, title: str, drawn: Sequence[Curve], axis: str) -> Markup:
    """All groups in one figure.

    Args:
        axis: what the horizontal axis counts, with its unit.
    """
    last = max((point[0] for curve in drawn for point in curve.points), default=0.0)
    if last <= 0:
        return Markup("")
    marks = ticks(0.0, last)
    scale = (WIDTH - _LEFT - _RIGHT) / marks[-1]
    pieces = _frame(wording, marks, scale, axis)
    for number, curve in enumerate(drawn):
        pieces += _curve(curve, scale, PALETTE[number % len(PALETTE)])
    named = [(one.name, PALETTE[n % len(PALETTE)]) for n, one in enumerate(drawn)]
    legends, height = legend(named, _HEIGHT + 52)
    read = "; ".join(f"{one.name} {_last(wording, one)}" for one in drawn)
    return described(title, read, [*pieces, *legends], int(_HEIGHT + 56 + height))


def _frame(wording: Wording, marks: Sequence[float], scale: float, axis: str) -> list[Markup]:
    base, right = _TOP + _HEIGHT, _LEFT + marks[-1] * scale
    pieces = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        pieces += [
            line((_LEFT, y, right, y), GRID),
            text(_LEFT - 6, y + 4, wording.share(share), "end"),
        ]
    for mark in marks:
        x = _LEFT + mark * scale
        pieces += [
            line((x, _TOP, x, base), GRID),
            text(x, base + 16, wording.decimal(mark, 0), "middle"),
        ]
    pieces.append(text((_LEFT + right) / 2, base + 34, axis, "middle"))
    return pieces


def _curve(curve: Curve, scale: float, colour: str) -> list[Markup]:
    """The band between the two bounds, and the estimate within it."""
    upper = _steps([(day, high) for day, _, high, _ in curve.points], scale)
    lower = _steps([(day, low) for day, low, _, _ in curve.points], scale)
    middle = _steps([(day, estimate) for day, _, _, estimate in curve.points], scale)
    band = Markup('<polygon points="{}" fill="{}" fill-opacity=".22"/>').format(
        _written([*upper, *reversed(lower)]), colour
    )
    drawn = Markup(
        '<polyline class="curve" points="{}" fill="none" stroke="{}" stroke-width="2"/>'
    ).format(_written(middle), colour)
    return [band, drawn]


def _steps(points: Sequence[tuple[float, float]], scale: float) -> list[tuple[float, float]]:
    placed: list[tuple[float, float]] = []
    for day, share in points:
        x = _LEFT + day * scale
        if placed:
            placed.append((x, placed[-1][1]))
        placed.append((x, _y(share)))
    return placed


def _written(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _y(share: float) -> float:
    return _TOP + (1 - min(max(share, 0.0), 1.0)) * _HEIGHT


def _last(wording: Wording, curve: Curve) -> str:
    if not curve.points:
        return str(wording.texts["nobody"])
    day, low, high, _ = curve.points[-1]
    return f"{wording.share(low)}–{wording.share(high)} ({wording.decimal(day, 0)})"
