"""Effects of each site from its shown counts, and what they make together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from entrepot.federation.analyses.parameters import Incidence, Prevalence, Survival
from entrepot.federation.analyses.shapes import NO, YES, Key
from entrepot.federation.pooling.figures import Effect, Forest
from entrepot.federation.pooling.intervals import Bounds
from entrepot.federation.pooling.life_table import PER, all_events, person_years
from entrepot.federation.pooling.meta import MetaAnalysis, Method, Summary, meta_analysis

Z = 1.959963984540054  # normal quantile of a two-sided 95 % interval
Tables = Mapping[str, Mapping[Key, Bounds]]


@dataclass(frozen=True)
class Estimated:
    """An effect on the scale of analysis with its variance."""

    value: float
    variance: float


@dataclass(frozen=True)
class Options:
    """How sites are pooled.

    Args:
        knapp_hartung: of the random-effects interval; usual with few sites.
    """

    method: Method = "dersimonian-laird"
    knapp_hartung: bool = True


def incidence_forest(
    sites: Sequence[tuple[str, Tables]], analysis: Incidence | Survival, options: Options
) -> Forest:
    """Rate ratios of the groups, or rates when there is one group."""
    effects: list[tuple[str, Estimated | None]] = []
    for name, tables in sites:
        target = _rate(tables[analysis.target], analysis)
        if analysis.comparator:
            target = _ratio(target, _rate(tables[analysis.comparator], analysis))
        effects.append((name, target))
    measure = "rate_ratio" if analysis.comparator else "rate"
    return forest(measure, analysis.outcome, effects, math.exp, options)


def prevalence_forest(
    sites: Sequence[tuple[str, Tables]], analysis: Prevalence, year: int, options: Options
) -> Forest:
    """Shares of one year, pooled as logits."""
    effects = [(name, _logit(tables[str(year)])) for name, tables in sites]
    return forest("share", str(year), effects, _expit, options)


def forest(
    measure: str, subject: str, effects: Sequence[tuple[str, Estimated | None]],
    back: Callable[[float], float], options: Options,
) -> Forest:  # fmt: skip
    """Sites that show too little have a line without an effect and no part in the summary."""
    known = [one for _, one in effects if one is not None]
    pooled: MetaAnalysis | None = None
    if known:
        pooled = meta_analysis(
            [one.value for one in known], [one.variance for one in known], method=options.method,
            knapp_hartung=options.knapp_hartung,
        )  # fmt: skip
    weights = iter(pooled.weights if pooled else ())
    lines = []
    for name, one in effects:
        if one is None:
            lines.append(Effect(name, None))
            continue
        half = Z * math.sqrt(one.variance)
        low, high = back(one.value - half), back(one.value + half)
        lines.append(Effect(name, back(one.value), low, high, next(weights)))
    return Forest(
        measure, subject, tuple(lines), _line("fixed", pooled.fixed if pooled else None, back),
        _line("random", pooled.random if pooled else None, back), pooled,
    )  # fmt: skip


def _line(name: str, one: Summary | None, back: Callable[[float], float]) -> Effect | None:
    if one is None:
        return None
    return Effect(name, back(one.estimate), back(one.low), back(one.high))


def _rate(exits: Mapping[Key, Bounds], analysis: Incidence | Survival) -> Estimated | None:
    """Log rate per 1000 person-years; its variance is 1/events (Poisson)."""
    events = all_events(exits, analysis.intervals).shown
    years = person_years(exits, analysis)[2]
    if not events or years <= 0:
        return None
    return Estimated(math.log(PER * events / years), 1 / events)


def _ratio(target: Estimated | None, comparator: Estimated | None) -> Estimated | None:
    if target is None or comparator is None:
        return None
    return Estimated(target.value - comparator.value, target.variance + comparator.variance)


def _logit(table: Mapping[Key, Bounds]) -> Estimated | None:
    """Log odds; variance 1/with + 1/without."""
    having, without = table[(YES,)].shown, table[(NO,)].shown
    if not having or not without:
        return None
    return Estimated(math.log(having / without), 1 / having + 1 / without)


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))
