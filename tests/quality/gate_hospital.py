"""A small warehouse without a fault, worked out by hand: three persons, one stay each.

Person 3 died. Every mapped row has its staged row; the death and the person come from one row.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from entrepot.omop.cdm import Field, load_cdm
from entrepot.quality.inputs import GateInputs

AS_OF = dt.datetime(2024, 6, 30, 12, 0)
PERSONS = (1, 2, 3)
LEDGER = {"patient": 3, "stay": 3, "movement": 3, "event": 15, "document": 3, "records": 6}

_TYPES = {
    "integer": "BIGINT",
    "float": "DECIMAL(38,10)",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "text": "VARCHAR",
}

# Names and domains of the few concepts; 8551 UNKNOWN is a deprecated gender, 2000000001 is local.
CONCEPTS = """
    (0, 'No matching concept', 'Metadata', NULL, NULL),
    (56, 'Person', 'Metadata', NULL, NULL),
    (40478925, 'Mother of subject', 'Observation', 'S', NULL),
    (40485452, 'Child of subject', 'Observation', 'S', NULL),
    (8507, 'MALE', 'Gender', 'S', NULL),
    (8532, 'FEMALE', 'Gender', 'S', NULL),
    (8551, 'UNKNOWN', 'Gender', NULL, 'D'),
    (9201, 'Inpatient Visit', 'Visit', 'S', NULL),
    (201826, 'Type 2 diabetes mellitus', 'Condition', 'S', NULL),
    (2000000001, 'Local diabetes code', 'Condition', NULL, NULL),
    (4203722, 'Patient encounter procedure', 'Procedure', 'S', NULL),
    (1503297, 'metformin', 'Drug', 'S', NULL),
    (3004501, 'Glucose in blood', 'Measurement', 'S', NULL),
    (8753, 'millimole per liter', 'Unit', 'S', NULL),
    (4275495, 'Tobacco smoking behavior', 'Observation', 'S', NULL),
    (706361, 'Discharge summary', 'Meas Value', 'S', NULL),
    (32678, 'UTF-8', 'Metadata', 'S', NULL),
    (4180190, 'French language', 'Language', 'S', NULL),
    (756265, 'OMOP CDM Version 5.4.0', 'Metadata', 'S', NULL),
    (32817, 'EHR', 'Type Concept', 'S', NULL)
"""

EVENTS = (
    """INSERT INTO cdm.condition_occurrence BY NAME SELECT {p} AS person_id, 3000 + {p}
        AS condition_occurrence_id, 201826 AS condition_concept_id, DATE '2024-01-02'
        AS condition_start_date, 32817 AS condition_type_concept_id, 'E11.9'
        AS condition_source_value, 1000 + {p} AS visit_occurrence_id, 2000 + {p}
        AS visit_detail_id, 12 AS provider_id, 2000000001 AS condition_source_concept_id""",
    """INSERT INTO cdm.procedure_occurrence BY NAME SELECT {p} AS person_id, 4000 + {p}
        AS procedure_occurrence_id, 4203722 AS procedure_concept_id, DATE '2024-01-03'
        AS procedure_date, 32817 AS procedure_type_concept_id, 1000 + {p} AS visit_occurrence_id""",
    """INSERT INTO cdm.drug_exposure BY NAME SELECT {p} AS person_id, 5000 + {p}
        AS drug_exposure_id, 1503297 AS drug_concept_id, DATE '2024-01-03'
        AS drug_exposure_start_date, DATE '2024-02-01' AS drug_exposure_end_date, 32817
        AS drug_type_concept_id, '3400930000120' AS drug_source_value, 1000 + {p}
        AS visit_occurrence_id""",
    """INSERT INTO cdm.measurement BY NAME SELECT {p} AS person_id, 6000 + {p} AS measurement_id,
        3004501 AS measurement_concept_id, DATE '2024-01-03' AS measurement_date,
        TIMESTAMP '2024-01-03 08:30:00' AS measurement_datetime, 32817
        AS measurement_type_concept_id, 7.1 AS value_as_number, 8753 AS unit_concept_id,
        1000 + {p} AS visit_occurrence_id, 2000 + {p} AS visit_detail_id""",
    """INSERT INTO cdm.observation BY NAME SELECT {p} AS person_id, 7000 + {p} AS observation_id,
        4275495 AS observation_concept_id, DATE '2024-01-03' AS observation_date, 32817
        AS observation_type_concept_id, 'non fumeur' AS value_as_string, 6000 + {p}
        AS observation_event_id, 1000 + {p} AS visit_occurrence_id""",
    """INSERT INTO cdm.note BY NAME SELECT {p} AS person_id, 8000 + {p} AS note_id,
        DATE '2024-01-05' AS note_date, 32817 AS note_type_concept_id, 706361
        AS note_class_concept_id, 'Compte rendu' AS note_title,
        'Vu le 05.01.2024 10h30, TA 120/80, CRP 12. [NOM_1], LOINC 14749-6.' AS note_text,
        32678 AS encoding_concept_id, 4180190 AS language_concept_id, 1000 + {p}
        AS visit_occurrence_id""",
)


def _column(field: Field) -> str:
    return f'"{field.name}" {_TYPES[field.kind]}'


def warehouse() -> duckdb.DuckDBPyConnection:
    """The candidate in memory, without NOT NULL: the gate is what finds a NULL."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA cdm; CREATE SCHEMA etl")
    for table in load_cdm():
        columns = ", ".join(_column(field) for field in table.fields)
        connection.execute(f"CREATE TABLE cdm.{table.name} ({columns})")
    _describe(connection)
    for person in PERSONS:
        _live(connection, person)
    _account(connection)
    return connection


def inputs(opposed: tuple[int, ...] = ()) -> GateInputs:
    """What the gate is told about this warehouse."""
    return GateInputs(AS_OF, opposed, LEDGER)


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS concept_name,
        col2 AS domain_id, col3 AS standard_concept, col4 AS invalid_reason
        FROM (VALUES {CONCEPTS})"""
    )
    connection.execute(
        """INSERT INTO cdm.cdm_source BY NAME SELECT 'EDS' AS cdm_source_name,
        'EDS' AS cdm_source_abbreviation, 'eds@hopital.example' AS cdm_holder,
        DATE '2024-06-30' AS source_release_date, DATE '2024-06-30' AS cdm_release_date,
        756265 AS cdm_version_concept_id, 'v5' AS vocabulary_version"""
    )
    connection.execute("INSERT INTO cdm.location BY NAME SELECT 10 AS location_id, '75' AS state")
    connection.execute(
        """INSERT INTO cdm.care_site BY NAME SELECT 11 AS care_site_id, 'Cardiologie' AS
        care_site_name, 10 AS location_id, '750712184' AS care_site_source_value"""
    )
    connection.execute(
        "INSERT INTO cdm.provider BY NAME SELECT 12 AS provider_id, 11 AS care_site_id"
    )


def _live(connection: duckdb.DuckDBPyConnection, person: int) -> None:
    """One person born in May 1980, in hospital from 2 to 5 January 2024."""
    connection.execute(
        f"""INSERT INTO cdm.person BY NAME SELECT {person} AS person_id, 8532 AS gender_concept_id,
        1980 AS year_of_birth, 5 AS month_of_birth, 0 AS race_concept_id,
        0 AS ethnicity_concept_id, 10 AS location_id,
        'a1b2c3d4e5f60718293a4b5c6d7e8f9{person}' AS person_source_value"""
    )
    connection.execute(
        f"""INSERT INTO cdm.observation_period BY NAME SELECT 9000 + {person} AS
        observation_period_id, {person} AS person_id, DATE '2024-01-02' AS
        observation_period_start_date, DATE '2024-03-05' AS observation_period_end_date,
        32817 AS period_type_concept_id"""
    )
    connection.execute(
        f"""INSERT INTO cdm.visit_occurrence BY NAME SELECT 1000 + {person} AS visit_occurrence_id,
        {person} AS person_id, 9201 AS visit_concept_id, DATE '2024-01-02' AS visit_start_date,
        DATE '2024-01-05' AS visit_end_date, 32817 AS visit_type_concept_id,
        11 AS care_site_id, 'I' AS visit_source_value"""
    )
    connection.execute(
        f"""INSERT INTO cdm.visit_detail BY NAME SELECT 2000 + {person} AS visit_detail_id,
        {person} AS person_id, 9201 AS visit_detail_concept_id, DATE '2024-01-02' AS
        visit_detail_start_date, DATE '2024-01-05' AS visit_detail_end_date,
        32817 AS visit_detail_type_concept_id, 1000 + {person} AS visit_occurrence_id"""
    )
    for statement in EVENTS:
        connection.execute(statement.format(p=person))
    connection.execute(
        f"""INSERT INTO cdm.condition_era BY NAME SELECT {person} AS person_id, 9100 + {person} AS
        condition_era_id, 201826 AS condition_concept_id, DATE '2024-01-02' AS
        condition_era_start_date, DATE '2024-01-03' AS condition_era_end_date,
        1 AS condition_occurrence_count"""
    )
    if person == 3:
        connection.execute(
            """INSERT INTO cdm.death BY NAME SELECT 3 AS person_id, DATE '2024-01-05' AS
            death_date, 32817 AS death_type_concept_id"""
        )


def _account(connection: duckdb.DuckDBPyConnection) -> None:
    """Lineage and dispositions: an identity message and a clinical message per person."""
    connection.execute(
        """CREATE TABLE etl.row_disposition (kind VARCHAR, record_key VARCHAR, row_number INT,
        row_key VARCHAR, disposition VARCHAR, reason VARCHAR);
        CREATE TABLE etl.lineage (cdm_table VARCHAR, cdm_id BIGINT, record_key VARCHAR,
        row_key VARCHAR, role VARCHAR DEFAULT 'source');
        CREATE TABLE etl.run (key VARCHAR, value VARCHAR);
        CREATE TABLE etl.concept_resolution (system VARCHAR, code VARCHAR, ordinal INTEGER,
        target_concept_id BIGINT)"""
    )
    sources = [("patient", "person", "person_id"), ("stay", "visit_occurrence", "")]
    sources += [("movement", "visit_detail", ""), ("document", "note", "")]
    events = ("condition_occurrence", "procedure_occurrence", "drug_exposure", "measurement")
    sources += [("event", table, "") for table in (*events, "observation")]
    for kind, table, named in sources:
        key = named or f"{table}_id"
        record = "identity" if kind == "patient" else "clinical"
        told = f"'{record}-' || person_id, '{table}-' || {key}"
        connection.execute(
            f"INSERT INTO etl.lineage SELECT '{table}', {key}, {told}, 'source' FROM cdm.{table}"
        )
        connection.execute(
            f"""INSERT INTO etl.row_disposition SELECT '{kind}', record_key, 0, row_key,
            'mapped', '' FROM etl.lineage WHERE cdm_table = '{table}'"""
        )
    connection.execute(
        "INSERT INTO etl.lineage BY POSITION SELECT 'death', 3, 'identity-3', 'person-3', 'source'"
    )
