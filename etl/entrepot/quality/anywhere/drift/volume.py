"""How much there is: rows per person, feeds that stopped, dates that went back, texts cut short."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

from entrepot.quality.anywhere.drift.pair import Pair, finding
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.settings import Drift
from entrepot.quality.database import Database, QueryError, Row
from entrepot.quality.spread import EVENT_TABLES

_START = {"death": "death_date", "note": "note_date", "measurement": "measurement_date",
          "observation": "observation_date", "procedure_occurrence": "procedure_date",
          "specimen": "specimen_date"}  # fmt: skip
_DERIVED = ("observation_period", "condition_era", "drug_era", "dose_era")
_GAPS = 10
"""A last date may lie so many mean gaps between persons before the former one: e^-10 by chance."""


def volume_findings(pair: Pair, limits: Drift) -> Iterator[Finding]:
    """Every comparison of amounts that both can answer."""
    for table in (*EVENT_TABLES, *_DERIVED):
        if pair.has(table, "person_id"):
            yield from _volume(pair, limits, table)
    yield from _emptied(pair, limits)
    yield from _dates(pair, limits)
    yield from _shorter(pair, limits)


def _volume(pair: Pair, limits: Drift, table: str) -> Iterator[Finding]:
    both = pair.both(
        "SELECT coalesce(sum(n), 0), coalesce(sum(n * n), 0) FROM (SELECT person_id,"
        f" CAST(count(*) AS DOUBLE) AS n FROM cdm.{table} GROUP BY person_id) q"
    )
    if both is None:
        return
    (new, new_error), (old, old_error) = (
        _mean(float(rows[0][0]), float(rows[0][1]), n)
        for rows, n in zip(both, pair.persons, strict=True)
    )
    if not old:
        return
    change, error = 100 * (new - old) / old, math.hypot(new_error, old_error)
    limit = limits.volume
    failed = (change < -limit.fall or change > limit.rise) and (
        abs(new - old) > limit.errors * error
    )
    yield finding(
        "volume", limit, table, "", (abs(new - old) * pair.persons[0], new * pair.persons[0]),
        failed, f"{new:.2f} rows per person, {old:.2f} before",
    )  # fmt: skip


def _emptied(pair: Pair, limits: Drift) -> Iterator[Finding]:
    """Tables that had rows and have none, or are not there any more.

    Where fewer persons are left, so many rows may be gone with the others.
    """
    still, former = (max(n, 1) for n in pair.persons)
    for table in pair.cdm:
        new, old = (
            _rows_of(one, table.name) if table.name in columns else 0
            for one, columns in zip((pair.candidate, pair.baseline), pair.columns, strict=True)
        )
        if new is None or not old:
            continue
        failed = not new and old * min(still / former, 1) > limits.emptied.rows
        yield finding("emptied", limits.emptied, table.name, "", (old - new, old), failed,
                      f"{new} rows, {old} before")  # fmt: skip


def _rows_of(database: Database, table: str) -> int | None:
    try:
        return int(database.rows(f"SELECT count(*) FROM cdm.{table}")[0][0])
    except QueryError:
        return None


def _dates(pair: Pair, limits: Drift) -> Iterator[Finding]:
    last: dict[str, tuple[dt.date, dt.date, int]] = {}
    for table in (*EVENT_TABLES, "death"):
        field = start_field(table)
        if not pair.has(table, field):
            continue
        day = calendar_day(field)
        both = pair.both(f"SELECT max({day}), count(*), min({day}) FROM cdm.{table}")
        if both is None or both[0][0][0] is None or both[1][0][0] is None:
            continue
        last[table] = (both[0][0][0], both[1][0][0], int(both[1][0][1]))
        gaps = _GAPS * (both[1][0][0] - both[1][0][2]).days / min(*pair.persons)
        late = max(limits.late.get(table, 0), gaps)
        yield _older(limits, (table, field), *last[table], late)
    if "visit_occurrence" in last:
        new, old, _ = last["visit_occurrence"]
        yield from _lost_feed(pair, limits, old, new)


def _older(
    limits: Drift, place: tuple[str, str], new: dt.date, old: dt.date, rows: int, late: float
) -> Finding:
    limit, days = limits.older, (old - new).days
    failed = days > max(limit.days, late) and rows >= limit.rows
    counts = (float(max(days, 0)), float(rows))
    return finding("older", limit, *place, counts, failed, f"{max(days, 0)} days")


def _lost_feed(pair: Pair, limits: Drift, known: dt.date, last: dt.date) -> Iterator[Finding]:
    """Events per visit after `known`, against the year before it; late ones are waited for."""
    limit, year = limits.lost_feed, known - dt.timedelta(days=365)
    for table in EVENT_TABLES:
        if table.startswith("visit_") or not pair.has(table, start_field(table)):
            continue
        since = known, last - dt.timedelta(days=limits.late.get(table, 0))
        visits = _counts(pair, "visit_occurrence", year, since)
        events = _counts(pair, table, year, since)
        if visits is None or events is None or min(*visits, events[1]) < limit.visits:
            continue
        share = 100 * (events[0] / visits[0]) / (events[1] / visits[1])
        yield finding(
            "lost_feed", limit, table, "", (float(events[0]), float(visits[0])),
            share < limit.share, f"{share:.0f} % of the rate per visit of the year before",
        )  # fmt: skip


def _counts(
    pair: Pair, table: str, year: dt.date, since: tuple[dt.date, dt.date]
) -> tuple[int, int] | None:
    """Rows of the candidate within `since`, and of the baseline in the year before it."""
    field, (known, last) = f"CAST({start_field(table)} AS DATE)", since
    try:
        new = pair.candidate.rows(
            f"SELECT count(*) FROM cdm.{table} WHERE {field} > DATE '{known}'"
            f" AND {field} <= DATE '{last}'"
        )
        old = pair.baseline.rows(
            f"SELECT count(*) FROM cdm.{table} WHERE {field} > DATE '{year}'"
            f" AND {field} <= DATE '{known}'"
        )
    except QueryError:
        return None
    return int(new[0][0]), int(old[0][0])


def _shorter(pair: Pair, limits: Drift) -> Iterator[Finding]:
    if not pair.has("note", "note_text"):
        return
    both = pair.both("SELECT length(note_text), count(*) FROM cdm.note"
                     " WHERE note_text IS NOT NULL GROUP BY 1 ORDER BY 1")  # fmt: skip
    if both is None or not both[0] or not both[1]:
        return
    limit = limits.shorter
    rows = [sum(int(n) for _, n in lines) for lines in both]
    low = _short(both[1], rows[1])
    shares = [100 * sum(int(n) for size, n in lines if size < low) / total
              for lines, total in zip(both, rows, strict=True)]  # fmt: skip
    failed = min(rows) >= limit.rows and shares[0] - shares[1] > limit.points
    reason = f"{shares[0]:.1f} % shorter than {low} characters, {shares[1]:.1f} % before"
    counts = (shares[0] * rows[0] / 100, float(rows[0]))
    yield finding("shorter", limit, "note", "note_text", counts, failed, reason)


def _short(lines: list[Row], rows: int) -> int:
    """The length that one text in fifty does not reach."""
    below = 0
    for size, n in lines:
        below += int(n)
        if below * 50 > rows:
            return int(size)
    return 0


def calendar_day(field: str) -> str:
    """The day of a field, NULL for a year that is none: drivers give such days back as text."""
    day = f"CAST({field} AS DATE)"
    return f"CASE WHEN {day} BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN {day} END"


def start_field(table: str) -> str:
    """The date by which an event of `table` is placed in time."""
    return _START.get(table, f"{table.removesuffix('_occurrence')}_start_date")


def _mean(total: float, squares: float, n: int) -> tuple[float, float]:
    """Mean over `n` persons and its standard error."""
    mean = total / n
    return mean, math.sqrt(max(squares / n - mean * mean, 0.0) / n)
