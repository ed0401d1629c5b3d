"""How far an attacker can bound what is withheld: linear programs over all figures of an answer.

A proof is a pair of possible worlds: one in which the withheld figure is low, one in which it is
high, both in agreement with everything told. Worlds are whole numbers of persons: where a linear
program ends between them, an integer one is solved. One world serves many figures, so that a table
of some hundred cells takes tens of programs, not hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from entrepot.federation.disclosure.lattice import Lattice, Mask

Vector = npt.NDArray[np.float64]
_WHOLE = 1e-6
_SECONDS = 2.0  # for one integer program; without a world in that time nothing is proved


@dataclass(frozen=True)
class Hidden:
    """A sum of unknowns that is not told; `small` when fewer persons than the threshold bear it."""

    row: Vector = field(repr=False)
    table: int
    cells: Mask | None = field(repr=False)
    small: bool


class Rows:
    """Turns sums of cells into rows over all unknowns of an answer."""

    def __init__(self, lattice: Lattice) -> None:
        self._starts = np.concatenate([[0], np.cumsum(lattice.widths)]).astype(int)
        names = list(dict.fromkeys(lattice.cohorts))
        first = int(self._starts[-1])
        self._outside = [first + names.index(cohort) for cohort in lattice.cohorts]
        self.width = first + len(names)

    def of(self, table: int, cells: Mask | None) -> Vector:
        """A row with ones at these cells, or at the outside of the table's cohort."""
        row = np.zeros(self.width)
        if cells is None:
            row[self._outside[table]] = 1
        else:
            row[self._starts[table] : self._starts[table + 1]] = cells
        return row

    def whole(self, table: int) -> Vector:
        """A row that is the size of the population."""
        start, end = self._starts[table], self._starts[table + 1]
        return self.of(table, None) + self.of(table, np.ones(end - start, dtype=bool))


class Worlds:
    """Possible worlds that were found so far; hiding more figures keeps all of them possible."""

    def __init__(self, fixed: Sequence[tuple[Vector, float, float]], most: float) -> None:
        self._fixed, self._most = list(fixed), most
        self._told: list[tuple[Vector, float, float]] = []
        self._found: list[Vector] = []
        self.none = False  # what is told now contradicts itself

    def told(self, ranges: Sequence[tuple[Vector, float, float]]) -> None:
        """Rows that are told now with their ranges; each call tells less than the one before."""
        self._told, self.none = list(ranges), False

    def unproved(
        self, hidden: Sequence[Hidden], threshold: int, *, singly: bool = True
    ) -> list[Hidden]:
        """Those for which no pair of worlds lies `threshold` - 1 persons apart.

        A small one has to reach from 0 to `threshold` - 1.

        Args:
            singly: looks for worlds for each one by itself, too; else some of those that are given
                back could be proved.
        """
        left = self._left(list(hidden), threshold)
        while left:
            before = len(left)
            if not self._search(left, threshold, together=True):
                return left
            left = self._left(left, threshold)
            if len(left) == before:
                break
        if not singly:
            return left
        for one in list(left):
            if self._left([one], threshold) and not self._search([one], threshold, together=False):
                return left
        return self._left(left, threshold)

    def _left(self, hidden: list[Hidden], threshold: int) -> list[Hidden]:
        if not hidden or not self._found:
            return hidden
        values = np.array([one.row for one in hidden]) @ np.array(self._found).T
        low, high = np.rint(values.min(axis=1)), np.rint(values.max(axis=1))
        wide = high - low >= threshold - 1
        zero = np.array([not one.small for one in hidden]) | (low <= 0)
        return [one for one, good in zip(hidden, wide & zero, strict=True) if not good]

    def _search(self, hidden: Sequence[Hidden], threshold: int, *, together: bool) -> bool:
        """Looks for a low and for a high world; False when not even one world is possible."""
        rows = np.array([one.row for one in hidden])
        low = self._solve(rows.sum(axis=0), [])
        if low is None:
            self.none = True
            return False
        self._found.append(low)
        if not together:
            lost = hidden[0].small and rows[0] @ low > 0
            high = None if lost else self._solve(-rows.sum(axis=0), [])
        else:
            caps = np.where([one.small for one in hidden], 0, rows @ low) + threshold - 1
            high = self._capped(rows, caps)
        if high is not None:
            self._found.append(high)
        return True

    def _capped(self, rows: Vector, caps: Vector) -> Vector | None:
        """A world in which many sums at once come near their caps."""
        count = len(rows)
        extra = [(np.concatenate([row, -unit]), 0.0, np.inf)
                 for row, unit in zip(rows, np.eye(count), strict=True)]  # fmt: skip
        objective = np.concatenate([np.zeros(rows.shape[1]), -np.ones(count)])
        return self._solve(objective, extra, caps)

    def _solve(
        self, objective: Vector, extra: Sequence[tuple[Vector, float, float]],
        caps: Vector | None = None,
    ) -> Vector | None:  # fmt: skip
        """The best world of whole persons, or None when there is none."""
        width = len(self._fixed[0][0])
        caps = np.zeros(0) if caps is None else caps
        rows = [*self._fixed, *self._told]
        matrix = sparse.csr_array(np.array([row for row, _, _ in rows]))
        wide = sparse.hstack([matrix, sparse.csr_array((len(rows), len(caps)))], format="csr")
        if extra:
            wide = sparse.vstack([wide, sparse.csr_array(np.array([r for r, _, _ in extra]))])
        ends = [*rows, *extra]
        constraint = optimize.LinearConstraint(wide, [low for _, low, _ in ends],
                                               [high for _, _, high in ends])  # fmt: skip
        bounds = optimize.Bounds(0, np.concatenate([np.full(width, self._most), caps]))
        for whole in (0, 1):
            done = optimize.milp(objective, constraints=constraint, bounds=bounds,
                                 integrality=whole, options={"time_limit": _SECONDS})  # fmt: skip
            if done.x is None:
                return None
            world: Vector = done.x[:width]
            if np.abs(world - np.rint(world)).max() < _WHOLE:
                whole_world: Vector = np.rint(world)
                return whole_world
        return None
