"""Logistic and Cox regression over three nodes or more, of which none shows its own sums."""

from entrepot.federation.analyses.regression.design import parameter_names
from entrepot.federation.analyses.regression.disturbance import covariance
from entrepot.federation.analyses.regression.path import (
    MAX_ROUNDS,
    Path,
    PathError,
    Round,
    follow,
)
from entrepot.federation.analyses.regression.turns import RegressionTurn, share

__all__ = [
    "MAX_ROUNDS",
    "Path",
    "PathError",
    "RegressionTurn",
    "Round",
    "covariance",
    "follow",
    "parameter_names",
    "share",
]
