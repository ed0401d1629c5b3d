"""Where an event goes: doubt, refutation, allergies, devices, specimens; what is never loaded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from omop_staging import Staging, at, derive, dispositions, key, named, number

pytestmark = pytest.mark.core

DIABETES = {"code": "E11.9", "system": "CIM-10"}
T2D = 201826


def _derived(tmp_path: Path, vocabulary: Path, staging: Staging) -> Any:
    staging.person("p")
    return derive(tmp_path, staging, vocabulary)


def test_only_a_confirmed_diagnosis_is_a_condition(tmp_path: Path, vocabulary: Path) -> None:
    """FHIR condition-ver-status: what is doubted or refuted is an observation with a qualifier."""
    staging = Staging()
    for code in ("", "confirmed", "provisional", "differential", "refuted", "unconfirmed"):
        staging.event(f"d {code}", "p", "diagnosis", context_code="problem-list-item",
                      format="fhir", verification_code=code or None, **DIABETES)  # fmt: skip
    staging.event("d ranked", "p", "diagnosis", verification_code="confirmed", rank_code="DP",
                  **DIABETES)  # fmt: skip
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute(
        """SELECT condition_concept_id, condition_status_concept_id, condition_status_source_value,
        condition_type_concept_id FROM cdm.condition_occurrence ORDER BY 3 NULLS FIRST"""
    ).fetchall() == [
        (T2D, 0, None, 32840), (T2D, 32902, "DP", 32817), (T2D, 32893, "confirmed", 32840),
    ]  # fmt: skip
    assert connection.execute(
        """SELECT observation_concept_id, qualifier_concept_id, qualifier_source_value,
        observation_type_concept_id FROM cdm.observation ORDER BY 3"""
    ).fetchall() == [
        (T2D, 32899, "differential", 32840), (T2D, 32899, "provisional", 32840),
        (T2D, 4188540, "refuted", 32840),
    ]  # fmt: skip
    told = named(dispositions(connection, "event"), ["d unconfirmed", "d refuted", "d "])
    assert told == {"d unconfirmed": "excluded:unconfirmed", "d refuted": "mapped", "d ": "mapped"}
    # No era is made of what was refuted.
    assert connection.execute(
        "SELECT condition_occurrence_count FROM cdm.condition_era"
    ).fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("status", "disposition"),
    [
        ("negated", "excluded:negated"),
        ("not_done", "excluded:not_done"),
        ("cancelled", "excluded:status_not_final"),
        (None, "excluded:status_not_final"),
    ],
)
def test_what_did_not_happen_is_never_loaded(
    tmp_path: Path, vocabulary: Path, status: str | None, disposition: str
) -> None:
    staging = Staging()
    staging.event("e", "p", "diagnosis", status_code=status, **DIABETES)
    staging.event("f", "p", "diagnosis", **DIABETES)
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute("SELECT count(*) FROM cdm.condition_occurrence").fetchall() == [(1,)]
    assert connection.execute("SELECT count(*) FROM cdm.observation").fetchall() == [(0,)]
    assert named(dispositions(connection, "event"), ["e"]) == {"e": disposition}


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        # A substance: its kind is the concept, the substance the value; never an exposure.
        ({"code": "723", "system": "RXNORM", "sub_code": "medication"}, (439224, 1713332, None)),
        ({"code": "723", "system": "RXNORM"}, (439224, 1713332, None)),
        ({"code": "723", "system": "RXNORM", "sub_code": "food"}, (4188027, 1713332, None)),
        # An unknown substance is no known kind of allergy: it may be «no known allergy».
        ({"code": "X1", "system": "L", "sub_code": "food"}, (0, None, None)),
        # A finding names itself.
        ({"code": "609328004", "system": "http://snomed.info/sct"}, (43530807, None, None)),
        ({"code": "723", "system": "RXNORM", "verification_code": "unconfirmed"},
         (439224, 1713332, None)),
        ({"code": "723", "system": "RXNORM", "verification_code": "refuted"},
         (439224, 1713332, 4188540)),
    ],
)  # fmt: skip
def test_allergies_are_observations(
    tmp_path: Path, vocabulary: Path, cells: dict[str, str], row: tuple[Any, ...]
) -> None:
    staging = Staging()
    staging.event("a", "p", "allergy", format="fhir", **cells)
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute(
        "SELECT observation_concept_id, value_as_concept_id, qualifier_concept_id"
        " FROM cdm.observation"
    ).fetchall() == [row]
    assert connection.execute("SELECT count(*) FROM cdm.drug_exposure").fetchall() == [(0,)]


@pytest.mark.parametrize("told", [("allergy", "reaction"), ("reaction", None)])
def test_a_reaction_hangs_on_the_allergy_of_its_record(
    tmp_path: Path, vocabulary: Path, told: tuple[str, str | None]
) -> None:
    """f2o, allergies: a second row, linked by observation_event_id; a condition never."""
    staging = Staging()
    category, sub_code = told
    for record, allergies in (("one", 1), ("two", 2)):
        for n in range(allergies):
            staging.event(f"allergy {record} {n}", "p", "allergy", code="723", system="RXNORM",
                          record_key=key(record), row_number=n)  # fmt: skip
        staging.event(f"rash {record}", "p", category, sub_code=sub_code, record_key=key(record),
                      row_number=5, **DIABETES)  # fmt: skip
    connection = _derived(tmp_path, vocabulary, staging)
    # Which of two allergies showed itself is not said: no link.
    assert connection.execute(
        "SELECT observation_event_id, obs_event_field_concept_id FROM cdm.observation"
        " WHERE observation_concept_id = ? ORDER BY 1", [T2D]
    ).fetchall() == [(number("allergy one 0", 63), 1147165), (None, None)]  # fmt: skip
    assert connection.execute(
        "SELECT count(observation_event_id), count(*) FROM cdm.observation"
    ).fetchall() == [(1, 5)]


def _vocabulary_with(vocabulary: Path, folder: Path, concept: str) -> Path:
    """A copy that holds one more standard SNOMED concept: id, domain, class and code."""
    copy = folder / "vocabulary.duckdb"
    shutil.copy(vocabulary, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            f"""INSERT INTO concept BY NAME SELECT *, 'x' AS concept_name, 'SNOMED' AS
            vocabulary_id, 'S' AS standard_concept, DATE '1970-01-01' AS valid_start_date,
            DATE '2099-12-31' AS valid_end_date
            FROM (VALUES {concept}) t(concept_id, domain_id, concept_class_id, concept_code);
            INSERT INTO concept_relationship BY NAME SELECT concept_id AS concept_id_1, concept_id
            AS concept_id_2, 'Maps to' AS relationship_id, valid_start_date, valid_end_date
            FROM concept WHERE concept_name = 'x'"""
        )
    return copy


def test_a_substance_of_any_domain_is_the_value(tmp_path: Path, vocabulary: Path) -> None:
    """A food that SNOMED CT calls a substance is what one is allergic to, never the allergy."""
    staging = Staging()
    staging.event("a", "p", "allergy", code="762952008", system="SCT", sub_code="food")
    peanut = "(42538933, 'Observation', 'Substance', '762952008')"
    connection = _derived(tmp_path, _vocabulary_with(vocabulary, tmp_path, peanut), staging)
    assert connection.execute(
        "SELECT observation_concept_id, value_as_concept_id FROM cdm.observation"
    ).fetchall() == [(4188027, 42538933)]


@pytest.mark.parametrize(("domain", "site"), [("Spec Anatomic Site", 4217585), ("Observation", 0)])
def test_where_a_specimen_was_taken(
    tmp_path: Path, vocabulary: Path, domain: str, site: int
) -> None:
    staging = Staging()
    staging.event("s", "p", "specimen", code="X1", system="L", format="fhir",
                  value_code="368208006", value_system="http://snomed.info/sct")  # fmt: skip
    arm = f"(4217585, '{domain}', 'Body Structure', '368208006')"
    connection = _derived(tmp_path, _vocabulary_with(vocabulary, tmp_path, arm), staging)
    assert connection.execute(
        "SELECT anatomic_site_concept_id, anatomic_site_source_value FROM cdm.specimen"
    ).fetchall() == [(site, "368208006")]


@pytest.mark.parametrize(("told", "concept"), [("true", 4188539), ("false", 4188540)])
@pytest.mark.parametrize("column", ["value_code", "value_text"])
def test_a_boolean_is_yes_or_no(
    tmp_path: Path, vocabulary: Path, told: str, concept: int, column: str
) -> None:
    staging = Staging()
    staging.event("e", "p", code="14682-9", system="http://loinc.org", format="fhir",
                  **{column: told})  # fmt: skip
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute("SELECT value_as_concept_id FROM cdm.measurement").fetchall() == [
        (concept,)
    ]


def test_codes_without_a_concept_go_where_their_category_goes(
    tmp_path: Path, vocabulary: Path
) -> None:
    tables = {
        "diagnosis": "condition_occurrence", "act": "procedure_occurrence", "imaging":
        "procedure_occurrence", "drug": "drug_exposure", "vaccination": "drug_exposure",
        "device": "device_exposure", "specimen": "specimen", "result": "measurement",
        "observation": "observation", "allergy": "observation", "anything else": "observation",
    }  # fmt: skip
    staging = Staging()
    for category in tables:
        staging.event(category, "p", category, code="X1", system="L", context_code=None)
    connection = _derived(tmp_path, vocabulary, staging)
    found = dict(connection.execute("SELECT row_key, cdm_table FROM etl.lineage").fetchall())
    assert {category: found[key(category)] for category in tables} == tables
    # Nobody said where it comes from: an electronic health record (f2o-051), never a guess.
    assert connection.execute(
        "SELECT device_type_concept_id FROM cdm.device_exposure"
    ).fetchall() == [(32817,)]


def test_a_concept_that_no_table_takes_is_a_value(tmp_path: Path, vocabulary: Path) -> None:
    """Rule 2.6: any other domain goes to observation with the concept as its value."""
    staging = Staging()
    staging.event("e", "p", "result", code="mmol/L", system="UCUM")
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute(
        "SELECT observation_concept_id, value_as_concept_id FROM cdm.observation"
    ).fetchall() == [(0, 8753)]


def test_devices_and_specimens(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.event("pacemaker", "p", "device", code="X1", system="L", quantity=2,
                  context_code="device", end_at=at("2025-03-04"), provider="dr")  # fmt: skip
    staging.event("drops", "p", "device", code="X2", system="L", quantity=0.5)
    staging.event("blood", "p", "specimen", code="X3", system="L", quantity=5, unit_code="mL",
                  unit_system="UCUM", context_code="specimen", format="fhir",
                  start_at=at("2025-03-02"))  # fmt: skip
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute(
        """SELECT device_source_value, device_exposure_start_date::VARCHAR,
        device_exposure_end_date::VARCHAR, quantity, device_type_concept_id
        FROM cdm.device_exposure ORDER BY 1"""
    ).fetchall() == [
        ("X1", "2025-03-01", "2025-03-04", 2, 32817),
        ("X2", "2025-03-01", None, None, 32817),
    ]
    assert connection.execute(
        """SELECT specimen_source_value, specimen_date::VARCHAR, quantity::DOUBLE, unit_concept_id,
        specimen_type_concept_id, specimen_source_id FROM cdm.specimen"""
    ).fetchall() == [("X3", "2025-03-02", 5.0, 8587, 32817, None)]
    # A device and a specimen are clinical events: they open a period, and name their professional.
    assert connection.execute(
        "SELECT observation_period_start_date::VARCHAR FROM cdm.observation_period"
    ).fetchall() == [("2025-03-01",)]
    assert connection.execute("SELECT count(*) FROM cdm.provider").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("context", "end"),
    [("prescription", "2025-03-30"), ("order", "2025-03-30"), ("dispensation", "2025-03-30"),
     ("administration", "2025-03-01"), ("vaccination", "2025-03-01")],
)  # fmt: skip
def test_end_of_a_drug_that_states_none(
    tmp_path: Path, vocabulary: Path, context: str, end: str
) -> None:
    """Themis 57: written and dispensed start + 29 days, administered the same day."""
    staging = Staging()
    staging.event("d", "p", "drug", context_code=context, code="723", system="RXNORM")
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute(
        "SELECT drug_exposure_end_date::VARCHAR, verbatim_end_date FROM cdm.drug_exposure"
    ).fetchall() == [(end, None)]


@pytest.mark.parametrize(("flag", "dead"), [("Y", 1), ("N", 0), ("false", 0), (None, 1)])
def test_who_is_said_to_live_is_not_dead(
    tmp_path: Path, vocabulary: Path, flag: str | None, dead: int
) -> None:
    staging = Staging()
    staging.person("p", death_at=at("2025-04-02T05:00"), version="0|1", format="cda")
    staging.person("p", deceased_code=flag, version="0|2", format="fhir", source="ehr")
    staging.event("e", "p", code="X", system="L")
    connection = derive(tmp_path, staging, vocabulary)
    assert connection.execute("SELECT count(*) FROM cdm.death").fetchall() == [(dead,)]


def test_a_fhir_discharge_by_death_is_a_death(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.add("stay", "s", "p", class_code="IMP", status_code="realised", mode="patch",
                exit_code="exp", start_at=at("2025-03-01"),
                end_at=at("2025-03-05T10:00"))  # fmt: skip
    connection = _derived(tmp_path, vocabulary, staging)
    assert connection.execute("SELECT death_datetime::VARCHAR FROM cdm.death").fetchall() == [
        ("2025-03-05 10:00:00",)
    ]
