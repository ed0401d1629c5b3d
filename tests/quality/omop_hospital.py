"""A clean OMOP warehouse of a French hospital, drawn by SQL: the ground on which faults are put.

Not made by the road: what it holds comes from the CDM's specification and from how French hospitals
record (CCAM acts without a standard concept, birth known to the month, home as concept 0).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb

from entrepot.omop.cdm import load_cdm

TYPES = {"integer": "BIGINT", "float": "DOUBLE", "date": "DATE", "datetime": "TIMESTAMP",
         "text": "VARCHAR"}  # fmt: skip
CONCEPTS = """(0, 'No matching concept', 'None', 'Metadata', 'Undefined', NULL, '0'),
    (8507, 'MALE', 'Gender', 'Gender', 'Gender', 'S', 'M'),
    (8532, 'FEMALE', 'Gender', 'Gender', 'Gender', 'S', 'F'),
    (9201, 'Inpatient Visit', 'Visit', 'Visit', 'Visit', 'S', 'IP'),
    (9202, 'Outpatient Visit', 'Visit', 'Visit', 'Visit', 'S', 'OP'),
    (32817, 'EHR', 'Type Concept', 'Type Concept', 'Type Concept', 'S', 'OMOP4976890'),
    (32856, 'Lab', 'Type Concept', 'Type Concept', 'Type Concept', 'S', 'OMOP4976929'),
    (201826, 'Type 2 diabetes', 'SNOMED', 'Condition', 'Clinical Finding', 'S', '44054006'),
    (320128, 'Essential hypertension', 'SNOMED', 'Condition', 'Clinical Finding', 'S', '59621000'),
    (255848, 'Pneumonia', 'SNOMED', 'Condition', 'Clinical Finding', 'S', '233604007'),
    (313217, 'Atrial fibrillation', 'SNOMED', 'Condition', 'Clinical Finding', 'S', '49436004'),
    (4163261, 'Prostate cancer', 'SNOMED', 'Condition', 'Clinical Finding', 'S', '399068003'),
    (45547627, 'E11.9', 'ICD10', 'Condition', 'ICD10 code', NULL, 'E11.9'),
    (4230911, 'Echocardiography', 'SNOMED', 'Procedure', 'Procedure', 'S', '40701008'),
    (1125315, 'acetaminophen', 'RxNorm', 'Drug', 'Ingredient', 'S', '161'),
    (1503297, 'metformin', 'RxNorm', 'Drug', 'Ingredient', 'S', '6809'),
    (1308216, 'lisinopril', 'RxNorm', 'Drug', 'Ingredient', 'S', '29046'),
    (40165254, 'metformin 500 MG', 'RxNorm', 'Drug', 'Clinical Drug', 'S', '861007'),
    (4132161, 'Oral', 'SNOMED', 'Route', 'Qualifier Value', 'S', '26643006'),
    (3016723, 'Creatinine', 'LOINC', 'Measurement', 'Lab Test', 'S', '2160-0'),
    (3000963, 'Hemoglobin', 'LOINC', 'Measurement', 'Lab Test', 'S', '718-7'),
    (3025315, 'Body weight', 'LOINC', 'Measurement', 'Clinical Observation', 'S', '29463-7'),
    (3004249, 'Systolic', 'LOINC', 'Measurement', 'Clinical Observation', 'S', '8480-6'),
    (8840, 'mg/dL', 'UCUM', 'Unit', 'Unit', 'S', 'mg/dL'),
    (8713, 'g/dL', 'UCUM', 'Unit', 'Unit', 'S', 'g/dL'),
    (9529, 'kg', 'UCUM', 'Unit', 'Unit', 'S', 'kg'),
    (8876, 'mmHg', 'UCUM', 'Unit', 'Unit', 'S', 'mm[Hg]'),
    (4180938, 'Smoker', 'SNOMED', 'Observation', 'Clinical Finding', 'S', '77176002'),
    (4180190, 'French', 'SNOMED', 'Language', 'Qualifier Value', 'S', '297487008'),
    (32678, 'UTF-8', 'Note Type', 'Metadata', 'Note Type', 'S', 'utf8'),
    (706361, 'Clinical note', 'LOINC', 'Meas Value', 'LOINC Class', 'S', 'note'),
    (4046770, 'Blood', 'SNOMED', 'Spec Anatomic Site', 'Specimen', 'S', '119297000'),
    (4000001, 'Blood specimen', 'SNOMED', 'Specimen', 'Specimen', 'S', '119297001'),
    (4000002, 'Pacemaker', 'SNOMED', 'Device', 'Physical Object', 'S', '14106009'),
    (756265, 'OMOP CDM Version 5.4.0', 'CDM', 'Metadata', 'CDM', 'S', 'CDM v5.4.0')"""


@dataclass(frozen=True)
class Traits:
    """What may differ between two clean loads.

    Args:
        first: number of the first person; another seed of everything that is drawn.
        persons: how many.
        until: last day of the records.
        strike: a week without planned stays.
        new_unit: a unit that opened in the last month.
        late_pmsi: acts and diagnoses of the last five weeks have not come yet.
    """

    first: int = 0
    persons: int = 400
    until: dt.date = dt.date(2025, 12, 31)
    strike: bool = False
    new_unit: bool = False
    late_pmsi: bool = False


def write_hospital(path: Path, traits: Traits) -> None:
    """A DuckDB file with schema `cdm`."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA cdm")
        for table in load_cdm():
            fields = ", ".join(f'"{f.name}" {TYPES[f.kind]}' for f in table.fields)
            connection.execute(f"CREATE TABLE cdm.{table.name} ({fields})")
        for statement in STATEMENTS.format(
            first=traits.first, last=traits.first + traits.persons, until=traits.until.isoformat(),
            concepts=CONCEPTS,
        ).split(";\n"):  # fmt: skip
            connection.execute(statement)
        for statement in _traits(traits):
            connection.execute(statement)
        for statement in DERIVED.format(until=traits.until.isoformat()).split(";\n"):
            connection.execute(statement)


def _traits(traits: Traits) -> list[str]:
    late = traits.until - dt.timedelta(days=35)
    found = []
    if traits.strike:
        found.append(
            "DELETE FROM cdm.visit_occurrence WHERE visit_concept_id = 9201"
            " AND visit_start_date BETWEEN DATE '2025-10-06' AND DATE '2025-10-12'"
        )
    if traits.late_pmsi:
        found += [
            f"DELETE FROM cdm.condition_occurrence WHERE condition_start_date > DATE '{late}'",
            f"DELETE FROM cdm.procedure_occurrence WHERE procedure_date > DATE '{late}'",
        ]
    if traits.new_unit:
        found += [
            "INSERT INTO cdm.care_site BY NAME SELECT 99 AS care_site_id, 'UF 99' AS"
            " care_site_name, 0 AS place_of_service_concept_id",
            "UPDATE cdm.visit_occurrence SET care_site_id = 99"
            f" WHERE visit_start_date > DATE '{late}' AND visit_occurrence_id % 2 = 0",
        ]
    return found


# h(x, n): a number from 0 to n - 1 that any seed draws alike. Half as many stays begin in August.
STATEMENTS = """CREATE MACRO h(x, n) AS CAST(hash(x) % n AS BIGINT);
INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS concept_name,
    col2 AS vocabulary_id, col3 AS domain_id, col4 AS concept_class_id, col5 AS standard_concept,
    col6 AS concept_code, DATE '1970-01-01' AS valid_start_date, DATE '2099-12-31' AS valid_end_date
    FROM (VALUES {concepts});
INSERT INTO cdm.vocabulary BY NAME SELECT DISTINCT vocabulary_id, vocabulary_id AS vocabulary_name,
    0 AS vocabulary_concept_id FROM cdm.concept;
INSERT INTO cdm.domain BY NAME SELECT DISTINCT domain_id, domain_id AS domain_name,
    0 AS domain_concept_id FROM cdm.concept;
INSERT INTO cdm.concept_ancestor BY NAME SELECT concept_id AS ancestor_concept_id,
    concept_id AS descendant_concept_id, 0 AS min_levels_of_separation,
    0 AS max_levels_of_separation FROM cdm.concept WHERE concept_id <> 0;
INSERT INTO cdm.cdm_source BY NAME SELECT 'Hôpital' AS cdm_source_name, 'HOP' AS
    cdm_source_abbreviation, 'Hôpital' AS cdm_holder, DATE '{until}' AS source_release_date,
    DATE '{until}' AS cdm_release_date, 756265 AS cdm_version_concept_id, 'v5.4' AS cdm_version,
    'demo' AS vocabulary_version;
INSERT INTO cdm.location BY NAME SELECT i AS location_id, 'FR' AS country_source_value,
    CAST(10 + i AS VARCHAR) AS zip FROM range(1, 6) r(i);
INSERT INTO cdm.care_site BY NAME SELECT i AS care_site_id, 'UF ' || i AS care_site_name,
    0 AS place_of_service_concept_id, 1 AS location_id FROM range(1, 9) r(i);
INSERT INTO cdm.provider BY NAME SELECT i AS provider_id, 0 AS specialty_concept_id,
    0 AS gender_concept_id FROM range(1, 21) r(i);
INSERT INTO cdm.person BY NAME SELECT i AS person_id, CASE WHEN h('s' || i, 2) = 0 THEN 8507 ELSE
    8532 END AS gender_concept_id, 1935 + h('y' || i, 70) AS year_of_birth,
    1 + h('m' || i, 12) AS month_of_birth, 0 AS race_concept_id, 0 AS ethnicity_concept_id,
    1 + h('l' || i, 5) AS location_id, md5('p' || i) AS person_source_value,
    CASE WHEN h('s' || i, 2) = 0 THEN 'M' ELSE 'F' END AS gender_source_value
    FROM range({first}, {last}) r(i);
CREATE TEMP TABLE stays AS SELECT p.person_id, p.person_id * 10 + k AS id,
    DATE '2022-01-03' + CAST(h('d' || p.person_id || ',' || k, 1400) AS INTEGER) AS starts,
    h('c' || p.person_id || ',' || k, 3) AS kind FROM cdm.person p, range(0, 6) r(k)
    WHERE k < 2 + h('n' || p.person_id, 5);
DELETE FROM stays WHERE starts > DATE '{until}' - 12 OR month(starts) = 8 AND id % 2 = 0
    OR id IN (SELECT a.id FROM stays a JOIN stays b ON a.person_id = b.person_id AND a.id > b.id
        AND abs(a.starts - b.starts) < 14);
INSERT INTO cdm.visit_occurrence BY NAME SELECT id AS visit_occurrence_id, person_id,
    CASE WHEN kind = 0 THEN 9201 ELSE 9202 END AS visit_concept_id, starts AS visit_start_date,
    starts + INTERVAL 9 HOUR AS visit_start_datetime,
    starts + CASE WHEN kind = 0 THEN 1 + CAST(h('e' || id, 9) AS INTEGER) ELSE 0 END
    AS visit_end_date, 32817 AS visit_type_concept_id, 1 + h('u' || id, 8) AS care_site_id,
    1 + h('v' || id, 20) AS provider_id, md5('v' || id) AS visit_source_value,
    0 AS admitted_from_concept_id, 0 AS discharged_to_concept_id FROM stays;
INSERT INTO cdm.visit_detail BY NAME SELECT visit_occurrence_id + 1000000 AS visit_detail_id,
    person_id, visit_concept_id AS visit_detail_concept_id, visit_start_date AS
    visit_detail_start_date, visit_end_date AS visit_detail_end_date, 32817 AS
    visit_detail_type_concept_id, visit_occurrence_id, care_site_id FROM cdm.visit_occurrence
    WHERE visit_concept_id = 9201;
INSERT INTO cdm.condition_occurrence BY NAME SELECT v.visit_occurrence_id * 10 + k + 20000000 AS
    condition_occurrence_id, v.person_id, [201826, 320128, 255848, 313217][1 + c] AS
    condition_concept_id, visit_start_date AS condition_start_date, visit_start_datetime AS
    condition_start_datetime, visit_end_date AS condition_end_date, 32817 AS
    condition_type_concept_id, ['E11.9', 'I10', 'J18.9', 'I48'][1 + c] AS condition_source_value,
    0 AS condition_source_concept_id, 0 AS condition_status_concept_id, provider_id,
    visit_occurrence_id FROM (SELECT *, (h('k' || visit_occurrence_id, 4) + k) % 4 AS c
    FROM cdm.visit_occurrence, range(0, 2) r(k) WHERE k = 0 OR visit_concept_id = 9201) v;
INSERT INTO cdm.condition_occurrence BY NAME SELECT visit_occurrence_id + 30000000 AS
    condition_occurrence_id, v.person_id, 4163261 AS condition_concept_id, visit_start_date AS
    condition_start_date, 32817 AS condition_type_concept_id, 'C61' AS condition_source_value,
    0 AS condition_source_concept_id, visit_occurrence_id FROM cdm.visit_occurrence v
    JOIN cdm.person p USING (person_id) WHERE gender_concept_id = 8507
    AND h('C61' || visit_occurrence_id, 12) = 0;
INSERT INTO cdm.procedure_occurrence BY NAME SELECT visit_occurrence_id + 40000000 AS
    procedure_occurrence_id, person_id, CASE WHEN h('a' || visit_occurrence_id, 3) = 0 THEN 4230911
    ELSE 0 END AS procedure_concept_id, visit_start_date AS procedure_date, visit_start_datetime AS
    procedure_datetime, 32817 AS procedure_type_concept_id, CASE WHEN h('a' || visit_occurrence_id,
    3) = 0 THEN 'DZQM006' ELSE 'YYYY' || (100 + h('q' || visit_occurrence_id, 40)) END AS
    procedure_source_value, 0 AS procedure_source_concept_id, 1 AS quantity, visit_occurrence_id
    FROM cdm.visit_occurrence;
INSERT INTO cdm.drug_exposure BY NAME SELECT v.visit_occurrence_id * 10 + k + 50000000 AS
    drug_exposure_id, person_id, [1125315, 1503297, 1308216, 40165254][1 + c] AS drug_concept_id,
    visit_start_date AS drug_exposure_start_date, visit_start_datetime AS
    drug_exposure_start_datetime, visit_end_date AS drug_exposure_end_date, 32817 AS
    drug_type_concept_id, 1 + h('z' || k, 3) AS quantity, 4132161 AS route_concept_id,
    ['3400930000001', '3400930000002', '3400930000003', '3400930000004'][1 + c] AS
    drug_source_value, 0 AS drug_source_concept_id, 1 + visit_end_date - visit_start_date AS
    days_supply, visit_occurrence_id FROM (SELECT *, (h('g' || visit_occurrence_id, 4) + k) % 4 AS c
    FROM cdm.visit_occurrence, range(0, 2) r(k)) v;
INSERT INTO cdm.measurement BY NAME SELECT v.visit_occurrence_id * 40 + k + 60000000 AS
    measurement_id, person_id, [3016723, 3000963, 3025315, 3004249][1 + c] AS
    measurement_concept_id, d AS measurement_date, d + INTERVAL 7 HOUR + INTERVAL (k) MINUTE AS
    measurement_datetime, 32856 AS measurement_type_concept_id, round([0.5, 8, 45, 95][1 + c] +
    [1.2, 8, 60, 70][1 + c] * (h('w' || visit_occurrence_id || k, 1000) / 1000.0), 2) AS
    value_as_number, [8840, 8713, 9529, 8876][1 + c] AS unit_concept_id, ['CREA', 'HB', 'POIDS',
    'TAS'][1 + c] AS measurement_source_value, 0 AS measurement_source_concept_id,
    ['mg/dL', 'g/dL', 'kg', 'mmHg'][1 + c] AS unit_source_value, visit_occurrence_id
    FROM (SELECT *, k % 4 AS c, visit_start_date AS d FROM cdm.visit_occurrence,
    range(0, 8) r(k)) v;
INSERT INTO cdm.observation BY NAME SELECT visit_occurrence_id + 70000000 AS observation_id,
    person_id, 4180938 AS observation_concept_id, visit_start_date AS observation_date,
    visit_start_datetime AS observation_datetime, 32817 AS observation_type_concept_id,
    'tabac' AS observation_source_value, 'oui' AS value_as_string, 0 AS
    observation_source_concept_id, visit_occurrence_id FROM cdm.visit_occurrence
    WHERE h('t' || visit_occurrence_id, 3) = 0;
INSERT INTO cdm.note BY NAME SELECT visit_occurrence_id + 80000000 AS note_id, person_id,
    visit_end_date AS note_date, visit_end_date + INTERVAL 16 HOUR AS note_datetime, 32817 AS
    note_type_concept_id, 706361 AS note_class_concept_id, 32678 AS encoding_concept_id,
    4180190 AS language_concept_id, 'Compte rendu' AS note_title, 'Patient [NOM_1] hospitalisé '
    || repeat('pour bilan ; évolution favorable. ', 5 + CAST(h('x' || visit_occurrence_id, 20) AS
    INTEGER)) || visit_occurrence_id % 997 AS note_text, visit_occurrence_id
    FROM cdm.visit_occurrence;
INSERT INTO cdm.device_exposure BY NAME SELECT visit_occurrence_id + 90000000 AS
    device_exposure_id, person_id, 4000002 AS device_concept_id, visit_start_date AS
    device_exposure_start_date, 32817 AS device_type_concept_id, 1 AS quantity,
    'PACE' AS device_source_value, 0 AS device_source_concept_id, visit_occurrence_id
    FROM cdm.visit_occurrence WHERE h('p' || visit_occurrence_id, 20) = 0;
INSERT INTO cdm.specimen BY NAME SELECT visit_occurrence_id + 95000000 AS specimen_id, person_id,
    4000001 AS specimen_concept_id, 32856 AS specimen_type_concept_id, visit_start_date AS
    specimen_date, 5 AS quantity, 'SANG' AS specimen_source_value FROM cdm.visit_occurrence
    WHERE h('b' || visit_occurrence_id, 4) = 0;
INSERT INTO cdm.death BY NAME SELECT person_id, max(visit_end_date) AS death_date,
    32817 AS death_type_concept_id FROM cdm.visit_occurrence WHERE h('x' || person_id, 12) = 0
    GROUP BY person_id"""
DERIVED = """DELETE FROM cdm.person WHERE person_id NOT IN
    (SELECT person_id FROM cdm.visit_occurrence);
DELETE FROM cdm.visit_detail WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
DELETE FROM cdm.death WHERE person_id NOT IN (SELECT person_id FROM cdm.person);
DELETE FROM cdm.specimen WHERE person_id NOT IN (SELECT person_id FROM cdm.person);
DELETE FROM cdm.condition_occurrence WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
DELETE FROM cdm.procedure_occurrence WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
DELETE FROM cdm.drug_exposure WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
DELETE FROM cdm.measurement WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
DELETE FROM cdm.observation WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
DELETE FROM cdm.note WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
DELETE FROM cdm.device_exposure WHERE visit_occurrence_id NOT IN
    (SELECT visit_occurrence_id FROM cdm.visit_occurrence);
INSERT INTO cdm.observation_period BY NAME SELECT person_id AS observation_period_id, person_id,
    min(visit_start_date) AS observation_period_start_date, CASE WHEN count(d.person_id) > 0 THEN
    max(greatest(visit_end_date, d.death_date)) ELSE DATE '{until}' END AS
    observation_period_end_date, 32817 AS period_type_concept_id
    FROM cdm.visit_occurrence LEFT JOIN cdm.death d USING (person_id) GROUP BY person_id;
INSERT INTO cdm.condition_era BY NAME SELECT row_number() OVER (ORDER BY person_id,
    condition_concept_id) AS condition_era_id, person_id, condition_concept_id,
    min(condition_start_date) AS condition_era_start_date, max(coalesce(condition_end_date,
    condition_start_date)) AS condition_era_end_date, count(*) AS condition_occurrence_count
    FROM cdm.condition_occurrence GROUP BY person_id, condition_concept_id;
INSERT INTO cdm.drug_era BY NAME SELECT row_number() OVER (ORDER BY person_id, drug) AS
    drug_era_id, person_id, drug AS drug_concept_id, min(drug_exposure_start_date) AS
    drug_era_start_date, max(drug_exposure_end_date) AS drug_era_end_date, count(*) AS
    drug_exposure_count, 0 AS gap_days FROM (SELECT *, CASE WHEN drug_concept_id = 40165254 THEN
    1503297 ELSE drug_concept_id END AS drug FROM cdm.drug_exposure) GROUP BY person_id, drug"""
