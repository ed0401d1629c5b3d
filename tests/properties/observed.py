"""What a candidate warehouse holds of chosen persons: as short facts, and as whole rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import duckdb

from entrepot.keys import PERSON, Keyring
from properties.case import Case
from properties.made import OID

_AT = "strftime({}, '%Y-%m-%d %H:%M')"
_MEASURED = """SELECT m.person_id, concat('measurement ', measurement_source_value, ' ',
    CASE operator_concept_id WHEN 4171756 THEN '<' WHEN 4172704 THEN '>' ELSE '' END,
    trim_scale(value_as_number),
    CASE WHEN range_low IS NOT NULL OR range_high IS NOT NULL
      THEN concat(' [', trim_scale(range_low), '..', trim_scale(range_high), ']') ELSE '' END,
    ' ', strftime(measurement_datetime, '%Y-%m-%d %H:%M'),
    ' in ' || strftime(v.visit_start_datetime, '%Y-%m-%d %H:%M'))
  FROM cdm.measurement m LEFT JOIN cdm.visit_occurrence v USING (visit_occurrence_id)"""
_FACTS = (
    _MEASURED.replace("trim_scale(", "to_text("),
    "SELECT person_id, concat('visit ', visit_source_value, ' ', "
    f"{_AT.format('visit_start_datetime')}, ' ', {_AT.format('visit_end_datetime')})"
    " FROM cdm.visit_occurrence",
    "SELECT person_id, concat('condition ', condition_source_value, ' ', condition_start_date)"
    " FROM cdm.condition_occurrence",
    "SELECT person_id, concat('observation ', observation_source_value, ' ', observation_date)"
    " FROM cdm.observation",
    "SELECT person_id, concat('procedure ', procedure_source_value, ' ', procedure_date)"
    " FROM cdm.procedure_occurrence",
    "SELECT person_id, concat('drug ', drug_source_value, ' ',"
    f" {_AT.format('drug_exposure_start_datetime')}) FROM cdm.drug_exposure",
    f"SELECT person_id, concat('note ', note_source_value, ' ', {_AT.format('note_datetime')})"
    " FROM cdm.note",
)
_TO_TEXT = "CREATE TEMP MACRO to_text(n) AS regexp_replace(n::VARCHAR, '\\.?0+$', '')"


def persons(keyring: Keyring, cases: list[Case]) -> dict[int, tuple[str, str]]:
    """person_id -> name of the case and A or B; AB when the two are one, whose key is the least."""
    found = {}
    for case in cases:
        keys = {n: keyring.keyed(PERSON, OID, n) for n in (case.names.a, case.names.b)}
        for label, number in (("A", case.names.a), ("B", case.names.b)):
            person = keyring.number(PERSON, 53, "id", keys[number])
            joint = case.merged and keys[number] == min(keys.values())
            found[person] = (case.name, "AB" if joint else label)
    return found


def facts(
    connection: duckdb.DuckDBPyConnection, known: Mapping[int, tuple[str, str]]
) -> dict[str, list[str]]:
    """Case -> its facts, sorted; a person of no case is told under its number."""
    connection.execute(_TO_TEXT)
    found: dict[str, list[str]] = defaultdict(list)
    for query in _FACTS:
        for person, text in connection.execute(query).fetchall():
            case, label = known.get(person, (f"nobody's {person}", "?"))
            found[case].append(f"{label} {text}")
    return {case: sorted(lines) for case, lines in found.items()}


def rows(
    connection: duckdb.DuckDBPyConnection, known: Mapping[int, tuple[str, str]]
) -> dict[str, list[str]]:
    """Case -> every row of its persons, whole, sorted."""
    tables = connection.execute(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'cdm' AND column_name = 'person_id' ORDER BY 1"
    ).fetchall()
    found: dict[str, list[str]] = defaultdict(list)
    for (table,) in tables:
        cursor = connection.execute(f"SELECT person_id, t.* FROM cdm.{table} t")
        for row in cursor.fetchall():
            found[known.get(row[0], ("", ""))[0]].append(f"{table} {row[1:]}")
    return {case: sorted(lines) for case, lines in found.items()}
