"""Which events enter a cohort: primary events, qualified ones, and those that the rules keep."""

from __future__ import annotations

from functools import reduce

from sqlglot import exp

from entrepot.cohorts.compiling.context import Cohort
from entrepot.cohorts.compiling.dialect_sql import column, every, number, relation
from entrepot.cohorts.compiling.groups import INDEX, KEYS, event_rows, restricted
from entrepot.cohorts.definition import CohortExpression, LimitType, ObservationWindow

_OBSERVED = {
    "op_start_date": "o.observation_period_start_date",
    "op_end_date": "o.observation_period_end_date",
}
EVENT = ("person_id", "event_id", "start_date", "end_date", *_OBSERVED, "visit_occurrence_id")


def qualified_events(cohort: Cohort) -> str:
    """The part of the events that additional criteria and their limit leave."""
    expression = cohort.expression
    events = cohort.add("primary_events", cohort.query.many(_primary(cohort)))
    extra = expression.additional_criteria
    if extra is None:
        return events
    kept = restricted(cohort, events, extra)
    only = expression.primary_criteria.primary_criteria_limit.type is not LimitType.ALL
    limit = LimitType.ALL if only else expression.qualified_limit.type
    return cohort.add("qualified_events", cohort.query.many(limited(kept, limit, EVENT)))


def included_events(cohort: Cohort, events: str) -> str:
    """The part of the qualified events that satisfy every rule, within the last limit."""
    rules = [rule.expression for rule in cohort.expression.inclusion_rules]
    kept = restricted(cohort, events, *rules)
    return cohort.add(
        "included_events", cohort.query.many(limited(kept, _last_limit(cohort), EVENT))
    )


def rule_masks(cohort: Cohort, events: str) -> str:
    """The part of the qualified events with the mask of the rules they satisfy."""
    satisfied = []
    for n, rule in enumerate(cohort.expression.inclusion_rules):
        keys = restricted(cohort, events, rule.expression, keys=True)
        satisfied.append(
            keys.select(
                exp.alias_(number(n), "rule", copy=False),
                exp.alias_(_bit(n), "bit", copy=False),
                copy=False,
            )
        )
    union: exp.Query = reduce(
        lambda one, two: exp.union(one, two, distinct=False, copy=False), satisfied
    )
    total = exp.Coalesce(this=exp.Sum(this=column("r.bit")), expressions=[number(0)])
    first = exp.Coalesce(this=exp.Min(this=column("r.rule")), expressions=[number(0)])
    on = every(*(exp.EQ(this=column(f"r.{k}"), expression=column(f"{INDEX}.{k}")) for k in KEYS))
    grouped = [column(f"{INDEX}.{name}") for name in EVENT]
    select = (
        exp.select(
            *grouped,
            exp.alias_(exp.cast(total, "BIGINT", copy=False), "inclusion_rule_mask", copy=False),
            exp.alias_(exp.Count(this=column("r.rule")), "rule_count", copy=False),
            exp.alias_(first, "first_rule", copy=False),
        )
        .from_(relation(events, INDEX), copy=False)
        .join(union.subquery("r", copy=False), on=on, join_type="LEFT", copy=False)
        .group_by(*(one.copy() for one in grouped), copy=False)
    )
    return cohort.add("event_masks", select)


def masked_events(cohort: Cohort, masks: str) -> str:
    """As `included_events`, from masks already there."""
    full = (1 << len(cohort.expression.inclusion_rules)) - 1
    kept = (
        exp.select(*(column(f"{INDEX}.{name}") for name in EVENT))
        .from_(relation(masks, INDEX), copy=False)
        .where(
            exp.EQ(this=column(f"{INDEX}.inclusion_rule_mask"), expression=number(full)), copy=False
        )
    )
    return cohort.add(
        "included_events", cohort.query.many(limited(kept, _last_limit(cohort), EVENT))
    )


def single(expression: CohortExpression) -> bool:
    """A limit leaves one event a person at most."""
    limits = [expression.primary_criteria.primary_criteria_limit, expression.expression_limit]
    if expression.additional_criteria is not None:
        limits.append(expression.qualified_limit)
    return any(limit.type is not LimitType.ALL for limit in limits)


def limited(select: exp.Select, limit: LimitType, columns: tuple[str, ...]) -> exp.Select:
    """The first or last event of each person by start; of the same day, the lowest id's."""
    if limit is LimitType.ALL:
        return select
    order = [
        exp.Ordered(this=column(f"{INDEX}.start_date"), desc=limit is LimitType.LAST),
        exp.Ordered(this=column(f"{INDEX}.event_id")),
    ]
    ranked = select.select(exp.alias_(numbered(f"{INDEX}.person_id", order), "ordinal", copy=False))
    return (
        exp.select(*(column(f"l.{name}") for name in columns))
        .from_(ranked.subquery("l", copy=False), copy=False)
        .where(exp.EQ(this=column("l.ordinal"), expression=number(1)), copy=False)
    )


def numbered(person: str, order: list[exp.Ordered]) -> exp.Window:
    """ROW_NUMBER of each person's rows."""
    return exp.Window(
        this=exp.RowNumber(),
        partition_by=[column(person)],
        order=exp.Order(expressions=order),
    )


def _bit(n: int) -> exp.Expression:
    return exp.cast(number(1 << n), "BIGINT", copy=False)


def _last_limit(cohort: Cohort) -> LimitType:
    expression = cohort.expression
    only = expression.primary_criteria.primary_criteria_limit.type is not LimitType.ALL
    return LimitType.ALL if only else expression.expression_limit.type


def _primary(cohort: Cohort) -> exp.Select:
    """Events under observation for long enough, numbered per person from 1."""
    asked = cohort.expression.primary_criteria
    sources = [event_rows(cohort, one.criterion) for one in asked.criteria_list]
    union: exp.Query = reduce(
        lambda one, two: exp.union(one, two, distinct=False, copy=False), sources
    )
    limit = asked.primary_criteria_limit.type
    # A full order: events of one day and id differ at most in their ends.
    order = [exp.Ordered(this=column("p.sort_date"), desc=limit is LimitType.LAST)]
    order += [
        exp.Ordered(this=column(name))
        for name in ("p.event_id", "p.start_date", "p.end_date", _OBSERVED["op_start_date"])
    ]
    plain = [column(f"p.{name}") for name in ("person_id", "start_date", "end_date")]
    observed = [exp.alias_(column(told), name, copy=False) for name, told in _OBSERVED.items()]
    number_ = exp.alias_(numbered("p.person_id", order), "event_id", copy=False)
    events = (
        exp.select(*plain, *observed, column("p.visit_occurrence_id"), number_)
        .from_(union.subquery("p", copy=False), copy=False)
        .join(
            cohort.query.cdm("observation_period", "o"),
            on=_under_observation(cohort, asked.observation_window),
            copy=False,
        )
    )
    if limit is LimitType.ALL:
        return events
    return (
        exp.select(*(column(f"{INDEX}.{name}") for name in EVENT))
        .from_(events.subquery(INDEX, copy=False), copy=False)
        .where(exp.EQ(this=column(f"{INDEX}.event_id"), expression=number(1)), copy=False)
    )


def _under_observation(cohort: Cohort, window: ObservationWindow) -> exp.Expression:
    dates = cohort.query.dates
    start, end = (column(told) for told in _OBSERVED.values())
    event = column("p.start_date")
    found = [
        exp.EQ(this=column("p.person_id"), expression=column("o.person_id")),
        exp.GTE(this=event, expression=start),
        exp.LTE(this=event.copy(), expression=end),
    ]
    if window.prior_days:
        first = dates.plus(start.copy(), window.prior_days)
        found.append(exp.LTE(this=first, expression=event.copy()))
    if window.post_days:
        last = dates.plus(event.copy(), window.post_days)
        found.append(exp.LTE(this=last, expression=end.copy()))
    return every(*found)
