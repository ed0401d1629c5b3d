"""The attacker's solver: which states of a target agree with every answer (integer programs).

Written apart from the guard's own linear programs: another formulation, of whole numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import optimize

from entrepot.federation.disclosure import Policy

MOST = 10**7


@dataclass
class Equations:
    """What is known of unknown numbers of persons; the unknown `target` is 0 or 1.

    A told count was rounded at random to a multiple of the base: the true one is less than a base
    away. A withheld plain count is read as less than the threshold.
    """

    policy: Policy
    names: list[str] = field(default_factory=lambda: ["target"])
    rows: list[tuple[dict[str, int], int, int]] = field(default_factory=list)

    def told(self, parts: dict[str, int], known: int, count: int | None) -> None:
        """An answer about a sum of unknowns and a known number of persons."""
        base, least = self.policy.rounding_base, self.policy.threshold
        low, high = (0, least - 1) if count is None else (count - base + 1, count + base - 1)
        if count is not None:
            low = max(low, least)
        self._add(parts, low - known, high - known)

    def strictly_between(self, parts: dict[str, int], known: int, low: int) -> None:
        """Both neighbouring multiples were seen for one set: it is neither of them."""
        self._add(parts, low + 1 - known, low + self.policy.rounding_base - 1 - known)

    def states(self) -> set[int]:
        """States of the target that agree with everything."""
        return {state for state in (0, 1) if self._possible(state)}

    def span(self, name: str) -> tuple[int, int] | None:
        """Fewest and most persons that an unknown can be; None when nothing agrees."""
        sides = [self._solve(name, sign) for sign in (1, -1)]
        return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])

    def _add(self, parts: dict[str, int], low: int, high: int) -> None:
        self.names += [name for name in parts if name not in self.names]
        self.rows.append((parts, low, high))

    def _solve(self, name: str, sign: int) -> int | None:
        objective = np.array([sign * (one == name) for one in self.names])
        done = self._program(objective, np.zeros(len(self.names)), self._most())
        return None if done is None else round(float(done[self.names.index(name)]))

    def _possible(self, state: int) -> bool:
        low, high = np.zeros(len(self.names)), self._most()
        low[0] = high[0] = state
        return self._program(np.zeros(len(self.names)), low, high) is not None

    def _most(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([1.0, *[float(MOST)] * (len(self.names) - 1)])

    def _program(
        self, objective: np.ndarray[tuple[int], np.dtype[np.float64]],
        low: np.ndarray[tuple[int], np.dtype[np.float64]],
        high: np.ndarray[tuple[int], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:  # fmt: skip
        matrix = np.array([[row.get(n, 0) for n in self.names] for row, _, _ in self.rows])
        ends = np.array([[low, high] for _, low, high in self.rows])
        rows = optimize.LinearConstraint(matrix, ends[:, 0], ends[:, 1])
        done = optimize.milp(objective, constraints=rows, bounds=optimize.Bounds(low, high),
                             integrality=np.ones(len(self.names)))  # fmt: skip
        return done.x if done.x is not None else None
