"""A warehouse of a thousand persons, drawn in SQL straight into the CDM: no feed, no door.

Consultations fall on working days; stays are sometimes open at `AS_OF`; deliveries bring one child
or two; some diagnoses are known by year or month alone; four events stand on days on which the
clock was changed.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

from entrepot.config import CONFIG_NAME, Site
from entrepot.publish.ddl import ddl
from entrepot.publish.release import publish
from entrepot.site_files import create_site
from entrepot.staging.kinds import KINDS

AS_OF = dt.date(2026, 11, 20)
DATA_START = dt.date(2018, 1, 1)
PERSONS = 1_000
EXPORT = "2023-05-05 04:00:00"
CHILDREN = 60  # the last ones; every third is a twin of the one before
ROOT_KEY = "5a" * 32

# Public holidays of France in the years drawn (code du travail, art. L3133-1).
_FIXED = ("01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25")
_EASTER_MONDAYS = {
    2018: "04-02", 2019: "04-22", 2020: "04-13", 2021: "04-05", 2022: "04-18", 2023: "04-10",
    2024: "04-01", 2025: "04-21", 2026: "04-06",
}  # fmt: skip

CONCEPTS = """
  (0, 'No matching concept', 'Metadata', NULL), (56, 'Person', 'Metadata', NULL),
  (40478925, 'Mother of subject', 'Observation', 'S'),
  (40485452, 'Child of subject', 'Observation', 'S'),
  (8507, 'MALE', 'Gender', 'S'), (8532, 'FEMALE', 'Gender', 'S'),
  (9201, 'Inpatient Visit', 'Visit', 'S'), (9202, 'Outpatient Visit', 'Visit', 'S'),
  (201826, 'Type 2 diabetes mellitus', 'Condition', 'S'), (317009, 'Asthma', 'Condition', 'S'),
  (3004501, 'Glucose in blood', 'Measurement', 'S'), (8753, 'millimole per liter', 'Unit', 'S'),
  (706361, 'Discharge summary', 'Meas Value', 'S'), (32678, 'UTF-8', 'Metadata', 'S'),
  (4180190, 'French language', 'Language', 'S'), (756265, 'OMOP CDM 5.4.0', 'Metadata', 'S'),
  (32817, 'EHR', 'Type Concept', 'S')
"""

_DRAWN = """
CREATE MACRO draw(what, n) AS CAST(hash(what || '/' || n) >> 12 AS BIGINT);
CREATE MACRO key53(what, n) AS CAST(hash(what || ':' || n) >> 11 AS BIGINT);
CREATE MACRO key63(what, n) AS CAST(hash(what || ':' || n) >> 1 AS BIGINT);

CREATE TABLE open_day AS
SELECT row_number() OVER (ORDER BY day) - 1 AS i, day FROM (
  SELECT CAST(unnest(range(DATE '2018-06-01', DATE '2026-11-20', INTERVAL 1 DAY)) AS DATE) AS day
) WHERE isodow(day) < 6 AND day NOT IN (SELECT day FROM holiday);

CREATE TABLE drawn AS
SELECT n, key53('person', n) AS person_id,
  CASE WHEN n > {persons} - {children} THEN draw('sex', n) % 2
       WHEN n <= {children} THEN 1 ELSE draw('sex', n) % 2 END AS female,
  CASE WHEN n <= {children} THEN 1985 + draw('y', n) % 12
       ELSE 1931 + draw('y', n) % 72 END AS born_year, 1 + draw('m', n) % 12 AS born_month
FROM range(1, {persons} + 1) t(n);

-- The child is born on a working day, in the stay of its mother; a twin on its twin's day.
CREATE TABLE birth AS
SELECT c.n AS child, m.n AS mother, o.day
FROM (
  SELECT n, n - ({persons} - {children}) AS k FROM drawn WHERE n > {persons} - {children}
) c
JOIN drawn m ON m.n = c.k - CASE WHEN c.k % 3 = 0 THEN 1 ELSE 0 END
JOIN open_day o ON o.i = draw('birth', m.n) % 1500;
UPDATE drawn SET born_year = year(b.day), born_month = month(b.day)
FROM birth b WHERE b.child = drawn.n;

CREATE TABLE contact AS
SELECT d.n, d.person_id, k, d.n || '/' || k AS name, o.day AS first_day,
  CASE WHEN draw('in', d.n || '/' || k) % 4 = 0
       THEN least(o.day + CAST(draw('los', d.n || '/' || k) % 15 AS INTEGER), DATE '{as_of}')
       ELSE o.day END AS last_day,
  CASE WHEN draw('in', d.n || '/' || k) % 4 = 0 THEN 9201 ELSE 9202 END AS kind
FROM drawn d
CROSS JOIN range(0, 12) t(k)
JOIN open_day o ON o.i = draw('day', d.n || '/' || k) % (SELECT count(*) FROM open_day)
WHERE k < 2 + draw('visits', d.n) % 11
  AND (o.day >= make_date(d.born_year, d.born_month, 1) + 31);
INSERT INTO contact
SELECT d.n, d.person_id, 20, d.n || '/20', b.day, b.day + 4, 9201
FROM birth b JOIN drawn d ON d.n IN (b.child, b.mother) GROUP BY ALL;
-- A stay that is open ends at as_of.
INSERT INTO contact
SELECT n, person_id, 21, n || '/21', DATE '{as_of}' - CAST(3 + n % 40 AS INTEGER),
  DATE '{as_of}', 9201
FROM drawn WHERE n % 25 = 7;

CREATE TABLE dead AS
SELECT d.n, d.person_id, max(c.last_day) AS day FROM drawn d JOIN contact c ON c.n = d.n
WHERE d.n % 10 = 3 AND d.n NOT IN (SELECT n FROM contact WHERE k = 21) GROUP BY ALL;
"""

_TABLES = """
INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS concept_name,
  col2 AS domain_id, 'None' AS vocabulary_id, 'Any' AS concept_class_id,
  col3 AS standard_concept, CAST(col0 AS VARCHAR) AS concept_code,
  DATE '1970-01-01' AS valid_start_date, DATE '2099-12-31' AS valid_end_date
  FROM (VALUES {concepts});
INSERT INTO cdm.domain BY NAME SELECT DISTINCT domain_id, domain_id AS domain_name,
  0 AS domain_concept_id FROM cdm.concept;
INSERT INTO cdm.vocabulary BY NAME SELECT 'None' AS vocabulary_id, 'None' AS vocabulary_name,
  0 AS vocabulary_concept_id;
INSERT INTO cdm.concept_class BY NAME SELECT 'Any' AS concept_class_id,
  'Any' AS concept_class_name, 0 AS concept_class_concept_id;
INSERT INTO cdm.cdm_source BY NAME SELECT 'EDS' AS cdm_source_name, 'EDS' AS
  cdm_source_abbreviation, 'CHU' AS cdm_holder, DATE '{as_of}' AS source_release_date,
  DATE '{as_of}' AS cdm_release_date, 756265 AS cdm_version_concept_id, 'v5' AS vocabulary_version;
INSERT INTO cdm.location BY NAME SELECT 77 + k AS location_id, '3' || k AS county
  FROM range(0, 3) t(k);
INSERT INTO cdm.care_site BY NAME SELECT 500 + k AS care_site_id, 'Unité ' || k AS care_site_name
  FROM range(0, 60) t(k);
INSERT INTO cdm.provider BY NAME SELECT 900 + k AS provider_id FROM range(0, 20) t(k);
INSERT INTO cdm.person BY NAME SELECT person_id, CASE female WHEN 1 THEN 8532 ELSE 8507 END AS
  gender_concept_id, born_year AS year_of_birth, born_month AS month_of_birth,
  make_timestamp(born_year, born_month, 1, 0, 0, 0) AS birth_datetime, 0 AS race_concept_id,
  0 AS ethnicity_concept_id, 77 + n % 3 AS location_id, md5('key' || n) AS person_source_value
  FROM drawn;
-- Units 0 to 9 see everybody, each of the other fifty a handful.
INSERT INTO cdm.visit_occurrence BY NAME SELECT key53('visit', name) AS visit_occurrence_id,
  person_id, kind AS visit_concept_id, first_day AS visit_start_date,
  first_day + INTERVAL 1 HOUR * (8 + k % 9) + INTERVAL 1 MINUTE * (n % 60) AS visit_start_datetime,
  last_day AS visit_end_date, last_day + INTERVAL 18 HOUR AS visit_end_datetime,
  32817 AS visit_type_concept_id, 900 + n % 20 AS provider_id,
  CASE WHEN k = 3 AND n % 3 = 0 THEN 510 + n % 50 ELSE 500 + n % 10 END AS care_site_id,
  CASE kind WHEN 9201 THEN 'I' ELSE 'O' END AS visit_source_value,
  lag(key53('visit', name)) OVER (PARTITION BY person_id ORDER BY first_day, k)
    AS preceding_visit_occurrence_id
  FROM contact;
INSERT INTO cdm.measurement BY NAME SELECT key63('m', name) AS measurement_id, person_id,
  3004501 AS measurement_concept_id, first_day AS measurement_date,
  first_day + INTERVAL 9 HOUR + INTERVAL 1 SECOND * (n % 3600) AS measurement_datetime,
  32817 AS measurement_type_concept_id, 4 + (n % 60) / 10 AS value_as_number,
  8753 AS unit_concept_id, key53('visit', name) AS visit_occurrence_id,
  '2345-7' AS measurement_source_value FROM contact;
INSERT INTO cdm.condition_occurrence BY NAME SELECT key63('c', name) AS condition_occurrence_id,
  person_id, CASE n % 2 WHEN 0 THEN 201826 ELSE 317009 END AS condition_concept_id,
  CASE WHEN n % 5 = 0 AND k = 1 AND born_year < year(first_day) THEN date_trunc('year', first_day)
       WHEN n % 5 = 1 AND k = 1 THEN date_trunc('month', first_day) ELSE first_day END
    AS condition_start_date, 32817 AS condition_type_concept_id,
  key53('visit', name) AS visit_occurrence_id, 'E11.9' AS condition_source_value
  FROM contact JOIN drawn USING (n, person_id) WHERE k < 3 OR k >= 20;
INSERT INTO cdm.death BY NAME SELECT person_id, day AS death_date,
  day + INTERVAL 17 HOUR AS death_datetime, 32817 AS death_type_concept_id FROM dead;
INSERT INTO cdm.note BY NAME SELECT key63('n', name) AS note_id, person_id,
  last_day AS note_date, last_day + INTERVAL 17 HOUR AS note_datetime,
  32817 AS note_type_concept_id, 706361 AS note_class_concept_id, 'Compte rendu' AS note_title,
  'Hospitalisation du ' || strftime(first_day, '%d/%m/%Y') || ' au '
    || strftime(last_day, '%d/%m/%Y') || ' pour bilan.' AS note_text,
  32678 AS encoding_concept_id, 4180190 AS language_concept_id,
  key53('visit', name) AS visit_occurrence_id FROM contact WHERE kind = 9201;
-- Clocks changed in the night of the first three days: 2:30 is told there all the same.
INSERT INTO cdm.measurement BY NAME SELECT key63('dst', n) AS measurement_id, person_id,
  3004501 AS measurement_concept_id, CAST(moment AS DATE) AS measurement_date,
  moment AS measurement_datetime, 32817 AS measurement_type_concept_id, 5 AS value_as_number,
  8753 AS unit_concept_id FROM drawn
  JOIN (VALUES (1, TIMESTAMP '2024-10-27 02:30:00'), (2, TIMESTAMP '2024-03-31 02:30:00'),
    (3, TIMESTAMP '2025-03-30 03:30:00'), (4, TIMESTAMP '2024-02-29 23:59:59')) v(place, moment)
  ON place = n % 7 WHERE born_year < 2020 AND n NOT IN (SELECT n FROM dead);
-- An export without times of its own: everybody's row has that of the export.
INSERT INTO cdm.measurement BY NAME SELECT key63('export', n) AS measurement_id, person_id,
  3004501 AS measurement_concept_id, CAST(TIMESTAMP '{export}' AS DATE) AS measurement_date,
  TIMESTAMP '{export}' AS measurement_datetime, 32817 AS measurement_type_concept_id,
  5 AS value_as_number, 8753 AS unit_concept_id FROM drawn
  WHERE n % 9 = 0 AND born_year < 2020 AND n NOT IN (SELECT n FROM dead);
INSERT INTO cdm.observation_period BY NAME SELECT key63('o', person_id) AS observation_period_id,
  person_id, min(first_day) AS observation_period_start_date,
  least(max(last_day) + 60, DATE '{as_of}') AS observation_period_end_date,
  32817 AS period_type_concept_id
  FROM (SELECT person_id, visit_start_date AS first_day, visit_end_date AS last_day
    FROM cdm.visit_occurrence UNION ALL SELECT person_id, condition_start_date,
    condition_start_date FROM cdm.condition_occurrence UNION ALL SELECT person_id,
    measurement_date, measurement_date FROM cdm.measurement) GROUP BY person_id;
DELETE FROM cdm.person WHERE person_id NOT IN (SELECT person_id FROM cdm.observation_period);
INSERT INTO cdm.condition_era BY NAME SELECT min(condition_occurrence_id) AS condition_era_id,
  person_id, condition_concept_id, min(condition_start_date) AS condition_era_start_date,
  max(condition_start_date) + 1 AS condition_era_end_date, count(*) AS condition_occurrence_count
  FROM cdm.condition_occurrence GROUP BY person_id, condition_concept_id;
INSERT INTO cdm.fact_relationship BY NAME
  SELECT 56 AS domain_concept_id_1, m.person_id AS fact_id_1, 56 AS domain_concept_id_2,
    c.person_id AS fact_id_2, 40478925 AS relationship_concept_id
  FROM birth b JOIN drawn c ON c.n = b.child JOIN drawn m ON m.n = b.mother
  UNION ALL
  SELECT 56, c.person_id, 56, m.person_id, 40485452
  FROM birth b JOIN drawn c ON c.n = b.child JOIN drawn m ON m.n = b.mother;

CREATE SCHEMA etl;
CREATE TABLE etl.lineage (cdm_table VARCHAR, cdm_id BIGINT, record_key VARCHAR, row_key VARCHAR,
  role VARCHAR DEFAULT 'source');
INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key)
  SELECT 'measurement', measurement_id, 'm' || measurement_id, 'm' FROM cdm.measurement
  UNION ALL SELECT 'condition_occurrence', condition_occurrence_id,
    'c' || condition_occurrence_id, 'c' FROM cdm.condition_occurrence
  UNION ALL SELECT 'note', note_id, 'n' || note_id, 'n' FROM cdm.note;
"""

_EVENTS = """
SELECT 'm' || measurement_id AS record_key, 'm' AS row_key, person_id,
  nullif(measurement_datetime, TIMESTAMP '{export}') AS start_at,
  measurement_datetime AS stated_at, 'second' AS date_precision FROM cdm.measurement
UNION ALL
SELECT 'c' || condition_occurrence_id, 'c', c.person_id, CAST(condition_start_date AS TIMESTAMP),
  CAST(condition_start_date AS TIMESTAMP),
  CASE WHEN c.condition_start_date = k.first_day THEN 'day'
       WHEN k.n % 5 = 0 THEN 'year' ELSE 'month' END
FROM cdm.condition_occurrence c JOIN contact k ON key63('c', k.name) = c.condition_occurrence_id
"""
_DOCUMENTS = """
SELECT 'n' || note_id AS record_key, 'n' AS row_key, person_id, note_datetime AS written_at,
  note_text AS text, '[[19, 29], [33, 43]]' AS date_spans FROM cdm.note
"""


def holidays() -> list[dt.date]:
    """Days on which nothing is planned, with Ascension and Whit Monday (39 and 50 days on)."""
    found = [dt.date.fromisoformat(f"{y}-{d}") for y in _EASTER_MONDAYS for d in _FIXED]
    for year, monday in _EASTER_MONDAYS.items():
        easter = dt.date.fromisoformat(f"{year}-{monday}") - dt.timedelta(days=1)
        found += [easter + dt.timedelta(days=n) for n in (1, 39, 50)]
    return sorted(set(found))


def new_core(folder: Path, root_key: str = ROOT_KEY, settings: str = "") -> Site:
    """A site whose release is the drawn warehouse; `c.moreau` is its data protection officer."""
    site = create_site(folder, demonstration=True)
    site.root_key.write_text(root_key + "\n")
    path = folder / CONFIG_NAME
    path.write_text(f"{path.read_text()}\ndata_start: {DATA_START}\n{settings}")
    site = Site.open(folder)
    candidate = site.work / "candidate.duckdb"
    candidate.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(candidate)) as connection:
        _draw(connection, site)
    publish(candidate, site.warehouse)
    return site


def _draw(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    connection.execute(ddl("duckdb"))
    days = ", ".join(f"(DATE '{day}')" for day in holidays())
    connection.execute(f"CREATE TABLE holiday AS SELECT col0 AS day FROM (VALUES {days})")
    drawn = _DRAWN.format(persons=PERSONS, children=CHILDREN, as_of=AS_OF)
    connection.execute(drawn)
    connection.execute(_TABLES.format(concepts=CONCEPTS, as_of=AS_OF, export=EXPORT))
    for kind, select in (("event", _EVENTS.format(export=EXPORT)), ("document", _DOCUMENTS)):
        folder = site.staging / "00000001" / kind
        folder.mkdir(parents=True)
        connection.register("empty", KINDS[kind].schema.empty_table())
        connection.execute(
            f"COPY (SELECT * FROM empty UNION ALL BY NAME SELECT * FROM ({select}))"
            f" TO '{folder / '0000.parquet'}' (FORMAT parquet)"
        )
        connection.unregister("empty")
