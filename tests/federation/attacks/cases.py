"""What attackers know and look for: a target, a cohort around it, friends, and one secret bit.

The attacker can write a definition that holds the target alone if it bears a diagnosis, and nobody
if not. The same attack is played in both worlds, all else equal, the node's secret too: a target is
recovered only if the attacker's claim is right in both. Who always claims the same recovers nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from attacks.nodes import MakeNode, Node
from entrepot.federation.disclosure import PersonSet, person_set

POPULATION, CORE, FRIENDS = 3000, 300, 9  # friends: k-2 persons of whom the attacker knows all


@dataclass(frozen=True)
class Case:
    """One target in one world."""

    population: PersonSet
    core: PersonSet
    friends: PersonSet
    target: int
    bears: bool
    seed: int

    @property
    def isolated(self) -> PersonSet:
        """Whom the attacker's isolating definition finds."""
        return person_set([self.target] if self.bears else [])

    def draw(self, number: int) -> PersonSet:
        """A large cohort without target and friends, the same in both worlds."""
        rng = np.random.default_rng([self.seed, number])
        others = np.setdiff1d(self.population, [*self.friends, self.target])
        return np.sort(rng.choice(others, CORE + number, replace=False))


def case(seed: int) -> Case:
    """A random hospital with its target, who bears nothing."""
    rng = np.random.default_rng(seed)
    population = person_set(rng.integers(1, 2**53, POPULATION))
    chosen = rng.choice(population, CORE + FRIENDS + 1, replace=False)
    core = person_set(chosen[:CORE])
    return Case(population, core, chosen[CORE:-1], int(chosen[-1]), bears=False, seed=seed)


Attack = Callable[[Node, Case], int | None]  # the state that the attacker claims, or none


@dataclass(frozen=True)
class Score:
    """What an attack found."""

    targets: int
    recovered: int
    claims: int


def play(attack: Attack, make: MakeNode, targets: int, first: int = 0) -> Score:
    """Plays an attack on `targets` targets, in both worlds each."""
    recovered = claims = 0
    for seed in range(first, first + targets):
        without = case(seed)
        said = [attack(make(without.population, seed), replace(without, bears=bears))
                for bears in (False, True)]  # fmt: skip
        recovered += said == [0, 1]
        claims += sum(one is not None for one in said)
    return Score(targets, recovered, claims)


def joined(*sets: PersonSet) -> PersonSet:
    """Union of person sets."""
    return np.unique(np.concatenate(sets))


def minus(one: PersonSet, other: PersonSet) -> PersonSet:
    """Difference of person sets."""
    return np.setdiff1d(one, other)
