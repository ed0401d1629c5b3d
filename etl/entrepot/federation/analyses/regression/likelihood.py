"""Gradient and information of the two likelihoods, of one node's persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """What is added over nodes.

    Args:
        gradient: (parameters,), first derivatives of the log-likelihood.
        information: (parameters, parameters), negative second derivatives, symmetric.
    """

    gradient: Vector
    information: Vector

    def numbers(self) -> Vector:
        """The gradient, then the upper triangle of the information row by row."""
        return np.concatenate([self.gradient, self.information[np.triu_indices(self.size)]])

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return len(self.gradient)

    @classmethod
    def of(cls, numbers: Vector, size: int) -> Sums:
        """From `numbers` of that many parameters."""
        information = np.zeros((size, size))
        information[np.triu_indices(size)] = numbers[size:]
        return cls(numbers[:size], information + np.triu(information, 1).T)


def logistic_sums(matrix: Vector, event: Vector, beta: Vector) -> Sums:
    """Of the binomial likelihood with the logit link."""
    chance = 1.0 / (1.0 + np.exp(-(matrix @ beta)))
    weights = chance * (1.0 - chance)
    return Sums(matrix.T @ (event - chance), matrix.T @ (matrix * weights[:, None]))


def cox_sums(matrix: Vector, days: Vector, event: Vector, beta: Vector) -> Sums:
    """Of Cox's partial likelihood, ties after Efron (JASA 1977; 72: 557-565).

    Goes through the days from the last one, so that it holds one sum over those at risk and not one
    per person.
    """
    size = matrix.shape[1]
    gradient, information = np.zeros(size), np.zeros((size, size))
    order = np.argsort(days, kind="stable")
    matrix, failed = matrix[order], event[order] > 0
    risk = np.exp(matrix @ beta)
    _, starts = np.unique(days[order], return_index=True)
    at_risk = _Moments.none(size)
    for day in np.split(np.arange(len(days)), starts[1:])[::-1]:
        at_risk = at_risk.plus(_Moments.of(matrix[day], risk[day]))
        ties = day[failed[day]]
        tied = _Moments.of(matrix[ties], risk[ties])
        gradient += matrix[ties].sum(axis=0)
        for part in np.arange(len(ties)) / len(ties):
            left = at_risk.plus(tied, -part)
            mean = left.first / left.total
            gradient -= mean
            information += left.second / left.total - np.outer(mean, mean)
    return Sums(gradient, information)


@dataclass(frozen=True)
class _Moments:
    """Sums of hazards, of hazards times covariates, and times their products."""

    total: float
    first: Vector
    second: Vector

    @classmethod
    def none(cls, size: int) -> _Moments:
        return cls(0.0, np.zeros(size), np.zeros((size, size)))

    @classmethod
    def of(cls, matrix: Vector, risk: Vector) -> _Moments:
        weighted = matrix * risk[:, None]
        return cls(float(risk.sum()), weighted.sum(axis=0), matrix.T @ weighted)

    def plus(self, other: _Moments, times: float = 1.0) -> _Moments:
        return _Moments(
            self.total + times * other.total, self.first + times * other.first,
            self.second + times * other.second,
        )  # fmt: skip
