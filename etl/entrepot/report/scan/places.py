"""Ambiguous identifiers: each place where the truth put one must not hold it in the output.

A common word, a name of two letters or a day of care stands legitimately all over the research
zone. So they are looked for only in what came out of the very element that the truth put them in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher
from functools import lru_cache

from entrepot.report.scan.needles import Needles, date_of
from entrepot.report.scan.text import fold, tokens
from entrepot.report.scan.truth import SHORT, Entry, Place

# What the output holds of an element: (truth's message id, `PID-5.1`) -> texts of its rows.
PlaceText = Callable[[str, str], list[str]]
# The decoded text of an element as the truth put it, None when it is no free text.
SourceText = Callable[[str, str], str | None]


def survivors(
    entries: Iterable[Entry], place_text: PlaceText, source_text: SourceText | None
) -> Iterator[tuple[Entry, Place]]:
    """Identifiers that their places' output still holds.

    A free text says common words of its own; the source is aligned with the output, and the
    identifier leaks when one of its very tokens is among those that stayed. Without a source,
    any occurrence is a leak.
    """
    by_element: dict[tuple[str, str], list[tuple[Entry, Place]]] = defaultdict(list)
    for entry in entries:
        for place in entry.places:
            by_element[place.message, place.position].append((entry, place))
    for (message, position), put in sorted(by_element.items(), key=lambda item: item[0]):
        outputs = place_text(message, position)
        source = source_text(message, position) if source_text and outputs else None
        for entry, place in put:
            if _survives(entry, place, outputs, source):
                yield entry, place


def _survives(entry: Entry, place: Place, outputs: list[str], source: str | None) -> bool:
    if source is not None and place.start is not None and place.end is not None:
        return any(_stayed(source, place.start, place.end, output) for output in outputs)
    needles = Needles()
    entry.add_to(needles, 0)
    return any(needles.find(fold(output)) for output in outputs)


def _stayed(source: str, start: int, end: int, output: str) -> bool:
    """Whether `source[start:end]`, or one of several names in it, is still in its place.

    The year of a masked birth date stays, and so may the particle of a name: they alone tell
    nothing.
    """
    words = tokens(fold(source[start:end]))
    first = len(tokens(fold(source[:start])))
    kept = _kept(source, output)
    stayed = [first + rank in kept for rank in range(len(words))]
    if not words or all(stayed) or date_of(source[start:end]) is not None:
        return bool(words) and all(stayed)
    return any(there and len(word) > SHORT for word, there in zip(words, stayed, strict=True))


@lru_cache(maxsize=64)
def _kept(source: str, output: str) -> frozenset[int]:
    """Ranks of the source's tokens that the output holds in the same order."""
    matcher = SequenceMatcher(None, tokens(fold(source)), tokens(fold(output)), autojunk=False)
    blocks = matcher.get_matching_blocks()
    return frozenset(block.a + offset for block in blocks for offset in range(block.size))
