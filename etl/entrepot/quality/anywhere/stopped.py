"""Feeds that have stopped: visits go on, and events that belonged to them come no more.

Asked of one database alone. What share of visits had an event of the table (or of one measurement)
in the year before its last one tells how improbable it is that nobody's visits since then have any.
A person counts once on both sides: the few who come every week would decide otherwise.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass

from entrepot.quality.anywhere.counting import Columns
from entrepot.quality.anywhere.drift.volume import calendar_day, start_field
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.settings import Stopped
from entrepot.quality.checks import Action
from entrepot.quality.database import Database, QueryError
from entrepot.quality.spread import EVENT_TABLES

YEAR = dt.timedelta(days=365)
PARAMETERS = 200
"""Measurements asked for, the most frequent ones."""


@dataclass(frozen=True)
class _Feed:
    """Events of one kind: the last day; visits and persons of the year before it that have one."""

    name: str
    last: dt.date
    visits: int
    persons: int


def stopped_findings(database: Database, columns: Columns, limits: Stopped) -> Iterator[Finding]:
    """One finding per event table, one for all measurements; none without visits."""
    try:
        days = _visits(database)
    except QueryError:
        return
    if not days:
        return
    for table in EVENT_TABLES:
        field = start_field(table)
        needed = {field, "visit_occurrence_id", "person_id"}
        if table.startswith("visit_") or not needed <= set(columns.get(table, ())):
            continue
        wait = max(limits.days, limits.late.get(table, 0))
        yield _finding(limits, table, "", list(_stopped(
            _feeds(database, table, field, f"'{table}'"), days, wait, limits.log_odds
        )))  # fmt: skip
    if {"measurement_date", "visit_occurrence_id"} <= set(columns.get("measurement", ())):
        feeds = _feeds(database, "measurement", "measurement_date", "measurement_concept_id")
        wait = limits.parameter_days
        found = list(_stopped(feeds, days, wait, limits.log_odds))
        yield _finding(limits, "measurement", "measurement_concept_id", found)


def _visits(database: Database) -> list[tuple[dt.date, object]]:
    """Day and person of every visit."""
    return [
        (day, person) for day, person in database.rows(
            f"SELECT day, person_id FROM (SELECT {calendar_day('visit_start_date')} AS day,"
            " person_id FROM cdm.visit_occurrence) v WHERE day IS NOT NULL"
        )
    ]  # fmt: skip


def _feeds(database: Database, table: str, field: str, kind: str) -> list[_Feed]:
    """The year before the last event of each kind, counted in visits that have one."""
    day = calendar_day(field)
    try:
        rows = database.rows(
            f"SELECT e.kind, max(l.last), count(DISTINCT e.visit),"
            f" count(DISTINCT e.person) FROM (SELECT {kind} AS kind,"
            f" visit_occurrence_id AS visit, person_id AS person, {day} AS day FROM cdm.{table}) e"
            f" JOIN (SELECT {kind} AS kind, max({day}) AS last FROM cdm.{table} GROUP BY 1) l"
            " ON l.kind = e.kind WHERE e.day > l.last - INTERVAL 365 DAY"
            f" GROUP BY 1 ORDER BY 3 DESC LIMIT {PARAMETERS}"
        )
    except QueryError:
        return []
    return [_Feed(str(kind), last, int(n), int(people)) for kind, last, n, people in rows]


def _stopped(
    feeds: list[_Feed], days: list[tuple[dt.date, object]], wait: int, log_odds: float
) -> Iterator[tuple[_Feed, int]]:
    """Feeds whose silence is no chance, and the persons seen since their last event."""
    newest = max(day for day, _ in days)
    for feed in feeds:
        if (newest - feed.last).days <= wait:
            continue
        before = [person for day, person in days if feed.last - YEAR < day <= feed.last]
        since = {person for day, person in days if day > feed.last}
        if before:
            share = min(feed.visits / len(before), feed.persons / len(set(before)), 0.9)
            if -len(since) * math.log1p(-share) > log_odds:
                yield feed, len(since)


def _finding(limits: Stopped, table: str, field: str, found: list[tuple[_Feed, int]]) -> Finding:
    name = "_".join(part for part in ("entrepot_stopped", table, field) if part)
    kinds = ", ".join(feed.name for feed, _ in found[:10])
    told = f"{kinds}: no event since {found[0][0].last}" if found else ""
    return Finding(
        name, table, field, "completeness", "convention", Action(limits.action), len(found), 1, 0,
        bool(found), meaning_fr="Les séjours continuent sans ces événements : flux arrêté.",
        meaning_en="Visits go on without these events: a feed has stopped.", reason=told,
    )  # fmt: skip
