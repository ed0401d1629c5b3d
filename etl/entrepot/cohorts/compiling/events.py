"""A criterion as the SELECT of its events."""

from __future__ import annotations

from sqlglot import exp

from entrepot.cohorts.compiling.context import Cohort
from entrepot.cohorts.compiling.dialect_sql import Dates, column, day, number
from entrepot.cohorts.compiling.filters import Rows, conditions, joins
from entrepot.cohorts.compiling.specs import Table, require_column, tables
from entrepot.cohorts.definition import CountColumn, Criterion, DateAdjustment, Period
from entrepot.errors import ConfigurationError

_ALIAS = "c"
COUNTED = "counted"
# Columns that the events of every criterion have.
EVENT = (
    "person_id", "event_id", "start_date", "end_date", "visit_occurrence_id", "sort_date"
)  # fmt: skip


def event_select(
    cohort: Cohort, criterion: Criterion, counted: CountColumn | None = None
) -> exp.Select:
    """Events `person_id, event_id, start_date, end_date, visit_occurrence_id, sort_date`.

    Args:
        counted: what a distinct count counts, as one more column.

    Raises:
        ConfigurationError: CDM 5.4 lacks a column that the criterion needs.
    """
    table = tables()[type(criterion).__name__]
    require_column(table.table, table.id, table.criterion)
    start, end = _dates(table, criterion, cohort.query.dates)
    rows = Rows(_ALIAS, table.table, start, end, cohort.query.dates, cohort.codeset)
    where = [*_adjusted(table, criterion, rows), *_period(criterion, rows)]
    where.extend(conditions(criterion, table.attributes, rows))
    select = (
        exp.select(*_columns(cohort, table, criterion, rows, counted))
        .from_(_source(cohort, table, criterion), copy=False)
        .where(*where, copy=False)
    )
    if getattr(criterion, "first", False):
        first = exp.EQ(this=rows.own("ordinal"), expression=number(1))
        select = select.where(first, copy=False)
    else:
        select = select.where(*_coded(cohort, table, criterion), copy=False)
    return joins(select, rows, cohort.query.schema)


def _source(cohort: Cohort, table: Table, criterion: Criterion) -> exp.Expression:
    """The table, or its rows numbered per person in order of start."""
    if not getattr(criterion, "first", False):
        return cohort.query.cdm(table.table, _ALIAS)
    order = [column(f"{_ALIAS}.{name}") for name in (table.start, table.id)]
    ordinal = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column(f"{_ALIAS}.person_id")],
        order=exp.Order(expressions=[exp.Ordered(this=one) for one in order]),
    )
    return (
        exp.select(column(f"{_ALIAS}.*"), exp.alias_(ordinal, "ordinal", copy=False))
        .from_(cohort.query.cdm(table.table, _ALIAS), copy=False)
        .where(*_coded(cohort, table, criterion), copy=False)
        .subquery(_ALIAS, copy=False)
    )


def _coded(cohort: Cohort, table: Table, criterion: Criterion) -> list[exp.Expression]:
    """Standard and source concepts are in their concept sets."""
    found = []
    asked = {table.concept: getattr(criterion, "codeset_id", None) if table.concept else None}
    if table.source_field and (source := getattr(criterion, table.source_field)) is not None:
        name = "".join(word.capitalize() for word in table.source_field.split("_"))
        require_column(table.table, table.source_concept, f"{table.criterion}.{name}")
        asked[table.source_concept] = source
    for name, codeset in asked.items():
        if codeset is not None:
            found.append(exp.In(this=column(f"{_ALIAS}.{name}"), query=cohort.codeset(codeset)))
    return found


def _dates(
    table: Table, criterion: Criterion, dates: Dates
) -> tuple[exp.Expression, exp.Expression]:
    """First and last day of an event, adjusted if the criterion says so."""
    start, end = column(f"{_ALIAS}.{table.start}"), _end(table, dates)
    asked = criterion.date_adjustment
    if asked is None or table.adjustable == "ignored":
        return start, end
    if table.adjustable == "offsets":
        asked = DateAdjustment(start_offset=asked.start_offset, end_offset=asked.end_offset)
    first, last = (
        (start if edge == "START_DATE" else end).copy()
        for edge in (asked.start_with, asked.end_with)
    )
    return dates.plus(first, asked.start_offset), dates.plus(last, asked.end_offset)


def _end(table: Table, dates: Dates) -> exp.Expression:
    start = column(f"{_ALIAS}.{table.start}")
    next_day = dates.plus(start, 1)
    if not table.end:
        return next_day
    end = column(f"{_ALIAS}.{table.end}")
    if table.end_rule == "column":
        return end
    supply = [dates.plus(start.copy(), column(f"{_ALIAS}.days_supply"))]
    others = [*supply, next_day] if table.end_rule == "supply" else [next_day]
    return exp.Coalesce(this=end, expressions=others)


def _adjusted(table: Table, criterion: Criterion, rows: Rows) -> list[exp.Expression]:
    """Adjusted dates must stand in their order."""
    if criterion.date_adjustment is None or table.adjustable == "ignored":
        return []
    return [exp.GTE(this=rows.end.copy(), expression=rows.start.copy())]


def _period(criterion: Criterion, rows: Rows) -> list[exp.Expression]:
    """A period of the definition's own lies within the row's."""
    asked: Period | None = getattr(criterion, "user_defined_period", None)
    days = [one for one in (asked.start_date, asked.end_date) if one] if asked else []
    found: list[exp.Expression] = []
    for one in days:
        found.append(exp.LTE(this=rows.start.copy(), expression=day(one)))
        found.append(exp.GTE(this=rows.end.copy(), expression=day(one)))
    return found


def _columns(
    cohort: Cohort, table: Table, criterion: Criterion, rows: Rows, counted: CountColumn | None
) -> list[exp.Expression]:
    asked: Period = getattr(criterion, "user_defined_period", None) or Period()
    start = day(asked.start_date) if asked.start_date else rows.start.copy()
    end = day(asked.end_date) if asked.end_date else rows.end.copy()
    visit = exp.cast(rows.own(table.visit) if table.visit else exp.null(), "BIGINT", copy=False)
    named = {
        "person_id": rows.own("person_id"),
        "event_id": rows.own(table.id),
        "start_date": start,
        "end_date": end,
        "visit_occurrence_id": visit,
        "sort_date": rows.start.copy(),
    }
    if counted is not None:
        named[COUNTED] = _counted(table, criterion, rows, counted, named)
    return [exp.alias_(value, name, copy=False) for name, value in named.items()]


def _counted(
    table: Table,
    criterion: Criterion,
    rows: Rows,
    counted: CountColumn,
    named: dict[str, exp.Expression],
) -> exp.Expression:
    name = table.counted.get(counted)
    if name is None:
        raise ConfigurationError(
            f"{table.criterion} has no {counted} to count", where="Occurrence.CountColumn"
        )
    if name == "length":
        return rows.dates.between(named["start_date"].copy(), named["end_date"].copy())
    if name == "one":
        return number(1)
    if name in ("start", "end", "visit"):
        column_ = {"start": "start_date", "end": "end_date", "visit": "visit_occurrence_id"}[name]
        return named[column_].copy()
    value = rows.own(name)
    # A death without a cause counts as concept 0.
    return exp.Coalesce(this=value, expressions=[number(0)]) if table.table == "death" else value
