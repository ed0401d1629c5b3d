"""Answers of several hospitals as one result: sums as intervals, missing nodes as missing."""

from entrepot.federation.pooling.figures import (
    Coefficient,
    CountRow,
    Curve,
    CurvePoint,
    Effect,
    Forest,
    Pooled,
    Rate,
    Regressed,
    ShareRow,
)
from entrepot.federation.pooling.forests import Options
from entrepot.federation.pooling.meta import MetaAnalysis, Summary, meta_analysis
from entrepot.federation.pooling.pool import pool
from entrepot.federation.pooling.regressed import next_round, regressed
from entrepot.federation.pooling.sites import Missing, Site

__all__ = [
    "Coefficient",
    "CountRow",
    "Curve",
    "CurvePoint",
    "Effect",
    "Forest",
    "MetaAnalysis",
    "Missing",
    "Options",
    "Pooled",
    "Rate",
    "Regressed",
    "ShareRow",
    "Site",
    "Summary",
    "meta_analysis",
    "next_round",
    "pool",
    "regressed",
]
