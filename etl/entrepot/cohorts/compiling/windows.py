"""The window of a correlated criterion as the condition of a join."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from entrepot.cohorts.compiling.dialect_sql import Dates, column, every
from entrepot.cohorts.definition import CorrelatedCriteria, Endpoint, Window


def within(dates: Dates, asked: CorrelatedCriteria, index: str, event: str) -> exp.Expression:
    """The same person's event lies in the windows around the index event.

    Args:
        index: alias of the index events, with `op_start_date` and `op_end_date`.
        event: alias of the correlated events.
    """
    observed = not asked.ignore_observation_period
    found = [_same("person_id", index, event)]
    start = column(f"{event}.start_date")
    if observed:
        found.append(exp.GTE(this=start, expression=column(f"{index}.op_start_date")))
        found.append(exp.LTE(this=start.copy(), expression=column(f"{index}.op_end_date")))
    # Without a word on it a start window looks at the event's start, an end window at its end.
    ends = [(asked.start_window, bool(asked.start_window.use_event_end))]
    if asked.end_window is not None:
        ends.append((asked.end_window, asked.end_window.use_event_end is not False))
    for window, by_end in ends:
        told = f"{event}.{'end' if by_end else 'start'}_date"
        found.extend(_bounds(dates, window, told, index, observed))
    if asked.restrict_visit:
        found.append(_same("visit_occurrence_id", index, event))
    return every(*found)


def _same(name: str, index: str, event: str) -> exp.Expression:
    return exp.EQ(this=column(f"{event}.{name}"), expression=column(f"{index}.{name}"))


def _bounds(
    dates: Dates, window: Window, told: str, index: str, observed: bool
) -> Iterator[exp.Expression]:
    anchor = f"{index}.{'end' if window.use_index_end else 'start'}_date"
    for side, operator in ((window.start, exp.GTE), (window.end, exp.LTE)):
        bound = _edge(dates, side, anchor, index, observed)
        if bound is not None:
            yield operator(this=column(told), expression=bound)


def _edge(
    dates: Dates, side: Endpoint, anchor: str, index: str, observed: bool
) -> exp.Expression | None:
    """So many days from the anchor, else the observation's edge if that counts."""
    if side.days is not None:
        return dates.plus(column(anchor), side.coeff * side.days)
    if not observed:
        return None
    return column(f"{index}.op_{'start' if side.coeff == -1 else 'end'}_date")
