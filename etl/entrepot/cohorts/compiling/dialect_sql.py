"""SQL expressions of a cohort, in what the three dialects have in common or each in its own way."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

from sqlglot import exp

from entrepot.cohorts.dialects import Dialect
from entrepot.errors import ConfigurationError

_PART = re.compile(r"\w[\w $-]*", re.ASCII)


def column(name: str) -> exp.Column:
    """`e.person_id` as a column, `e.*` as all of them."""
    table, _, last = name.rpartition(".")
    if last == "*":
        return exp.Column(this=exp.Star(), table=exp.to_identifier(table))
    return exp.column(last, table=table or None)


def number(value: int) -> exp.Expression:
    """A whole number."""
    return exp.Neg(this=exp.Literal.number(-value)) if value < 0 else exp.Literal.number(value)


def decimal(value: float) -> exp.Expression:
    """A number with four decimals, as Circe writes it."""
    rounded = Decimal(repr(value)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    literal = exp.Literal.number(str(abs(rounded)))
    return exp.Neg(this=literal) if rounded < 0 else literal


def day(value: dt.date) -> exp.Expression:
    """A calendar day."""
    return exp.cast(exp.Literal.string(value.isoformat()), "DATE", copy=False)


def year(value: exp.Expression) -> exp.Expression:
    """The year of a date."""
    return exp.Extract(this=exp.var("YEAR"), expression=value)


def every(*conditions: exp.Expression) -> exp.Expression:
    """All of them hold."""
    return exp.and_(*conditions, copy=False) if conditions else exp.true()


def compare(op: str, left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """`lt`, `lte`, `eq`, `!eq`, `gt`, `gte` of Circe."""
    return _OPERATORS[op](this=left, expression=right)


def between(
    negated: bool, value: exp.Expression, low: exp.Expression, high: exp.Expression
) -> exp.Expression:
    """Both bounds included."""
    inside = exp.Between(this=value, low=low, high=high)
    return exp.Not(this=exp.paren(inside, copy=False)) if negated else inside


def relation(name: str, alias: str = "", schema: str = "") -> exp.Table:
    """A table, of a schema or of the query itself.

    Raises:
        ConfigurationError: the schema's name is none.
    """
    parts = [part for part in schema.split(".") if part]
    if len(parts) > 2 or not all(_PART.fullmatch(part) for part in parts):
        raise ConfigurationError("a schema's name has letters, digits and _", where="schema")
    quoted = [exp.to_identifier(part, quoted=True) for part in parts]
    return exp.Table(
        this=exp.to_identifier(name),
        db=quoted[-1] if quoted else None,
        catalog=quoted[0] if len(quoted) == 2 else None,
        alias=exp.TableAlias(this=exp.to_identifier(alias)) if alias else None,
    )


class Dates:
    """Arithmetic of days: dates plus whole numbers, which Spark writes as functions."""

    def __init__(self, dialect: Dialect) -> None:
        self._functions = dialect is Dialect.SPARK

    def plus(self, value: exp.Expression, days: exp.Expression | int) -> exp.Expression:
        """A date some days later."""
        if isinstance(days, int):
            if days == 0:
                return value
            if days < 0 and not self._functions:
                return exp.Sub(this=value, expression=number(-days))
            days = number(days)
        else:  # a column may be of 64 bits, which no dialect adds to a date
            days = exp.cast(days, "INT", copy=False)
        if self._functions:
            return exp.Anonymous(this="DATE_ADD", expressions=[value, days])
        return exp.Add(this=value, expression=days)

    def between(self, start: exp.Expression, end: exp.Expression) -> exp.Expression:
        """Whole days from one date to another."""
        if self._functions:
            return exp.Anonymous(this="DATEDIFF", expressions=[end, start])
        return exp.Sub(this=end, expression=start)


_OPERATORS: dict[str, type[exp.Binary]] = {
    "lt": exp.LT,
    "lte": exp.LTE,
    "eq": exp.EQ,
    "!eq": exp.NEQ,
    "gt": exp.GT,
    "gte": exp.GTE,
}
