"""Protected exits read as a life table: survival, person-time, rates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from entrepot.federation.analyses.parameters import Incidence, Survival
from entrepot.federation.analyses.shapes import Key
from entrepot.federation.pooling.figures import Curve, CurvePoint, Rate
from entrepot.federation.pooling.intervals import Bounds

DAYS_PER_YEAR = 365.25
PER = 1000.0
Exits = Mapping[Key, Bounds]


@dataclass(frozen=True)
class Interval:
    """One interval: who is at risk when it begins, and how they leave in it."""

    at_risk: Bounds
    events: Bounds
    censored: Bounds


def intervals(exits: Exits, count: int) -> Iterator[Interval]:
    """The rows of the life table."""
    for number in range(1, count + 1):
        at_risk = exits[("*",)] if number == 1 else exits[(f"at_risk:{number}",)]
        yield Interval(at_risk, exits[(f"event:{number}",)], exits[(f"censored:{number}",)])


def curve(group: str, exits: Exits, analysis: Incidence | Survival) -> Curve:
    """Survival at the end of each interval.

    Within an interval the order of events and censorings is not known: with all censorings first
    fewest are at risk, with all events first most. Kaplan and Meier's value lies between.
    """
    low = high = estimate = 1.0
    spread = 0.0
    points = [CurvePoint(0, 1.0, 1.0, 1.0, 0.0)]
    for number, row in enumerate(intervals(exits, analysis.intervals), 1):
        low *= _stays(row.events.high, row.at_risk.low - row.censored.high)
        high *= _stays(row.events.low, row.at_risk.high)
        at_risk, events = row.at_risk.middle - row.censored.middle / 2, row.events.middle
        estimate *= _stays(events, at_risk)
        if at_risk > events:
            spread += events / (at_risk * (at_risk - events))
        point = min(max(estimate, low), high)
        error = point * math.sqrt(spread)
        points.append(CurvePoint(number * analysis.interval_days, low, high, point, error))
    return Curve(group, tuple(points))


def _stays(events: float, at_risk: float) -> float:
    if events <= 0:
        return 1.0
    return max(0.0, 1.0 - events / at_risk) if at_risk > 0 else 0.0


def person_years(exits: Exits, analysis: Incidence | Survival) -> tuple[float, float, float]:
    """Lower bound, upper bound and estimate of the time at risk.

    Who leaves in an interval was in it for a part of it; the estimate says half.
    """
    low = high = middle = 0.0
    width = analysis.interval_days / DAYS_PER_YEAR
    ends = [exits[(f"at_risk:{number}",)] for number in range(2, analysis.intervals + 1)]
    ends.append(exits[("completed",)])
    for row, after in zip(intervals(exits, analysis.intervals), ends, strict=True):
        low += width * min(after.low, row.at_risk.high)
        high += width * row.at_risk.high
        middle += width * (row.at_risk.middle + after.middle) / 2
    return low, high, min(max(middle, low), high)


def all_events(exits: Exits, count: int) -> Bounds:
    """Outcomes in all intervals."""
    return exits[("event:1",)] if count == 1 else exits[(f"event:1-{count}",)]


def rate(group: str, exits: Exits, analysis: Incidence | Survival) -> Rate:
    """New outcomes per 1000 person-years."""
    events = all_events(exits, analysis.intervals)
    low, high, middle = person_years(exits, analysis)
    shown = events.shown is not None and middle > 0
    return Rate(
        group, (events.low, events.high), (low, high),
        PER * events.low / high if high else 0.0,
        PER * events.high / low if low else None,
        PER * events.middle / middle if shown else None,
    )  # fmt: skip
