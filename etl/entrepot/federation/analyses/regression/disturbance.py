"""What is added to a node's sums so that no combination of them is exact about one person.

Exact sums over S, S+A, S+B and S+A+B+t give t's row by subtraction, though each pair differs by
many. So the log-likelihood gets a fixed term b·β - ½ β·E·β, the same in every round, so that the
path still has one end.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from entrepot.federation.analyses.regression.design import Design
from entrepot.federation.analyses.regression.likelihood import Sums, Vector
from entrepot.federation.disclosure import PersonSet

# What one person adds at most to a number of the gradient at the start and of the information. b
# and E are as large as what threshold - 1 persons contribute, for counts are uncertain by them too,
# times the root of the number of parameters: each of them is another look at the person.
LARGEST = {"logistic": (0.5, 0.25), "cox": (1.0, 0.25)}
Noise = Callable[[str, PersonSet, int], NDArray[np.float64]]


def disturbance(rows: Design, kind: str, noise: Noise, threshold: int) -> Sums:
    """b and E.

    A number follows from the persons, what the sum is made of (covariate and outcome) and how many
    parameters there are, and not from names: asking again under another name averages nothing. One
    number at two sizes, scaled, would be solved for the sum.
    """
    outcome = np.concatenate([rows.days, rows.event]).tobytes()
    columns = [np.ascontiguousarray(column) for column in rows.matrix.T]
    gradient, information = largest(kind, threshold, len(columns))
    head = f"{kind} {len(columns)}"

    def number(what: str, column: Vector, most: float) -> float:
        content = hashlib.sha256(column.tobytes() + outcome).hexdigest()
        return most * float(noise(f"{head} {what} {content}", rows.persons, 1)[0])

    pairs = itertools.combinations_with_replacement(columns, 2)
    told = [number("gradient", column, gradient) for column in columns]
    told += [number("information", one * other, information) for one, other in pairs]
    return Sums.of(np.array(told), len(columns))


def largest(kind: str, threshold: int, size: int) -> tuple[float, float]:
    """Largest number of b and of E, with that many parameters."""
    gradient, information = LARGEST[kind]
    scale = (threshold - 1) * math.sqrt(size)
    return scale * gradient, scale * information


def covariance(kind: str, thresholds: Iterable[int], beta: Vector) -> Vector:
    """Of b - E·β over all nodes: their numbers are uniform and independent, E is symmetric."""
    size = len(beta)
    found = np.zeros((size, size))
    square = beta @ beta * np.eye(size) + np.outer(beta, beta) - np.diag(beta**2)
    for threshold in thresholds:
        gradient, information = (one**2 / 3 for one in largest(kind, threshold, size))
        found += gradient * np.eye(size) + information * square
    return found


def disturbed(sums: Sums, extra: Sums, beta: Vector) -> Sums:
    """The sums of the log-likelihood with that term."""
    return Sums(
        sums.gradient + extra.gradient - extra.information @ beta,
        sums.information + extra.information,
    )
