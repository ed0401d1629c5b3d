"""Faults that are put into a clean warehouse, as one row and as a fifth of a table.

A fault's `change` is SQL over the rows that `{chosen}` picks. What must answer is named by a part
of its check id: a family of ours, or DQD's name of the check type.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One way in which data go wrong.

    Args:
        key: names a row in quarantine.csv.
        change: UPDATE, DELETE or INSERT over `{table}` where `{chosen}`.
        found_by: parts of check ids, of which one must fail (bulk) or list the row (one row).
        rows: rows of the table that can be chosen.
        listed: whether one row of it can be told; a row that is gone cannot.
        new_key: how far the key of an inserted copy lies from its original's.
        shows: the key that the damaged row has afterwards, where it is another.
    """

    name: str
    table: str
    key: str
    change: str
    found_by: tuple[str, ...]
    rows: str = "true"
    listed: bool = True
    new_key: int = 0
    shows: int = 0


def _set(name: str, place: str, value: str, *found_by: str, rows: str = "true") -> Fault:
    table, _, field = place.partition(".")
    return Fault(
        name, table, KEYS.get(table, f"{table.removesuffix('_occurrence')}_id"),
        f"UPDATE cdm.{{table}} SET {field} = {value} WHERE {{chosen}}", found_by, rows,
    )  # fmt: skip


KEYS = {
    "person": "person_id", "visit_occurrence": "visit_occurrence_id",
    "visit_detail": "visit_detail_id", "condition_occurrence": "condition_occurrence_id",
    "procedure_occurrence": "procedure_occurrence_id", "drug_exposure": "drug_exposure_id",
    "device_exposure": "device_exposure_id", "measurement": "measurement_id",
    "observation": "observation_id", "note": "note_id", "specimen": "specimen_id",
    "death": "person_id", "condition_era": "condition_era_id", "drug_era": "drug_era_id",
    "observation_period": "observation_period_id",
}  # fmt: skip
_DAY = "INTERVAL 1 DAY"
_COPY = (
    "INSERT INTO cdm.{{table}} SELECT * REPLACE ({key} + {step} AS {key})"
    " FROM cdm.{{table}} WHERE {{chosen}}"
)
FAULTS = (
    # One for each check type of DQD that one row can break.
    _set("required field empty", "measurement.measurement_date", "NULL", "isrequired"),
    _set("required concept empty", "condition_occurrence.condition_concept_id", "NULL",
         "isrequired"),
    _set("negative concept", "measurement.unit_concept_id", "-8840", "isforeignkey"),
    Fault("key used twice", "drug_exposure", "drug_exposure_id",
          "UPDATE cdm.{table} SET drug_exposure_id = 50000000 WHERE {chosen}",
          ("isprimarykey",), shows=50_000_000),
    _set("unknown person", "measurement.person_id", "person_id + 900000000", "isforeignkey"),
    _set("unknown visit", "note.visit_occurrence_id", "visit_occurrence_id + 900000000",
         "isforeignkey"),
    _set("unknown concept", "measurement.measurement_concept_id", "999999999", "isforeignkey"),
    _set("unknown provider", "condition_occurrence.provider_id", "999999", "isforeignkey",
         rows="provider_id IS NOT NULL"),
    _set("concept of another domain", "condition_occurrence.condition_concept_id", "1125315",
         "fkdomain"),
    _set("gender that is no gender", "person.gender_concept_id", "9201", "fkdomain"),
    _set("era of no ingredient", "drug_era.drug_concept_id", "40165254", "fkclass"),
    _set("concept that is not standard", "condition_occurrence.condition_concept_id", "45547627",
         "isstandardvalidconcept"),
    _set("type that is no type", "procedure_occurrence.procedure_type_concept_id", "9202",
         "type_concept"),
    _set("concept lost", "measurement.measurement_concept_id", "0", "coherent", "unmapped"),
    _set("quantity of nothing", "device_exposure.quantity", "0", "plausiblevaluelow"),
    _set("days of supply too many", "drug_exposure.days_supply", "4000", "plausiblevaluehigh"),
    _set("event before birth", "condition_occurrence.condition_start_date", "DATE '1901-05-05'",
         "before_birth"),
    _set("year 1800", "measurement.measurement_date", "DATE '1800-01-01'", "too_early"),
    _set("event in the future", "procedure_occurrence.procedure_date", "DATE '2099-01-01'",
         "future"),
    _set("event long after death", "measurement.measurement_date", "measurement_date + 200",
         "plausiblebeforedeath", "withinvisitdates",
         rows="person_id IN (SELECT person_id FROM cdm.death)"),
    _set("end before start", "visit_occurrence.visit_end_date", "visit_start_date - 40",
         "plausiblestartbeforeend"),
    _set("event outside its visit", "note.note_date", "note_date + 60", "withinvisitdates"),
    _set("condition of the other sex", "condition_occurrence.condition_concept_id", "4163261",
         "plausiblegender", rows="person_id IN (SELECT person_id FROM cdm.person"
         " WHERE gender_concept_id = 8532)"),
    _set("unit of something else", "measurement.unit_concept_id", "9529",
         "plausibleunitconceptids", "coherent", rows="measurement_concept_id = 3016723"),
    _set("month 13", "person.month_of_birth", "13", "birth"),
    _set("year of birth 1700", "person.year_of_birth", "1700", "birth"),
    Fault("observation periods overlap", "observation_period", "observation_period_id",
          _COPY.format(key="observation_period_id", step=50_000_000),
          ("measureobservationperiodoverlap",), new_key=50_000_000),
    Fault("person without a period", "observation_period", "observation_period_id",
          "DELETE FROM cdm.{table} WHERE {chosen}", ("observed",), listed=False),
    Fault("conditions without an era", "condition_era", "condition_era_id",
          "DELETE FROM cdm.{table} WHERE person_id IN"
          " (SELECT person_id FROM cdm.{table} WHERE {chosen})",
          ("measureconditioneracompleteness",), listed=False),
    # Families that DQD has not.
    _set("value of another scale", "measurement.value_as_number", "value_as_number * 1000",
         "range"),
    _set("event of another person's visit", "drug_exposure.person_id",
         "(SELECT min(person_id) FROM cdm.person)", "same_person",
         rows="person_id <> (SELECT min(person_id) FROM cdm.person)"),
    _set("date and datetime disagree", "measurement.measurement_datetime",
         "measurement_datetime + INTERVAL 3 DAY", "same_day"),
    _set("event outside the periods", "specimen.specimen_date", "specimen_date - 9000",
         "observed_then", "before_birth"),
    _set("stay of ten years", "visit_occurrence.visit_end_date", "visit_end_date + 3650",
         "stay_length", rows="visit_start_date < DATE '2024-01-01'"),
    Fault("stays that overlap", "visit_occurrence", "visit_occurrence_id",
          _COPY.format(key="visit_occurrence_id", step=7_000_000).replace(
              "AS visit_occurrence_id)", "AS visit_occurrence_id, visit_start_date + 1 AS"
              " visit_start_date, visit_end_date + 1 AS visit_end_date,"
              " visit_start_datetime + INTERVAL 1 DAY AS visit_start_datetime)"),
          ("stay_overlap",), rows="visit_concept_id = 9201 AND visit_end_date > visit_start_date"
          " + 1 AND visit_end_date < DATE '2025-12-01'", new_key=7_000_000),
    Fault("batch sent twice", "measurement", "measurement_id",
          _COPY.format(key="measurement_id", step=700_000_000), ("repeated",),
          new_key=700_000_000),
    Fault("person told twice", "person", "person_id",
          _COPY.format(key="person_id", step=7_000_000), ("one_person", "observed"),
          new_key=7_000_000),
    _set("concept of another source value", "measurement.measurement_concept_id", "3000963",
         "coherent", "drift_remapped", rows="measurement_concept_id = 3025315"),
    _set("empty note", "note.note_text", "' '", "empty_note"),
    _set("damaged note", "note.note_text", "'RÃ©sumÃ© de sÃ©jour'", "damaged"),
    _set("e-mail in a note", "note.note_text", "note_text || ' jean.dupont@chu-lyon.fr'", "email"),
    _set("phone in a note", "note.note_text", "note_text || ' tél. 06 12 34 56 78'", "phone"),
    _set("NIR in a note", "note.note_text", "note_text || ' 1 85 05 78 006 084 36'", "nir"),
    Fault("rows lost", "measurement", "measurement_id",
          "DELETE FROM cdm.{table} WHERE {chosen}", ("drift_vanished",), listed=False),
    _set("values in another unit", "measurement.value_as_number", "value_as_number * 1.6",
         "drift_values", "drift_changed", rows="measurement_concept_id = 3000963"),
    _set("optional field empty", "measurement.value_as_number", "NULL", "drift_emptier",
         "drift_changed"),
    _set("source value without a concept", "observation.observation_concept_id", "0",
         "coherent", "drift_unmapped"),
    _set("remapped", "drug_exposure.drug_concept_id", "1125315", "coherent", "drift_remapped",
         rows="drug_concept_id = 1308216"),
    _set("texts cut short", "note.note_text", "substr(note_text, 1, 30)", "drift_changed",
         "drift_shorter"),
)  # fmt: skip
UNLISTED = {"values in another unit", "optional field empty", "texts cut short",
            "e-mail in a note", "phone in a note", "NIR in a note"}  # fmt: skip
"""Faults of one row that no rule can tell from a fact, and those that block, however few."""
