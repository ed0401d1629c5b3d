"""The path of a regression: its coefficients follow from the sums before, nobody states them.

Whoever chose the coefficients could ask for any weighted count of persons. So the path begins at 0,
each step is Newton's, and every node works it out by itself from all shares of the rounds before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from entrepot.errors import EntrepotError
from entrepot.federation.analyses.answers import ShareAnswer
from entrepot.federation.analyses.regression.likelihood import Sums, Vector
from entrepot.federation.analyses.regression.masking import LEAST_NODES, unmasked

MAX_ROUNDS = 12
CLOSE = 1e-5  # a step below which the path ends, in units of the coefficients
LONGEST = 1.0  # a step beyond this is shortened: a ratio changes by 2.7 at most
_PLACES = 10  # nodes on other processors must come to the same coefficients
Round = Mapping[str, ShareAnswer]


class PathError(EntrepotError):
    """Rounds that no sound course of a regression gives; the node takes no further part."""


@dataclass(frozen=True)
class Path:
    """Where a regression stands.

    Args:
        beta: coefficients at which the next sums are asked for, or the result.
        sums: of the last round; None before the first.
        ended: the last step was shorter than `CLOSE`.
    """

    beta: Vector
    sums: Sums | None
    ended: bool


def follow(rounds: Sequence[Round], size: int) -> Path:
    """The path through rounds of shares, one per node each.

    Raises:
        PathError: fewer than three nodes, other nodes than in the first round, a share that is
            missing or of another size, a singular information, more rounds than `MAX_ROUNDS`.
    """
    path = Path(np.zeros(size), None, False)
    if len(rounds) > MAX_ROUNDS:
        raise PathError("more rounds than a regression may have", where=f"round {len(rounds)}")
    for number in range(len(rounds)):
        if path.ended:
            raise PathError("a round after the end of the path", where=f"round {number}")
        path = _step(path, _sums(rounds, number, size), number)
    return path


def _sums(rounds: Sequence[Round], number: int, size: int) -> Sums:
    shares = rounds[number]
    where = f"round {number}"
    if len(shares) < LEAST_NODES or set(shares) != set(rounds[0]):
        raise PathError("a sum is over the same three nodes or more", where=where)
    told = [one.share for one in shares.values()]
    expected = size + size * (size + 1) // 2
    full = [share for share in told if share is not None and len(share) == expected]
    if len(full) != len(told) or any(one.round != number for one in shares.values()):
        raise PathError("a node gave no share of this round", where=where)
    return Sums.of(unmasked(full), size)


def _step(path: Path, sums: Sums, number: int) -> Path:
    try:
        np.linalg.cholesky(sums.information)
        step = np.linalg.solve(sums.information, sums.gradient)
    except np.linalg.LinAlgError:
        raise PathError("the covariates cannot be told apart", where=f"round {number}") from None
    length = float(np.abs(step).max())
    moved = path.beta + step / max(1.0, length / LONGEST)
    beta = np.asarray(np.round(moved, _PLACES), dtype=np.float64)
    return Path(beta, sums, length < CLOSE)
