"""What a warehouse holds, by the same business keys; persons are told by the test's own keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from truth_rows import COLUMNS, Rows, canonical, empty

from entrepot.keys import PERSON, Keyring

AUTHORITY = "1.2.250.1.999.1"  # of the hospital's IPPs
_VISIT = "LEFT JOIN cdm.visit_occurrence v ON v.visit_occurrence_id = e.visit_occurrence_id"
_UNIT = """LEFT JOIN cdm.visit_detail d ON d.visit_detail_id = e.visit_detail_id
  LEFT JOIN cdm.care_site s ON s.care_site_id = d.care_site_id"""
_START = "v.visit_start_datetime AS visit"
_UF = "s.care_site_source_value AS uf"

QUERIES: dict[str, str] = {
    "person": """SELECT person_id, gender_concept_id, gender_source_value, year_of_birth,
        month_of_birth, birth_datetime, l.county
      FROM cdm.person p LEFT JOIN cdm.location l ON l.location_id = p.location_id""",
    "death": "SELECT person_id, death_datetime, death_date, death_type_concept_id FROM cdm.death",
    "observation_period": """SELECT person_id, observation_period_start_date,
        observation_period_end_date, period_type_concept_id FROM cdm.observation_period""",
    "visit_occurrence": """SELECT e.person_id, e.visit_concept_id, e.visit_source_value,
        e.visit_start_datetime, e.visit_end_datetime, e.visit_start_date, e.visit_end_date,
        e.visit_type_concept_id, e.admitted_from_source_value, e.admitted_from_concept_id,
        e.discharged_to_source_value, e.discharged_to_concept_id, s.care_site_source_value,
        b.visit_start_datetime
      FROM cdm.visit_occurrence e
      LEFT JOIN cdm.care_site s ON s.care_site_id = e.care_site_id
      LEFT JOIN cdm.visit_occurrence b
        ON b.visit_occurrence_id = e.preceding_visit_occurrence_id""",
    "visit_detail": f"""SELECT e.person_id, {_START}, e.visit_detail_concept_id,
        e.visit_detail_source_value, {_UF}, e.visit_detail_start_datetime,
        e.visit_detail_end_datetime, e.visit_detail_type_concept_id
      FROM cdm.visit_detail e {_VISIT}
      LEFT JOIN cdm.care_site s ON s.care_site_id = e.care_site_id""",
    "condition_occurrence": f"""SELECT e.person_id, {_START}, condition_source_value,
        condition_concept_id, condition_source_concept_id, condition_status_source_value,
        condition_status_concept_id, condition_start_date, condition_type_concept_id
      FROM cdm.condition_occurrence e {_VISIT}""",
    "procedure_occurrence": f"""SELECT e.person_id, {_START}, {_UF}, procedure_source_value,
        procedure_concept_id, procedure_source_concept_id, modifier_source_value,
        procedure_datetime, procedure_type_concept_id
      FROM cdm.procedure_occurrence e {_VISIT} {_UNIT}""",
    "observation": f"""SELECT e.person_id, {_START}, observation_source_value,
        observation_concept_id, observation_source_concept_id, value_as_concept_id,
        observation_date, observation_type_concept_id
      FROM cdm.observation e {_VISIT}""",
    "measurement": f"""SELECT e.person_id, {_START}, {_UF}, measurement_source_value,
        measurement_concept_id, measurement_source_concept_id, operator_concept_id,
        value_as_number, unit_concept_id, unit_source_value, range_low, range_high,
        value_as_concept_id, value_source_value, measurement_datetime, measurement_type_concept_id
      FROM cdm.measurement e {_VISIT} {_UNIT}""",
    "drug_exposure": f"""SELECT e.person_id, {_START}, {_UF}, drug_source_value, drug_concept_id,
        drug_source_concept_id, drug_exposure_start_datetime, drug_exposure_end_date,
        verbatim_end_date, quantity, dose_unit_source_value, route_concept_id, route_source_value,
        sig, drug_type_concept_id
      FROM cdm.drug_exposure e {_VISIT} {_UNIT}""",
    "note": f"""SELECT e.person_id, {_START}, note_source_value, note_datetime,
        note_type_concept_id
      FROM cdm.note e {_VISIT}""",
}


def person_id(keyring: Keyring, ipps: Iterable[str], authority: str = AUTHORITY) -> int:
    """The warehouse's number of the person who has these IPPs: the least pseudonym names them."""
    key = min(keyring.keyed(PERSON, authority, ipp) for ipp in ipps)
    return keyring.number(PERSON, 53, "id", key)


def observed_rows(connection: duckdb.DuckDBPyConnection, patients: Mapping[int, str]) -> Rows:
    """Every row of the tables compared.

    Args:
        patients: person_id -> what the truth calls the person; others show as their number.
    """
    rows = empty()
    for table, query in QUERIES.items():
        activity = COLUMNS[table].index("activity") if "activity" in COLUMNS[table] else None
        for found in connection.execute(query).fetchall():
            row: list[Any] = [canonical(value) for value in found]
            row[0] = patients.get(row[0], f"unknown {row[0]}")
            if activity is not None:
                row[activity] = activity_and_phase(row[activity])
            rows[table][tuple(row)] += 1
    return rows


def activity_and_phase(text: str | None) -> tuple[str, ...] | None:
    """CCAM activity and phase of a modifier (`1-0`); a control character is no separator."""
    return None if text is None else tuple(re.split(r"[- /;,]", text))


def open_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB file, to read."""
    return duckdb.connect(str(path), read_only=True)
