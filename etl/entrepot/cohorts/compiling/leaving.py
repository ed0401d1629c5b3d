"""When a cohort is left: end strategies, censoring, periods joined, calendar window."""

from __future__ import annotations

from functools import reduce

from sqlglot import exp

from entrepot.cohorts.compiling.context import Cohort
from entrepot.cohorts.compiling.dialect_sql import column, day, every, number, relation
from entrepot.cohorts.compiling.entry import single
from entrepot.cohorts.compiling.groups import INDEX, KEYS, event_rows
from entrepot.cohorts.definition import CustomEra, DateOffset, Period

_PERSON_ORDER = ("person_id", "start_date", "end_date")


def cohort_rows(cohort: Cohort, included: str) -> exp.Select:
    """The cohort's rows, `person_id, start_date, end_date`."""
    expression = cohort.expression
    ended = cohort.add("cohort_periods", _ended(cohort, included))
    if single(expression):  # one period a person has nothing to be joined with
        return _windowed(ended, expression.censor_window)
    pad = expression.collapse_settings.era_pad
    rows = cohort.add("cohort_eras", eras(cohort, ended, pad, pad))
    return _windowed(rows, expression.censor_window)


def eras(cohort: Cohort, periods: str, pad: int, unpad: int) -> exp.Select:
    """Periods of a person that touch once their ends are moved, as one; ends moved back.

    Args:
        periods: part with `person_id, start_date, end_date`.
        pad: days added to every end before.
        unpad: days taken from the joined end after.
    """
    numbered = _numbered(cohort, periods, pad).subquery("g", copy=False)
    last = cohort.query.dates.plus(exp.Max(this=column("g.end_date")), -unpad)
    return (
        exp.select(
            column("g.person_id"),
            exp.alias_(exp.Min(this=column("g.start_date")), "start_date", copy=False),
            exp.alias_(last, "end_date", copy=False),
        )
        .from_(numbered, copy=False)
        .group_by(column("g.person_id"), column("g.era"), copy=False)
    )


def _numbered(cohort: Cohort, periods: str, pad: int) -> exp.Select:
    """Periods with their ends moved and the number of their era within the person."""
    end = cohort.query.dates.plus(column("t.end_date"), pad)
    padded = exp.select(
        column("t.person_id"), column("t.start_date"), exp.alias_(end, "end_date", copy=False)
    ).from_(relation(periods, "t"), copy=False)
    by_end = [exp.Ordered(this=column(f"t.{name}")) for name in ("start_date", "end_date")]
    before = _running(exp.Max(this=column("t.end_date")), by_end, here=False)
    touches = exp.GTE(this=before, expression=column("t.start_date"))
    is_start = exp.Case(ifs=[exp.If(this=touches, true=number(0))], default=number(1))
    marked = exp.select(
        *(column(f"t.{name}") for name in _PERSON_ORDER),
        exp.alias_(is_start, "is_start", copy=False),
    ).from_(padded.subquery("t", copy=False), copy=False)
    # Of rows that are alike one begins the era: it comes first.
    by_start = [
        exp.Ordered(this=column("s.start_date")),
        exp.Ordered(this=column("s.is_start"), desc=True),
    ]
    group = _running(exp.Sum(this=column("s.is_start")), by_start, here=True)
    return exp.select(
        *(column(f"s.{name}") for name in _PERSON_ORDER), exp.alias_(group, "era", copy=False)
    ).from_(marked.subquery("s", copy=False), copy=False)


def _running(function: exp.Expression, order: list[exp.Ordered], *, here: bool) -> exp.Window:
    """A function over a person's rows from the first to this one, or to the one before."""
    last = ("CURRENT ROW", None) if here else (number(1), "PRECEDING")
    spec = exp.WindowSpec(
        kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end=last[0], end_side=last[1]
    )
    person = column(f"{order[0].this.table}.person_id")
    return exp.Window(
        this=function, partition_by=[person], order=exp.Order(expressions=order), spec=spec
    )


def _ended(cohort: Cohort, included: str) -> exp.Select:
    """Each included event with the first of its ends that is not before its start.

    An event that has none is left out: of the ends, only an event's own can be unknown.
    """
    strategy = cohort.expression.end_strategy
    plain: exp.Expression = column(f"{INDEX}.op_end_date")
    others: list[tuple[str, exp.Select]] = []
    early = False
    if strategy is not None and strategy.date_offset is not None:
        plain, early = _offset(cohort, strategy.date_offset), _doubtful(strategy.date_offset)
    if strategy is not None and strategy.custom_era is not None:
        others.append(("era_end", _custom_era(cohort, included, strategy.custom_era)))
    if cohort.expression.censoring_criteria:
        others.append(("censoring", _censoring(cohort, included)))
    start = column(f"{INDEX}.start_date")
    in_order = exp.GTE(this=plain.copy(), expression=start.copy())
    if early:
        plain = exp.Case(ifs=[exp.If(this=in_order, true=plain)])
    ends = [plain, *(column(f"{name}.end_date") for name, _ in others)]
    end = exp.Least(this=ends[0], expressions=ends[1:], ignore_nulls=True) if others else ends[0]
    select = exp.select(
        column(f"{INDEX}.person_id"), start, exp.alias_(end, "end_date", copy=False)
    ).from_(relation(included, INDEX), copy=False)
    for name, one in others:
        select = select.join(
            one.subquery(name, copy=False), on=_same_event(name), join_type="LEFT", copy=False
        )
    if not early:
        return select
    known = exp.Not(this=exp.Is(this=column("d.end_date"), expression=exp.null()))
    return (
        exp.select(*(column(f"d.{n}") for n in _PERSON_ORDER))
        .from_(select.subquery("d", copy=False), copy=False)
        .where(known, copy=False)
    )


def _doubtful(asked: DateOffset) -> bool:
    """The end may be unknown or before the start, as in data that nobody checked."""
    return asked.offset < 0 or asked.date_field == "EndDate"


def _offset(cohort: Cohort, asked: DateOffset) -> exp.Expression:
    """Days after the event's start or end, at most to the end of observation."""
    field = "start_date" if asked.date_field == "StartDate" else "end_date"
    moved = cohort.query.dates.plus(column(f"{INDEX}.{field}"), asked.offset)
    observed = column(f"{INDEX}.op_end_date")
    return exp.Case(
        ifs=[exp.If(this=exp.GT(this=moved, expression=observed), true=observed.copy())],
        default=moved.copy(),
    )


def _custom_era(cohort: Cohort, included: str, asked: CustomEra) -> exp.Select:
    """The end of the run of exposures in which the event starts."""
    exposures = cohort.add("era_exposures", _exposures(cohort, included, asked))
    gaps = asked.gap_days
    found = cohort.add("exposure_eras", eras(cohort, exposures, gaps + asked.offset, gaps))
    start = column(f"{INDEX}.start_date")
    return _first_end(
        included,
        relation(found, "r"),
        exp.EQ(this=column("r.person_id"), expression=column(f"{INDEX}.person_id")),
        exp.LTE(this=column("r.start_date"), expression=start),
        exp.GTE(this=column("r.end_date"), expression=start.copy()),
        end="r.end_date",
    )


def _exposures(cohort: Cohort, included: str, asked: CustomEra) -> exp.Select:
    dates = cohort.query.dates
    start = column("x.drug_exposure_start_date")
    if asked.days_supply_override is not None:
        end = dates.plus(start.copy(), asked.days_supply_override)
    else:
        supply = dates.plus(start.copy(), column("x.days_supply"))
        others = [supply, dates.plus(start.copy(), 1)]
        end = exp.Coalesce(this=column("x.drug_exposure_end_date"), expressions=others)
    codes = [
        exp.In(this=column(f"x.{name}"), query=cohort.codeset(asked.drug_codeset_id))
        for name in ("drug_concept_id", "drug_source_concept_id")
    ]
    same = exp.EQ(this=column(f"{INDEX}.person_id"), expression=column("x.person_id"))
    return (
        exp.select(
            column("x.person_id"),
            exp.alias_(start, "start_date", copy=False),
            exp.alias_(end, "end_date", copy=False),
        )
        .from_(cohort.query.cdm("drug_exposure", "x"), copy=False)
        .join(relation(included, INDEX), on=same, join_type="SEMI", copy=False)
        .where(exp.or_(*codes, copy=False), copy=False)
    )


def _censoring(cohort: Cohort, included: str) -> exp.Select:
    """The first censoring event between the event's start and the end of its observation."""
    sources = [event_rows(cohort, one.criterion) for one in cohort.expression.censoring_criteria]
    union: exp.Query = reduce(
        lambda one, two: exp.union(one, two, distinct=False, copy=False), sources
    )
    start = column("r.start_date")
    return _first_end(
        included,
        union.subquery("r", copy=False),
        exp.EQ(this=column("r.person_id"), expression=column(f"{INDEX}.person_id")),
        exp.GTE(this=start, expression=column(f"{INDEX}.start_date")),
        exp.LTE(this=start.copy(), expression=column(f"{INDEX}.op_end_date")),
        end="r.start_date",
    )


def _first_end(included: str, found: exp.Expression, *on: exp.Expression, end: str) -> exp.Select:
    keys = [column(f"{INDEX}.{name}") for name in KEYS]
    return (
        exp.select(*keys, exp.alias_(exp.Min(this=column(end)), "end_date", copy=False))
        .from_(relation(included, INDEX), copy=False)
        .join(found, on=every(*on), copy=False)
        .group_by(*(key.copy() for key in keys), copy=False)
    )


def _same_event(alias: str) -> exp.Expression:
    return every(
        *(exp.EQ(this=column(f"{alias}.{k}"), expression=column(f"{INDEX}.{k}")) for k in KEYS)
    )


def _windowed(rows: str, window: Period | None) -> exp.Select:
    """Rows cut to the calendar window."""
    start: exp.Expression = column("w.start_date")
    end: exp.Expression = column("w.end_date")
    if window is not None and window.start_date:
        start = exp.Greatest(this=start, expressions=[day(window.start_date)], ignore_nulls=True)
    if window is not None and window.end_date:
        end = exp.Least(this=end, expressions=[day(window.end_date)], ignore_nulls=True)
    select = exp.select(
        column("w.person_id"),
        exp.alias_(start, "start_date", copy=False),
        exp.alias_(end, "end_date", copy=False),
    ).from_(relation(rows, "w"), copy=False)
    if window is None or not (window.start_date or window.end_date):
        return select
    return select.where(exp.LTE(this=start.copy(), expression=end.copy()), copy=False)
