"""Figures of an answer and the sums that tie them: what an attacker adds and subtracts.

The unknowns are the inner cells of each table and, per cohort, the persons outside of it. A figure
is a sum of unknowns. It is one figure wherever it stands: a total that ten tables of a cohort have
is told once. A **shadow** is a difference that nobody prints and everybody can take: the rest of a
cohort, of the population, or between two nested unions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from entrepot.errors import EntrepotError
from entrepot.federation.disclosure.tables import ALL, CountTable, Key, PersonSet, margin_keys

Mask: TypeAlias = npt.NDArray[np.bool_]
_Identity: TypeAlias = tuple[str, object]


@dataclass(frozen=True)
class Place:
    """Where a figure stands: a table by its index, a key in it, the inner cells that it sums."""

    table: int
    key: Key
    cells: Mask = field(repr=False)


@dataclass(frozen=True)
class Figure:
    """A count that the answer could tell."""

    persons: PersonSet = field(repr=False)
    places: tuple[Place, ...]

    @property
    def size(self) -> int:
        """True number of persons."""
        return len(self.persons)


@dataclass(frozen=True)
class Shadow:
    """A difference that readers can take; `cells` of a table, or a cohort's outside (None)."""

    size: int
    table: int
    cells: Mask | None = field(repr=False)


@dataclass(frozen=True)
class Lattice:
    """All figures of an answer, from the coarsest to the finest, whatever their counts.

    Args:
        widths: inner cells per table.
        cohorts: name of each table's cohort.
        shadows: the differences that are smaller than the threshold.
    """

    widths: tuple[int, ...]
    cohorts: tuple[str, ...]
    figures: tuple[Figure, ...]
    shadows: tuple[Shadow, ...]


def lattice(tables: Sequence[CountTable], population: PersonSet, threshold: int) -> Lattice:
    """Figures, sums and small differences of the tables of one answer.

    Raises:
        EntrepotError: a figure that two tables share has other persons in one than in the other.
    """
    cohorts = tuple(table.cohort or table.name for table in tables)
    places: dict[_Identity, list[Place]] = {}
    for number, table in enumerate(tables):
        for identity, place in _places(number, table, cohorts[number]):
            places.setdefault(identity, []).append(place)
    figures = [Figure(_common(tables, found), tuple(found)) for found in places.values()]
    figures.sort(key=lambda one: _fineness(tables, one))
    shadows = list(_shadows(tables, cohorts, figures, len(population)))
    small = tuple(one for one in shadows if one.size < threshold)
    return Lattice(tuple(len(t.cells) for t in tables), cohorts, tuple(figures), small)


def _places(number: int, table: CountTable, cohort: str) -> Iterator[tuple[_Identity, Place]]:
    """Every figure of a table: a cell or margin is known by its cohort and what it fixes."""
    keys = [cell.key for cell in table.cells]
    having = {
        (n, value): np.array([key[n] == value for key in keys])
        for n in range(len(table.dimensions))
        for value in {key[n] for key in keys}
    }
    for key in [*keys, *margin_keys(table)]:
        cells = np.ones(len(keys), dtype=bool)
        for n, value in enumerate(key):
            if value != ALL:
                cells &= having[n, value]
        fixed = frozenset(
            (dimension, value)
            for dimension, value in zip(table.dimensions, key, strict=True)
            if value != ALL
        )
        yield (cohort, fixed), Place(number, key, cells)
    for union in table.unions:
        cells = np.array([inner in set(union.of) for inner in keys])
        yield (cohort, (table.name, union.key)), Place(number, union.key, cells)


def _common(tables: Sequence[CountTable], places: Sequence[Place]) -> PersonSet:
    persons = _persons(tables, places[0])
    for place in places[1:]:
        if not np.array_equal(persons, _persons(tables, place)):
            raise EntrepotError(
                "tables of one cohort put other persons under the same value",
                where=f"table {tables[place.table].name}",
            )
    return persons


def _persons(tables: Sequence[CountTable], place: Place) -> PersonSet:
    cells = tables[place.table].cells
    parts = [cells[index].persons for index in np.flatnonzero(place.cells)]
    return parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))


def _fineness(tables: Sequence[CountTable], figure: Figure) -> tuple[bool, int, bool, int]:
    """Totals, then wide margins, then narrow ones, then cells: an order that no count changes."""
    first = figure.places[0]
    width = len(tables[first.table].dimensions)
    is_union = len(first.key) != width or first.key in {u.key for u in tables[first.table].unions}
    fixed = width if is_union else sum(value != ALL for value in first.key)
    return bool(not first.cells.all()), fixed, not is_union, first.table


def _shadows(
    tables: Sequence[CountTable], cohorts: Sequence[str], figures: Sequence[Figure], population: int
) -> Iterator[Shadow]:
    outside: set[str] = set()
    for number, table in enumerate(tables):
        sizes = np.array([len(cell.persons) for cell in table.cells])
        if cohorts[number] not in outside:
            outside.add(cohorts[number])
            yield Shadow(population - int(sizes.sum()), number, None)
        masks = [p.cells for figure in figures for p in figure.places if p.table == number]
        told = {mask.tobytes() for mask in masks}
        for cells in _differences(masks, nested=bool(table.unions)):
            if cells.tobytes() not in told:
                told.add(cells.tobytes())
                yield Shadow(int(sizes[cells].sum()), number, cells)


def _differences(masks: Sequence[Mask], *, nested: bool) -> Iterator[Mask]:
    """The rest of the cohort for each figure; with unions, of each figure within each wider one."""
    if not nested:
        yield from (~mask for mask in masks if not mask.all())
        return
    for wide in masks:
        for narrow in masks:
            if (wide & narrow).sum() == narrow.sum() < wide.sum():
                yield wide & ~narrow
