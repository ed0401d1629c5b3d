"""Figures of suppressed results as SVG inside the page: intervals are drawn as intervals.

No script, no font, no image from elsewhere; each figure says in words what it shows. Colours are
those of the data protection officer's report, told apart with any colour vision.
"""

from entrepot.federation.pages.plots.balance import balance
from entrepot.federation.pages.plots.curves import Curve, curves
from entrepot.federation.pages.plots.forest import Effect, forest
from entrepot.federation.pages.plots.intervals import Bounded, funnel, interval_bars

__all__ = [
    "Bounded", "Curve", "Effect", "balance", "curves", "forest", "funnel", "interval_bars",
]  # fmt: skip
