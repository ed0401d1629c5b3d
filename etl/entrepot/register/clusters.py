"""Persons as clusters of numbers: the last statement about each pair of numbers holds.

The result depends on the set of statements, never on their arrival: a merge followed by an
unmerge leaves two persons, in whichever order the messages came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LinkStatement:
    """One statement that two numbers are (or are not) one person; `left` < `right`."""

    left: bytes
    right: bytes
    relation: str
    version: str


def clusters(statements: Iterable[LinkStatement]) -> dict[bytes, bytes]:
    """Number -> the smallest number of its cluster, for every number that is linked."""
    last: dict[tuple[bytes, bytes], tuple[str, str]] = {}
    for statement in statements:
        pair = (statement.left, statement.right)
        # Equal versions: `unlink` sorts after `link`, so two persons stay two (fail closed).
        last[pair] = max(last.get(pair, ("", "")), (statement.version, statement.relation))
    parent: dict[bytes, bytes] = {}
    for (left, right), (_, relation) in sorted(last.items()):
        if relation == "link":
            low, high = sorted((_root(parent, left), _root(parent, right)))
            parent[high] = low
            parent.setdefault(low, low)
    return {number: _root(parent, number) for number in list(parent)}


def members(roots: Mapping[bytes, bytes]) -> dict[bytes, list[bytes]]:
    """Root -> its numbers, sorted."""
    found: dict[bytes, list[bytes]] = {}
    for number, root in sorted(roots.items()):
        found.setdefault(root, []).append(number)
    return found


def _root(parent: dict[bytes, bytes], number: bytes) -> bytes:
    root = number
    while parent.get(root, root) != root:
        root = parent[root]
    while parent.get(number, number) != root:
        parent[number], number = root, parent.get(number, number)
    return root
