"""Counts known between two bounds: the sure part full, the possible part hatched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from entrepot.federation.pages.plots.drawing import BLUE, bar, hatch, text
from entrepot.federation.pages.wording import Wording
from entrepot.report.dpo.plots import BAR, STEP, WIDTH, described, label, margin

_RIGHT = 120  # room for the interval in figures


@dataclass(frozen=True)
class Bounded:
    """A count between `low` and `high`; both None: nobody answered, which is not zero.

    Args:
        name: the row's label.
    """

    name: str
    low: int | None
    high: int | None


def interval_bars(wording: Wording, title: str, rows: Sequence[Bounded]) -> Markup:
    """One bar per row from the left."""
    return _bars(wording, title, rows, centred=False)


def funnel(wording: Wording, title: str, rows: Sequence[Bounded]) -> Markup:
    """Attrition: one centred bar per inclusion rule, in their order."""
    return _bars(wording, title, rows, centred=True)


def _bars(wording: Wording, title: str, rows: Sequence[Bounded], *, centred: bool) -> Markup:
    if not rows:
        return Markup("")
    left = margin(row.name for row in rows)
    room = WIDTH - left - _RIGHT
    scale = room / max([row.high or 0 for row in rows] + [1])
    pieces = [hatch("possible", BLUE)]
    for number, row in enumerate(rows):
        y = number * STEP + 4
        pieces.append(label(row.name, left, y))
        end = left + (row.high or 0) * scale
        start = left + (room - (row.high or 0) * scale) / 2 if centred else float(left)
        if row.low is not None and row.high is not None:
            pieces += _bar(wording, row, start, y, scale)
            end = start + row.high * scale
        pieces.append(text(end + 6, y + 13, wording.count(row.low, row.high)))
    read = "; ".join(f"{row.name} {wording.count(row.low, row.high)}" for row in rows)
    return described(title, read, pieces, len(rows) * STEP + 8)


def _bar(wording: Wording, row: Bounded, x: float, y: float, scale: float) -> list[Markup]:
    low, high = row.low or 0, row.high or 0
    said = f"{row.name} {wording.count(low, high)}"
    full = [bar((x, y, low * scale, BAR), BLUE, said)] if low else []
    maybe = (x + low * scale, y, (high - low) * scale, BAR)
    return full + ([bar(maybe, "url(#possible)", said)] if high > low else [])
