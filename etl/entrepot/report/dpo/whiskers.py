"""Shares with their intervals, as a dot on a line of 0 to 100 %, in SVG inside the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from entrepot.report.dpo.plots import PALETTE, STEP, WIDTH, described, label, margin
from entrepot.report.dpo.words import Words

_RIGHT = 78  # room for the share in figures
_TICKS = (0, 250, 500, 750, 1000)


def whiskers(words: Words, title: str, rows: Sequence[tuple[str, Mapping[str, int]]]) -> Markup:
    """One line per share.

    Args:
        rows: label, {value, low, high} in per mille; negative where nothing was counted.
    """
    told = [(name, share) for name, share in rows if share["value"] >= 0]
    if not told:
        return Markup("")
    left = margin(name for name, _ in told)
    scale = (WIDTH - left - _RIGHT) / 1000
    height = len(told) * STEP + 8
    pieces = [_tick(words, left + tick * scale, tick, height) for tick in _TICKS]
    for number, (name, share) in enumerate(told):
        y = number * STEP + 4
        pieces.append(label(name, left, y))
        pieces.append(_share(words, share, left, y, scale))
    read = "; ".join(f"{name} {_interval(words, share)}" for name, share in told)
    return described(title, read, pieces, height + 18)


def _tick(words: Words, x: float, tick: int, height: int) -> Markup:
    return Markup(
        '<line x1="{0:.1f}" y1="0" x2="{0:.1f}" y2="{1}" stroke="#dfe6ec"/>'
        '<text x="{0:.1f}" y="{2}" text-anchor="middle">{3}</text>'
    ).format(x, height - 2, height + 12, words.permille(tick))


def _share(words: Words, share: Mapping[str, int], left: int, y: int, scale: float) -> Markup:
    middle = y + 9
    low, dot, high = (left + share[name] * scale for name in ("low", "value", "high"))
    return Markup(
        '<g><title>{said}</title>'
        '<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke="{line}" stroke-width="3"/>'
        '<line x1="{low:.1f}" y1="{top}" x2="{low:.1f}" y2="{base}" stroke="{line}"/>'
        '<line x1="{high:.1f}" y1="{top}" x2="{high:.1f}" y2="{base}" stroke="{line}"/>'
        '<circle cx="{dot:.1f}" cy="{y}" r="5" fill="{fill}" stroke="#fff"/></g>'
        '<text x="{right}" y="{text}" text-anchor="end">{value}</text>'
    ).format(
        said=_interval(words, share), low=low, high=high, dot=dot, y=middle, top=middle - 5,
        base=middle + 5, line=PALETTE[2], fill=PALETTE[0], right=WIDTH - 2, text=y + 13,
        value=words.permille(share["value"]),
    )  # fmt: skip


def _interval(words: Words, share: Mapping[str, int]) -> str:
    low, high = words.permille(share["low"]), words.permille(share["high"])
    return f"{words.permille(share['value'])} ({low} – {high})"
