"""A small CDM as plain rows, drawn at random: the ground on which every analysis is counted again.

What the tests expect is counted over these rows by loops, not by SQL.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

DIABETES, STROKE, ASTHMA, METFORMIN, CREATININE = 101, 102, 103, 201, 301
PARENT = 100  # of diabetes
FIRST = dt.date(2018, 1, 1)
CODES = ("MCO", "URG", "SMR", "own code", None)
TABLES = {
    "person": "person_id BIGINT, gender_concept_id BIGINT, year_of_birth BIGINT",
    "observation_period": "observation_period_id BIGINT, person_id BIGINT,"
    " observation_period_start_date DATE, observation_period_end_date DATE",
    "condition_occurrence": "condition_occurrence_id BIGINT, person_id BIGINT,"
    " condition_concept_id BIGINT, condition_start_date DATE, condition_end_date DATE,"
    " visit_occurrence_id BIGINT",
    "drug_exposure": "drug_exposure_id BIGINT, person_id BIGINT, drug_concept_id BIGINT,"
    " drug_exposure_start_date DATE",
    "measurement": "measurement_id BIGINT, person_id BIGINT, measurement_concept_id BIGINT,"
    " measurement_date DATE",
    "visit_occurrence": "visit_occurrence_id BIGINT, person_id BIGINT, visit_start_date DATE,"
    " visit_end_date DATE, care_site_id BIGINT",
    "care_site": "care_site_id BIGINT, place_of_service_concept_id BIGINT,"
    " place_of_service_source_value VARCHAR",
    "concept": "concept_id BIGINT, invalid_reason VARCHAR",
    "concept_ancestor": "ancestor_concept_id BIGINT, descendant_concept_id BIGINT",
}


@dataclass
class Patient:
    """One person; events are (concept_id, day)."""

    person_id: int
    gender: int
    born: int
    observed: tuple[dt.date, dt.date]
    conditions: list[tuple[int, dt.date]] = field(default_factory=list)
    drugs: list[tuple[int, dt.date]] = field(default_factory=list)
    measurements: list[tuple[int, dt.date]] = field(default_factory=list)
    visits: list[tuple[int, dt.date, dt.date, int]] = field(default_factory=list)

    def entries(self, concept: int) -> list[dt.date]:
        """Days of a condition, the first first."""
        return sorted(day for one, day in self.conditions if one == concept)


def draw(persons: int, seed: int, start: int = 0) -> list[Patient]:
    """A hospital."""
    rng = random.Random(seed)
    return [_patient(rng, start + number + 1) for number in range(persons)]


def _patient(rng: random.Random, number: int) -> Patient:
    begins = FIRST + dt.timedelta(days=rng.randrange(900))
    ends = begins + dt.timedelta(days=rng.randrange(200, 1500))
    gender = rng.choices((8507, 8532, 0), (48, 48, 4))[0]
    one = Patient(number, gender, rng.randrange(1925, 2005), (begins, ends))

    def day() -> dt.date:
        return begins + dt.timedelta(days=rng.randrange((ends - begins).days + 1))

    for concept, chance in ((DIABETES, 0.5), (ASTHMA, 0.5), (STROKE, 0.35)):
        while rng.random() < chance:
            one.conditions.append((concept, day()))
    one.drugs += [(METFORMIN, day()) for _ in range(rng.choice((0, 0, 1, 2)))]
    one.measurements += [(CREATININE, day()) for _ in range(rng.choice((0, 1, 1, 3)))]
    for entry in [days[0] for code in (DIABETES, ASTHMA) if (days := one.entries(code))]:
        # On the edges of windows and of follow-up, where drawn days seldom fall.
        edge = entry - dt.timedelta(days=rng.choice((-1, 0, 30, 31, 365, 366)))
        one.drugs.append((METFORMIN, edge))
        if rng.random() < 0.2:
            one.conditions.append((STROKE, max(edge, begins)))
    for entry in one.entries(DIABETES)[:1]:
        if rng.random() < 0.8:
            begin = entry - dt.timedelta(days=rng.randrange(3))
            visit = (number * 10, begin, begin + dt.timedelta(days=rng.randrange(2, 9)))
            one.visits.append((*visit, rng.randrange(len(CODES)) + 1))
        if rng.random() < 0.4:
            begin = entry - dt.timedelta(days=rng.randrange(3))
            later = (number * 10 + 1, begin, begin + dt.timedelta(days=rng.randrange(3)))
            one.visits.append((*later, rng.randrange(len(CODES)) + 1))
    return one


def rows_of(patients: Sequence[Patient]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows by table, in the order of `TABLES`' columns."""
    found: dict[str, list[tuple[Any, ...]]] = {table: [] for table in TABLES}
    for one in patients:
        found["person"].append((one.person_id, one.gender, one.born))
        found["observation_period"].append((one.person_id, one.person_id, *one.observed))
        for table, events, rest in (
            ("condition_occurrence", one.conditions, (None, None)),
            ("drug_exposure", one.drugs, ()),
            ("measurement", one.measurements, ()),
        ):
            first = len(found[table])
            found[table] += [
                (first + n, one.person_id, *event, *rest) for n, event in enumerate(events)
            ]
        found["visit_occurrence"] += [(v[0], one.person_id, *v[1:]) for v in one.visits]
    found["care_site"] = [(number + 1, 0, code) for number, code in enumerate(CODES)]
    found["concept"] = [(code, None) for code in (PARENT, DIABETES, STROKE, ASTHMA)]
    found["concept_ancestor"] = [(PARENT, PARENT), (PARENT, DIABETES), (METFORMIN, METFORMIN)]
    return found


def cohort(concept: int) -> str:
    """A cohort by hand: from each event to the end of the observation period."""
    return f"""SELECT c.person_id AS subject_id, c.condition_start_date AS cohort_start_date,
        p.observation_period_end_date AS cohort_end_date
      FROM cdm.condition_occurrence c
      JOIN cdm.observation_period p ON p.person_id = c.person_id
      WHERE c.condition_concept_id = {concept}"""


COHORTS = {"diabetes": cohort(DIABETES), "asthma": cohort(ASTHMA), "stroke": cohort(STROKE)}


@dataclass(frozen=True)
class Line:
    """One person's days at risk, from day 1, and whether the outcome came on the last one."""

    days: int
    event: bool


def lines(patients: list[Patient], horizon: int, *, keep_prior: bool = False) -> list[Line]:
    found = []
    for one in patients:
        entries, strokes = one.entries(DIABETES), one.entries(STROKE)
        if not entries:
            continue
        entry = entries[0]
        if not keep_prior and any(day <= entry for day in strokes):
            continue
        last = min((one.observed[1] - entry).days, horizon)
        after = [(day - entry).days for day in strokes if day > entry]
        event = bool(after) and after[0] <= last
        found.append(Line(after[0] if event else last, event))
    return found


class DuckCdm:
    """Rows in a DuckDB in memory."""

    dialect = "duckdb"

    def __init__(self, patients: Sequence[Patient]) -> None:
        import duckdb
        import pyarrow as pa

        self._connection = duckdb.connect()
        self._connection.execute("CREATE SCHEMA cdm")
        for table, rows in rows_of(patients).items():
            self._connection.execute(f"CREATE TABLE cdm.{table} ({TABLES[table]})")
            columns = [pa.array(column) for column in zip(*rows, strict=True)]
            given = pa.table(columns, names=[f"c{n}" for n in range(len(columns))])
            self._connection.register("given", given)
            self._connection.execute(f"INSERT INTO cdm.{table} FROM given")

    def rows(self, sql: str, dialect: str = "duckdb") -> list[tuple[Any, ...]]:
        assert dialect == self.dialect
        return self._connection.execute(sql).fetchall()


class PostgresCdm:
    """Rows on a server; the connection can only read."""

    dialect = "postgres"

    def __init__(self, url: str) -> None:
        self._url = url

    def rows(self, sql: str, dialect: str = "duckdb") -> list[tuple[Any, ...]]:
        import psycopg

        assert dialect == self.dialect
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.read_only = True
            return connection.execute(sql.encode()).fetchall()


@contextmanager
def postgres_cdm(url: str, patients: Sequence[Patient]) -> Iterator[PostgresCdm]:
    """Fills schema `cdm` of a server, and empties it again."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS cdm CASCADE")
        connection.execute("CREATE SCHEMA cdm")
        for table, rows in rows_of(patients).items():
            connection.execute(f"CREATE TABLE cdm.{table} ({TABLES[table]})".encode())
            with connection.cursor().copy(f"COPY cdm.{table} FROM STDIN".encode()) as stream:
                for row in rows:
                    stream.write_row(row)
        yield PostgresCdm(url)
        connection.execute("DROP SCHEMA cdm CASCADE")
