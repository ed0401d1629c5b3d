"""What a document says of itself: times, its own name, its Bundle entry, CDA inside."""

from __future__ import annotations

import base64
import json

import pytest
from fhir_samples import Resource, document, mapping_of, read

from entrepot.errors import RecordFault
from entrepot.feeds.document import Embedded
from entrepot.feeds.fhir.document import FhirDocument
from entrepot.feeds.fhir.reader import FhirReader

pytestmark = pytest.mark.core

CDA = b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>'


def parsed(sent: Resource) -> FhirDocument:
    return document(FhirReader(), sent)


def test_last_updated_dates_a_resource() -> None:
    sent = {"resourceType": "Patient", "meta": {"lastUpdated": "2024-03-31T02:30:00.123+01:00"}}
    assert parsed(sent).stated() == [("20240331023000.123+0100", "meta.lastUpdated")]
    assert parsed({"resourceType": "Patient"}).stated() == []
    assert parsed(sent).control == ""


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},
         "Patient/0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"),
        ({"fullUrl": "http://host/fhir/Patient/8"}, "Patient/8"),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_entry_names_a_resource_without_id(entry: Resource, expected: str) -> None:
    found = parsed({"entry": entry, "resource": {"resourceType": "Patient"}})
    assert found.own_reference == expected
    assert found.event == "Patient"


def test_the_resource_s_own_id_comes_first() -> None:
    found = parsed({"entry": {"fullUrl": "urn:uuid:1"}, "resource": {"resourceType": "Patient",
                                                                     "id": "p"}})  # fmt: skip
    assert found.own_reference == "Patient/p"


def test_references_within_a_bundle() -> None:
    mapping = mapping_of("Condition")
    reader = FhirReader()
    paths = [
        reader.path(text, mapping)
        for text in ("subject", "encounter", "subject.where(resolve() is Patient)")
    ]
    sent = {
        "entry": {},
        "references": {"urn:uuid:1": "Patient/p1"},
        "resource": {
            "resourceType": "Condition",
            "subject": {"reference": "urn:uuid:1"},
            "encounter": {"reference": "urn:uuid:2"},
        },
    }
    found = document(reader, sent)
    assert [path.read(found, None) for path in paths] == ["p1", "2", "p1"]


@pytest.mark.parametrize(
    ("url", "event", "own"),
    [
        ("Patient/p1", "DELETE^Patient", "Patient/p1"),
        ("http://host/fhir/Observation/9", "DELETE^Observation", "Observation/9"),
        ("Patient?identifier=http://host|1", "DELETE^Patient", ""),
    ],
)
def test_deletions(url: str, event: str, own: str) -> None:
    reader = FhirReader()
    mapping = mapping_of("*")
    paths = {text: reader.path(text, mapping) for text in ("%reference", "%entry.method", "id")}
    entry = {"method": "DELETE", "url": url, "lastModified": "2024-03-31T02:30:00Z"}
    found = document(reader, {"entry": entry})
    assert (found.event, found.own_reference) == (event, own)
    assert {text: path.read(found, None) for text, path in paths.items()} == {
        "%reference": own, "%entry.method": "DELETE", "id": "",
    }  # fmt: skip
    assert found.stated() == [("20240331023000+0000", "entry.response.lastModified")]
    assert found.nodes("identifier") == []
    assert found.embedded() == []


def test_a_deletion_of_nothing_known() -> None:
    with pytest.raises(RecordFault, match="resource_type_unknown"):
        parsed({"entry": {"method": "DELETE", "url": "$expunge"}})


def _attachment(content: bytes, type_: str) -> Resource:
    return {"contentType": type_, "data": base64.b64encode(content).decode()}


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({"resourceType": "DocumentReference", "content": [
            {"attachment": _attachment(b"%PDF-1.4", "application/pdf")},
            {"attachment": _attachment(CDA, "text/xml")}]}, "content[1].attachment.data"),
        ({"resourceType": "DiagnosticReport", "presentedForm": [
            _attachment(CDA, "application/hl7-cda+xml")]}, "presentedForm[0].data"),
        ({"resourceType": "Binary", **_attachment(CDA, "application/xml")}, "data"),
    ],
)  # fmt: skip
def test_cda_inside(resource: Resource, place: str) -> None:
    assert parsed(resource).embedded() == [Embedded(CDA, place, False)]


def test_a_cda_that_is_withdrawn() -> None:
    content = [{"attachment": _attachment(CDA, "text/xml")}]
    sent = {"resourceType": "DocumentReference", "status": "entered-in-error", "content": content}
    assert parsed(sent).embedded()[0].withdrawn


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    found = FhirReader().parse(b'\xef\xbb\xbf{"resourceType":"Patient","id":"p"}')
    assert found.own_reference == "Patient/p"


def test_no_value_in_a_position() -> None:
    sent = json.dumps({"resourceType": "Patient", "name": [{"family": 5}], "id": "DUPONT"})
    reader = FhirReader([mapping_of("Patient", family="name.family")])
    with pytest.raises(RecordFault) as caught:
        reader.parse(sent.encode())
    assert "DUPONT" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert read({"resourceType": "Patient"}, "name.family") == ""
