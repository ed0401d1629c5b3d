"""Section 7: what could still identify somebody: leaks at the door, rare combinations, WP216.

The three questions are those of the Article 29 group's opinion 05/2014 (WP216) on anonymisation.
The warehouse is pseudonymous: the answers are figures, not a claim that it is anonymous.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from entrepot.door.tables import derivation
from entrepot.landing.tables import record
from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence

# Classes of persons alike, by their size.
BANDS: dict[str, tuple[int, int]] = {
    "1": (1, 1), "2-4": (2, 4), "5-10": (5, 10), "11-50": (11, 50), "51+": (51, 1 << 62),
}  # fmt: skip
# What somebody may know of a person, from little to much.
LEVELS: dict[str, tuple[str, ...]] = {
    "sex_year": ("sex", "birth_year"),
    "sex_month": ("sex", "birth_year", "birth_month"),
    "sex_year_home": ("sex", "birth_year", "home"),
    "sex_month_home": ("sex", "birth_year", "birth_month", "home"),
    "sex_month_home_stay": ("sex", "birth_year", "birth_month", "home", "first_stay"),
}
_CLASS_OF_INFERENCE = ("sex", "birth_year", "home")
LEAK = "residual_identifier"
SCANS = ("nir", "email", "phone", "long_number")

_QUASI = """
CREATE OR REPLACE TEMP TABLE dpo_person AS
SELECT p.person_id, p.gender_concept_id AS sex, p.year_of_birth AS birth_year,
  p.month_of_birth AS birth_month, l.county AS home, v.first_stay, v.stays
FROM cdm.person p
LEFT JOIN cdm.location l ON l.location_id = p.location_id
LEFT JOIN (
  SELECT person_id, date_trunc('month', min(visit_start_date)) AS first_stay,
    list(visit_start_date ORDER BY visit_start_date) AS stays
  FROM cdm.visit_occurrence GROUP BY person_id
) v ON v.person_id = p.person_id
"""
_SIZES = "SELECT size, sum(size) FROM (SELECT count(*) AS size FROM dpo_person GROUP BY {0})"
# All members of a class, two at least, bear one same diagnosis: to know the class is to know it.
_SAME = """
SELECT coalesce(sum(size), 0) FROM (
  SELECT DISTINCT k.class, k.size
  FROM (SELECT ({0}) AS class, count(*) AS size FROM dpo_person GROUP BY {0}) k
  JOIN (SELECT ({0}) AS class, c.condition_concept_id, count(DISTINCT person_id) AS bearers
        FROM dpo_person JOIN cdm.condition_occurrence c USING (person_id)
        WHERE c.condition_concept_id <> 0 GROUP BY ALL) d
    ON d.class IS NOT DISTINCT FROM k.class AND d.bearers = k.size
  WHERE k.size > 1
)
"""


@dataclass(frozen=True)
class Level:
    """Persons by the size of the class that they share what is known with."""

    name: str
    attributes: tuple[str, ...]
    bands: dict[str, Cell]


@dataclass(frozen=True)
class GateScan:
    """One pattern that the gate looks for in every text column of the release.

    Args:
        columns: text columns looked at.
        remaining: rows with a match in the published release; expected 0.
    """

    check: str
    columns: int
    remaining: int


@dataclass(frozen=True)
class Risk:
    """Section 7.

    Args:
        leaks: records that the scan at the door held back, with those of the last load.
        by_source: the same, by source.
        same_stays: persons whose days of admission, all together, nobody else has.
        same_diagnosis: persons of classes (sex, year, home) that all bear one same diagnosis.
    """

    leaks: Cell
    leaks_load: Cell
    by_source: dict[str, Cell]
    scans: tuple[GateScan, ...]
    persons: Cell
    levels: tuple[Level, ...]
    with_stay: Cell
    same_stays: Cell
    same_diagnosis: Cell


def risk(evidence: Evidence) -> Risk:
    """Aggregates of the ledger and of the release."""
    disclosure = evidence.disclosure
    found = _leaks(evidence)
    by_source = {name: disclosure.count(all_) for name, (all_, _) in sorted(found.items())}
    leaks = disclosure.sum(list(by_source.values()), ("quarantined", LEAK))
    leaks_load = disclosure.part(sum(load for _, load in found.values()), leaks)
    evidence.rows(_QUASI)
    persons = disclosure.count(evidence.number("SELECT count(*) FROM cdm.person"), "published")
    with_stay = disclosure.count(
        evidence.number("SELECT count(*) FROM dpo_person WHERE stays IS NOT NULL")
    )
    alone = disclosure.count(
        evidence.number(
            "SELECT count(*) FROM (SELECT stays FROM dpo_person WHERE stays IS NOT NULL"
            " GROUP BY stays HAVING count(*) = 1)"
        )
    )
    same = disclosure.count(evidence.number(_SAME.format(", ".join(_CLASS_OF_INFERENCE))))
    for part, total in ((with_stay, persons), (alone, with_stay), (same, persons)):
        disclosure.within(part, total)
    return Risk(
        leaks, leaks_load, by_source, tuple(_scans(evidence)), persons,
        tuple(_level(evidence, name) for name in LEVELS), with_stay, alone, same,
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
            found.append(GateScan(check, int(rows[0][0]), int(rows[0][1])))
    return found


def _level(evidence: Evidence, name: str) -> Level:
    """In each level the bands add up to all persons."""
    disclosure, attributes = evidence.disclosure, LEVELS[name]
    sizes = evidence.rows(_SIZES.format(", ".join(attributes)) + " GROUP BY size")
    bands = {
        band: disclosure.count(sum(int(persons) for size, persons in sizes if low <= size <= high))
        for band, (low, high) in BANDS.items()
    }
    if evidence.release is not None:
        disclosure.sum(list(bands.values()), "published")
    return Level(name, attributes, bands)
