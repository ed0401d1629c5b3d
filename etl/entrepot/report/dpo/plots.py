"""Plots as SVG inside the page: bars whose lengths are counts, withheld ones hatched.

A withheld count has no length that could be measured: withheld parts share equally what the shown
ones leave of a shown total, and have a fixed length beside a withheld one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from entrepot.report.dpo.words import Words

WIDTH, BAR, STEP = 860, 18, 27
HATCHED = 16
TEXT = 6.9  # width of a letter at 12.5 px, on the safe side
# Okabe and Ito (2008): told apart with any colour vision; a white edge parts neighbours as well.
PALETTE = (
    "#0072b2", "#e69f00", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#7d8b99", "#f0e442",
)  # fmt: skip

Shown = int | str


@dataclass(frozen=True)
class Series:
    """What one colour stands for."""

    key: str
    label: str
    colour: str


def series(labels: Mapping[str, str], keys: Sequence[str]) -> list[Series]:
    """Colours in the order of `keys`."""
    return [Series(key, labels[key], PALETTE[n % len(PALETTE)]) for n, key in enumerate(keys)]


def stacked(
    words: Words,
    title: str,
    parts: Sequence[Series],
    rows: Sequence[tuple[str, Mapping[str, Shown], Shown]],
    *,
    share: bool = False,
) -> Markup:
    """One bar per row, cut into its parts; the total stands at its end.

    Args:
        rows: label, part -> count, total.
        share: every bar has the same length: parts of one whole.
    """
    keys = [part.key for part in parts]
    rows = [
        (label, {key: counts.get(key, 0) for key in keys}, total)
        for label, counts, total in rows
        if total != 0
    ]
    if not rows:
        return Markup("")
    left = margin(label for label, _, _ in rows)
    room = WIDTH - left - 90
    longest = max([_told(counts, total) for _, counts, total in rows])
    pieces = []
    for number, (name, counts, total) in enumerate(rows):
        y = number * STEP + 4
        scale = room / max(_told(counts, total) if share else longest, 1)
        pieces.append(label(name, left, y))
        x = float(left)
        for part in parts:
            count = counts[part.key]
            width = count * scale if isinstance(count, int) else _hatched(counts, total, scale)
            pieces.append(_piece(words, part, count, x, y, width))
            x += width
        pieces.append(_value(words, total, x, y))
    hatched = Series("", words.texts["hidden_bar"], "url(#hatched)")
    withheld = any(isinstance(one, str) for _, counts, _ in rows for one in counts.values())
    named = [part for part in parts if part.label] + ([hatched] if withheld else [])
    legend, height = _legend(named, len(rows) * STEP + 12)
    read = "; ".join(_read(words, parts, *row) for row in rows)
    return described(title, read, [*pieces, *legend], len(rows) * STEP + 8 + height)


def _read(
    words: Words, parts: Sequence[Series], label: str, counts: Mapping[str, Shown], total: Shown
) -> str:
    """The row for whoever does not see the bar."""
    told = [f"{part.label} {words.number(counts[part.key])}" for part in parts if part.label]
    return f"{label} {words.number(total)}" + (f" ({', '.join(told)})" if told else "")


def _told(counts: Mapping[str, Shown], total: Shown) -> int:
    """The row's total, or as much of it as is shown: rounded parts may make more than it."""
    return max(total, _sum(counts)) if isinstance(total, int) else _sum(counts)


def _sum(counts: Mapping[str, Shown]) -> int:
    return sum(one for one in counts.values() if isinstance(one, int))


def _hatched(counts: Mapping[str, Shown], total: Shown, scale: float) -> float:
    """An equal share of what the shown parts leave of a shown total."""
    if not isinstance(total, int):
        return HATCHED
    withheld = sum(isinstance(one, str) for one in counts.values())
    return max((total - _sum(counts)) * scale / withheld, 2.0)


def bars(
    words: Words, title: str, rows: Sequence[tuple[str, Shown]], colour: str = PALETTE[0]
) -> Markup:
    """One bar per row."""
    only = [Series("all", "", colour)]
    return stacked(words, title, only, [(label, {"all": count}, count) for label, count in rows])


def margin(labels: Iterable[str]) -> int:
    """Room for the longest label."""
    longest = max(len(label) for label in labels)
    return int(min(max(longest * TEXT + 20, 90), 400))


def label(text: str, left: int, y: int) -> Markup:
    """A row's label, cut where it does not fit."""
    fits = int((left - 12) / TEXT) + 1
    short = text if len(text) <= fits else text[: fits - 1] + "…"
    return Markup('<text x="{}" y="{}" text-anchor="end">{}<title>{}</title></text>').format(
        left - 8, y + 13, short, text
    )


def _piece(words: Words, part: Series, count: Shown, x: float, y: int, width: float) -> Markup:
    if count == 0:
        return Markup("")
    named = f"{part.label} : " if part.label else ""
    said = words.typeset(f"{named}{words.number(count)}")
    fill = part.colour if isinstance(count, int) else "url(#hatched)"
    return Markup(
        '<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" fill="{}"'
        ' stroke="#fff" stroke-width=".6"><title>{}</title></rect>'
    ).format(x, y, max(width, 1.0), BAR, fill, said)


def _value(words: Words, total: Shown, x: float, y: int) -> Markup:
    return Markup('<text x="{:.1f}" y="{}">{}</text>').format(x + 6, y + 13, words.number(total))


def _legend(parts: Sequence[Series], y: int) -> tuple[list[Markup], int]:
    """Colours and their names, line by line, and the height that they take."""
    pieces, x, line = [], 0.0, 0
    for part in parts:
        width = len(part.label) * TEXT + 34
        if x and x + width > WIDTH:
            x, line = 0.0, line + 1
        top = y + line * 20
        pieces.append(
            Markup(
                '<rect x="{0:.1f}" y="{1}" width="12" height="12" fill="{2}"/>'
                '<text x="{3:.1f}" y="{4}">{5}</text>'
            ).format(x, top, part.colour, x + 17, top + 11, part.label)
        )
        x += width
    return pieces, (line + 1) * 20 + 6 if parts else 0


def described(title: str, read: str, pieces: Sequence[Markup], height: int) -> Markup:
    """The figure; `read` tells in words what it shows."""
    body = Markup("").join(pieces)
    return Markup(
        '<figure><svg width="100%" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        "<desc>{}</desc>{}</svg></figure>"
    ).format(WIDTH, height, f"{title}. {read}", read, body)
