"""References by another name: a server's id leads to the unit, professional or medicine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omop_staging import Staging, at, derive, key, number

pytestmark = pytest.mark.core


def _structure(staging: Staging, name: str, kind: str, alias: str, **cells: Any) -> None:
    told = {"structure_type": kind, "alias_key": key(alias), "format": "fhir", "source": "ehr"}
    staging.add("structure", name, **told, **cells)


def test_a_server_id_means_the_unit_and_the_professional(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.person("p")
    _structure(staging, "UF 3021", "unit", "Organization/9", code="3021", label="Cardiologie")
    _structure(staging, "RPPS 1", "provider", "Practitioner/7")
    # A role names its professional by the server's id alone: two steps.
    _structure(staging, "Practitioner/7", "provider", "PractitionerRole/8")
    staging.add("stay", "s", "p", class_code="IMP", status_code="realised", mode="patch",
                start_at=at("2025-03-01"), end_at=at("2025-03-05"), unit="Organization/9",
                provider="PractitionerRole/8")  # fmt: skip
    staging.add("movement", "m", "p", stay="s", movement_code="A02", start_at=at("2025-03-01"),
                unit="UF 3021", provider="Practitioner/7")  # fmt: skip
    staging.event(
        "e", "p", provider="PractitionerRole/8", code="14682-9", system="http://loinc.org"
    )
    staging.add("document", "d", "p", text="Bonjour.", provider="unknown to all")
    connection = derive(tmp_path, staging, vocabulary)
    unit, provider = number("UF 3021"), number("RPPS 1")
    one = "SELECT care_site_id, provider_id FROM cdm.{}"
    assert connection.execute(one.format("visit_occurrence")).fetchall() == [(unit, provider)]
    assert connection.execute(one.format("visit_detail")).fetchall() == [(unit, provider)]
    assert connection.execute("SELECT provider_id FROM cdm.measurement").fetchall() == [(provider,)]
    # A name that no structure row explains stays what it was.
    assert connection.execute("SELECT provider_id FROM cdm.note").fetchall() == [
        (number("unknown to all"),)
    ]
    assert connection.execute(
        "SELECT care_site_id, care_site_name FROM cdm.care_site"
    ).fetchall() == [(unit, "Cardiologie")]
    assert connection.execute("SELECT count(*) FROM cdm.provider").fetchall() == [(2,)]


def test_a_name_means_what_was_said_of_it_last(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.person("p")
    _structure(staging, "UF old", "unit", "Location/1", version="0|1")
    _structure(staging, "UF new", "unit", "Location/1", version="0|2")
    # Names of another type of structure are other names.
    _structure(staging, "RPPS", "provider", "Location/1", version="0|3")
    _structure(staging, "RPPS", "provider", "UF new", version="0|4")
    # Two rows that name each other end the search.
    _structure(staging, "Location/2", "unit", "Location/3")
    _structure(staging, "Location/3", "unit", "Location/2")
    for name, unit in (("s1", "Location/1"), ("s2", "Location/2")):
        staging.add("stay", name, "p", class_code="AMB", status_code="realised", mode="patch",
                    start_at=at("2025-03-01"), end_at=at("2025-03-01"), unit=unit)  # fmt: skip
    connection = derive(tmp_path, staging, vocabulary)
    found = connection.execute("SELECT care_site_id FROM cdm.visit_occurrence").fetchall()
    assert {row[0] for row in found} == {number("UF new"), number("Location/2")}


def test_a_medicine_named_by_its_id_gives_the_code(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.person("p")
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    _structure(staging, "med/1", "medication", "med/1", code="723", system=rxnorm)
    _structure(staging, "med/2", "medication", "med/2", code="161", system=rxnorm, version="0|1")
    _structure(staging, "med/2", "medication", "med/2", version="0|2", action="delete",
               code="161", system=rxnorm)  # fmt: skip
    # A name of a name.
    _structure(staging, "med/4", "medication", "med/5", code="5640", system=rxnorm)
    _structure(staging, "med/5", "medication", "med/6")
    _structure(staging, "dev/1", "device", "dev/alias", code="42", system="http://example.org")
    for name, category, cells in (
        ("1 by reference", "drug", {"coded": "med/1"}),
        ("2 own code first", "drug", {"coded": "med/1", "code": "161", "system": rxnorm}),
        ("3 alternate first", "drug", {"coded": "med/1", "alt_code": "161", "alt_system": rxnorm}),
        ("4 withdrawn", "drug", {"coded": "med/2"}),
        ("5 unknown", "drug", {"coded": "med/3"}),
        ("6 device", "device", {"coded": "dev/alias"}),
        ("7 two steps", "drug", {"coded": "med/6"}),
    ):
        staging.event(name, "p", category, context_code="administration", format="fhir", **cells)
    connection = derive(tmp_path, staging, vocabulary)
    amoxicillin, paracetamol = 1713332, 1125315
    found = connection.execute(
        "SELECT l.row_key, d.drug_concept_id, d.drug_source_value FROM cdm.drug_exposure d"
        " JOIN etl.lineage l ON l.cdm_id = d.drug_exposure_id"
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == {
        key("1 by reference"): (amoxicillin, "723"),
        key("2 own code first"): (paracetamol, "161"),
        key("3 alternate first"): (paracetamol, "161"),
        key("4 withdrawn"): (0, None),
        key("5 unknown"): (0, None),
        key("7 two steps"): (1177480, "5640"),
    }
    assert connection.execute(
        "SELECT device_concept_id, device_source_value FROM cdm.device_exposure"
    ).fetchall() == [(0, "42")]


UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("format_", "unit", "system", "concept"),
    [
        # HL7 v2: the French table first, whatever OBX-6.3 says; then UCUM.
        ("hl7v2", "G/L", None, 9444),
        ("hl7v2", "G/L", "UCUM", 9444),
        ("hl7v2", "mmol/L", None, 8753),
        # FHIR and CDA say UCUM: G/L is gauss per litre there, which no concept carries.
        ("fhir", "10*9/L", UCUM, 9444),
        ("fhir", "G/L", UCUM, 0),
        ("fhir", "G/L", None, 9444),
        ("fhir", "G/L", "http://example.org/unites", 9444),
        ("fhir", "mmol/L", "http://unitsofmeasure.org/", 8753),
        ("fhir", "mmol/L", "urn:oid:2.16.840.1.113883.6.8", 8753),
        ("cda", "10*12/L", None, 8734),
        ("cda", "T/L", None, 0),
        ("cda", "T/L", "http://example.org/unites", 8734),
        ("cda", "g/dl", None, 8713),  # UCUM knows the litre in both cases
        ("cda", "[degF]x", None, 0),
        ("cda", None, None, None),
    ],
)
def test_units(
    tmp_path: Path, vocabulary: Path, format_: str, unit: str, system: str, concept: int
) -> None:
    staging = Staging()
    staging.person("p")
    staging.event("e", "p", code="26464-8", system="LN", value_number=7, unit_code=unit,
                  unit_system=system, format=format_)  # fmt: skip
    connection = derive(tmp_path, staging, vocabulary)
    assert connection.execute(
        "SELECT unit_concept_id, unit_source_value FROM cdm.measurement"
    ).fetchall() == [(concept, unit)]
