"""Rows, inclusion masks of events and of persons as one SELECT."""

from __future__ import annotations

from functools import reduce

from sqlglot import exp

from entrepot.cohorts.compiling.context import Cohort
from entrepot.cohorts.compiling.dialect_sql import column, number, relation
from entrepot.cohorts.compiling.entry import (
    included_events,
    masked_events,
    numbered,
    qualified_events,
    rule_masks,
)
from entrepot.cohorts.compiling.leaving import cohort_rows

PART_ROW, PART_EVENTS, PART_PERSONS = 0, 1, 2
_MASK = "inclusion_rule_mask"


def outcome_select(cohort: Cohort) -> exp.Query:
    """Columns `part, subject_id, cohort_start_date, cohort_end_date, inclusion_rule_mask,
    person_count`: a row of the cohort (part 0), events (1) or persons (2) by their mask.
    """
    events = qualified_events(cohort)
    if not cohort.expression.inclusion_rules:
        return _row_part(cohort, included_events(cohort, events))
    masks = rule_masks(cohort, events)
    best = cohort.add("best_events", _best(masks))
    parts = [
        _row_part(cohort, masked_events(cohort, masks)),
        _mask_part(PART_EVENTS, masks),
        _mask_part(PART_PERSONS, best),
    ]
    return reduce(lambda one, two: exp.union(one, two, distinct=False, copy=False), parts)


def masks_select(cohort: Cohort) -> exp.Query:
    """Columns `person_id, mask`: each person's best event by the rules it satisfies, 0 of none."""
    events = qualified_events(cohort)
    if not cohort.expression.inclusion_rules:
        mask = exp.alias_(exp.cast(number(0), "BIGINT"), "mask", copy=False)
        return exp.select(column("e.person_id"), mask).distinct().from_(relation(events, "e"))
    best = cohort.add("best_events", _best(rule_masks(cohort, events)))
    mask = exp.alias_(column(f"b.{_MASK}"), "mask", copy=False)
    return exp.select(column("b.person_id"), mask).from_(relation(best, "b"), copy=False)


def _best(masks: str) -> exp.Select:
    """Each person's event that satisfies most rules, then the earliest rule, then is first."""
    order = [
        exp.Ordered(this=column("m.rule_count"), desc=True),
        exp.Ordered(this=column("m.first_rule")),
        exp.Ordered(this=column("m.start_date")),
        exp.Ordered(this=column("m.event_id")),
    ]
    ordinal = numbered("m.person_id", order)
    ranked = exp.select(
        column("m.person_id"), column(f"m.{_MASK}"), exp.alias_(ordinal, "ordinal", copy=False)
    ).from_(relation(masks, "m"), copy=False)
    return (
        exp.select(column("b.person_id"), column(f"b.{_MASK}"))
        .from_(ranked.subquery("b", copy=False), copy=False)
        .where(exp.EQ(this=column("b.ordinal"), expression=number(1)), copy=False)
    )


def _row_part(cohort: Cohort, included: str) -> exp.Select:
    rows = cohort_rows(cohort, included).subquery("f", copy=False)
    values = [
        exp.alias_(number(PART_ROW), "part", copy=False),
        exp.alias_(column("f.person_id"), "subject_id", copy=False),
        exp.alias_(column("f.start_date"), "cohort_start_date", copy=False),
        exp.alias_(column("f.end_date"), "cohort_end_date", copy=False),
        exp.alias_(_none("BIGINT"), _MASK, copy=False),
        exp.alias_(_none("BIGINT"), "person_count", copy=False),
    ]
    return exp.select(*values).from_(rows, copy=False)


def _mask_part(part: int, masks: str) -> exp.Select:
    mask = column(f"m.{_MASK}")
    values = [number(part), _none("BIGINT"), _none("DATE"), _none("DATE"), mask]
    return (
        exp.select(*values, exp.Count(this=exp.Star()))
        .from_(relation(masks, "m"), copy=False)
        .group_by(mask.copy(), copy=False)
    )


def _none(kind: str) -> exp.Expression:
    return exp.cast(exp.null(), kind, copy=False)
