"""Finds, among person sets that were answered, the nearest one that differs by less than k persons.

Distances of whole sets are counted for few: sizes and keyed sketches, 64 counts a set, leave the
rest out. With 20,000 sets of a population of 100,000 a look-up takes 2 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from entrepot.federation.disclosure.tables import PersonSet

Sketch: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Remembered:
    """One answered figure.

    Args:
        number: order in which they were answered.
        root: number of the figure whose count this one repeated, or its own.
        home: number of the population it was counted in.
        release: that was asked.
        count: told; None when it was withheld.
        mirror: what everybody else of its population counts for, told or to be told.
    """

    number: int
    root: int
    home: int
    release: str
    count: int | None
    mirror: int | None


@dataclass(frozen=True)
class Neighbour:
    """An answered figure less than k persons away; `mirrored` when its complement is."""

    figure: Remembered
    distance: int
    mirrored: bool = False

    @property
    def counts(self) -> tuple[int | None, int | None]:
        """What the set that was looked for repeats, and what its complement does."""
        pair = self.figure.count, self.figure.mirror
        return pair[::-1] if self.mirrored else pair


Load: TypeAlias = Callable[[Remembered, bool], PersonSet]  # persons; of the complement when True


class Known:
    """Answered figures with their sketches, in the order of their numbers."""

    def __init__(self) -> None:
        self._figures: list[Remembered] = []
        self._sketches: list[Sketch] = []
        self._table: Sketch = np.zeros((0, 0), dtype=np.int64)
        self.last = 0

    def __len__(self) -> int:
        return len(self._figures)

    def add(self, figure: Remembered, sketch: Sketch) -> None:
        """Remembers one more figure; `last` is the highest number so far."""
        self._figures.append(figure)
        self._sketches.append(sketch)
        self.last = max(self.last, figure.number)

    def seen_from(self, release: str) -> Known:
        """What counts for a question on a release.

        Of other releases only figures that were counted themselves: a count that repeats another
        would otherwise stay for ever in a cohort that grows by a few persons a week.
        """
        found = Known()
        for figure, sketch in zip(self._figures, self._sketches, strict=True):
            if figure.release == release or figure.root == figure.number:
                found.add(figure, sketch)
        return found

    def nearest(
        self, persons: PersonSet, sketch: Sketch, radius: int, load: Load,
        homes: Iterable[tuple[int, Sketch]] = (),
    ) -> Neighbour | None:  # fmt: skip
        """The nearest figure less than `radius` persons away, the earliest of equally near ones.

        Args:
            sketch: of `persons`.
            load: gives the persons of a figure.
            homes: sketches of populations, by number: complements in them are looked at too.
        """
        if not self._figures:
            return None
        whole = dict(homes)
        found = self._measured(persons, self._rough(sketch, radius), load, mirrored=False)
        if whole:
            mirrored = self._rough(sketch, radius, whole)
            found += self._measured(persons, mirrored, load, mirrored=True)
        close = [one for one in found if one.distance < radius]
        return min(close, key=lambda one: (one.distance, one.mirrored, one.figure.number),
                   default=None)  # fmt: skip

    def _rough(
        self, sketch: Sketch, radius: int, whole: dict[int, Sketch] | None = None
    ) -> npt.NDArray[np.intp]:
        """Indexes of the figures that their sketches do not rule out."""
        if len(self._table) != len(self._sketches):
            self._table = np.array(self._sketches, dtype=np.int64)
        table = self._table
        if whole is not None:
            table = np.array([whole[figure.home] for figure in self._figures]) - table
        sized = np.flatnonzero(np.abs(table.sum(axis=1) - sketch.sum()) < radius)
        apart = np.abs(table[sized] - sketch).sum(axis=1)
        close: npt.NDArray[np.intp] = sized[apart < radius]
        return close

    def _measured(
        self, persons: PersonSet, indexes: Iterable[int], load: Load, *, mirrored: bool
    ) -> list[Neighbour]:
        found = []
        for index in indexes:
            figure = self._figures[index]
            apart = len(np.setxor1d(persons, load(figure, mirrored), assume_unique=True))
            found.append(Neighbour(figure, apart, mirrored))
        return found
