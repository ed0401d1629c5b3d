"""What somebody tries who holds a study space, every date of the site's runs and public files.

Each attack says, for every person of the space, which shifts of 9 to 60 weeks (the design's own
numbers are public) it cannot exclude. A set of one is a success.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
from studies import rows
from study_core import AS_OF, DATA_START, holidays

WEEKS = frozenset(range(9, 61))
Possible = dict[int, set[int]]  # person of the space -> weeks that stay possible
_ALL_DATES = """
SELECT person_id, visit_start_date FROM cdm.visit_occurrence
UNION ALL SELECT person_id, visit_end_date FROM cdm.visit_occurrence
UNION ALL SELECT person_id, condition_start_date FROM cdm.condition_occurrence
UNION ALL SELECT person_id, condition_era_end_date FROM cdm.condition_era
UNION ALL SELECT person_id, measurement_date FROM cdm.measurement
UNION ALL SELECT person_id, note_date FROM cdm.note
UNION ALL SELECT person_id, death_date FROM cdm.death
"""
_WRITTEN = re.compile(r"(\d\d)/(\d\d)/(\d{4})")


def _moved(day: dt.date, weeks: int) -> dt.date:
    return day + dt.timedelta(weeks=weeks)


def _of_each(file: Path, sql: str) -> Mapping[int, list[tuple[object, ...]]]:
    found: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for person, *values in rows(file, sql):
        found[person].append(tuple(values))
    return found


def _left(file: Path, sql: str, can: Callable[[int, tuple[object, ...]], bool]) -> Possible:
    """Weeks that every row of a person allows."""
    return {
        person: {w for w in WEEKS if all(can(w, row) for row in told)}
        for person, told in _of_each(file, sql).items()
    }


def boundary_dates(file: Path) -> Possible:
    """Every true date lies between the first day of the data and the last run."""
    edges = (
        f"SELECT person_id, min(day), max(day) FROM ({_ALL_DATES}) t(person_id, day)"
        " WHERE day IS NOT NULL GROUP BY 1"
    )
    return {
        person: {w for w in WEEKS if _moved(first, w) >= DATA_START and _moved(last, w) <= AS_OF}
        for person, first, last in rows(file, edges)
    }


def period_ends(file: Path) -> Possible:
    """A period ends 60 days after the last event, or at `as_of`: one that ends earlier was cut
    there, and says how far `as_of` is."""
    found: Possible = {}
    ends = (
        "SELECT person_id, max(observation_period_end_date) FROM cdm.observation_period GROUP BY 1"
    )
    last = dict(
        rows(file, f"SELECT person_id, max(day) FROM ({_ALL_DATES}) t(person_id, day) GROUP BY 1")
    )
    for person, ((end,),) in _of_each(file, ends).items():
        cut = end - last[person] < dt.timedelta(days=60)  # type: ignore[operator]
        at_end = {w for w in WEEKS if _moved(end, w) == AS_OF}  # type: ignore[arg-type]
        found[person] = at_end if cut and at_end else set(WEEKS)
    return found


def open_stays(file: Path) -> Possible:
    """A stay that is open ends at `as_of`: one whose last day is nobody's weekday profile."""
    stays = "SELECT person_id, max(visit_end_date) FROM cdm.visit_occurrence GROUP BY 1"
    sixty = AS_OF - dt.timedelta(weeks=60)
    return {
        person: {60} if told[0][0] >= sixty else set(WEEKS)  # type: ignore[operator]
        for person, told in _of_each(file, stays).items()
    }


def working_days(file: Path) -> Possible:
    """Consultations fall neither on weekends nor on public holidays."""
    closed = set(holidays())
    planned = (
        "SELECT person_id, visit_start_date FROM cdm.visit_occurrence WHERE visit_concept_id = 9202"
    )
    return _left(
        file, planned,
        lambda w, row: (day := _moved(row[0], w)) not in closed and day.isoweekday() < 6,  # type: ignore[arg-type]
    )  # fmt: skip


def death_file(deaths_a_year: int) -> str:
    """SQL that draws a public file of deaths: sex, month of birth and day of death of everybody.

    Ages as people die in France, to the nearest decade (INSEE, bilan démographique); everybody
    who died in the warehouse is in it.
    """
    years, first = 8, DATA_START
    ages = "".join(
        f" WHEN u < {share} THEN {low} + v * {width}"
        for share, low, width in (
            (0.004, 0, 1), (0.0075, 1, 19), (0.012, 20, 10), (0.021, 30, 10), (0.042, 40, 10),
            (0.10, 50, 10), (0.226, 60, 10), (0.41, 70, 10), (0.75, 80, 10), (1.01, 90, 13),
        )
    )  # fmt: skip
    return f"""CREATE OR REPLACE TEMP TABLE public AS
      SELECT gender, day, CAST(date_trunc('month', day - CAST(365.25 * age AS INTEGER)) AS DATE)
        AS born
      FROM (SELECT gender, day, CASE{ages} END AS age FROM (
        SELECT CASE WHEN hash(i) % 2 = 0 THEN 8507 ELSE 8532 END AS gender,
          DATE '{first}' + CAST(hash(i + 1) % {(AS_OF - first).days} AS INTEGER) AS day,
          (hash(i + 2) % 100000) / 100000 AS u, (hash(i + 3) % 1000) / 1000 AS v
        FROM range(0, {deaths_a_year * years} * 10, 10) t(i)))
      UNION ALL
      SELECT gender_concept_id, death_date, CAST(birth_datetime AS DATE)
      FROM core.cdm.death d JOIN core.cdm.person p ON p.person_id = d.person_id"""


def public_deaths(connection: duckdb.DuckDBPyConnection, study: str) -> Possible:
    """The file joined by sex, day of death and birth, for each number of weeks.

    Of a great age the space only says that it is great.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE guess AS
        SELECT d.person_id, p.gender_concept_id AS gender, p.year_of_birth, p.month_of_birth, w,
          year(d.death_date) - p.year_of_birth >= 89 AS grouped,
          CAST(7 * w AS INTEGER) AS days, d.death_date + CAST(7 * w AS INTEGER) AS day
        FROM {study}.cdm.death d JOIN {study}.cdm.person p ON p.person_id = d.person_id
        CROSS JOIN range(9, 61) t(w)"""
    )
    told = connection.execute(
        """SELECT g.person_id, list(DISTINCT g.w)
        FROM guess g JOIN public f ON f.gender = g.gender AND f.day = g.day
        WHERE CASE WHEN g.grouped THEN year(f.born - g.days) <= g.year_of_birth
            ELSE year(f.born - g.days) = g.year_of_birth
              AND coalesce(g.month_of_birth = month(f.born - g.days), true) END
        GROUP BY 1"""
    ).fetchall()
    return {person: {int(week) for week in weeks} for person, weeks in told}


def mother_and_child(file: Path, before: Possible) -> Possible:
    """A pair shares its shift: what excludes a week for one excludes it for the other."""
    found = {person: set(weeks) for person, weeks in before.items()}
    links = "SELECT fact_id_1, fact_id_2 FROM cdm.fact_relationship"
    for one, other in sorted(rows(file, links)) * 2:
        both = found.get(one, set(WEEKS)) & found.get(other, set(WEEKS))
        found[one] = found[other] = both
    return found


def note_dates(file: Path) -> Possible:
    """A date that was left in a note as it is lies as many weeks after the stay it tells."""
    found: Possible = {}
    told = (
        "SELECT n.person_id, visit_start_date, visit_end_date, note_text FROM cdm.note n"
        " JOIN cdm.visit_occurrence v ON v.visit_occurrence_id = n.visit_occurrence_id"
    )
    for person, notes in _of_each(file, told).items():
        left = set(WEEKS)
        for first, last, text in notes:
            for day, month, year in _WRITTEN.findall(str(text)):
                written = dt.date(int(year), int(month), int(day))
                apart = {(written - edge).days for edge in (first, last)}  # type: ignore[operator]
                hit = {d // 7 for d in apart if d % 7 == 0 and d // 7 in WEEKS}
                left = left & hit if hit else left
        found[person] = left
    return found


def together(*found: Possible) -> Possible:
    """What no attack excludes."""
    persons = set().union(*found)
    return {p: set(WEEKS).intersection(*(one.get(p, WEEKS) for one in found)) for p in persons}


def narrowed(found: Possible) -> int:
    """Persons whose shift is down to one value."""
    return sum(len(weeks) == 1 for weeks in found.values())
