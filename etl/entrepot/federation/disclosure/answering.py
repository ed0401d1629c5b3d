"""The counts of one answer, compared with everything that the node told before.

A set of persons that differs from an answered one by fewer than k repeats that answer, whatever it
was. Withholding it instead would tell that the two differ, which is the very thing to hide. See
docs/adr/0024.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from entrepot.federation.disclosure.asker import Asker
from entrepot.federation.disclosure.lattice import Figure
from entrepot.federation.disclosure.ledger import Ledger, Told
from entrepot.federation.disclosure.nearness import Known, Remembered
from entrepot.federation.disclosure.policy import Policy
from entrepot.federation.disclosure.rounding import rounded
from entrepot.federation.disclosure.suppression import Candidate
from entrepot.federation.disclosure.tables import PersonSet

_HERE = 0  # number of this answer's population


class Answering:
    """One answer in the making; to be used within `Ledger.exclusive`."""

    def __init__(
        self, ledger: Ledger, population: PersonSet, policy: Policy, secret: bytes, asker: Asker
    ) -> None:
        self._ledger, self._population, self._policy = ledger, population, policy
        self._secret, self._asker = secret, asker
        self._before = ledger.known(asker)
        self._homes = ledger.homes()
        self._now = Known()
        self._persons: dict[int, PersonSet] = {}
        self._roots: dict[int, int | None] = {}  # of what repeats an earlier answer
        self._counts: dict[int, tuple[int | None, int | None]] = {}
        self._mirrored: dict[int, bool] = {}
        self._whole = {_HERE: ledger.sketch(population)}

    def candidate(self, index: int, figure: Figure) -> Candidate:
        """A figure's count: its own, or that of an answer that is less than k persons away.

        Args:
            index: of the figure; coarser ones have to come first.
        """
        if figure.size < self._policy.threshold:
            return Candidate(figure, None)
        sketch, radius = self._ledger.sketch(figure.persons), self._policy.threshold
        old = self._before.nearest(
            figure.persons, sketch, radius, self._ledger.load, self._homes.items()
        )
        new = self._now.nearest(figure.persons, sketch, radius, self._load, self._whole.items())
        self._persons[index] = figure.persons
        near = old if old and not (new and new.distance < old.distance) else new
        like = None
        if near is None:
            count, mirror = self._own(figure.persons)
        else:
            count, mirror = near.counts
            if near is old:
                self._roots[index] = None if near.mirrored else near.figure.root
            else:
                like = near.figure.number
                self._mirrored[index] = near.mirrored
        self._counts[index] = count, mirror
        here = Remembered(index, index, _HERE, self._asker.release, count, mirror)
        self._now.add(here, sketch)
        return Candidate(figure, count, told_before=index in self._roots, like=like)

    def _own(self, persons: PersonSet) -> tuple[int | None, int | None]:
        """Rounded counts of a set that is like no other, and of everybody else."""
        least = self._policy.told_from
        if len(persons) < least:
            return None, None
        rest = np.setdiff1d(self._population, persons, assume_unique=True)
        mirror = rounded(rest, self._policy, self._secret) if len(rest) >= least else None
        return rounded(persons, self._policy, self._secret), mirror

    def remember(self, candidates: Sequence[Candidate], shown: Mapping[int, int]) -> None:
        """Enters into the ledger what is told, and what is withheld although it is not small.

        What repeats another figure is remembered as that one is, even where it was withheld: the
        two may be the same persons, and a memory that told them apart would tell whether they are.
        """
        told: dict[int, bool] = {}
        roots = dict(self._roots)
        for index, persons in self._persons.items():
            one = candidates[index]
            if one.told_before:
                told[index] = True
            elif one.like is not None:
                told[index] = told[one.like]
                roots[index] = None if self._mirrored[index] else roots[one.like]
            else:
                told[index] = index in shown
            counts = self._counts[index] if told[index] else (None, None)
            figure = Told(persons, *counts, roots.get(index))
            roots[index] = self._ledger.remember(figure, self._population, self._asker)

    def _load(self, figure: Remembered, mirrored: bool) -> PersonSet:
        persons = self._persons[figure.number]
        if mirrored:
            return np.setdiff1d(self._population, persons, assume_unique=True)
        return persons
