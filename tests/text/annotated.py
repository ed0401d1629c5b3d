"""French examples annotated in the text itself, so that a clinician can review them.

`M. <NOM>DUPONT</NOM> va mieux` says: exactly these characters are covered, under this label.
`<*>` accepts any label.
"""

from __future__ import annotations

import re

from entrepot.text import Identity, Scrubber

_MARK = re.compile(r"<(/?)([A-Z_*]+)>")


def parse(annotated: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The plain text and its (start, end, label) annotations."""
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = done = start = 0
    for mark in _MARK.finditer(annotated):
        pieces.append(annotated[done : mark.start()])
        length += mark.start() - done
        done = mark.end()
        if mark[1]:
            spans.append((start, length, mark[2]))
        else:
            start = length
    pieces.append(annotated[done:])
    return "".join(pieces), spans


def check(scrubber: Scrubber, annotated: str, identity: Identity) -> None:
    """Asserts that the engine covers the annotated characters and no other letter or digit."""
    text, expected = parse(annotated)
    found = scrubber.find(text, identity)
    covered = {k for s in found for k in range(s.start, s.end) if text[k].isalnum()}
    wanted = {k for a, b, _ in expected for k in range(a, b) if text[k].isalnum()}
    shown = [(text[s.start : s.end], s.label, s.layer) for s in found]
    assert covered == wanted, shown
    for start, end, label in expected:
        labels = {s.label for s in found if s.start < end and s.end > start}
        assert label == "*" or labels == {label}, shown
