"""Bounds what the tables of an answer withhold, by integer programs over every published figure.

Apart from the guard's own: the unknowns are the joint cells of all dimensions of the answer, so
that tables that share dimensions are one body of persons, and every program is a whole-number one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import optimize

from entrepot.federation.disclosure import ALL, CountTable, Policy, ProtectedTable

Row = npt.NDArray[np.float64]


class TableAttacker:
    """Knows the tables' shape, the size of the population, the policy and the published counts."""

    def __init__(
        self, tables: Sequence[CountTable], told: Sequence[ProtectedTable], population: int,
        policy: Policy,
    ) -> None:  # fmt: skip
        values: dict[str, set[str]] = {}
        for table in tables:
            for cell in table.cells:
                for dimension, value in zip(table.dimensions, cell.key, strict=True):
                    values.setdefault(dimension, set()).add(value)
        self._dimensions = sorted(values)
        self._joint = list(itertools.product(*(sorted(values[d]) for d in self._dimensions)))
        self._rows: list[Row] = [np.ones(len(self._joint) + 1)]
        self._ends: list[tuple[float, float]] = [(population, population)]
        base = policy.rounding_base
        for table, protected in zip(tables, told, strict=True):
            unions = {union.key: union.of for union in table.unions}
            for cell in protected.cells:
                if cell.count is not None:
                    row = sum(self.row(table.dimensions, key)
                              for key in unions.get(cell.key, (cell.key,)))  # fmt: skip
                    self._rows.append(np.asarray(row))
                    low = max(policy.threshold, cell.count - base + 1)
                    self._ends.append((low, cell.count + base - 1))

    def row(self, dimensions: Sequence[str], key: Sequence[str]) -> Row:
        """Which joint cells a cell or margin sums; the last unknown is everybody else."""
        wanted = {d: v for d, v in zip(dimensions, key, strict=True) if v != ALL}
        fits = [all(wanted.get(d, v) == v for d, v in zip(self._dimensions, joint, strict=True))
                for joint in self._joint]  # fmt: skip
        return np.array([*fits, False], dtype=float)

    def outside(self) -> Row:
        """Everybody who is not in the cohort."""
        return np.array([0.0] * len(self._joint) + [1.0])

    def span(self, row: Row) -> tuple[int, int]:
        """Fewest and most persons that a sum can be."""
        low, high = (self._end(sign * row) for sign in (1, -1))
        return low, -high

    def _end(self, objective: Row) -> int:
        ends = np.array(self._ends)
        rows = optimize.LinearConstraint(np.array(self._rows), ends[:, 0], ends[:, 1])
        done = optimize.milp(objective, constraints=rows, integrality=np.ones(len(objective)),
                             bounds=optimize.Bounds(0, ends[0, 0]))  # fmt: skip
        assert done.x is not None, "no world agrees with a first answer"
        return round(float(done.fun))


def sizes(table: CountTable) -> Mapping[tuple[str, ...], int]:
    """True size of every cell, margin and union."""
    found: dict[tuple[str, ...], int] = {}
    for cell in table.cells:
        for key in itertools.product(*((value, ALL) for value in cell.key)):
            found[key] = found.get(key, 0) + len(cell.persons)
    for union in table.unions:
        found[union.key] = sum(found[key] for key in union.of)
    return found


def sums(attacker: TableAttacker, table: CountTable) -> Iterator[tuple[Row, int]]:
    """Every cell, margin and rest of the cohort with its true size, and everybody else's row."""
    whole = attacker.row(table.dimensions, [ALL] * len(table.dimensions))
    total = sum(len(cell.persons) for cell in table.cells)
    unions = {union.key for union in table.unions}
    for key, size in sizes(table).items():
        if key not in unions:
            row = attacker.row(table.dimensions, key)
            yield row, size
            if size < total or row.sum() < whole.sum():
                yield whole - row, total - size
