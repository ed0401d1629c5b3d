"""How far two readers agree, and what their marks say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from entrepot.review.estimates import Judged
from entrepot.review.sample import MISSED, OVER, Drawn, Mark, Read, Reading


@dataclass(frozen=True)
class Agreement:
    """Two readers on the documents that both have read.

    Args:
        positive: share of the missed identifiers of either that both marked, 2ab / (a + b); None
            when neither marked any.
        kappa: Cohen's, on whether a document leaks; None when neither reader saw a difference
            between documents.
        over_kappa: Cohen's, tag by tag, on whether it stands for no identifier.
        disagreements: documents whose marks differ.
    """

    readers: tuple[str, str]
    documents: int
    positive: float | None
    kappa: float | None
    over_kappa: float | None
    disagreements: int


def agreements(sample: Sequence[Drawn], readings: Sequence[Reading]) -> list[Agreement]:
    """Every pair of readers."""
    return [_agreement(sample, first, second) for first, second in combinations(readings, 2)]


def judged(
    sample: Sequence[Drawn], readings: Sequence[Reading], decided: Mapping[int, Read]
) -> list[Judged]:
    """Each read document with what was decided of it, else with what any reader marked in it.

    The union of the marks is the conservative reading. Marks of missed identifiers that share a
    character are one; its label is the first reader's.
    """
    found = []
    for drawn in sample:
        reads = [read for one in readings if (read := one.documents.get(drawn.note_id))]
        if reads:
            if drawn.note_id in decided:
                reads = [decided[drawn.note_id]]
            marks = together(reads)
            found.append(
                Judged(
                    drawn,
                    Counter(mark.label for mark in united(marks)),
                    Counter(label for _, _, label in _over(marks)),
                )
            )
    return found


def united(marks: Iterable[Mark]) -> list[Mark]:
    """Missed identifiers, those that overlap joined into one."""
    joined: list[Mark] = []
    for mark in sorted((m for m in marks if m.kind == MISSED), key=lambda m: (m.start, m.end)):
        if joined and joined[-1].overlaps(mark):
            last = joined[-1]
            joined[-1] = last.model_copy(update={"end": max(last.end, mark.end)})
        else:
            joined.append(mark)
    return joined


def together(reads: Iterable[Read]) -> list[Mark]:
    """What any of the readers of a document marked."""
    marks = [mark for read in reads for mark in read.marks]
    over = {(m.start, m.end): m for m in marks if m.kind == OVER}
    return [*united(marks), *(over[place] for place in sorted(over))]


def disputed(sample: Sequence[Drawn], readings: Sequence[Reading]) -> list[Drawn]:
    """The documents of which two readers say different things."""
    found = []
    for drawn in sample:
        reads = [read for one in readings if (read := one.documents.get(drawn.note_id))]
        if any(differ(first, second) for first, second in combinations(reads, 2)):
            found.append(drawn)
    return found


def differ(first: Read, second: Read) -> bool:
    """Whether two readers marked other characters, or another tag as over-masked."""
    return _spans(first.marks) != _spans(second.marks)


def _agreement(sample: Sequence[Drawn], one: Reading, two: Reading) -> Agreement:
    both = [
        (drawn, one.documents[drawn.note_id], two.documents[drawn.note_id])
        for drawn in sample
        if drawn.note_id in one.documents and drawn.note_id in two.documents
    ]
    leaks = [(bool(united(a.marks)), bool(united(b.marks))) for _, a, b in both]
    return Agreement(
        (one.reader, two.reader), len(both), _positive([(a, b) for _, a, b in both]),
        cohen(leaks), cohen([pair for drawn, a, b in both for pair in _by_tag(drawn, a, b)]),
        sum(differ(a, b) for _, a, b in both),
    )  # fmt: skip


def cohen(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two yes-or-no judgements; None where chance alone explains everything."""
    n = len(pairs)
    if not n:
        return None
    same = sum(a == b for a, b in pairs) / n
    first, second = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = first * second + (1 - first) * (1 - second)
    return None if chance == 1 else (same - chance) / (1 - chance)


def _positive(both: Sequence[tuple[Read, Read]]) -> float | None:
    """Marks of either reader that share a character with one of the other's."""
    matched = total = 0
    for a, b in both:
        first, second = united(a.marks), united(b.marks)
        total += len(first) + len(second)
        matched += sum(any(mark.overlaps(other) for other in second) for mark in first)
        matched += sum(any(mark.overlaps(other) for other in first) for mark in second)
    return matched / total if total else None


def _by_tag(drawn: Drawn, a: Read, b: Read) -> list[tuple[bool, bool]]:
    """Each tag of a document: did either say that it masks too much?"""
    first, second = _over(a.marks), _over(b.marks)
    marked = [(tag in first, tag in second) for tag in first | second]
    rest = sum(drawn.detected.values()) - len(marked)
    return marked + [(False, False)] * max(rest, 0)


def _over(marks: Iterable[Mark]) -> set[tuple[int, int, str]]:
    return {(mark.start, mark.end, mark.label) for mark in marks if mark.kind == OVER}


def _spans(marks: Sequence[Mark]) -> tuple[set[tuple[int, int]], set[tuple[int, int, str]]]:
    return {(mark.start, mark.end) for mark in united(marks)}, _over(marks)
