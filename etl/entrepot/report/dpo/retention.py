"""Section 12: how long data are kept, what was purged, and when the next term comes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from entrepot.audit import Action, Entry
from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence

COMING = 5  # years shown


@dataclass(frozen=True)
class Purge:
    """One purge that ended, as the audit log tells it."""

    on: str
    by: str
    before: str
    persons: Cell
    records: Cell
    backups: int


@dataclass(frozen=True)
class Retention:
    """Section 12.

    Args:
        due: persons whose last record was stated before the term: the next purge takes them.
        coming: year -> persons who reach their term in it.
    """

    years: int
    logs_days: int
    access_days: int
    backups_days: int
    due: Cell
    coming: dict[str, Cell]
    purges: tuple[Purge, ...]


def retention(evidence: Evidence) -> Retention:
    """Terms of the site against the release."""
    stated, count = evidence.site.config.retention, evidence.disclosure.count
    today = evidence.now.astimezone(evidence.site.zone).date()
    term = dt.datetime.combine(_years_before(today, stated.years), dt.time())
    last = _last_stated(evidence)
    ends = Counter(moment.year + stated.years for moment in last if moment >= term)
    due = count(sum(moment < term for moment in last))
    return Retention(
        stated.years, stated.logs_days, stated.access_days,
        stated.backups.keep_days if stated.backups else -1,
        due,
        {str(year): count(ends[year]) for year in range(today.year, today.year + COMING)},
        tuple(_purge(evidence, entry) for entry in evidence.entries
              if entry.action == Action.RETENTION_PURGED and entry.facts.get("proof")),
    )  # fmt: skip


def _last_stated(evidence: Evidence) -> list[dt.datetime]:
    """When the last record of each person was stated: what the purge goes by."""
    last: dict[bytes, dt.datetime] = {}
    for row, root in evidence.snapshot.attributed():
        if row.stated_at is not None:
            last[root] = max(row.stated_at, last.get(root, row.stated_at))
    return list(last.values())


def _years_before(day: dt.date, years: int) -> dt.date:
    """The 29 February ends a day early."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _purge(evidence: Evidence, entry: Entry) -> Purge:
    stated: dict[str, Any] = dict(entry.facts)
    count = evidence.disclosure.count
    return Purge(
        entry.at[:10], str(stated.get("by") or entry.account), str(stated.get("before") or "")[:10],
        count(int(stated.get("persons") or 0)), count(int(stated.get("records") or 0)),
        int(stated.get("backups") or 0),
    )  # fmt: skip
