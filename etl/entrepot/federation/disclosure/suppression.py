"""Withholds what would let a reader bound a withheld count within fewer than k numbers.

Primary: fewer than k persons, zero included. Secondary: while linear programs over everything told
bound a withheld figure, or a difference that readers can take, the smallest figure that stands in
the same sum is withheld as well. Source: reference on federation, sections 4.1 to 4.3.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from entrepot.federation.disclosure.bounds import Hidden, Rows, Vector, Worlds
from entrepot.federation.disclosure.lattice import Figure, Lattice, Mask
from entrepot.federation.disclosure.policy import Policy
from entrepot.federation.disclosure.rounding import told_range

PATIENT = (
    3  # rounds that prove each figure by itself; a cube of 429 cells has hundreds of open ones
)


@dataclass(frozen=True)
class Candidate:
    """A figure's count as it would be told.

    Args:
        count: None when it is withheld whatever the others are.
        told_before: it repeats the count of an earlier answer.
        like: index of the figure of this answer whose count it repeats.
    """

    figure: Figure
    count: int | None
    told_before: bool = False
    like: int | None = None


def _almost_all(candidates: Sequence[Candidate], threshold: int) -> set[int]:
    """Figures that leave fewer than k persons to a wider one: prevalence near 100 %.

    Such a figure repeats the wider one's count, and equal counts leave nearly nothing to the rest.
    """
    found = set()
    tables: dict[int, list[tuple[int, Mask]]] = {}
    for number, candidate in enumerate(candidates):
        for place in candidate.figure.places:
            tables.setdefault(place.table, []).append((number, place.cells))
    for entries in tables.values():
        numbers = np.array([number for number, _ in entries])
        masks = np.array([cells for _, cells in entries]).astype(np.float32)  # exact below 2**24
        sizes = np.array([candidates[number].figure.size for number in numbers])
        common, widths = masks @ masks.T, masks.sum(axis=1)
        nested = (common == widths[:, None]) & (widths[:, None] < widths[None, :])
        near = sizes[None, :] - sizes[:, None] < threshold
        found |= set(numbers[(nested & near).any(axis=1)].tolist())
    return found


class Suppression:
    """The search for what to withhold in one answer."""

    def __init__(
        self, lattice: Lattice, candidates: Iterable[Candidate], population: int, policy: Policy
    ) -> None:
        self._policy, self._candidates = policy, list(candidates)
        self._rows = Rows(lattice)
        almost_all = _almost_all(self._candidates, policy.threshold)
        self._shown = {
            number: candidate.count
            for number, candidate in enumerate(self._candidates)
            if candidate.count is not None and number not in almost_all
        }
        self._shadows = [
            Hidden(self._rows.of(one.table, one.cells), one.table, one.cells, small=True)
            for one in lattice.shadows
        ]
        fixed = [(self._rows.whole(n), population, population) for n in range(len(lattice.widths))]
        self._worlds = Worlds([*fixed, *self._links(lattice)], population)
        self._cohorts = lattice.cohorts

    def shown(self) -> Mapping[int, int]:
        """Counts to tell, by the candidate's index."""
        for attempt in itertools.count():
            self._worlds.told(list(self._ranges()))
            hidden = [*self._shadows, *self._hidden()]
            open_ones = self._worlds.unproved(
                hidden, self._policy.threshold, singly=attempt < PATIENT
            )
            victims = self._repeated() if self._worlds.none else self._victims(open_ones)
            if not victims:
                break
            for victim in victims:
                del self._shown[victim]
        return self._shown

    def _repeated(self) -> set[int]:
        """What goes where the counts contradict one another: those of other sets, else all."""
        told = {number for number in self._shown if self._candidates[number].told_before}
        return told or set(self._shown)

    def _links(self, lattice: Lattice) -> Iterable[tuple[Vector, float, float]]:
        """A figure of two tables is one number."""
        for figure in lattice.figures:
            first, *others = (self._rows.of(p.table, p.cells) for p in figure.places)
            for other in others:
                yield first - other, 0.0, 0.0

    def _ranges(self) -> Iterable[tuple[Vector, float, float]]:
        """What each told count says of the true one.

        A count that was told elsewhere and not here stays known, as loosely as a reader who knows
        the rule of repeated answers has to take it.
        """
        for number, candidate in enumerate(self._candidates):
            if candidate.count is None or (number not in self._shown and not candidate.told_before):
                continue
            low, high = told_range(candidate.count, self._policy)
            loose = 0 if number in self._shown else self._policy.threshold - 1
            place = candidate.figure.places[0]
            yield self._rows.of(place.table, place.cells), max(low - loose, 0), high + loose

    def _hidden(self) -> Iterable[Hidden]:
        for number, candidate in enumerate(self._candidates):
            if number not in self._shown:
                small = candidate.figure.size < self._policy.threshold
                place = candidate.figure.places[0]
                row = self._rows.of(place.table, place.cells)
                yield Hidden(row, place.table, place.cells, small)

    def _victims(self, open_ones: Iterable[Hidden]) -> set[int]:
        """One more figure to withhold for each open one, unless one of its sum already goes."""
        victims: set[int] = set()
        served: set[int] = set()
        for one in open_ones:
            choices = self._choices(one)
            if choices and choices[-1] not in served:
                served.add(choices[-1])
                victims.add(choices[0])
        return victims

    def _choices(self, one: Hidden) -> list[int]:
        """Told figures that bound a sum: the best to withhold first, the tightest sum last."""
        places, cells = self._places(one.table), one.cells
        if cells is None or not places:
            return sorted(self._of_cohort(one.table), key=lambda n: (-self._width(n), n))
        around = [n for n, mask in places.items() if not (cells & ~mask).any()]
        if not around:
            return sorted(places, key=lambda n: (self._shown[n], n))
        mates = {n: self._mates(places[n], cells, places) for n in around}
        free = {n: self._free(places[n] & ~cells, mates[n], places) for n in around}
        tightest = min(around, key=lambda n: (free[n], int(places[n].sum()), n))
        return [*sorted(mates[tightest], key=lambda n: (self._shown[n], n)), tightest]

    def _places(self, table: int) -> dict[int, Mask]:
        """Told figures that stand in a table, with their cells."""
        return {
            number: place.cells
            for number in self._shown
            for place in self._candidates[number].figure.places
            if place.table == table
        }

    def _of_cohort(self, table: int) -> list[int]:
        cohort = self._cohorts[table]
        return [
            number for number in self._shown
            if self._cohorts[self._candidates[number].figure.places[0].table] == cohort
        ]  # fmt: skip

    def _width(self, number: int) -> int:
        return int(self._candidates[number].figure.places[0].cells.sum())

    @staticmethod
    def _mates(around: Mask, cells: Mask, places: Mapping[int, Mask]) -> list[int]:
        """Told figures that take the rest of a sum away from `cells`."""
        rest = around & ~cells
        return [n for n, mask in places.items() if not (mask & ~rest).any()]

    @staticmethod
    def _free(rest: Mask, mates: Iterable[int], places: Mapping[int, Mask]) -> int:
        """Cells of a sum whose counts nothing tells: 0 where the sum binds surely."""
        for mate in mates:
            rest = rest & ~places[mate]
        return int(rest.sum())
