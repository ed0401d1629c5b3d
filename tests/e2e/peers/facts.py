"""What two readings of one document can be compared on, and how they differ.

A peer's reading is an opinion, not the truth: every difference is kept in a table beside these
modules with a reason, by file and kind of difference, never by value.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).resolve().parent
PARIS = ZoneInfo("Europe/Paris")
Difference = tuple[str, str, str]  # file, kind of fact, kind of difference


@dataclass(frozen=True)
class Fact:
    """One clinical statement.

    Args:
        kind: patient, stay, result, diagnosis, act, drug, vaccination, allergy, document…
        code: what identifies it within its kind, in one spelling.
        system: of the code, in one spelling; empty: not said.
        start, end: local civil time of the site, as `YYYY-MM-DDTHH:MM:SS` or a prefix of it.
        value: a number, a code or a text.
        codings: other spellings of the code, as (code, system); any of them may meet ours.
    """

    kind: str
    code: str
    system: str = ""
    start: str = ""
    end: str = ""
    value: str = ""
    unit: str = ""
    codings: tuple[tuple[str, str], ...] = ()


ASPECTS = ("system", "start", "end", "value", "unit")


def differences(theirs: Iterable[Fact], ours: Iterable[Fact]) -> Counter[tuple[str, str]]:
    """(kind of fact, kind of difference) -> how often.

    `only_theirs`, `only_ours`: no fact of this kind and code is left on the other side;
    `uncoded_…`: such a fact without a code; an aspect with `_theirs` or `_ours`: only that side
    states it; an aspect alone: both do, differently.
    """
    right = _grouped(ours)
    left = _grouped(_as_ours(fact, right) for fact in theirs)
    found: Counter[tuple[str, str]] = Counter()
    for kind, code in sorted({*left, *right}):
        mine, other = right.get((kind, code), []), left.get((kind, code), [])
        for their_fact, our_fact in _pairs(other, mine):
            found.update((kind, word) for word in _between(their_fact, our_fact))
        more = len(other) - len(mine)
        if more:
            side = "theirs" if more > 0 else "ours"
            word = "only" if code or kind == "stay" else "uncoded"
            found[kind, f"{word}_{side}"] += abs(more)
    return found


def _as_ours(fact: Fact, ours: Mapping[tuple[str, str], list[Fact]]) -> Fact:
    """A concept with several codings, told by the one that we chose."""
    for code, system in fact.codings:
        if (fact.kind, fact.code) not in ours and (fact.kind, code) in ours:
            return replace(fact, code=code, system=system)
    return fact


def _grouped(facts: Iterable[Fact]) -> dict[tuple[str, str], list[Fact]]:
    groups: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[fact.kind, fact.code].append(fact)
    return groups


def _pairs(theirs: list[Fact], ours: list[Fact]) -> list[tuple[Fact, Fact]]:
    """The closest pairs first; what is left over has no partner."""
    ranked = sorted(
        (
            (len(_between(one, other)), first, second)
            for first, one in enumerate(theirs)
            for second, other in enumerate(ours)
        ),
    )
    used: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for _, first, second in ranked:
        if first not in used[0] and second not in used[1]:
            used[0].add(first)
            used[1].add(second)
            pairs.append((theirs[first], ours[second]))
    return pairs


def _between(their_fact: Fact, our_fact: Fact) -> list[str]:
    found = []
    for aspect in ASPECTS:
        one, other = getattr(their_fact, aspect), getattr(our_fact, aspect)
        if _same(aspect, one, other):
            continue
        found.append(aspect if one and other else f"{aspect}_{'theirs' if one else 'ours'}")
    return found


def _same(aspect: str, one: str, other: str) -> bool:
    if aspect in ("start", "end") and one and other:
        length = min(len(one), len(other))  # each side as precisely as both say
        return one[:length] == other[:length]
    return one == other


def number(text: object) -> str:
    """A number in one spelling: `6`, `40.1`; None is empty."""
    if text is None or text == "":
        return ""
    plain = format(Decimal(str(text)).normalize(), "f")
    return "0" if plain in ("-0", "0") else plain


def local(text: str | None) -> str:
    """FHIR date or dateTime as local civil time of Paris; a date stays a date."""
    if not text or "T" not in text:
        return text or ""
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is not None:
        moment = moment.astimezone(PARIS)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def civil(moment: dt.datetime | None, precision: str | None = "second") -> str:
    """A staged time as far as the sender was precise."""
    if moment is None:
        return ""
    lengths = {"year": 4, "month": 7, "day": 10}
    text = moment.replace(microsecond=0).isoformat(timespec="seconds")
    return text[: lengths.get(precision or "second", 19)]


def read_table(name: str) -> list[dict[str, str]]:
    """The committed lines of one comparison."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def unlisted(name: str, found: Mapping[Difference, int]) -> list[str]:
    """What the comparison found otherwise than its table says, as lines of that table.

    A line with count 0 is in the table and was not found; a line said twice fails here.
    """
    lines = read_table(name)
    listed = {(one["file"], one["kind"], one["difference"]): int(one["count"]) for one in lines}
    assert len(listed) == len(lines), f"{name} lists a difference twice"
    return [
        ",".join((*key, str(found.get(key, 0))))
        for key in sorted({*found, *listed})
        if found.get(key, 0) != listed.get(key, 0)
    ]


def unexplained(name: str, reasons: Mapping[str, object]) -> set[str]:
    """Reasons that the comparison's table uses and no table explains."""
    return {line["reason"] for line in read_table(name)} - set(reasons)
