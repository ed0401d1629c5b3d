"""A guard that protects nothing, so that analyses can be compared with counts made another way.

In tests alone. It fits the reader's arithmetic: threshold 1 and base 1 leave a count as it is, and
0 is the one count that is not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from entrepot.federation.disclosure import CountTable, PersonSet, ProtectedCell, ProtectedTable


@dataclass(frozen=True)
class ExactPolicy:
    threshold: int = 1
    rounding_base: int = 1


@dataclass
class ExactGuard:
    policy: ExactPolicy = field(default_factory=ExactPolicy)
    seen: list[CountTable] = field(default_factory=list)

    def protect(self, tables: Sequence[CountTable]) -> tuple[ProtectedTable, ...]:
        self.seen += tables
        return tuple(_exact(table) for table in tables)

    def noise(self, label: str, persons: PersonSet, size: int) -> np.ndarray:
        return np.ones(size)

    def regression_allowed(self, parameters: int, levels: Sequence[ProtectedTable]) -> bool:
        return True


def _exact(table: CountTable) -> ProtectedTable:
    counts: dict[tuple[str, ...], int] = {}
    for cell in table.cells:
        for kept in range(2 ** len(cell.key)):
            key = tuple(v if kept >> n & 1 else "*" for n, v in enumerate(cell.key))
            counts[key] = counts.get(key, 0) + len(cell.persons)
    for union in table.unions:
        counts[union.key] = sum(counts[key] for key in union.of)
    return ProtectedTable(
        table.name, table.dimensions,
        tuple(ProtectedCell(key, count or None) for key, count in counts.items()),
    )  # fmt: skip
