"""Somebody who subtracts: what a count may be, given everything that is printed."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

import pytest

SMALL, LATE, WITHHELD, UNPRINTED = "<11", "late", "n.c.", "?"
LIMITS = {SMALL: (1, 10), LATE: (0, 10), WITHHELD: (0, None), UNPRINTED: (0, None)}
Shown = int | str
Sum = tuple[Hashable, Sequence[Hashable]]  # total, parts


def limits(shown: Shown) -> tuple[int, int | None]:
    """What one printed count says by itself: the manual's rule."""
    if isinstance(shown, str):
        return LIMITS[shown]
    return (max(shown - 9, 11), shown) if shown else (0, 0)


def bounds(
    shown: Mapping[Hashable, Shown], sums: Sequence[Sum], wanted: Collection[Hashable] = ()
) -> dict[Hashable, tuple[float, float]]:
    """The least and the most that each count may be: two linear programs each.

    Args:
        shown: name of a count -> what is printed of it; UNPRINTED: nothing, LATE: `<11` in the
            column of one load.
        wanted: names to look at; by default each `<11`.
    """
    optimize = pytest.importorskip("scipy.optimize", reason="scipy comes with great-expectations")
    names = {name: n for n, name in enumerate(shown)}
    matrix = []
    for total, parts in sums:
        row = [0.0] * len(names)
        for name, factor in ((total, -1), *((part, 1) for part in parts)):
            row[names[name]] += factor
        matrix.append(row)
    found = {}
    for name in wanted or [one for one in shown if shown[one] == SMALL]:
        ends = []
        for sign in (1, -1):
            goal = [0.0] * len(names)
            goal[names[name]] = sign
            answer = optimize.linprog(
                goal, A_eq=matrix or None, b_eq=[0] * len(matrix) or None,
                bounds=[limits(one) for one in shown.values()],
            )  # fmt: skip
            unbounded = answer.status == 3
            assert unbounded or answer.status == 0, (name, answer.message)
            ends.append(-sign * float("inf") if unbounded else sign * answer.fun)
        found[name] = (ends[0], ends[1])
    return found
