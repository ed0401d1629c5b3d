"""Section 7: what could still identify somebody: leaks at the door, rare combinations, WP216.

The three questions are those of the Article 29 group's opinion 05/2014 (WP216) on anonymisation.
The warehouse is pseudonymous: the answers are figures, not a claim that it is anonymous.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from entrepot.door.tables import derivation
from entrepot.landing.tables import record
from entrepot.report.dpo.alike import Level, levels
from entrepot.report.dpo.disclosure import Cell, rounded
from entrepot.report.dpo.evidence import Evidence

LEAK = "residual_identifier"
SCANS = ("nir", "email", "phone", "long_number")


@dataclass(frozen=True)
class GateScan:
    """One pattern that the gate looks for in every text column of the release.

    Args:
        columns: text columns looked at.
        remaining: rows with a match in the published release, rounded; expected 0.
    """

    check: str
    columns: int
    remaining: int | str


@dataclass(frozen=True)
class Risk:
    """Section 7.

    Args:
        leaks: records that the scan at the door held back, with those of the last load.
        by_source: the same, by source.
        same_stays: persons whose days of admission, all together, nobody else has.
    """

    leaks: Cell
    leaks_load: Cell
    by_source: dict[str, Cell]
    scans: tuple[GateScan, ...]
    persons: Cell
    levels: tuple[Level, ...]
    with_stay: Cell
    same_stays: Cell


def risk(evidence: Evidence) -> Risk:
    """Aggregates of the ledger and of the release."""
    disclosure = evidence.disclosure
    found = _leaks(evidence)
    by_source = {name: disclosure.count(all_) for name, (all_, _) in sorted(found.items())}
    leaks = disclosure.sum(list(by_source.values()), ("quarantined", LEAK))
    leaks_load = disclosure.load(sum(load for _, load in found.values()), leaks)
    known = levels(evidence)
    persons = disclosure.count(evidence.number("SELECT count(*) FROM cdm.person"), "published")
    with_stay = disclosure.count(
        evidence.number("SELECT count(*) FROM risk_person WHERE days IS NOT NULL")
    )
    alone = disclosure.count(
        evidence.number(
            "SELECT count(*) FROM (SELECT days FROM risk_person WHERE days IS NOT NULL"
            " GROUP BY days HAVING count(*) = 1)"
        )
    )
    for part, total in ((with_stay, persons), (alone, with_stay)):
        disclosure.within(part, total)
    return Risk(
        leaks, leaks_load, by_source, tuple(_scans(evidence)), persons,
        known, with_stay, alone,
    )  # fmt: skip


def _leaks(evidence: Evidence) -> dict[str, tuple[int, int]]:
    """Source -> records held back in all, and by the last load."""
    span = evidence.generations
    query = (
        select(record.c.source, func.count())
        .join(derivation, derivation.c.record_id == record.c.record_id)
        .where(
            derivation.c.disposition == "quarantined",
            derivation.c.reason == LEAK,
            derivation.c.generation.between(span.start, span.stop - 1),
        )
        .group_by(record.c.source)
    )
    lately = {source: int(count) for source, count in evidence.zone.execute(query)}
    return {
        source: (count, min(count, lately.get(source, 0)))
        for (source, reason), count in evidence.counted.quarantined.items()
        if reason == LEAK
    }


def _scans(evidence: Evidence) -> list[GateScan]:
    found = []
    for check in SCANS:
        rows = evidence.rows(
            "SELECT count(*), coalesce(sum(remaining), 0) FROM etl.metric"
            f" WHERE check_id LIKE '{check}.%'"
        )
        if rows:
            found.append(GateScan(check, int(rows[0][0]), rounded(int(rows[0][1]))))
    return found
