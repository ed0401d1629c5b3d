"""Standardised differences between two groups (Austin 2009): a dot or a bar per covariate."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from entrepot.federation.pages.plots.drawing import BLUE, GREY, line, text, ticks
from entrepot.federation.pages.wording import Wording
from entrepot.report.dpo.plots import STEP, WIDTH, described, label, margin

NEGLIGIBLE = 0.1  # Austin 2009: a larger difference is usually called imbalance
_RIGHT = 110


def balance(
    wording: Wording, title: str, rows: Sequence[tuple[str, float | None, float | None]]
) -> Markup:
    """One line per covariate with the interval in which its difference lies.

    Args:
        rows: name, low, high; None where a count was suppressed at both sides.
    """
    shown = [(name, low, high) for name, low, high in rows if low is not None and high is not None]
    if not shown:
        return Markup("")
    left = margin(name for name, _, _ in shown)
    marks = ticks(
        min(-0.2, *(low for _, low, _ in shown)), max(0.2, *(high for _, _, high in shown))
    )
    scale = (WIDTH - left - 10 - _RIGHT) / (marks[-1] - marks[0])
    base, pieces = len(shown) * STEP + 8, []
    for mark in marks:
        x = left + 10 + (mark - marks[0]) * scale
        pieces += [line((x, 0, x, base)), text(x, base + 15, wording.decimal(mark, 1), "middle")]
    for bound in (-NEGLIGIBLE, NEGLIGIBLE):
        x = left + 10 + (bound - marks[0]) * scale
        pieces.append(line((x, 0, x, base), GREY, 1.2, "4 3"))
    for number, (name, low, high) in enumerate(shown):
        y = number * STEP + 4
        start, end = (left + 10 + (value - marks[0]) * scale for value in (low, high))
        pieces += [label(name, left, y), line((start, y + 9, end, y + 9), BLUE, 3)]
        pieces.append(_dot((start + end) / 2, y + 9))
        pieces.append(text(WIDTH - _RIGHT + 6, y + 13, wording.between(low, high)))
    read = "; ".join(f"{name} {wording.between(low, high)}" for name, low, high in shown)
    return described(title, read, pieces, base + 24)


def _dot(x: float, y: float) -> Markup:
    return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" fill="{}" stroke="#fff"/>').format(
        x, y, BLUE
    )
