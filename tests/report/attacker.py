"""Somebody who subtracts: what a withheld count may be, given everything else that is printed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import pytest

SMALL, WITHHELD, UNPRINTED = "<11", "n.c.", "?"
LIMITS = {SMALL: (1, 10), WITHHELD: (11, None), UNPRINTED: (0, None)}
Shown = int | str
Sum = tuple[Hashable, Sequence[Hashable]]  # total, parts


def bounds(
    shown: Mapping[Hashable, Shown], sums: Sequence[Sum]
) -> dict[Hashable, tuple[float, float]]:
    """The least and the most that each `<11` may be: two linear programs each.

    Args:
        shown: name of a count -> what is printed of it; UNPRINTED: nothing.
    """
    optimize = pytest.importorskip("scipy.optimize", reason="scipy comes with great-expectations")
    unknown = {name: n for n, name in enumerate(k for k, v in shown.items() if isinstance(v, str))}
    matrix, right = [], []
    for total, parts in sums:
        row, known = [0.0] * len(unknown), 0
        for name, factor in ((total, -1), *((part, 1) for part in parts)):
            value = shown[name]
            if isinstance(value, str):
                row[unknown[name]] += factor
            else:
                known += factor * value
        matrix.append(row)
        right.append(-known)
    limits = [LIMITS[str(shown[name])] for name in unknown]
    found = {}
    for name, number in unknown.items():
        if shown[name] == SMALL:
            ends = []
            for sign in (1, -1):
                goal = [0.0] * len(unknown)
                goal[number] = sign
                answer = optimize.linprog(goal, A_eq=matrix, b_eq=right, bounds=limits)
                assert answer.status == 0, (name, answer.message)
                ends.append(sign * answer.fun)
            found[name] = (ends[0], ends[1])
    return found
