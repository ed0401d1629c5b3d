"""A found identifier, and how spans of several layers become one non-overlapping list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LABELS = frozenset((
    "NOM", "PRENOM", "DATE", "DATE_NAISSANCE", "ADRESSE", "ZIP", "VILLE", "TEL", "MAIL", "SECU",
    "IPP", "NDA", "HOPITAL", "URL", "AUTRE_ID",
))  # fmt: skip
KNOWN, FORMATS, CONTEXT, PROPAGATION, SITE = "known", "formats", "context", "propagation", "site"
GAZETTEER, SAFE = "gazetteer", "safe"
MODEL = "model"
_STRENGTH = {
    KNOWN: 7, FORMATS: 6, CONTEXT: 5, SITE: 4, MODEL: 4, GAZETTEER: 3, PROPAGATION: 2, SAFE: 1,
}  # fmt: skip
_WORDED = frozenset(("NOM", "PRENOM", "VILLE", "HOPITAL", "ADRESSE", "ZIP"))


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


def combine(spans: Iterable[Span], text: str) -> list[Span]:
    """Sorted, non-overlapping spans that cover every letter and digit that any span covered.

    Where names and places overlap, the stronger one keeps its extent and the others keep the rest
    (`Jean-Baptiste` known inside a signature). Where numbers overlap, they become their union,
    because two readings of the same digits are one identifier. An ordinary date (DATE) that touches
    an identifier is swallowed by it: a date is kept in clear, so it never wins.
    """
    result: list[Span] = []
    group: list[Span] = []
    end = 0
    for span in sorted(set(spans)):
        if group and span.start >= end:
            result += _resolved(group, text)
            group, end = [], 0
        group.append(span)
        end = max(end, span.end)
    if group:
        result += _resolved(group, text)
    return result


def _resolved(group: list[Span], text: str) -> list[Span]:
    if len(group) == 1:
        return group
    start, end = group[0].start, max(span.end for span in group)
    best = max(group, key=_strength)
    if (best.start, best.end) == (start, end):
        return [best]
    if all(span.label in _WORDED for span in group):
        return _shared_out(group, text)
    return [_union(group, start, end)]


def _strength(span: Span) -> tuple[bool, bool, bool, int, int, str]:
    """What decides between overlapping spans: AUTRE_ID says least, layer 1 knows best."""
    return (
        span.label != "DATE",
        span.layer == KNOWN,
        span.label != "AUTRE_ID",
        _STRENGTH.get(span.layer, 0),
        span.end - span.start,
        span.label,
    )


def _shared_out(group: list[Span], text: str) -> list[Span]:
    """The spans without overlap, the stronger first; what has no letter or digit is left out."""
    owner: dict[int, Span] = {}
    for span in sorted(group, key=_strength):
        owner.update(dict.fromkeys(range(span.start, span.end), span))
    pieces: list[Span] = []
    for place, span in sorted(owner.items()):
        last = pieces[-1] if pieces else None
        if last and last.end == place and owner[place - 1] is span:
            pieces[-1] = last._replace(end=place + 1)
        else:
            pieces.append(span._replace(start=place, end=place + 1))
    return [_trimmed(piece, text) for piece in pieces if _telling(text[piece.start : piece.end])]


def _telling(written: str) -> bool:
    return any(map(str.isalnum, written))


def _trimmed(span: Span, text: str) -> Span:
    """Without the blanks at its ends; marks and signs there may belong to a letter."""
    start, end = span.start, span.end
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    return span._replace(start=start, end=end)


def _union(group: list[Span], start: int, end: int) -> Span:
    """One span for the whole group, named by the span that holds all of it if it names anything.

    A mail holds a known name, and stays a mail. A birth date widened by the union is no longer a
    date alone and takes the label AUTRE_ID, so that its replacement reads no year out of something
    else.
    """
    whole = [
        span
        for span in group
        if span[:2] == (start, end) and span.label not in ("DATE", "AUTRE_ID")
    ]
    best = max(whole or group, key=_strength)
    label = best.label
    if label == "DATE_NAISSANCE" and (best.start, best.end) != (start, end):
        label = "AUTRE_ID"
    return Span(start, end, label, best.layer)
