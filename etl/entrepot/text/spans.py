"""A found identifier, and how spans of several layers become one non-overlapping list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LABELS = frozenset((
    "NOM", "PRENOM", "DATE", "DATE_NAISSANCE", "ADRESSE", "ZIP", "VILLE", "TEL", "MAIL", "SECU",
    "IPP", "NDA", "HOPITAL", "URL", "AUTRE_ID",
))  # fmt: skip
KNOWN, FORMATS, CONTEXT, PROPAGATION, SITE = "known", "formats", "context", "propagation", "site"
_STRENGTH = {KNOWN: 5, FORMATS: 4, CONTEXT: 3, SITE: 2, PROPAGATION: 1}


class Span(NamedTuple):
    """Characters `start:end` of a text that hold an identifier, or a date that is kept.

    Args:
        start: first character.
        end: character after the last.
        label: one of LABELS.
        layer: the layer that found it.
    """

    start: int
    end: int
    label: str
    layer: str


def combine(spans: Iterable[Span]) -> list[Span]:
    """Sorted, non-overlapping spans that cover every character that any span covered.

    Overlapping spans become their union, under the label of layer 1, else of the most telling
    label (AUTRE_ID says least), the strongest layer, the longest. An ordinary date (DATE) that
    touches an identifier is swallowed by it: a date is kept in clear, so it never wins. A birth
    date widened by a union is no longer a date alone and takes the label AUTRE_ID, so that its
    replacement reads no year out of something else.
    """
    result: list[Span] = []
    group: list[Span] = []
    end = 0
    for span in sorted(spans):
        if group and span.start >= end:
            result.append(_union(group))
            group = []
        group.append(span)
        end = max(end, span.end) if len(group) > 1 else span.end
    if group:
        result.append(_union(group))
    return result


def _union(group: list[Span]) -> Span:
    if len(group) == 1:
        return group[0]
    start, end = group[0].start, max(span.end for span in group)
    best = max(
        group,
        key=lambda s: (
            s.label != "DATE",
            s.layer == KNOWN,
            s.label != "AUTRE_ID",
            _STRENGTH.get(s.layer, 0),
            s.end - s.start,
            s.label,
        ),
    )
    label = best.label
    if label == "DATE_NAISSANCE" and (best.start, best.end) != (start, end):
        label = "AUTRE_ID"
    return Span(start, end, label, best.layer)
