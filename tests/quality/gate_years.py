"""Two years of a small hospital: 150 persons, a glucose each fortnight, a ward that is always open.

All told by arithmetic, so that counts and quantiles can be worked out by hand: a person's value is
one of forty between 4.0 and 7.9, evenly spread; nothing changes with the season.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
from gate_hospital import warehouse

from entrepot.quality.inputs import Feed, GateInputs
from entrepot.quality.plan import Plan
from entrepot.quality.profile import comparable

BEFORE, NOW = dt.date(2024, 3, 31), dt.date(2024, 6, 30)
PERSONS = 150

_YEARS = """
INSERT INTO cdm.person BY NAME SELECT 100 + i AS person_id, 8532 AS gender_concept_id,
  1950 + i % 50 AS year_of_birth, 0 AS race_concept_id, 0 AS ethnicity_concept_id
  FROM range({persons}) r(i);
INSERT INTO cdm.measurement BY NAME SELECT 1000000 + i * 1000 + k AS measurement_id,
  100 + i AS person_id, 3004501 AS measurement_concept_id, CAST(DATE '2022-07-01' + INTERVAL 1 DAY
  * (k * 15 + i % 15) AS DATE) AS measurement_date, 32817 AS measurement_type_concept_id,
  4 + ((i * 7 + k * 11) % 40) / 10.0 AS value_as_number, 8753 AS unit_concept_id
  FROM range({persons}) r(i), range(60) s(k)
  WHERE DATE '2022-07-01' + INTERVAL 1 DAY * (k * 15 + i % 15) <= DATE '{until}';
INSERT INTO cdm.visit_detail BY NAME SELECT 2000000 + d AS visit_detail_id,
  100 + d % 50 AS person_id,
  9201 AS visit_detail_concept_id, CAST(DATE '2022-07-01' + INTERVAL 1 DAY * d AS DATE) AS
  visit_detail_start_date, 11 AS care_site_id
  FROM range(730) r(d) WHERE DATE '2022-07-01' + INTERVAL 1 DAY * d <= DATE '{until}';
INSERT INTO etl.lineage SELECT 'measurement', measurement_id, 'r' || measurement_id,
  'm' || measurement_id, 'source' FROM cdm.measurement WHERE measurement_id >= 1000000;
CREATE TABLE staging_event AS SELECT 'lab' AS source,
  CAST(measurement_date AS TIMESTAMP) AS stated_at,
  'result' AS category, CAST(measurement_date AS TIMESTAMP) AS start_at, 'r' || measurement_id AS
  record_key, 'm' || measurement_id AS row_key
  FROM cdm.measurement WHERE measurement_id >= 1000000;
INSERT INTO etl.concept_resolution SELECT 'LN', CAST(i AS VARCHAR), 0, 3004501 FROM range(100) r(i);
UPDATE cdm.cdm_source SET source_release_date = DATE '{until}';
"""


def years(until: dt.date) -> duckdb.DuckDBPyConnection:
    """The hospital as it stands on a day."""
    connection = warehouse()
    connection.execute(
        "DELETE FROM cdm.measurement; DELETE FROM cdm.visit_detail; DELETE FROM cdm.person"
    )
    connection.execute(_YEARS.format(persons=PERSONS, until=until))
    return connection


def lab(until: dt.date) -> Feed:
    """What the ledger of that day says: one record per result, each day since July 2022."""
    results = sum(
        1 for i in range(PERSONS) for k in range(60)
        if dt.date(2022, 7, 1) + dt.timedelta(k * 15 + i % 15) <= until
    )  # fmt: skip
    days = (until - dt.date(2022, 7, 1)).days + 1
    return Feed("lab", results, results, results, 0, days, until, 1)


def told(baseline: Path | None, *feeds: Feed) -> GateInputs:
    """What the gate is told of the candidate."""
    as_of = dt.datetime.combine(NOW, dt.time(12))
    return GateInputs(as_of, (), {}, baseline, feeds or (lab(NOW),))


def write_release(plan: Plan, path: Path) -> None:
    """The hospital of the end of March, as the gate of that day left it."""
    connection = years(BEFORE)
    with comparable(connection, plan.cdm, GateInputs(dt.datetime.combine(BEFORE, dt.time(12)))):
        pass
    connection.execute(f"ATTACH '{path}' AS release")
    connection.execute("COPY FROM DATABASE memory TO release; DETACH release")
    connection.close()
