"""The ten attacks. Each asks a node for counts and claims the target's state, or says nothing."""

from __future__ import annotations

import itertools

import numpy as np

from attacks.cases import Case, joined, minus
from attacks.nodes import Node
from attacks.solver import Equations
from entrepot.federation.disclosure import Cell, CountTable, PersonSet, Union, person_set

TRIES = 12  # cohorts: rounding shows one person in a cohort with chance 1/5


def _by_difference(pairs: list[tuple[int | None, int | None]]) -> int:
    """The same persons always get the same count: another count means other persons."""
    return int(any(one != other for one, other in pairs))


def differencing(node: Node, case: Case) -> int:
    """A cohort, then the cohort without the target if it bears the diagnosis."""
    pairs = []
    for number in range(TRIES):
        cohort = joined(case.draw(number), person_set([case.target]))
        pairs.append((node.count(cohort), node.count(minus(cohort, case.isolated))))
    return _by_difference(pairs)


def differencing_backwards(node: Node, case: Case) -> int:
    """As differencing, the smaller cohort first."""
    pairs = []
    for number in range(TRIES):
        cohort = case.draw(number)
        pairs.append((node.count(joined(cohort, case.isolated)), node.count(cohort)))
    return _by_difference(pairs)


def chain(node: Node, case: Case) -> int:
    """Wanders away from an answered cohort by friends, adding the target at each step."""
    pairs = []
    for size in range(len(case.friends) + 1):
        padded = joined(case.core, case.friends[:size])
        pairs.append((node.count(padded), node.count(joined(padded, case.isolated))))
    wandering = case.core
    for step in range(4):
        wandering = wandering[7:]
        pairs.append((node.count(wandering), node.count(joined(wandering, case.isolated))))
        assert step >= 0
    return _by_difference(pairs)


def negation(node: Node, case: Case) -> int:
    """The complement of a cohort, and the complement of the cohort with the target."""
    pairs = []
    for number in range(TRIES):
        cohort = case.draw(number)
        if number % 2:
            node.count(cohort)
        rest = minus(case.population, cohort)
        pairs.append((node.count(rest), node.count(minus(rest, case.isolated))))
    return _by_difference(pairs)


def tracker(node: Node, case: Case) -> int:
    """Denning's general tracker: the isolated person with a cohort, and with its complement."""
    pairs = []
    for number in range(TRIES):
        cohort = case.draw(number)
        rest = minus(minus(case.population, cohort), person_set([case.target]))
        pairs.append((node.count(joined(cohort, case.isolated)), node.count(cohort)))
        pairs.append((node.count(joined(rest, case.isolated)), node.count(rest)))
    return _by_difference(pairs)


def windows(node: Node, case: Case) -> int:
    """Windows of admission days that move past the day on which the target alone was admitted."""
    pairs = []
    for number in range(TRIES):
        before = case.draw(number)
        after = minus(case.draw(number + TRIES), before)[: 20 + number]
        pairs.append((node.count(before), node.count(joined(before, case.isolated))))
        late = joined(before, case.isolated, after)
        pairs.append((node.count(joined(before, after)), node.count(late)))
    return _by_difference(pairs)


def cumulated(node: Node, case: Case) -> int:
    """One table of days with its cumulative counts: the days before, the target's day, later."""
    pairs = []
    for number in range(TRIES):
        before = case.draw(number)
        after = minus(case.draw(number + TRIES), before)
        days = (Cell(("1",), before), Cell(("2",), case.isolated), Cell(("3",), after))
        unions = (Union(("until 2",), (("1",), ("2",))), Union(("from 2",), (("2",), ("3",))))
        told = node.table(CountTable("days", ("day",), days, unions=unions))
        pairs += [(told["1",], told["until 2",]), (told["3",], told["from 2",])]
        if any(None in pair for pair in pairs):
            return 0  # a withheld neighbour says nothing of the day between
    return _by_difference(pairs)


def rare_concepts(node: Node, case: Case) -> int:
    """A table of diagnoses of which a single one is the target's, beside its total."""
    pairs = []
    for number in range(TRIES):
        common = case.draw(number)
        cells = (Cell(("common",), common), Cell(("rare",), case.isolated))
        told = node.table(CountTable("diagnosis", ("concept",), cells))
        if told["common",] is not None and told["*",] is not None:
            pairs.append((told["common",], told["*",]))
    return _by_difference(pairs)


def collusion(node: Node, case: Case) -> int:
    """One study asks for a cohort, another one for the cohort with the target."""
    pairs = []
    for number in range(TRIES):
        cohort = case.draw(number)
        mine = node.count(cohort, study="one")
        pairs.append((mine, node.count(joined(cohort, case.isolated), study="two")))
    return _by_difference(pairs)


def releases(node: Node, case: Case) -> int:
    """A cohort before and after the load that brought the target's admission."""
    before = [node.count(case.draw(number), release="r1") for number in range(TRIES)]
    node.grow(case.population)
    after = [node.count(joined(case.draw(number), case.isolated), release="r2")
             for number in range(TRIES)]  # fmt: skip
    return _by_difference(list(zip(before, after, strict=True)))


def averaging(node: Node, case: Case) -> int | None:
    """The same two cohorts again and again, written otherwise, with none to four known friends."""
    return _solved(node, case, [[list(range(size))] * 30 for size in range(5)])


def padding(node: Node, case: Case) -> int | None:
    """A cohort with many groups of friends, the cohort and the target with other groups."""
    groups = [list(itertools.combinations(range(len(case.friends)), size))[:16]
              for size in range(2, 7)]  # fmt: skip
    return _solved(node, case, [[list(one) for one in some] for some in groups])


def filling_up(node: Node, case: Case) -> int | None:
    """Few persons and known friends, fewer and fewer, until the count goes under the threshold."""
    for size in (5, 8, 11):
        ends = []
        for isolated in (case.isolated, person_set([])):
            told = [node.count(joined(case.core[:size], case.friends[:n], isolated)) is not None
                    for n in range(len(case.friends), -1, -1)]  # fmt: skip
            ends.append(sum(told))
        if 0 < ends[1] <= len(case.friends):
            return ends[0] - ends[1]
    return None


def _solved(node: Node, case: Case, pads: list[list[list[int]]]) -> int | None:
    """What integer programs find from padded counts; pads by size, friends by index."""
    known = Equations(node.policy)
    for some in pads:
        without, with_target = some[::2], some[1::2]
        for parts, chosen in (({"core": 1}, without), ({"core": 1, "target": 1}, with_target)):
            counts = {node.count(_padded(case, one, "target" in parts)) for one in chosen}
            seen = {count for count in counts if count is not None}
            for count in seen:
                known.told(parts, len(some[0]), count)
            if len(seen) == 2:
                known.strictly_between(parts, len(some[0]), min(seen))
    states = known.states()
    return states.pop() if len(states) == 1 else None


def _padded(case: Case, friends: list[int], target: bool) -> PersonSet:
    isolated = case.isolated if target else person_set([])
    return joined(case.core, case.friends[np.array(friends, dtype=int)], isolated)
