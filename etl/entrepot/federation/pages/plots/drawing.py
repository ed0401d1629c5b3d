"""Axes and marks that the figures share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from entrepot.report.dpo.plots import PALETTE, WIDTH

BLUE, ORANGE, GREY = PALETTE[0], PALETTE[1], PALETTE[6]
GRID = "#dfe6ec"
# A part that may or may not be there: hatched, so that it is read without colours too.
HATCH = Markup(
    '<defs><pattern id="{0}" width="6" height="6" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><rect width="6" height="6" fill="#eef2f5"/>'
    '<rect width="2.4" height="6" fill="{1}"/></pattern></defs>'
)
# An axis of decades: 1, 2, 5 times a power of ten.
_ROUND = (1, 2, 5)
_WANTED = 5


def hatch(identity: str, colour: str) -> Markup:
    """The pattern `identity` of this colour."""
    return HATCH.format(identity, colour)


def line(
    ends: tuple[float, float, float, float], colour: str = GRID, width: float = 1.0,
    dash: str = "none",
) -> Markup:  # fmt: skip
    """From (x1, y1) to (x2, y2)."""
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{}"'
        ' stroke-dasharray="{}"/>'
    ).format(*ends, colour, width, dash)


def text(x: float, y: float, said: str, anchor: str = "start") -> Markup:
    """A word of the figure."""
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, said
    )


def bar(place: tuple[float, float, float, float], fill: str, said: str) -> Markup:
    """A rectangle at (x, y) of (width, height); `said` shows under the pointer."""
    x, y, width, height = place
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" stroke="#fff"'
        ' stroke-width=".6"><title>{}</title></rect>'
    ).format(x, y, max(width, 1.0), height, fill, said)


def ticks(low: float, high: float) -> list[float]:
    """About five round values that cover [low, high]."""
    if not high > low:
        return [low]
    raw = (high - low) / _WANTED
    power = 10 ** math.floor(math.log10(raw))
    step = power * next(n for n in (*_ROUND, 10) if n * power >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 times powers of ten from below `low` to above `high`, both positive."""
    start, end = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [n * 10.0**power for power in range(start, end + 1) for n in _ROUND]
    first = max([one for one in every if one <= low], default=every[0])
    last = min([one for one in every if one >= high], default=every[-1])
    return [round(one, 10) for one in every if first <= one <= last]


def legend(names: Sequence[tuple[str, str]], y: float) -> tuple[list[Markup], float]:
    """(name, fill) one after the other, and the height that they take."""
    pieces: list[Markup] = []
    x, top = 0.0, y
    for name, fill in names:
        width = len(name) * 6.9 + 34
        if x and x + width > WIDTH:
            x, top = 0.0, top + 20
        pieces += [bar((x, top, 12, 12), fill, name), text(x + 17, top + 11, name)]
        x += width
    return pieces, (top - y + 24) if names else 0.0
