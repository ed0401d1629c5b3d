"""References in all the forms of R4 section 2.3.0, and contained resources."""

from __future__ import annotations

from typing import Any

import pytest
from fhir_samples import read

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("reference", "token", "is_patient"),
    [
        ("Patient/123", "123", True),
        ("Patient/123/_history/2", "123", True),
        ("http://host/fhir/Patient/123", "123", True),
        ("https://host/fhir/Patient/123/_history/2", "123", True),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "c757873d-ec9a-4326-a141-556f43239520",
         False),
        ("urn:oid:1.2.3.4.5", "1.2.3.4.5", False),
        ("Practitioner?identifier=http://host|123", "123", False),
        ("Group/123", "123", False),
        ("#p1", "", False),
    ],
)  # fmt: skip
def test_references_in_all_forms(reference: str, token: str, is_patient: bool) -> None:
    resource = {"resourceType": "Observation", "subject": {"reference": reference}}
    assert read(resource, "subject") == token
    found = read(resource, "subject.where(resolve() is Patient).exists()")
    assert found == ("true" if is_patient else "")


def test_a_type_element_tells_what_a_reference_names() -> None:
    subject = {"reference": "urn:uuid:1", "type": "Patient"}
    resource = {"resourceType": "Observation", "subject": subject}
    assert read(resource, "subject.where(resolve() is Patient)") == "1"


def test_a_logical_reference_has_no_token() -> None:
    subject = {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "279035121518989"}}
    resource = {"resourceType": "Condition", "subject": subject}
    assert read(resource, "subject") == ""
    assert read(resource, "subject.identifier.value") == "279035121518989"
    assert read(resource, "subject.identifier.system") == "1.2.250.1.213.1.4.8"


CONTAINED: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "contained": [
        {"resourceType": "Medication", "id": "med", "code": {"text": "amoxicilline"}},
        {"resourceType": "Practitioner", "id": "p", "name": [{"family": "MARTIN"}]},
    ],
    "medicationReference": {"reference": "#med"},
    "requester": {"reference": "#p"},
    "subject": {"reference": "#none"},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("medication.resolve().code.text", "amoxicilline"),
        ("medication.ofType(Reference).resolve().code.text", "amoxicilline"),
        ("requester.resolve().ofType(Practitioner).name.family", "MARTIN"),
        ("requester.resolve().name.family", "MARTIN"),  # an Organization's name has no family
        ("requester.where(resolve() is Practitioner).resolve().name.family", "MARTIN"),
        ("requester.where(resolve() is Patient).exists()", ""),
        ("subject.resolve().identifier.value", ""),
        ("contained.where(resourceType = 'Practitioner').name.family", "MARTIN"),
        ("contained.ofType(Medication).id", "med"),
        ("medication.ofType(CodeableConcept).text | medication.resolve().code.text",
         "amoxicilline"),
    ],
)  # fmt: skip
def test_contained_resources(path: str, expected: str) -> None:
    assert read(CONTAINED, path) == expected
