"""The FHIR mappings: statuses as the rule page says, values of the norm, and the page in docs."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from entrepot.errors import RecordFault
from entrepot.feeds.extract import Extractor
from entrepot.feeds.fhir.specification import specification
from entrepot.feeds.mapping import load_mappings
from entrepot.feeds.raw_row import RawRow
from entrepot.resources import data_file, data_folder
from entrepot.staging.kinds import KINDS

pytestmark = pytest.mark.core

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "fhir.md"
LINE = re.compile(r"^\| ([A-Z]\w+) \|([^|]*)\|([^|]*)\|", re.MULTILINE)

SUBJECT = {"reference": "Patient/p1"}
SNOMED = {"coding": [{"system": "http://snomed.info/sct", "code": "73211009"}]}
RXNORM = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "197361"}]}
WHEN = "2024-03-31T10:15:00+02:00"

# One valid resource per type whose status decides; the status itself is filled in by each test.
WITH_STATUS: dict[str, dict[str, Any]] = {
    "Observation": {
        "code": SNOMED,
        "subject": SUBJECT,
        "valueInteger": 3,
        "effectiveDateTime": WHEN,
    },
    "Procedure": {"code": SNOMED, "subject": SUBJECT, "performedDateTime": WHEN},
    "MedicationRequest": {
        "intent": "order",
        "medicationCodeableConcept": RXNORM,
        "subject": SUBJECT,
        "authoredOn": WHEN,
    },
    "MedicationStatement": {
        "medicationCodeableConcept": RXNORM,
        "subject": SUBJECT,
        "effectiveDateTime": WHEN,
    },
    "MedicationAdministration": {
        "medicationCodeableConcept": RXNORM,
        "subject": SUBJECT,
        "effectiveDateTime": WHEN,
    },
    "MedicationDispense": {
        "medicationCodeableConcept": RXNORM,
        "subject": SUBJECT,
        "whenHandedOver": WHEN,
    },
    "Immunization": {"vaccineCode": SNOMED, "patient": SUBJECT, "occurrenceDateTime": WHEN},
    "DiagnosticReport": {"code": SNOMED, "subject": SUBJECT, "conclusion": "Normal."},
    "Specimen": {"type": SNOMED, "subject": SUBJECT},
    "DeviceUseStatement": {"device": {"reference": "Device/d1"}, "subject": SUBJECT},
    "Encounter": {"class": {"code": "AMB"}, "subject": SUBJECT, "period": {"start": WHEN}},
}

# Value sets of R4 with required binding (hl7.org/fhir/R4): the codes that make a row by section 4
# of the mapping rules, then all others but entered-in-error, which the register excludes.
STATUSES: dict[str, tuple[set[str], set[str]]] = {
    "Observation": (
        {"final", "amended", "corrected"},
        {"registered", "preliminary", "cancelled", "unknown"},
    ),
    "Procedure": (
        {"completed"},
        {"preparation", "in-progress", "not-done", "on-hold", "stopped", "unknown"},
    ),
    # The rules quote the guide twice: by intent alone, and active or completed. See docs.
    "MedicationRequest": (
        {"active", "completed", "stopped", "on-hold"},
        {"cancelled", "draft", "unknown"},
    ),
    "MedicationStatement": (
        {"active", "completed"},
        {"intended", "stopped", "on-hold", "unknown", "not-taken"},
    ),
    "MedicationAdministration": (
        {"completed", "in-progress"},
        {"not-done", "on-hold", "stopped", "unknown"},
    ),
    "MedicationDispense": (
        {"completed"},
        {
            "preparation",
            "in-progress",
            "cancelled",
            "on-hold",
            "stopped",
            "declined",
            "unknown",
        },
    ),
    "Immunization": ({"completed"}, {"not-done"}),
    "DiagnosticReport": (
        {"final", "amended", "corrected", "appended"},
        {"registered", "partial", "preliminary", "cancelled", "unknown"},
    ),
    "Specimen": ({"available", "unavailable"}, {"unsatisfactory"}),
    "DeviceUseStatement": ({"active", "completed"}, {"intended", "stopped", "on-hold"}),
}
ENCOUNTER = (
    {"arrived", "triaged", "in-progress", "onleave", "finished"},
    {"planned", "cancelled", "unknown"},
)


@cache
def extractor() -> Extractor:
    return Extractor(load_mappings("fhir"))


def staged(resource: dict[str, Any], *kinds: str) -> list[RawRow]:
    """Rows of the resource that would be staged, of the kinds named or of all."""
    document = extractor().parse(json.dumps(resource).encode(), "utf-8")
    wanted = kinds or tuple(KINDS)
    return [row for kind in wanted for row in extractor().rows(document, kind)]


def made(type_: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": type_, "id": "r1", **WITH_STATUS.get(type_, {}), **elements}


def rule(resource: dict[str, Any]) -> str:
    document = extractor().parse(json.dumps(resource).encode(), "utf-8")
    return extractor().exclusion(document.event) or extractor().exclusion_by_content(document) or ""


def fate(type_: str) -> tuple[str, str]:
    """(`excluded`, rule), (`quarantined`, reason) or (`mapped`, names of the mappings)."""
    if excluded := extractor().exclusion(type_):
        return "excluded", excluded
    if not extractor().covers(type_):
        return "quarantined", "event_not_mapped"
    names = [
        compiled.mapping.mapping
        for compiled in extractor().mappings(type_)
        if compiled.mapping.kind not in {"identity", "statement"}
    ]
    return "mapped", ", ".join(sorted(names))


def page() -> dict[str, tuple[str, str]]:
    found = LINE.findall(PAGE.read_text("utf-8"))
    return {name: (fate_.strip(), by.strip()) for name, fate_, by in found}


def test_the_page_names_every_resource_type_once() -> None:
    names = [name for name, _, _ in LINE.findall(PAGE.read_text("utf-8"))]
    assert sorted(names) == sorted(specification().resources)


@pytest.mark.parametrize("type_", sorted(specification().resources))
def test_the_page_says_what_becomes_of_a_type(type_: str) -> None:
    said, by = page()[type_]
    kind, name = fate(type_)
    if kind == "mapped":
        assert said not in {"excluded", "quarantined"}
        assert sorted(by.split(", ")) == name.split(", ")
    else:
        assert (said, by) == (kind, name)


def test_a_rule_names_types_that_exist_and_no_type_is_both_mapped_and_excluded() -> None:
    events = load_mappings("fhir").events
    patterns = [
        p for listed in events.excluded.values() for p in listed if not p.startswith("DELETE")
    ]
    plain = {p for p in patterns if "*" not in p}
    assert plain <= specification().resources
    named = {e for m in load_mappings("fhir").mappings for e in m.events if "*" not in e}
    assert {e for e in named if extractor().exclusion(e)} == set()
    assert {e for e in named if not e.startswith("DELETE")} <= specification().resources


def test_every_rule_and_reason_is_in_the_list() -> None:
    with data_file("mappings/dispositions.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["code"] for row in csv.DictReader(file)}
    events = load_mappings("fhir").events
    used = {*events.excluded, *events.excluded_when, *events.quarantined_when}
    for path in (data_folder("mappings") / "fhir").glob("*.yaml"):
        used |= set(re.findall(r'"(?:quarantine|notice):([a-z0-9_]+)"', path.read_text("utf-8")))
    notices = {"stay_number_missing"}
    assert used - listed - notices == set()


@pytest.mark.parametrize("type_", sorted(STATUSES))
def test_statuses_that_make_a_row_are_those_of_the_rules(type_: str) -> None:
    kept, left = STATUSES[type_]
    found = {
        status: {
            row.values["status_code"]
            for row in staged(made(type_, status=status), "event", "document")
        }
        for status in kept | left
    }
    assert {status for status, codes in found.items() if codes == {"final"}} == kept
    assert {status for status, codes in found.items() if codes and "final" not in codes} == left


@pytest.mark.parametrize("type_", sorted(STATUSES))
def test_a_status_that_the_norm_does_not_know_is_never_taken_for_final(type_: str) -> None:
    with pytest.raises(RecordFault, match="status_unknown"):
        staged(made(type_, status="done"), "event", "document")


@pytest.mark.parametrize("type_", sorted({*STATUSES, "Encounter"} - {"Specimen"}))
def test_a_missing_required_status_is_never_taken_for_final(type_: str) -> None:
    with pytest.raises(RecordFault, match="status_unknown"):
        staged(made(type_), "event", "document", "stay")


def test_encounters_that_are_visits() -> None:
    visits, others = ENCOUNTER
    found = {
        s: staged(made("Encounter", status=s), "stay")[0].values["status_code"]
        for s in visits | others
    }
    assert {status for status, code in found.items() if code == "realised"} == visits


@pytest.mark.parametrize("type_", ["Condition", "AllergyIntolerance"])
@pytest.mark.parametrize(
    ("verification", "kept"),
    [("", True), ("confirmed", True), ("unconfirmed", False)],
)
def test_verification_decides(type_: str, verification: str, kept: bool) -> None:
    subject = "subject" if type_ == "Condition" else "patient"
    status = {"verificationStatus": {"coding": [{"code": verification}]}} if verification else {}
    (row,) = staged(
        {"resourceType": type_, "id": "c", "code": SNOMED, subject: SUBJECT, **status}, "event"
    )
    doubted = row.values.get("verification_code") == "unconfirmed"
    assert (row.values["status_code"] == "final" and not doubted) is kept


@pytest.mark.parametrize("verification", ["provisional", "differential", "refuted"])
def test_a_doubtful_diagnosis_says_so(verification: str) -> None:
    status = {"verificationStatus": {"coding": [{"code": verification}]}}
    (row,) = staged(
        {"resourceType": "Condition", "id": "c", "code": SNOMED, "subject": SUBJECT, **status},
        "event",
    )
    assert row.values["status_code"] == "final"
    assert row.values["verification_code"] == verification


@pytest.mark.parametrize(
    ("intent", "final"),
    [
        ("order", True),
        ("original-order", True),
        ("instance-order", True),
        ("proposal", False),
        ("plan", False),
        ("reflex-order", False),
        ("filler-order", False),
        ("option", False),
    ],
)
def test_intents_of_prescriptions(intent: str, final: bool) -> None:
    (row,) = staged(made("MedicationRequest", status="active", intent=intent), "event")
    assert (row.values["status_code"] == "final") is final


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (made("Observation", status="entered-in-error"), "entered_in_error"),
        (
            made("DocumentReference", status="current", docStatus="entered-in-error"),
            "entered_in_error",
        ),
        (
            made("Condition", verificationStatus={"coding": [{"code": "entered-in-error"}]}),
            "entered_in_error",
        ),
        (made("DocumentReference", status="superseded"), "replaced"),
        (made("MedicationRequest", status="active", doNotPerform=True), "not_done"),
        (made("Claim", status="active", use="preauthorization"), "insurance"),
        (
            made("Patient", meta={"security": [{"code": "R"}, {"code": "V"}]}),
            "restricted_by_label",
        ),
        (made("Patient", meta={"security": [{"code": "R"}]}), ""),
        (
            made(
                "DocumentReference",
                status="current",
                securityLabel=[{"coding": [{"code": "N"}]}, {"coding": [{"code": "MASQUE_PS"}]}],
            ),
            "masked_by_label",
        ),
        (made("ServiceRequest", status="active", intent="order"), "order"),
    ],
)
def test_rules_by_content(resource: dict[str, Any], name: str) -> None:
    assert rule(resource) == name


def test_a_deletion_withdraws_what_it_names() -> None:
    content = b'{"entry": {"method": "DELETE", "url": "Patient/p1"}}'.replace(b": ", b":")
    document = extractor().parse(content, "utf-8")
    assert extractor().exclusion(document.event) == "deleted_resource"
    (version,) = extractor().rows(document, "statement")
    patient = extractor().parse(json.dumps(PATIENT).encode(), "utf-8")
    assert version.values == extractor().rows(patient, "statement")[0].values


BLOOD_PRESSURE: dict[str, Any] = {
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": SUBJECT,
    "status": "final",
    "effectiveDateTime": "2012-09-17",
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {
                "value": value,
                "unit": "mm[Hg]",
                "system": "http://unitsofmeasure.org",
                "code": "mm[Hg]",
            },
        }
        for code, value in (("8480-6", 107), ("8462-4", 60))
    ],
}


def test_a_panel_gives_one_row_per_component_and_none_of_its_own() -> None:
    rows = staged({"resourceType": "Observation", "id": "bp", **BLOOD_PRESSURE}, "event")
    found = [
        (r.values["code"], r.values["value_number"], r.values["unit_code"], r.values["start_at"])
        for r in rows
    ]
    assert found == [
        ("8480-6", "107", "mm[Hg]", "20120917"),
        ("8462-4", "60", "mm[Hg]", "20120917"),
    ]
    assert [row.key for row in rows] == [["bp", "8480-6"], ["bp", "8462-4"]]


def test_an_absent_value_makes_no_row_and_its_sister_component_does() -> None:
    absent = {"coding": [{"code": "unknown"}]}
    panel = json.loads(json.dumps(BLOOD_PRESSURE))
    del panel["component"][0]["valueQuantity"]
    panel["component"][0]["dataAbsentReason"] = absent
    rows = staged({"resourceType": "Observation", "id": "bp", **panel}, "event")
    assert [row.values["code"] for row in rows] == ["8462-4"]
    resource = made("Observation", status="final", dataAbsentReason=absent)
    del resource["valueInteger"]
    assert staged(resource) == []


def test_an_observation_without_value_was_made() -> None:
    resource = made("Observation", status="final")
    del resource["valueInteger"]
    (row,) = staged(resource)
    assert (row.values["code"], row.values.get("value_number", "")) == ("73211009", "")
    resource["hasMember"] = [{"reference": "Observation/o2"}]
    assert staged(resource) == []


@pytest.mark.parametrize(
    ("category", "context", "table"),
    [
        ("laboratory", "lab", "result"),
        ("vital-signs", "ehr", "result"),
        ("exam", "examination", "result"),
        ("social-history", "ehr", "observation"),
        ("survey", "ehr", "observation"),
        (None, "ehr", "result"),
    ],
)
def test_category_tells_the_context(category: str | None, context: str, table: str) -> None:
    told = {"category": [{"coding": [{"code": category}]}]} if category else {}
    (row,) = staged(made("Observation", status="final", **told))
    assert (row.values["context_code"], row.values["category"]) == (context, table)


def test_what_the_patient_states_keeps_its_type() -> None:
    (row,) = staged(made("Observation", status="final", performer=[SUBJECT]))
    assert row.values["context_code"] == "patient_reported"
    (row,) = staged(made("MedicationStatement", status="active", informationSource=SUBJECT))
    assert row.values["context_code"] == "patient_reported"


def test_a_contained_medication_speaks_and_another_is_referred_to() -> None:
    resource = made("MedicationRequest", status="active", medicationReference={"reference": "#m"})
    del resource["medicationCodeableConcept"]
    resource["contained"] = [{"resourceType": "Medication", "id": "m", "code": RXNORM}]
    (row,) = staged(resource, "event")
    assert (row.values["code"], row.values["coded"]) == ("197361", "")
    resource["medicationReference"] = {"reference": "Medication/42"}
    (row,) = staged(resource, "event")
    assert (row.values.get("code", ""), row.values["coded"]) == ("", "42")


def test_the_stay_is_called_by_the_hospitals_number() -> None:
    typed = {"type": {"coding": [{"code": "VN"}]}, "system": "urn:oid:1.2", "value": "230001"}
    other = {"type": {"coding": [{"code": "PLAC"}]}, "value": "99"}
    with_number = made("Encounter", status="finished", identifier=[other, typed])
    (row,) = staged(with_number, "stay")
    assert row.key == ["230001"]
    document = extractor().parse(json.dumps(with_number).encode(), "utf-8")
    (who,) = extractor().rows(document, "identity")
    assert (who.values["stay_reference"], who.lists["stay_numbers"][0]) == ("r1", "230001")
    (row,) = staged(made("Encounter", status="finished", identifier=[{"value": "230002"}]), "stay")
    assert row.key == ["230002"]
    (row,) = staged(made("Encounter", status="finished", identifier=[other]), "stay")
    assert row.key == ["r1"]


def test_a_part_of_a_stay_is_a_movement_of_it() -> None:
    part = made("Encounter", status="finished", partOf={"reference": "Encounter/whole"})
    (row,) = staged(part)
    assert (row.mapping.kind, row.values["stay"]) == ("movement", "whole")
    document = extractor().parse(json.dumps(part).encode(), "utf-8")
    (who,) = extractor().rows(document, "identity")
    assert (who.values["stay_reference"], who.lists["stay_numbers"]) == ("r1", ["whole"])


def test_locations_with_a_period_are_movements() -> None:
    places = [
        {"location": {"reference": "Location/a"}, "period": {"start": WHEN}},
        {"location": {"reference": "Location/b"}},
        {"location": {"reference": "Location/c"}, "period": {"start": WHEN}, "status": "planned"},
    ]
    rows = staged(made("Encounter", status="finished", location=places), "movement")
    assert [(r.values["unit"], r.values["start_at"]) for r in rows] == [
        ("a", "20240331101500+0200")
    ]


def test_an_implanted_device_is_exposed_from_the_act_on() -> None:
    device = [{"manipulated": {"reference": "Device/d1"}}]
    act, exposure = staged(made("Procedure", status="completed", focalDevice=device))
    assert act.values["category"] == "act"
    assert (exposure.values["category"], exposure.values["coded"]) == ("device", "d1")
    assert exposure.values["start_at"] == act.values["start_at"] == "20240331101500+0200"


def test_a_stay_that_passed_the_emergency_department_keeps_saying_so() -> None:
    history = [{"class": {"code": "EMER"}, "period": {"start": WHEN}}, {"class": {"code": "IMP"}}]
    place = [{"location": {"reference": "Location/a"}, "period": {"start": WHEN}}]
    resource = made(
        "Encounter",
        status="finished",
        **{"class": {"code": "IMP"}},
        classHistory=history,
        location=place,
    )
    rows = staged(resource, "stay")
    assert {(row.values["class_code"], row.key[0]) for row in rows} == {
        ("IMP", "r1"),
        ("EMER", "r1"),
    }
    last = max(rows, key=lambda row: row.event_time)
    assert last.values["class_code"] == "IMP"
    (movement,) = staged(resource, "movement")
    assert "class_code" not in movement.values


def claim(**elements: Any) -> dict[str, Any]:
    return made(
        "Claim",
        status="active",
        use="claim",
        patient=SUBJECT,
        billablePeriod={"start": "2024-03-01"},
        item=[{"sequence": 1, "encounter": [{"reference": "Encounter/e1"}]}],
        **elements,
    )


def test_a_claim_tells_what_it_codes_itself() -> None:
    coded = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I21.9"}]}
    act = {"coding": [{"system": "urn:oid:1.2.250.1.215.300.1", "code": "DEQP003"}]}
    rows = staged(
        claim(
            diagnosis=[
                {
                    "sequence": 1,
                    "diagnosisCodeableConcept": coded,
                    "type": [{"coding": [{"code": "DP"}]}],
                },
                {"sequence": 2, "diagnosisReference": {"reference": "Condition/c1"}},
            ],
            procedure=[{"sequence": 1, "procedureCodeableConcept": act, "date": "2024-03-02"}],
        )
    )
    found = [
        (r.values["category"], r.values["code"], r.values["start_at"], r.values["stay"])
        for r in rows
    ]
    assert found == [("diagnosis", "I21.9", "20240301", "e1"), ("act", "DEQP003", "20240302", "e1")]
    assert rows[0].values["rank_code"] == "DP"


def test_a_claim_of_references_alone_yields_nothing() -> None:
    references = claim(
        diagnosis=[{"sequence": 1, "diagnosisReference": {"reference": "Condition/c1"}}],
        procedure=[{"sequence": 1, "procedureReference": {"reference": "Procedure/p1"}}],
    )
    assert rule(references) == ""
    assert staged(references) == []


def test_a_consent_that_denies_is_an_opposition() -> None:
    consent = {
        "resourceType": "Consent",
        "id": "k",
        "status": "active",
        "patient": SUBJECT,
        "dateTime": "2024-05-02",
        "scope": {"coding": [{"code": "research"}]},
        "category": [{"coding": [{"code": "59284-0"}]}],
        "provision": {"type": "deny"},
    }
    document = extractor().parse(json.dumps(consent).encode(), "utf-8")
    (row,) = extractor().rows(document, "opposition")
    assert row.values == {"type": "research", "status": "R", "date": "20240502"}
    document = extractor().parse(json.dumps({**consent, "status": "rejected"}).encode(), "utf-8")
    assert extractor().rows(document, "opposition") == []


PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "extension": [
        {
            "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability",
            "extension": [{"url": "identityStatus", "valueCoding": {"code": "PROV"}}],
        }
    ],
    "identifier": [
        {
            "system": "urn:oid:1.2.250.1.213.1.4.8",
            "value": "279035121518989",
            "type": {"coding": [{"code": "INS-NIR"}]},
        },
        {"value": "8000123"},
        {"system": "urn:oid:1.2.3", "value": "77", "type": {"coding": [{"code": "PI"}]}},
    ],
    "name": [{"family": "PATÉ", "given": ["Zoé", "Anne"]}],
    "gender": "female",
    "birthDate": "1979-03-28",
    "deceasedDateTime": "2024-01",
    "address": [{"use": "old", "postalCode": "13001"}, {"use": "home", "postalCode": "45100"}],
    "link": [{"other": {"reference": "Patient/p2"}, "type": "replaces"}],
}


def test_identifiers_stay_aligned() -> None:
    document = extractor().parse(json.dumps(PATIENT).encode(), "utf-8")
    (who,) = extractor().rows(document, "identity")
    assert who.lists["identifier_value"] == ["279035121518989", "8000123", "77"]
    assert who.lists["identifier_namespace"] == ["1.2.250.1.213.1.4.8", "", "1.2.3"]
    assert who.lists["identifier_type"] == ["INS-NIR", "", "PI"]
    assert (who.values["own_reference"], who.values["identity_status"]) == ("p1", "PROV")
    del PATIENT["extension"]
    document = extractor().parse(json.dumps(PATIENT).encode(), "utf-8")
    (who,) = extractor().rows(document, "identity")
    assert who.values["identity_status"] == "VALI"


def test_demographics_and_links() -> None:
    (row,) = staged(PATIENT, "patient")
    assert row.values["gender_code"] == "female"
    assert (row.values["death_at"], row.values["departement"]) == ("202401", "45100")
    document = extractor().parse(json.dumps(PATIENT).encode(), "utf-8")
    (link,) = extractor().rows(document, "link")
    assert (link.mapping.pair, link.lists["value"]) == ("reference", ["p2"])


def test_a_mother_is_told_by_a_related_person() -> None:
    mother = {
        "resourceType": "RelatedPerson",
        "id": "m",
        "patient": SUBJECT,
        "relationship": [{"coding": [{"code": "MTH"}]}],
        "identifier": [
            {"system": "urn:oid:1.2.3", "value": "55", "type": {"coding": [{"code": "PI"}]}}
        ],
    }
    document = extractor().parse(json.dumps(mother).encode(), "utf-8")
    (who,) = extractor().rows(document, "identity")
    assert (who.values["mother_value"], who.values["mother_namespace"]) == ("55", "1.2.3")
    mother["relationship"] = [{"coding": [{"code": "WIFE"}]}]
    document = extractor().parse(json.dumps(mother).encode(), "utf-8")
    (who,) = extractor().rows(document, "identity")
    assert "mother_value" not in who.values
    assert extractor().rows(document, "patient") == []


def test_a_replacing_document_names_what_it_replaces() -> None:
    document = extractor().parse(
        json.dumps(
            made(
                "DocumentReference",
                status="current",
                identifier=[{"value": "doc-2"}],
                relatesTo=[
                    {"code": "replaces", "target": {"reference": "DocumentReference/r0"}},
                    {"code": "appends", "target": {"reference": "DocumentReference/r9"}},
                ],
            )
        ).encode(),
        "utf-8",
    )
    rows = extractor().rows(document, "statement")
    assert [v for row in rows for v in row.lists.get("replaces", [])] == ["r0"]
    assert [v for row in rows for v in row.lists.get("name", [])] == ["r1", "doc-2"]


NEW_TYPE = """\
mapping: family_history
kind: event
events: [FamilyMemberHistory]
foreach: condition
key: ["%resource.id", code.coding.code]
readers:
  - {reader: codeable_concept, path: code, columns: {code: keep, system: keep, label: scrub}}
columns:
  category: {constant: observation, treatment: keep}
  context_code: {constant: ehr, treatment: keep}
  status_code: {constant: final, treatment: keep}
"""


def test_a_new_resource_type_is_one_file_of_the_site(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "fhir"
    folder.mkdir(parents=True)
    (folder / "family_history.yaml").write_text(NEW_TYPE)
    mine = Extractor(load_mappings("fhir", [tmp_path]))
    assert not extractor().covers("FamilyMemberHistory")
    assert mine.covers("FamilyMemberHistory")
    history = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": SUBJECT,
        "relationship": {"coding": [{"code": "FTH"}]},
        "condition": [{"code": SNOMED}],
    }
    document = mine.parse(json.dumps(history).encode(), "utf-8")
    assert [row.values["code"] for row in mine.rows(document, "event")] == ["73211009"]
