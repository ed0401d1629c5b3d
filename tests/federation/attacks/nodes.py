"""Nodes as an attacker sees them: the real guard, and guards that were weakened on purpose.

An attack that recovers nobody from the real guard proves something only if it recovers somebody
from a guard without the one protection that it is about.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from entrepot.federation.disclosure import (
    Asker,
    Cell,
    CountTable,
    Ledger,
    PersonSet,
    Policy,
    protect,
    read_policy,
)  # fmt: skip
from entrepot.federation.disclosure.rounding import rounded

DAY = dt.date(2026, 11, 22)
KEY, SECRET = bytes(range(32)), b"a node's secret of 32 bytes, more or less"


class Node(Protocol):
    """Counts sets of persons, and protects tables."""

    policy: Policy

    def count(self, persons: PersonSet, study: str = "one", release: str = "r1") -> int | None: ...

    def table(self, table: CountTable) -> dict[tuple[str, ...], int | None]: ...

    def grow(self, population: PersonSet) -> None: ...


MakeNode = Callable[[PersonSet, int], Node]  # population, seed


class RealNode:
    """The guard as it ships, without budgets: they protect nothing here."""

    def __init__(self, population: PersonSet, seed: int) -> None:
        self.policy = read_policy()
        self._population, self._secret = population, SECRET + seed.to_bytes(4, "big")
        self._folder = tempfile.TemporaryDirectory()
        self._ledger = Ledger(Path(self._folder.name) / "ledger.sqlite", KEY)

    def count(self, persons: PersonSet, study: str = "one", release: str = "r1") -> int | None:
        """The protected count of one cohort."""
        asker = Asker(study, "r", release, DAY)
        return self._protect(CountTable("cohort", (), (Cell((), persons),)), asker)[()]

    def table(self, table: CountTable) -> dict[tuple[str, ...], int | None]:
        """All figures of a table by key."""
        return self._protect(table, Asker("one", "r", "r1", DAY))

    def grow(self, population: PersonSet) -> None:
        """The next release holds other persons."""
        self._population = population

    def _protect(self, table: CountTable, asker: Asker) -> dict[tuple[str, ...], int | None]:
        (told,) = protect([table], self._population, self.policy, self._secret, self._ledger, asker)
        return {cell.key: cell.count for cell in told.cells}


class CarefulNode(RealNode):
    """The guard of a node that supposes nine persons to be known to the attacker."""

    def __init__(self, population: PersonSet, seed: int) -> None:
        super().__init__(population, seed)
        self.policy = self.policy.raised(known_persons=9)


class Forgetful:
    """Threshold and keyed rounding alone: no ledger, no linear program."""

    def __init__(self, population: PersonSet, seed: int) -> None:
        self.policy, self._seed = read_policy(), seed

    def count(self, persons: PersonSet, study: str = "one", release: str = "r1") -> int | None:
        """Withheld below the threshold, else rounded by itself."""
        if len(persons) < self.policy.threshold:
            return None
        return rounded(persons, self.policy, self._secret(study, release))

    def table(self, table: CountTable) -> dict[tuple[str, ...], int | None]:
        """Cells and the total of a table of one dimension, or the unions, each by itself."""
        of = {cell.key: cell.persons for cell in table.cells}
        of |= {("*",): np.sort(np.concatenate([cell.persons for cell in table.cells]))}
        for union in table.unions:
            of[union.key] = np.sort(np.concatenate([of[key] for key in union.of]))
        return {key: self.count(persons) for key, persons in of.items()}

    def grow(self, population: PersonSet) -> None:
        """Nothing is remembered of the population."""

    def _secret(self, study: str, release: str) -> bytes:
        return SECRET + self._seed.to_bytes(4, "big")


class FreshRounding(Forgetful):
    """Rounds each question anew, as noise keyed on the query's text does for rewritten queries."""

    _asked = 0

    def _secret(self, study: str, release: str) -> bytes:
        self._asked += 1
        return super()._secret(study, release) + self._asked.to_bytes(4, "big")


class Refusing(Forgetful):
    """Withholds what differs by 1 to k-1 persons from an answered set: the refusal oracle."""

    def __init__(self, population: PersonSet, seed: int) -> None:
        super().__init__(population, seed)
        self._told: list[PersonSet] = []

    def count(self, persons: PersonSet, study: str = "one", release: str = "r1") -> int | None:
        """As the reference's section 4.5 reads word by word."""
        apart = [len(np.setxor1d(persons, told)) for told in self._told]
        if any(0 < number < self.policy.threshold for number in apart):
            return None
        self._told.append(persons)
        return super().count(persons)


class LedgerEach:
    """The real guard, with a ledger of its own for each study or for each release."""

    def __init__(self, population: PersonSet, seed: int, by: str) -> None:
        self.policy, self._by, self._seed = read_policy(), by, seed
        self._population = population
        self._nodes: dict[str, RealNode] = {}

    def count(self, persons: PersonSet, study: str = "one", release: str = "r1") -> int | None:
        """Asks the ledger of this study or release."""
        name = study if self._by == "study" else release
        if name not in self._nodes:
            self._nodes[name] = RealNode(self._population, self._seed)
        return self._nodes[name].count(persons, study, release)

    def table(self, table: CountTable) -> dict[tuple[str, ...], int | None]:
        """Not asked."""
        raise NotImplementedError

    def grow(self, population: PersonSet) -> None:
        """For releases to come."""
        self._population = population


def per_study(population: PersonSet, seed: int) -> Node:
    """A node whose ledger forgets other studies."""
    return LedgerEach(population, seed, "study")


def per_release(population: PersonSet, seed: int) -> Node:
    """A node whose ledger forgets other releases."""
    return LedgerEach(population, seed, "release")
