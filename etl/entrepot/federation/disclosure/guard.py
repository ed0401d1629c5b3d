"""The one door through which numbers about persons leave a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from entrepot.federation.disclosure.answering import Answering
from entrepot.federation.disclosure.asker import Asker
from entrepot.federation.disclosure.lattice import Lattice, lattice
from entrepot.federation.disclosure.ledger import Ledger
from entrepot.federation.disclosure.policy import Policy
from entrepot.federation.disclosure.rounding import keyed_noise
from entrepot.federation.disclosure.sums import protected_sum, repeated
from entrepot.federation.disclosure.suppression import Candidate, Suppression
from entrepot.federation.disclosure.tables import (
    CountTable,
    Key,
    PersonSet,
    ProtectedTable,
    check_tables,
    filled,
    withheld,
)  # fmt: skip


def protect(
    tables: Sequence[CountTable],
    population: PersonSet,
    policy: Policy,
    secret: bytes,
    ledger: Ledger,
    asker: Asker,
) -> tuple[ProtectedTable, ...]:
    """All tables of one answer, as they may be told.

    Args:
        population: everybody whom a cohort on this release could hold; its size counts as known.
        secret: of the node, which drives the rounding.

    Raises:
        EntrepotError: tables that contradict one another (`check_tables`).
    """
    check_tables(tables)
    with ledger.exclusive():
        woven = lattice(tables, population, policy.threshold)
        answering = Answering(ledger, population, policy, secret, asker)
        candidates = [answering.candidate(n, figure) for n, figure in enumerate(woven.figures)]
        shown = _shown(woven, candidates, len(population), policy)
        answering.remember(candidates, shown)
    told: list[dict[Key, int]] = [{} for _ in tables]
    for number, count in shown.items():
        for place in candidates[number].figure.places:
            told[place.table][place.key] = count
    return tuple(filled(table, counts) for table, counts in zip(tables, told, strict=True))


def _shown(
    woven: Lattice, candidates: list[Candidate], population: int, policy: Policy
) -> Mapping[int, int]:
    """Counts to tell by index; what repeats a withheld figure is withheld with it."""
    while True:
        shown = Suppression(woven, candidates, population, policy).shown()
        stale = [n for n in shown if candidates[n].like not in (None, *shown)]
        if not stale:
            return shown
        for number in stale:
            candidates[number] = replace(candidates[number], count=None)


class Guard:
    """Disclosure control bound to a node and a question.

    Args:
        refused: the budget is gone, or the node does not want to answer: the same shape, empty.
    """

    def __init__(
        self,
        policy: Policy,
        secret: bytes,
        ledger: Ledger,
        population: PersonSet,
        asker: Asker,
        *,
        refused: bool = False,
    ) -> None:
        self.policy = policy
        self._secret, self._ledger, self._population = secret, ledger, population
        self._asker, self._refused = asker, refused
        self._repeats = ledger.repeats().get(asker.study, 0)

    @property
    def repeated(self) -> int:
        """Figures of this question that repeated another's count: for the log, not the asker."""
        return self._ledger.repeats().get(self._asker.study, 0) - self._repeats

    def protect(self, tables: Sequence[CountTable]) -> tuple[ProtectedTable, ...]:
        """All tables of the answer at once, as they may be told.

        Raises:
            EntrepotError: tables that contradict one another.
        """
        check_tables(tables)
        if self._refused:
            return withheld(tables)
        return protect(
            tables, self._population, self.policy, self._secret, self._ledger, self._asker
        )

    def sum(
        self, name: str, persons: PersonSet, values: npt.NDArray[np.float64], cap: float
    ) -> float | None:
        """A sum over persons whose count was told, such as person-time (`protected_sum`).

        Raises:
            EntrepotError: values that are not one non-negative number per person.
        """

        def make() -> float | None:
            return protected_sum(name, persons, values, cap, self.policy, self._secret)

        full = f"{name}\x1f{cap!r}"
        if self._refused:
            return None
        return repeated(self._ledger, self._asker, self.policy, persons, full, make)

    def noise(self, label: str, persons: PersonSet, size: int) -> npt.NDArray[np.float64]:
        """`keyed_noise` under the node's secret."""
        return keyed_noise(label, persons, size, self._secret)

    def regression_allowed(self, parameters: int, levels: Sequence[ProtectedTable]) -> bool:
        """Whether this node takes part in a regression.

        Every covariate level with every outcome has to be told, and enough persons per parameter
        of the table that tells fewest. Protected counts alone decide. Source: reference on
        federation, section 4.3 (parameters at most n/10, at least k events per level).
        """
        if self._refused or not levels:
            return False
        if any(cell.count is None for table in levels for cell in table.cells):
            return False
        fewest = min(
            sum(cell.count or 0 for cell in table.cells if "*" not in cell.key) for table in levels
        )
        return parameters * self.policy.persons_per_parameter <= fewest
