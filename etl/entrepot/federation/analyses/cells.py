"""Rows of a query as tables of person sets, every cell of the shape filled or empty."""

from __future__ import annotations

from collections.abc import Iterable

from entrepot.federation.analyses.shapes import TableShape
from entrepot.federation.disclosure import Cell, CountTable, Union, person_set


def count_table(shape: TableShape, placed: Iterable[tuple[int, tuple[str, ...]]]) -> CountTable:
    """A table of `shape`.

    Args:
        placed: person_id and the key of the person's cell, each person once.

    Raises:
        KeyError: a key that the shape does not have, which is a fault of the program.
    """
    members: dict[tuple[str, ...], list[int]] = {key: [] for key in shape.inner()}
    for person, key in placed:
        members[key].append(person)
    cells = tuple(Cell(key, person_set(persons)) for key, persons in members.items())
    unions = tuple(Union(key, of) for key, of in shape.unions)
    return CountTable(shape.name, shape.dimensions, cells, shape.cohort, unions)
