"""Figures ready to be shown: each with the bounds between which it lies."""

from __future__ import annotations

from dataclasses import dataclass

from entrepot.federation.pooling.meta import MetaAnalysis
from entrepot.federation.pooling.sites import Site


@dataclass(frozen=True)
class CountRow:
    """A count over the sites that answered.

    Args:
        table: name of its table (`target:sex`).
        key: of the cell; `*` for what was summed.
        low, high: the sum, in which somebody treated in two hospitals is counted twice: an upper
            bound of the persons.
        least: the largest of one site, a lower bound of the persons whatever their overlap.
    """

    table: str
    dimensions: tuple[str, ...]
    key: tuple[str, ...]
    low: int
    high: int
    least: int


@dataclass(frozen=True)
class ShareRow:
    """A row of Table 1: shares (0 to 1) of a feature in the groups, and their difference.

    Args:
        target, comparator: lower and upper bound; None without a comparator or anybody.
        difference: standardised (Austin 2009), lower and upper bound.
    """

    name: str
    target: tuple[float, float] | None
    comparator: tuple[float, float] | None
    difference: tuple[float, float] | None


@dataclass(frozen=True)
class CurvePoint:
    """Survival to the end of a day.

    Args:
        low, high: bounds that rounding, withheld counts and the order within an interval leave.
        estimate: by the life table (censored persons are at risk for half an interval).
        error: Greenwood's standard error of the estimate.
    """

    day: int
    low: float
    high: float
    estimate: float
    error: float


@dataclass(frozen=True)
class Curve:
    """Kaplan and Meier's curve of a group at the ends of its intervals."""

    group: str
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Rate:
    """New outcomes per 1000 person-years.

    Args:
        events: lower and upper bound.
        person_years: lower and upper bound.
        low, high: of the rate, by the bounds of both; no upper one when nobody may be at risk.
        estimate: from the shown counts; None where too few are shown.
    """

    group: str
    events: tuple[int, int]
    person_years: tuple[float, float]
    low: float
    high: float | None
    estimate: float | None


@dataclass(frozen=True)
class Effect:
    """One line of a forest plot, on the scale that is shown (a ratio, a rate, a share).

    Args:
        estimate, low, high: with its 95 % interval; None where the site shows too little.
        weight: in the random-effects summary.
    """

    site: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    weight: float = 0.0


@dataclass(frozen=True)
class Forest:
    """Sites and what they make together.

    Args:
        measure: `rate_ratio`, `rate` (per 1000 person-years) or `share`.
        fixed, random: None when no site shows an effect.
        analysis: on the scale of analysis (logarithm, or logit of a share).
    """

    measure: str
    subject: str
    effects: tuple[Effect, ...]
    fixed: Effect | None
    random: Effect | None
    analysis: MetaAnalysis | None


@dataclass(frozen=True)
class Coefficient:
    """Of a regression.

    Args:
        estimate: log odds ratio or log hazard ratio; of the intercept, log odds.
        error: with what protection adds to it.
    """

    name: str
    estimate: float
    error: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Regressed:
    """How far a regression has come.

    Args:
        state: `running`, `done`, or `withheld` when a node gave no share: too few persons or
            events look the same as a refusal.
    """

    state: str
    rounds: int
    coefficients: tuple[Coefficient, ...] = ()


@dataclass(frozen=True)
class Pooled:
    """What the researcher sees of a question.

    Args:
        sites: every node that was asked, by name or, of fewer than three answers, without.
        names_hidden: whether fewer than three answered.
    """

    kind: str
    sites: tuple[Site, ...]
    names_hidden: bool
    counts: tuple[CountRow, ...] = ()
    attrition: tuple[CountRow, ...] = ()
    table_one: tuple[ShareRow, ...] = ()
    curves: tuple[Curve, ...] = ()
    rates: tuple[Rate, ...] = ()
    forests: tuple[Forest, ...] = ()
    regression: Regressed | None = None
