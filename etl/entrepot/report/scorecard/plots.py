"""Rates over the loads, and one check's share of rows over them, as SVG inside the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from entrepot.report.dpo.plots import PALETTE, TEXT, WIDTH, described
from entrepot.report.dpo.words import Words

HEIGHT, TOP, LEFT, RIGHT = 200, 14, 62, 18
SPARK_WIDTH, SPARK_HEIGHT = 110, 22
# A shape each besides the colour: told apart on paper and with any colour vision.
_MARKS = ("circle", "square", "diamond")


@dataclass(frozen=True)
class Curve:
    """Rates of one category, in tenths of a percent; -1 where nothing could be checked."""

    label: str
    rates: Sequence[int]


def rates(words: Words, title: str, loads: Sequence[str], curves: Sequence[Curve]) -> Markup:
    """One curve per category over the loads; the scale ends at 100 % and begins where it must.

    Args:
        loads: what each load is called.
    """
    known = [rate for curve in curves for rate in curve.rates if rate >= 0]
    if not known:
        return Markup("")
    lowest = _floor(min(known))
    pieces = [_line_of_scale(words, rate, lowest) for rate in _ticks(lowest)]
    for number, curve in enumerate(curves):
        pieces.append(_curve(words, curve, loads, number, lowest))
    pieces += _ends(loads)
    x = float(LEFT)
    for number, curve in enumerate(curves):
        pieces.append(_mark(number, x + 6, HEIGHT + 12, PALETTE[number % len(PALETTE)], ""))
        pieces.append(_text(curve.label, x + 17, HEIGHT + 16))
        x += len(curve.label) * TEXT + 44
    read = "; ".join(_read(words, curve, loads) for curve in curves)
    return described(title, read, pieces, HEIGHT + 26)


def spark(shares: Sequence[float | None], label: str) -> Markup:
    """A check's share of rows over the loads; gaps where it was not asked."""
    points = [(n, share) for n, share in enumerate(shares) if share is not None]
    if len(points) < 2:
        return Markup("")
    step = (SPARK_WIDTH - 6) / max(len(shares) - 1, 1)
    highest = max(share for _, share in points) or 1.0
    places = [
        f"{3 + n * step:.1f},{SPARK_HEIGHT - 3 - share / highest * (SPARK_HEIGHT - 6):.1f}"
        for n, share in points
    ]
    last = places[-1].split(",")
    return Markup(
        '<svg class="spark" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"'
        ' aria-label="{2}"><polyline points="{3}" fill="none" stroke="{4}" stroke-width="1.6"/>'
        '<circle cx="{5}" cy="{6}" r="2.6" fill="{4}"/></svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, label, " ".join(places), PALETTE[3], *last)


def _floor(lowest: int) -> int:
    """The scale's begin: fifty, ten or one percent below what it must show."""
    return next((edge for edge in (990, 950, 900, 500) if lowest >= edge), 0)


def _ticks(lowest: int) -> list[int]:
    return [lowest + (1000 - lowest) * n // 4 for n in range(5)]


def _y(rate: int, lowest: int) -> float:
    return TOP + (1000 - rate) / (1000 - lowest) * (HEIGHT - TOP - 26)


def _x(number: int, loads: int) -> float:
    room = WIDTH - LEFT - RIGHT
    return LEFT + room * (number / (loads - 1) if loads > 1 else 0.5)


def _line_of_scale(words: Words, rate: int, lowest: int) -> Markup:
    y = _y(rate, lowest)
    return Markup(
        '<line x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}" stroke="#dfe6ec"/>'
        '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
    ).format(LEFT, y, WIDTH - RIGHT, y, LEFT - 8, y + 4, words.permille(rate))


def _curve(words: Words, curve: Curve, loads: Sequence[str], number: int, lowest: int) -> Markup:
    colour = PALETTE[number % len(PALETTE)]
    points = [(n, rate) for n, rate in enumerate(curve.rates) if rate >= 0]
    path = " ".join(f"{_x(n, len(loads)):.1f},{_y(rate, lowest):.1f}" for n, rate in points)
    marks = [
        _mark(number, _x(n, len(loads)), _y(rate, lowest), colour,
              f"{curve.label}, {loads[n]} : {words.permille(rate)}")
        for n, rate in points
    ]  # fmt: skip
    return Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>{}').format(
        path, colour, Markup("").join(marks)
    )


def _mark(number: int, x: float, y: float, colour: str, title: str) -> Markup:
    said = Markup("<title>{}</title>").format(title) if title else Markup("")
    if _MARKS[number % len(_MARKS)] == "circle":
        return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" fill="{}">{}</circle>').format(
            x, y, colour, said
        )
    turned = "45" if _MARKS[number % len(_MARKS)] == "diamond" else "0"
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="7.5" height="7.5" fill="{}"'
        ' transform="rotate({} {:.1f} {:.1f})">{}</rect>'
    ).format(x - 3.75, y - 3.75, colour, turned, x, y, said)


def _ends(loads: Sequence[str]) -> list[Markup]:
    """The first and the last load by name; all of them stand in the table below."""
    y = HEIGHT - 6
    if len(loads) == 1:
        return [_text(loads[0], _x(0, 1), y, "middle")]
    return [_text(loads[0], LEFT, y), _text(loads[-1], WIDTH - RIGHT, y, "end")]


def _text(text: str, x: float, y: float, anchor: str = "start") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, text
    )


def _read(words: Words, curve: Curve, loads: Sequence[str]) -> str:
    told: Mapping[str, int] = dict(zip(loads, curve.rates, strict=True))
    return f"{curve.label}: " + ", ".join(
        f"{name} {words.permille(rate)}" for name, rate in told.items() if rate >= 0
    )
