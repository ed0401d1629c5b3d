"""The review's own page: results with a plot of the intervals, in French or in English."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from entrepot.audit import Action, AuditLog
from entrepot.audit.actions import Facts
from entrepot.config import Site
from entrepot.keys import Keyring
from entrepot.review.estimates import Share
from entrepot.review.forgetting import forget_missing
from entrepot.review.results import LabelResult, ReviewResult, evaluate, save
from entrepot.review.sample import folder, write_private
from entrepot.review.server import LANGUAGES, words

_WIDTH, _STEP, _LEFT, _RIGHT = 860, 26, 190, 70
_NOTHING = "–"


def report(site: Site, keyring: Keyring, review: str) -> tuple[ReviewResult, list[Path]]:
    """Evaluates a review, logs it, and writes its JSON and its pages.

    Raises:
        ConfigurationError: no such review, or nobody has read a document.
        EntrepotError: the log or the folder cannot be written.
    """
    forget_missing(site)
    place = folder(site, review)
    result = evaluate(place)
    facts: Facts = {
        "review": review, "documents": result.read,
        "misses": result.overall.recall.misses,
        "over_masked": result.overall.over,
    }  # fmt: skip
    AuditLog(site, keyring).append(Action.REVIEW_ENDED, facts)
    paths = [save(place, result)]
    for language in LANGUAGES:
        paths.append(place / f"review.{language}.html")
        write_private(paths[-1], render(result, language))
    return result, paths


def render(result: ReviewResult, language: str) -> str:
    """One page that stands alone."""
    said = words()[language]
    page = _Written(language, said["report"])
    rows = [("", result.overall), *result.labels.items()]
    named = [(said["labels"][name][1] if name else page.words["any"], one) for name, one in rows]
    environment = Environment(
        loader=PackageLoader("entrepot.review"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(
        share=page.share, between=page.between, number=page.number, decimal=page.decimal,
        named=page.named,
    )  # fmt: skip
    template = environment.get_template("review.html.j2")
    return template.render(
        w=said, f=result, language=language, rows=named, intervals=_intervals(page, named)
    )


class _Written:
    """How a language writes shares and numbers."""

    def __init__(self, language: str, said: dict[str, str]) -> None:
        self._french, self.words = language == "fr", said

    def share(self, value: float | None) -> str:
        if value is None:
            return _NOTHING
        # Never rounded up to a certainty that nobody has seen.
        digits = 2 if 0 < value < 0.0995 or 0.9005 < value < 1 else 1
        text = f"{100 * value:.{digits}f}"
        return f"{text.replace('.', ',')}\u00a0%" if self._french else f"{text}%"

    def between(self, share: Share) -> str:
        if share.low is None or share.high is None:
            return _NOTHING
        if share.low == 0:
            return f"{self.words['at_most']} {self.share(share.high)}"
        if share.high == 1:
            return f"{self.words['at_least']} {self.share(share.low)}"
        return self.words["between"].format(low=self.share(share.low), high=self.share(share.high))

    def number(self, value: int) -> str:
        return f"{value:,}".replace(",", "\u202f" if self._french else ",")

    def decimal(self, value: float | None) -> str:
        if value is None:
            return _NOTHING
        return f"{value:.3f}".replace(".", ",") if self._french else f"{value:.3f}"

    def named(self, value: str) -> str:
        return self.words["rare"] if value == "rare" else value or self.words["any"]


def _intervals(page: _Written, rows: Sequence[tuple[str, LabelResult]]) -> Markup:
    """One line a label: the interval, and the estimate as a dot on it."""
    known = [
        (name, one.recall.recall)
        for name, one in rows
        if one.recall.recall.low is not None and one.recall.recall.estimate is not None
    ]
    if not known:
        return Markup("")
    # From the lowest bound on: all are near 100 %, where a scale from 0 would show nothing.
    start = min(0.9, *(int((share.low or 0) * 10) / 10 for _, share in known))
    scale = (_WIDTH - _LEFT - _RIGHT) / (1 - start)
    pieces = [_axis(page, start, scale, len(known))]
    for line, (name, share) in enumerate(known):
        y = line * _STEP + 16
        ends = (share.low or 0, share.high or 0, share.estimate or 0)
        low, high, middle = (_LEFT + scale * (value - start) for value in ends)
        pieces.append(
            Markup(
                '<text x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect x="{:.1f}" y="{}" width="{:.1f}" height="6" rx="3" fill="#9dbfd6"/>'
                '<circle cx="{:.1f}" cy="{}" r="5" fill="#2f6f9f"><title>{}</title></circle>'
                '<text x="{:.1f}" y="{}">{}</text>'
            ).format(
                _LEFT - 12, y + 4, name, low, y - 3, max(high - low, 1), middle, y,
                page.between(share), _WIDTH - _RIGHT + 10, y + 4, page.share(share.estimate),
            )
        )  # fmt: skip
    height = len(known) * _STEP + 28
    return Markup(
        '<figure><svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg></figure>'
    ).format(_WIDTH, height, page.words["by_label"], Markup("").join(pieces))


def _axis(page: _Written, start: float, scale: float, lines: int) -> Markup:
    marks = [start + (1 - start) * step / 4 for step in range(5)]
    bottom = lines * _STEP + 4
    return Markup("").join(
        Markup(
            '<line x1="{0:.1f}" x2="{0:.1f}" y1="2" y2="{1}" stroke="#dfe6ec"/>'
            '<text x="{0:.1f}" y="{2}" text-anchor="middle">{3}</text>'
        ).format(_LEFT + scale * (mark - start), bottom, bottom + 18, page.share(mark))
        for mark in marks
    )
