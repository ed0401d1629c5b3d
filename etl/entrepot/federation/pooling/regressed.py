"""A regression as the coordinator and the researcher see it: sums of rounds, then coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from entrepot.federation.analyses.answers import ShareAnswer
from entrepot.federation.analyses.parameters import Cox, Logistic
from entrepot.federation.analyses.regression import (
    MAX_ROUNDS,
    Path,
    PathError,
    covariance,
    follow,
    parameter_names,
)
from entrepot.federation.pooling.figures import Coefficient, Regressed
from entrepot.federation.pooling.forests import Z

Rounds = Sequence[Mapping[str, ShareAnswer]]


def next_round(analysis: Logistic | Cox, rounds: Rounds) -> bool:
    """Whether the nodes have to be asked again, with one more round in their transcript."""
    return regressed(analysis, rounds).state == "running"


def regressed(analysis: Logistic | Cox, rounds: Rounds) -> Regressed:
    """The result so far.

    A node that gives no share, covariates that cannot be told apart and a path that does not end
    are all `withheld`.
    """
    names = parameter_names(analysis)
    try:
        path = follow(rounds, len(names))
    except PathError:
        return Regressed("withheld", len(rounds))
    if not path.ended:
        return Regressed("withheld" if len(rounds) >= MAX_ROUNDS else "running", len(rounds))
    errors = _errors(path, analysis.kind, rounds[0])
    return Regressed("done", len(rounds), tuple(
        Coefficient(
            name, float(beta), error, math.exp(beta), math.exp(beta - Z * error),
            math.exp(beta + Z * error),
        )
        for name, beta, error in zip(names, path.beta, errors, strict=True)
    ))  # fmt: skip


def _errors(path: Path, kind: str, shares: Mapping[str, ShareAnswer]) -> list[float]:
    """Standard errors: of sampling, and of the term that each node adds to its likelihood."""
    assert path.sums is not None  # noqa: S101 - an ended path has had a round
    inverse = np.linalg.inv(path.sums.information)
    added = covariance(kind, (one.threshold for one in shares.values()), path.beta)
    return [math.sqrt(one) for one in np.diag(inverse + inverse @ added @ inverse)]
