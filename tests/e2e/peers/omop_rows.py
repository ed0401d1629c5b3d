"""Rows of the CDM that two pipelines make of one input, and how they differ by column."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from e2e.peers.facts import number

Row = dict[str, str]
# Ids are each pipeline's own: only whether a row points at something is compared.
POINTERS = frozenset(
    {"visit_occurrence_id", "visit_detail_id", "provider_id", "care_site_id", "location_id"}
)
OWN_IDS = frozenset({"person_id", "person_source_value"})


def plain(row: Mapping[str, Any]) -> Row:
    """A row as text: ISO dates, numbers in one spelling; NULL and concept 0 are left out."""
    found = {}
    for name, value in row.items():
        text = _text(value)
        if name in OWN_IDS or name.endswith("__name") or not text:
            continue
        if name in POINTERS:
            found[name] = "set"
        elif not (name.endswith("concept_id") and text == "0"):
            found[name] = text
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.replace(microsecond=0, tzinfo=None).isoformat(timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return str(value)
    return number(value)


def row_differences(
    theirs: Mapping[str, Iterable[Row]], ours: Mapping[str, Iterable[Row]], columns: frozenset[str]
) -> Counter[tuple[str, str]]:
    """(table, kind of difference) -> how often.

    A kind is `only_theirs`, `only_ours` (a row without partner) or a column, with `_theirs` or
    `_ours` behind it when only that side fills it.

    Args:
        columns: `table.column` of those that are compared.
    """
    found: Counter[tuple[str, str]] = Counter()
    for table in sorted({*theirs, *ours}):
        kept = frozenset(c.partition(".")[2] for c in columns if c.startswith(f"{table}."))
        left, right = list(theirs.get(table, ())), list(ours.get(table, ()))
        for one, other in _pairs(left, right, kept):
            found.update((table, word) for word in _between(one, other, kept))
        if len(left) != len(right):
            side = "theirs" if len(left) > len(right) else "ours"
            found[table, f"only_{side}"] += abs(len(left) - len(right))
    return found


def _between(one: Row, other: Row, columns: Iterable[str]) -> list[str]:
    words = []
    for name in sorted(columns):
        left, right = one.get(name, ""), other.get(name, "")
        if left != right:
            side = "" if left and right else ("_theirs" if left else "_ours")
            words.append(f"{name}{side}")
    return words


def _pairs(theirs: list[Row], ours: list[Row], columns: frozenset[str]) -> list[tuple[Row, Row]]:
    """Closest first."""
    ranked = sorted(
        (len(_between(one, other, columns)), first, second)
        for first, one in enumerate(theirs)
        for second, other in enumerate(ours)
    )
    left, right, pairs = set(range(len(theirs))), set(range(len(ours))), []
    for _, first, second in ranked:
        if first in left and second in right:
            left.remove(first)
            right.remove(second)
            pairs.append((theirs[first], ours[second]))
    return pairs
