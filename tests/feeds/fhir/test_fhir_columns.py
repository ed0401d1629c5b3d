"""Readers of datatypes: codings by precedence, values, ranges, attachments."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fhir_samples import Resource, document, mapping_of

from entrepot.errors import ConfigurationError, RecordFault
from entrepot.feeds.document import Attachment, Result
from entrepot.feeds.fhir.reader import FhirReader

pytestmark = pytest.mark.core

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"


def result(resource: Resource, reader: str, path: str) -> Result:
    fhir = FhirReader()
    read = fhir.reader(reader, path, mapping_of(str(resource["resourceType"])))
    return read(document(fhir, resource), None)


def values(resource: Resource, reader: str, path: str) -> dict[str, str]:
    """What is not empty."""
    return {name: value for name, value in result(resource, reader, path)[0].items() if value}


def observation(**elements: Any) -> Resource:
    return {"resourceType": "Observation", **elements}


LOCAL = {"system": "http://hopital.example/codes", "code": "GLU", "display": "Glucose"}
CODED = {"system": LOINC, "code": "2339-0", "display": "Glucose [Mass/volume] in Blood"}
OTHER = {"system": SNOMED, "code": "33747003"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # a label is for what has no code
        ({"coding": [CODED], "text": "glycémie"}, {"code": "2339-0", "system": LOINC}),
        # a known system before an unknown one, whatever the order
        ({"coding": [LOCAL, CODED]},
         {"code": "2339-0", "system": LOINC, "alt_code": "GLU", "alt_system": LOCAL["system"]}),
        # of equals the one that the user chose, then the first
        ({"coding": [CODED, {**OTHER, "userSelected": True}]},
         {"code": "33747003", "system": SNOMED, "alt_code": "2339-0", "alt_system": LOINC}),
        ({"coding": [OTHER, CODED, LOCAL], "text": "t"},
         {"code": "33747003", "system": SNOMED, "alt_code": "2339-0", "alt_system": LOINC}),
        ({"coding": [CODED, CODED]}, {"code": "2339-0", "system": LOINC}),
        ({"coding": [{"system": LOINC, "display": "sans code"}], "text": "t"}, {"label": "t"}),
        ({"coding": [{"system": LOINC, "display": "sans code"}]}, {"label": "sans code"}),
        ({"text": "texte seul"}, {"label": "texte seul"}),
        ({"coding": [{"code": "X"}]}, {"code": "X"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_codings_by_precedence(code: Resource, expected: dict[str, str]) -> None:
    assert values(observation(code=code), "codeable_concept", "code") == expected


def test_rank_is_that_of_the_table() -> None:
    """`concepts/coding_rank.csv`: a classification speaks after a terminology (f2o-035)."""
    icd = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11", "userSelected": True}
    found = values(observation(code={"coding": [LOCAL, icd, OTHER]}), "codeable_concept", "code")
    assert (found["code"], found["alt_code"]) == ("33747003", "E11")


@pytest.mark.parametrize(
    ("resource", "path", "code"),
    [
        ({"resourceType": "Encounter", "class": {"code": "IMP"}}, "class", "IMP"),
        ({"resourceType": "Patient", "gender": "female"}, "gender", "female"),
        ({"resourceType": "Encounter", "type": [{"coding": [{"code": "A"}]}]}, "type", "A"),
        ({"resourceType": "MedicationRequest", "medicationReference": {"reference": "#1"},
          "contained": [{"resourceType": "Medication", "id": "1",
                         "code": {"coding": [{"code": "J01CA04"}]}}]},
         "medication.ofType(CodeableConcept) | medication.resolve().code", "J01CA04"),
        ({"resourceType": "MedicationRequest",
          "medicationCodeableConcept": {"coding": [{"code": "J01CA04"}]}}, "medication", "J01CA04"),
    ],
)  # fmt: skip
def test_where_codes_stand(resource: Resource, path: str, code: str) -> None:
    assert values(resource, "codeable_concept", path)["code"] == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueQuantity": {"value": 6.3, "unit": "mmol/l", "system": UCUM, "code": "mmol/L"}},
         {"value_number": "6.3", "value_text": "6.3", "unit_code": "mmol/L", "unit_system": UCUM}),
        ({"valueQuantity": {"value": 0.5, "comparator": "<", "unit": "g/dL"}},
         {"value_number": "0.5", "operator": "<", "value_text": "<0.5", "unit_code": "g/dL"}),
        ({"valueQuantity": {"value": 3, "unit": "comprimé", "system": "http://x", "code": "73"}},
         {"value_number": "3", "value_text": "3", "unit_code": "comprimé"}),
        ({"valueQuantity": {"value": 3, "system": "http://x", "code": "73"}},
         {"value_number": "3", "value_text": "3", "unit_code": "73", "unit_system": "http://x"}),
        ({"valueQuantity": {"unit": "g"}}, {"unit_code": "g"}),
        ({"valueQuantity": {"value": 279035121518989}}, {"value_text": "279035121518989"}),
        ({"valueQuantity": {"value": -12345678.25}},
         {"value_number": "-12345678.25", "value_text": "-12345678.25"}),
        ({"valueCodeableConcept": {"coding": [OTHER], "text": "présent"}},
         {"value_code": "33747003", "value_system": SNOMED, "value_text": "présent"}),
        ({"valueCodeableConcept": {"text": "présent"}}, {"value_text": "présent"}),
        ({"valueString": "positif"}, {"value_text": "positif"}),
        ({"valueString": "<0,5"}, {"value_number": "0.5", "operator": "<", "value_text": "<0,5"}),
        ({"valueBoolean": False}, {"value_code": "false", "value_system": "boolean"}),
        ({"valueInteger": 7}, {"value_number": "7", "value_text": "7"}),
        ({"valueDateTime": "2024-03-31"}, {"value_text": "2024-03-31"}),
        ({"valueTime": "12:30:00"}, {"value_text": "12:30:00"}),
        ({"valuePeriod": {"start": "2024", "end": "2025-01"}}, {"value_text": "2024/2025-01"}),
        ({"valueRange": {"low": {"value": 1.0}, "high": {"value": 2, "unit": "mg"}}},
         {"value_text": "1.0 - 2 mg"}),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}},
         {"value_text": "1:128"}),
        ({"valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1,
                               "data": "1 2 E"}}, {"value_text": "1 2 E"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_values(value: Resource, expected: dict[str, str]) -> None:
    assert values(observation(**value), "value", "value") == expected


def test_a_number_too_long_is_told() -> None:
    resource = observation(valueQuantity={"value": 123456789})
    assert result(resource, "value", "value")[2] == ["number_too_long"]


def test_two_values_of_one_choice() -> None:
    """R4 2.1.0.2: of a choice of types only one may be present."""
    with pytest.raises(RecordFault, match="invalid_fhir"):
        result(observation(valueString="a", valueInteger=1), "value", "value")


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([{"low": {"value": 3.10}, "high": {"value": 6.20}}],
         {"range_low": "3.1", "range_high": "6.2"}),
        ([{"high": {"value": 5}}], {"range_high": "5"}),
        ([{"text": "1,2 - 16,5"}], {"range_low": "1.2", "range_high": "16.5"}),
        ([{"text": "voir notice"}], {}),
        ([{"type": {"coding": [{"code": "treatment"}]}, "low": {"value": 1}},
          {"type": {"coding": [{"code": "normal"}]}, "low": {"value": 2}}], {"range_low": "2"}),
        ([], {}),
    ],
)  # fmt: skip
def test_ranges(ranges: list[Any], expected: dict[str, str]) -> None:
    resource = observation(referenceRange=ranges) if ranges else observation()
    assert values(resource, "range", "referenceRange") == expected


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PDF = {"contentType": "application/pdf", "data": _base64("%PDF")}
TEXT = {"contentType": "text/plain; charset=utf-8", "data": _base64("Compte rendu")}
ELSEWHERE = {"contentType": "text/plain", "url": "Binary/1"}


@pytest.mark.parametrize(
    ("contents", "chosen", "notices"),
    [
        ([TEXT], TEXT, []),
        ([PDF, TEXT], TEXT, []),
        ([PDF], PDF, []),
        ([ELSEWHERE, PDF], PDF, []),
        ([ELSEWHERE], None, ["attachment_elsewhere"]),
        ([{}], None, []),
    ],
)
def test_attachments(contents: list[Resource], chosen: Resource | None, notices: list[str]) -> None:
    resource = {
        "resourceType": "DocumentReference",
        "content": [{"attachment": attachment} for attachment in contents],
    }
    _, attachment, told = result(resource, "attachment", "content.attachment")
    expected = chosen and Attachment(chosen["contentType"], "Base64", chosen["data"])
    assert (attachment, told) == (expected, notices)


def test_a_binary_is_an_attachment() -> None:
    _, attachment, _ = result({"resourceType": "Binary", **TEXT}, "attachment", "%resource")
    assert attachment == Attachment(TEXT["contentType"], "Base64", TEXT["data"])


@pytest.mark.parametrize(
    ("reader", "path"), [("obx_value", "value"), ("value", "subject"), ("range", "code")]
)
def test_a_reader_that_does_not_fit(reader: str, path: str) -> None:
    with pytest.raises(ConfigurationError):
        FhirReader().reader(reader, path, mapping_of("Observation"))
