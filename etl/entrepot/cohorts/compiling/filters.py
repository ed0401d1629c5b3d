"""Attributes of a criterion as conditions on its rows and on the tables beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from entrepot.cohorts.compiling.dialect_sql import (
    Dates,
    between,
    column,
    compare,
    day,
    decimal,
    number,
    relation,
    year,
)
from entrepot.cohorts.compiling.specs import Attribute, require_column
from entrepot.cohorts.definition import (
    Concepts,
    ConceptSetSelection,
    DateRange,
    NumericRange,
    TextFilter,
)

# A measurement outside its range: SNOMED's "Low" and "High" (circe-be, MeasurementSqlBuilder).
_OUT_OF_RANGE = (4155142, 4155143)
# Signs that no text of a definition holds by chance, one of them to escape with.
_ESCAPES = "~^!"

CodesetOf = Callable[[int | None], exp.Expression]


@dataclass(frozen=True)
class Rows:
    """Where a criterion's rows stand in a query.

    Args:
        alias: of its table.
        table: its table's name, empty for an index event.
        start: the event's first day.
        end: the event's last day.
        codeset: the SELECT of a concept set's ids, by its number.
        beside: tables that conditions need beside the rows, filled as they are asked for.
    """

    alias: str
    table: str
    start: exp.Expression
    end: exp.Expression
    dates: Dates
    codeset: CodesetOf
    beside: dict[str, None] = field(default_factory=dict)

    def own(self, name: str) -> exp.Column:
        """A column of the rows themselves."""
        return column(f"{self.alias}.{name}")


def conditions(
    criterion: object, attributes: tuple[Attribute, ...], rows: Rows
) -> Iterator[exp.Expression]:
    """A condition for every attribute that is given.

    Raises:
        ConfigurationError: CDM 5.4 has no such column.
    """
    for attribute in attributes:
        value = getattr(criterion, attribute.field)
        if value is None or value is False or value == ():
            continue
        asked = f"{type(criterion).__name__}.{attribute.name}"
        if attribute.column and attribute.kind not in ("date", "age"):
            require_column(attribute.relation or rows.table, attribute.column, asked)
        condition = _KINDS[attribute.kind](value, attribute, rows)
        negated = attribute.exclude and getattr(criterion, attribute.exclude, False)
        yield exp.Not(this=condition) if negated else condition


def joins(select: exp.Select, rows: Rows, schema: str) -> exp.Select:
    """The tables that the conditions named, joined to the rows."""
    for name in rows.beside:
        key, kind = _BESIDE[name]
        on = exp.EQ(this=column(f"{name}.{key}"), expression=rows.own(key))
        if name == "visit_occurrence":
            person = exp.EQ(this=column(f"{name}.person_id"), expression=rows.own("person_id"))
            on = exp.and_(on, person, copy=False)
        select = select.join(relation(name, name, schema), on=on, join_type=kind, copy=False)
    return select


# How a table beside is joined: Circe keeps rows without a provider.
_BESIDE = {
    "person": ("person_id", ""),
    "provider": ("provider_id", "LEFT"),
    "visit_occurrence": ("visit_occurrence_id", ""),
    "care_site": ("care_site_id", ""),
}


def _told(attribute: Attribute, rows: Rows) -> exp.Column:
    if not attribute.relation:
        return rows.own(attribute.column)
    rows.beside[attribute.relation] = None
    return column(f"{attribute.relation}.{attribute.column}")


def _range(
    value: exp.Expression,
    asked: NumericRange | DateRange,
    literal: Callable[[Any], exp.Expression],
) -> exp.Expression:
    if asked.op.endswith("bt"):
        return between(asked.op == "!bt", value, literal(asked.value), literal(asked.extent))
    return compare(asked.op, value, literal(asked.value))


def _whole(value: float) -> exp.Expression:
    return number(int(value))


def _date(asked: DateRange, attribute: Attribute, rows: Rows) -> exp.Expression:
    return _range(_edge(attribute, rows), asked, day)


def _edge(attribute: Attribute, rows: Rows) -> exp.Expression:
    return (rows.start if attribute.column == "start" else rows.end).copy()


def _age(asked: NumericRange, attribute: Attribute, rows: Rows) -> exp.Expression:
    rows.beside["person"] = None
    age = exp.Sub(this=year(_edge(attribute, rows)), expression=column("person.year_of_birth"))
    return _range(age, asked, _whole)


def _length(asked: NumericRange, attribute: Attribute, rows: Rows) -> exp.Expression:
    days = rows.dates.between(rows.start.copy(), rows.end.copy())
    return _range(exp.paren(days, copy=False), asked, _whole)


def _ratio(asked: NumericRange, attribute: Attribute, rows: Rows) -> exp.Expression:
    bound = exp.Nullif(this=_told(attribute, rows), expression=number(0))
    share = exp.Div(this=rows.own("value_as_number"), expression=bound)
    return _range(exp.paren(share, copy=False), asked, decimal)


def _text(asked: TextFilter, attribute: Attribute, rows: Rows) -> exp.Expression:
    op = asked.op.removeprefix("!")
    before = "%" if op in ("endsWith", "contains") else ""
    after = "%" if op in ("startsWith", "contains") else ""
    pattern = exp.Literal.string(f"{before}{asked.text}{after}")
    like: exp.Expression = exp.Like(this=_told(attribute, rows), expression=pattern)
    if "\\" in asked.text:
        # A backslash escapes in PostgreSQL and Spark only; named escapes make the three agree.
        escape = next(sign for sign in _ESCAPES if sign not in asked.text)
        like = exp.Escape(this=like, expression=exp.Literal.string(escape))
    return exp.Not(this=like) if asked.op.startswith("!") else like


def _concepts(asked: Concepts, attribute: Attribute, rows: Rows) -> exp.Expression:
    ids = [number(one.concept_id) for one in asked]
    return exp.In(this=_told(attribute, rows), expressions=ids)


def _selection(asked: ConceptSetSelection, attribute: Attribute, rows: Rows) -> exp.Expression:
    value = _told(attribute, rows)
    if asked.codeset_id is None:
        missing = exp.Is(this=value, expression=exp.null())
        return missing if asked.is_exclusion else exp.Not(this=missing)
    inside = exp.In(this=value, query=rows.codeset(asked.codeset_id))
    return exp.Not(this=inside) if asked.is_exclusion else inside


def _codeset(asked: int, attribute: Attribute, rows: Rows) -> exp.Expression:
    return exp.In(this=_told(attribute, rows), query=rows.codeset(asked))


def _abnormal(asked: bool, attribute: Attribute, rows: Rows) -> exp.Expression:
    value = "value_as_number"
    return exp.paren(
        exp.or_(
            exp.LT(this=rows.own(value), expression=rows.own("range_low")),
            exp.GT(this=rows.own(value), expression=rows.own("range_high")),
            exp.In(
                this=rows.own("value_as_concept_id"),
                expressions=[number(one) for one in _OUT_OF_RANGE],
            ),
            copy=False,
        ),
        copy=False,
    )


def _number(asked: NumericRange, attribute: Attribute, rows: Rows) -> exp.Expression:
    literal = decimal if attribute.kind == "decimal" else _whole
    return _range(_told(attribute, rows), asked, literal)


_KINDS: dict[str, Callable[[Any, Attribute, Rows], exp.Expression]] = {
    "abnormal": _abnormal,
    "age": _age,
    "codeset": _codeset,
    "concepts": _concepts,
    "date": _date,
    "decimal": _number,
    "length": _length,
    "ratio": _ratio,
    "selection": _selection,
    "text": _text,
    "whole": _number,
}
