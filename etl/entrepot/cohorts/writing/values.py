"""What an attribute must be: numbers and days by the same words."""

from __future__ import annotations

import datetime as dt

from entrepot.cohorts.definition import DateRange, NumericRange, TextFilter
from entrepot.cohorts.definition.values import RangeOp

Bound = int | float | dt.date
Range = NumericRange | DateRange


def at_least(value: Bound) -> Range:
    """This or more; this day or later."""
    return _range("gte", value)


def at_most(value: Bound) -> Range:
    """This or less; this day or before."""
    return _range("lte", value)


def above(value: Bound) -> Range:
    """More; a later day."""
    return _range("gt", value)


def below(value: Bound) -> Range:
    """Less; an earlier day."""
    return _range("lt", value)


def equal_to(value: Bound) -> Range:
    """Exactly this."""
    return _range("eq", value)


def between(low: Bound, high: Bound) -> Range:
    """From `low` to `high`, both included."""
    return _range("bt", low, high)


def outside(low: Bound, high: Bound) -> Range:
    """Neither `low` nor `high` nor what lies between."""
    return _range("!bt", low, high)


def containing(text: str) -> TextFilter:
    """A text that holds this one; `%` and `_` are wildcards."""
    return TextFilter(text, "contains")


def starting_with(text: str) -> TextFilter:
    """A text that begins with this one; `%` and `_` are wildcards."""
    return TextFilter(text, "startsWith")


def _range(op: RangeOp, value: Bound, extent: Bound | None = None) -> Range:
    """Days and numbers do not mix.

    Raises:
        TypeError: one bound is a day and the other a number.
    """
    if isinstance(value, dt.date):
        if extent is not None and not isinstance(extent, dt.date):
            raise TypeError("between a day and a number")
        return DateRange(value, op, extent)
    if isinstance(extent, dt.date):
        raise TypeError("between a number and a day")
    return NumericRange(value, op, extent)
