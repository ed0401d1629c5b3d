"""Groups of criteria as semi- and anti-joins of index events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from sqlglot import exp

from entrepot.cohorts.compiling.context import Cohort
from entrepot.cohorts.compiling.dialect_sql import column, every, number, relation
from entrepot.cohorts.compiling.events import COUNTED, EVENT, event_select
from entrepot.cohorts.compiling.filters import Rows, conditions
from entrepot.cohorts.compiling.specs import attributes
from entrepot.cohorts.compiling.windows import within
from entrepot.cohorts.definition import (
    CorrelatedCriteria,
    CountColumn,
    CriteriaGroup,
    Criterion,
    DemographicCriteria,
    GroupType,
)

INDEX = "e"
KEYS = ("person_id", "event_id")
_EXACTLY, _AT_MOST, _AT_LEAST = 0, 1, 2


@dataclass(frozen=True)
class Restriction:
    """A join that lets index events pass: `SEMI` those with a match, `ANTI` those without."""

    kind: str
    table: exp.Expression
    on: exp.Expression


def restricted(
    cohort: Cohort, events: str, *groups: CriteriaGroup, keys: bool = False
) -> exp.Select:
    """The index events of a part that satisfy every group.

    Args:
        events: part with `person_id, event_id, start_date, end_date, op_start_date, op_end_date,
            visit_occurrence_id`.
        keys: only `person_id, event_id`.
    """
    chosen = [column(f"{INDEX}.{name}") for name in KEYS] if keys else [column(f"{INDEX}.*")]
    select = exp.select(*chosen).from_(relation(events, INDEX), copy=False)
    for group in groups:
        select = _joined(select, restrictions(cohort, events, group))
    return select


def event_rows(cohort: Cohort, criterion: Criterion) -> exp.Select:
    """The events of a criterion, all with the same columns."""
    part = events_of(cohort, criterion)
    return exp.select(*(column(f"c.{name}") for name in EVENT)).from_(
        relation(part, "c"), copy=False
    )


def events_of(cohort: Cohort, criterion: Criterion, counted: CountColumn | None = None) -> str:
    """The part that holds the events of a criterion, with what its own group leaves of them.

    Each event once: one that lies in two periods (they share a day, or overlap in a CDM that
    nobody checked) is asked about in both.
    """
    query = cohort.query
    part = query.share(event_select(cohort, criterion, counted))
    group = criterion.correlated_criteria
    if group is None or group.empty:
        return part
    start = column("n.start_date")
    first, last = (column(f"o.observation_period_{side}_date") for side in ("start", "end"))
    observed = (
        exp.select(
            column("n.*"),
            exp.alias_(first, "op_start_date", copy=False),
            exp.alias_(last, "op_end_date", copy=False),
        )
        .from_(relation(part, "n"), copy=False)
        .join(
            query.cdm("observation_period", "o"),
            on=every(
                exp.EQ(this=column("n.person_id"), expression=column("o.person_id")),
                exp.GTE(this=start, expression=first.copy()),
                exp.LTE(this=start.copy(), expression=last.copy()),
            ),
            copy=False,
        )
    )
    kept = restricted(cohort, query.share(query.many(observed)), group)
    names = (*EVENT, COUNTED) if counted else EVENT
    once = exp.select(*(column(f"d.{name}") for name in names)).distinct(copy=False)
    return query.share(once.from_(kept.subquery("d", copy=False), copy=False))


def restrictions(cohort: Cohort, events: str, group: CriteriaGroup) -> list[Restriction]:
    """What a group asks of index events; an empty group asks nothing."""
    members = list(_members(cohort, events, group))
    if group.type is GroupType.ALL:
        return [one for member in members for one in member]
    if not members:
        return []
    return _counted_members(cohort, events, group, members)


def _members(cohort: Cohort, events: str, group: CriteriaGroup) -> Iterator[list[Restriction]]:
    for correlated in group.criteria_list:
        yield _correlated(cohort, events, correlated)
    for demographic in group.demographic_criteria_list:
        yield [_demographic(cohort, demographic)]
    for inner in group.groups:
        yield restrictions(cohort, events, inner)


def _counted_members(
    cohort: Cohort, events: str, group: CriteriaGroup, members: list[list[Restriction]]
) -> list[Restriction]:
    """Any, at least or at most so many members hold: counted over their events' keys."""
    least = 1 if group.type is GroupType.ANY else group.count or 0
    negated = group.type is GroupType.AT_MOST
    needed = least + 1 if negated else least
    if needed == 0:
        return []
    keys = [
        _joined(
            exp.select(*(column(f"{INDEX}.{name}") for name in KEYS)).from_(
                relation(events, INDEX), copy=False
            ),
            member,
        )
        for member in members
    ]
    satisfied: exp.Query = reduce(
        lambda one, other: exp.union(one, other, distinct=False, copy=False), keys
    )
    if needed > 1:
        satisfied = (
            exp.select(*(column(name) for name in KEYS))
            .from_(satisfied.subquery("m", copy=False), copy=False)
            .group_by(*(column(name) for name in KEYS), copy=False)
            .having(exp.GTE(this=exp.Count(this=exp.Star()), expression=number(needed)), copy=False)
        )
    return [_keyed(cohort, "ANTI" if negated else "SEMI", satisfied)]


def _correlated(cohort: Cohort, events: str, asked: CorrelatedCriteria) -> list[Restriction]:
    """Events around the index event, as many as asked."""
    occurrence = asked.occurrence
    if occurrence.type == _AT_LEAST and occurrence.count == 0:
        return []
    column_ = (
        (occurrence.count_column or CountColumn.DOMAIN_CONCEPT) if occurrence.is_distinct else None
    )
    alias = cohort.query.alias("a")
    source = relation(events_of(cohort, asked.criteria.criterion, column_), alias)
    on = within(cohort.query.dates, asked, INDEX, alias)
    counted = column(f"{alias}.{COUNTED}") if column_ else None
    none = occurrence.count == 0
    if none or (occurrence.type == _AT_LEAST and occurrence.count == 1):
        if counted is not None:
            on = every(on, exp.Not(this=exp.Is(this=counted, expression=exp.null())))
        return [Restriction("ANTI" if none else "SEMI", source, on)]
    keys = (
        exp.select(*(column(f"{INDEX}.{name}") for name in KEYS))
        .from_(relation(events, INDEX), copy=False)
        .join(source, on=on, copy=False)
        .group_by(*(column(f"{INDEX}.{name}") for name in KEYS), copy=False)
        .having(_as_often(occurrence.type, occurrence.count, counted), copy=False)
    )
    return [_keyed(cohort, "ANTI" if occurrence.type == _AT_MOST else "SEMI", keys)]


def _as_often(type_: int, count: int, counted: exp.Expression | None) -> exp.Expression:
    """The count as asked; of "at most", the events that have more."""
    what = exp.Distinct(expressions=[counted]) if counted is not None else exp.Star()
    operator = {_EXACTLY: exp.EQ, _AT_MOST: exp.GT, _AT_LEAST: exp.GTE}[type_]
    return operator(this=exp.Count(this=what), expression=number(count))


def _demographic(cohort: Cohort, asked: DemographicCriteria) -> Restriction:
    """The person of the index event, on its days."""
    start, end = column(f"{INDEX}.start_date"), column(f"{INDEX}.end_date")
    rows = Rows(INDEX, "", start, end, cohort.query.dates, cohort.codeset)
    name = type(asked).__name__
    where = list(conditions(asked, attributes(name), rows))
    alias = cohort.query.alias("p")
    same = exp.EQ(this=column(f"{alias}.person_id"), expression=column(f"{INDEX}.person_id"))
    on = every(same, *where)
    for told in on.find_all(exp.Column):
        if told.table == "person":
            told.set("table", exp.to_identifier(alias))
    return Restriction("SEMI", cohort.query.cdm("person", alias), on)


def _keyed(cohort: Cohort, kind: str, keys: exp.Query) -> Restriction:
    alias = cohort.query.alias("k")
    on = every(
        *(
            exp.EQ(this=column(f"{alias}.{name}"), expression=column(f"{INDEX}.{name}"))
            for name in KEYS
        )
    )
    return Restriction(kind, keys.subquery(alias, copy=False), on)


def _joined(select: exp.Select, found: list[Restriction]) -> exp.Select:
    for one in found:
        select = select.join(one.table, on=one.on, join_type=one.kind, copy=False)
    return select
