"""Ambiguous identifiers: each place where the truth put one must not hold it in the output.

A common word, a name of two letters or a day of care stands legitimately all over the research
zone. So they are looked for only in what came out of the very element that the truth put them in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

from entrepot.report.scan.needles import Needles, Phrase, date_of
from entrepot.report.scan.text import fold, tokens
from entrepot.report.scan.truth import SHORT, Entry, Inventory, Place, SourceText

# What the output holds of an element: (truth's message id, `PID-5.1`) -> texts of its rows.
PlaceText = Callable[[str, str], list[str]]


@dataclass
class _Element:
    """One element of one message: the ambiguous identifiers in it, and the words of them all."""

    put: list[tuple[Entry, Place]] = field(default_factory=list)
    named: list[list[str]] = field(default_factory=list)


def survivors(
    inventory: Inventory, place_text: PlaceText, source_text: SourceText | None
) -> Iterator[tuple[Entry, Place]]:
    """Ambiguous identifiers that their places' output still holds.

    A free text says common words of its own. Where the truth knows the spans, the source is
    aligned with the output, and the identifier leaks when its very tokens are among those that
    stayed; in a formatted attachment it leaks when the output says it more often than the source
    does besides its identifiers. Without a source, any occurrence is a leak.
    """
    for (message, position), element in sorted(_elements(inventory).items(), key=lambda i: i[0]):
        outputs = place_text(message, position)
        source = source_text(message, position) if source_text and outputs else None
        for entry, place in element.put:
            if _survives(entry, place, element, outputs, source):
                yield entry, place


def _elements(inventory: Inventory) -> dict[tuple[str, str], _Element]:
    found: dict[tuple[str, str], _Element] = defaultdict(_Element)
    for entry in inventory.ambiguous:
        for place in entry.places:
            found[place.message, place.position].put.append((entry, place))
    for entry in inventory.entries:
        for place in entry.places:
            element = found.get((place.message, place.position))
            if element is not None:
                element.named.append(tokens(fold(entry.value)))
    return found


def _survives(
    entry: Entry, place: Place, element: _Element, outputs: list[str], source: str | None
) -> bool:
    if source is None:
        needles = Needles()
        entry.add_to(needles, 0)
        return any(needles.find(fold(output)) for output in outputs)
    if place.start is not None and place.end is not None:
        return any(_stayed(source, place.start, place.end, output) for output in outputs)
    phrase = tuple(tokens(fold(entry.value)))
    said = _count(phrase, tokens(fold(source))) - sum(_count(phrase, n) for n in element.named)
    return any(_count(phrase, tokens(fold(output))) > max(said, 0) for output in outputs)


def _count(phrase: Phrase, words: list[str]) -> int:
    size = len(phrase)
    return sum(tuple(words[at : at + size]) == phrase for at in range(len(words) - size + 1))


def _stayed(source: str, start: int, end: int, output: str) -> bool:
    """Whether `source[start:end]`, or one of several names in it, is still in its place.

    The year of a masked birth date stays, and so may the particle of a name: they alone tell
    nothing.
    """
    words = tokens(fold(source[start:end]))
    first = len(tokens(fold(source[:start])))
    kept, alone = _kept(source, output)
    stayed = [
        first + rank in kept or (len(word) > SHORT and first + rank in alone)
        for rank, word in enumerate(words)
    ]
    if not words or all(stayed) or date_of(source[start:end]) is not None:
        return bool(words) and all(stayed)
    return any(there and len(word) > SHORT for word, there in zip(words, stayed, strict=True))


@lru_cache(maxsize=64)
def _kept(source: str, output: str) -> tuple[frozenset[int], frozenset[int]]:
    """Ranks of the source's tokens that the output holds in order: with a neighbour, and alone.

    An initial that stayed alone is any `l'` or `a` of a text that is longer than its source.
    """
    matcher = SequenceMatcher(None, tokens(fold(source)), tokens(fold(output)), autojunk=False)
    blocks = matcher.get_matching_blocks()
    kept = (block.a + offset for block in blocks if block.size > 1 for offset in range(block.size))
    return frozenset(kept), frozenset(block.a for block in blocks if block.size == 1)
