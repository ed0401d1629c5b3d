"""Paths, by the examples of FHIRPath N1 and of R4's own pages."""

from __future__ import annotations

from typing import Any

import pytest
from fhir_samples import document, mapping_of, read, read_all

from entrepot.errors import ConfigurationError
from entrepot.feeds.fhir.reader import FhirReader

pytestmark = pytest.mark.core

BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
# After the example `example` of R4's Patient page.
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "example",
    "active": True,
    "identifier": [
        {"use": "usual", "type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:1.2.36.146.595",
         "value": "12345", "assigner": {"display": "Acme Healthcare"}},
        {"use": "official", "type": {"coding": [{"code": "NI"}, {"code": "PPN"}]}},
        {"system": "http://hospital.example/ipp", "value": "678"},
    ],
    "name": [
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
        {"use": "usual", "given": ["Jim"]},
        {"use": "maiden", "family": "Windsor", "given": [None, "James"], "period": {"end": "2002"}},
    ],
    "birthDate": "1974-12-25",
    "_birthDate": {
        "extension": [{"url": BIRTH_TIME, "valueDateTime": "1974-12-25T14:35:45-05:00"}]
    },
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "contact": [{"name": {"family": "du Marché"}}],
    "managingOrganization": {"reference": "Organization/1"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("id", "example"),
        ("%reference", "Patient/example"),
        ("active", "true"),
        ("deceased.ofType(boolean)", "false"),
        ("deceased", ""),  # a bare choice reads its dates alone
        ("multipleBirth.ofType(integer)", "2"),
        ("birthDate", "19741225"),
        (f"birthDate.extension('{BIRTH_TIME}').value.ofType(dateTime)", "19741225143545-0500"),
        ("identifier.value", "12345"),
        ("identifier[2].value", "678"),
        ("identifier[3].value", ""),
        ("identifier[1].value", ""),
        ("identifier.system", "1.2.36.146.595"),
        ("identifier.where(system = 'urn:oid:1.2.36.146.595').value", "12345"),
        ("identifier.where(system = '1.2.36.146.595').value", "12345"),
        ("identifier.where(type.coding.code = 'PPN').use", "official"),
        ("identifier.where(use = 'old' or type.coding.code = 'MR').value", "12345"),
        ("identifier.where(use = 'usual' and type.coding.code = 'NI').value", ""),
        ("identifier.assigner.display", "Acme Healthcare"),
        ("name.first().family", "Chalmers"),
        ("name.given.first()", "Peter"),
        ("name.given[2]", "Jim"),  # of the whole collection, as FHIRPath counts
        ("name[1].given", "Jim"),
        ("name.where(period.exists()).family", "Windsor"),
        ("name.where(use = 'usual').exists()", "true"),
        ("name.where(use = 'nickname').exists()", ""),
        ("photo.exists()", ""),
        ("birthDate.exists()", "true"),
        ("contact.name.family", "du Marché"),
        ("managingOrganization", "1"),
        ("managingOrganization.where(resolve() is Organization)", "1"),
        ("managingOrganization.reference", "Organization/1"),
        ("meta.lastUpdated", ""),
        ("gender | birthDate", "19741225"),
    ],
)
def test_first_value(path: str, expected: str) -> None:
    assert read(PATIENT, path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name.family", ["Chalmers", "Windsor"]),
        ("name.given", ["Peter", "James", "Jim", "James"]),
        ("name[*].family", ["Chalmers", "", "Windsor"]),
        ("name[*].given", ["Peter", "Jim", "James"]),
        ("identifier[*].value", ["12345", "", "678"]),
        ("identifier[*].system", ["1.2.36.146.595", "", "http://hospital.example/ipp"]),
        ("identifier[*].type.coding.code", ["MR", "NI", ""]),
        ("identifier.where(value.exists())[*].use", ["usual", ""]),
        ("gender", []),
        ("gender | name.family", ["Chalmers", "Windsor"]),
    ],
)
def test_every_value(path: str, expected: list[str]) -> None:
    assert read_all(PATIENT, path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "nme.family",
        "name.familly",
        "name",
        "identifier.type",
        "birthDate.value",
        "name.ofType(HumanName)",
        "deceased.ofType(Quantity)",
        "multipleBirthInteger",
        "managingOrganization.resolve().nme",
        "name.resolve()",
        "name.where(resolve() is Patient)",
        "contained.name",
        "name[-1].family",
        "name[x]",
        "name.where(use)",
        "name.where(use = usual).family",
        "name.where(use = 'usual'",
        "name..family",
        "name.family.length()",
        "%patient.id",
        "%entry.resource",
        "%reference.id",
        "PID-3",
        "",
    ],
)
def test_what_r4_or_the_grammar_lacks_is_an_error(path: str) -> None:
    with pytest.raises(ConfigurationError):
        FhirReader().path(path, mapping_of("Patient"))


def test_mappings_are_checked_when_the_reader_is_made() -> None:
    with pytest.raises(ConfigurationError, match="Patient has no nme"):
        FhirReader([mapping_of("Patient", value="nme.family")])


OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "bp",
    "status": "final",
    "code": {"text": "pression artérielle"},
    "subject": {"reference": "https://dpi.example/fhir/Patient/123/_history/2"},
    "effectivePeriod": {"start": "2024-03-31T02:30:00.123456789+01:00"},
    "performer": [{"reference": "Organization/9"}, {"reference": "Practitioner/7"}],
    "component": [
        {"code": {"text": "systolique"}, "valueQuantity": {"value": 107, "unit": "mmHg"}},
        {"code": {"text": "diastolique"}, "valueString": "60"},
        {"code": {"coding": [{"code": "8480-6"}]}},
    ],
}


def test_rows_of_a_node() -> None:
    mapping = mapping_of("Observation", foreach="component")
    reader = FhirReader([mapping])
    paths = {
        text: reader.path(text, mapping)
        for text in ("code.text", "value.exists()", "%resource.id", "%self.code.text")
    }
    parsed = document(reader, OBSERVATION)
    nodes = parsed.nodes("component")
    assert [node.place for node in nodes] == ["component[0]", "component[1]", "component[2]"]
    assert [paths["code.text"].read(parsed, node) for node in nodes] == [
        "systolique", "diastolique", "",
    ]  # fmt: skip
    assert [paths["value.exists()"].read(parsed, node) for node in nodes] == ["true", "true", ""]
    assert paths["%resource.id"].read(parsed, nodes[1]) == "bp"
    assert paths["%self.code.text"].read(parsed, nodes[1]) == "diastolique"
    assert paths["code.text"].position(nodes[2]) == "component[2].code.text"
    assert paths["%resource.id"].position(nodes[2]) == "id"


@pytest.mark.parametrize("foreach", ["component | referenceRange", "value", "subject.resolve()"])
def test_a_foreach_goes_along_elements(foreach: str) -> None:
    with pytest.raises(ConfigurationError):
        FhirReader([mapping_of("Observation", foreach=foreach, text="text")])


def test_nodes_below_nodes_and_filtered() -> None:
    claim = {
        "resourceType": "Claim",
        "item": [
            {"sequence": 1, "detail": [{"sequence": 1}, {"sequence": 2}]},
            {"sequence": 2, "detail": [{"sequence": 1}]},
        ],
    }
    mapping = mapping_of("Claim", foreach="item.detail.where(sequence = '1')")
    reader = FhirReader([mapping])
    sequence = reader.path("sequence", mapping)
    parsed = document(reader, claim)
    nodes = parsed.nodes("item.detail.where(sequence = '1')")
    assert [(node.place, sequence.read(parsed, node)) for node in nodes] == [
        ("item[0].detail[0]", "1"),
        ("item[1].detail[0]", "1"),
    ]


@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        ({"effectiveDateTime": "2024-03"}, "202403"),
        ({"effectiveDateTime": "2024-03-31T02:30:00Z"}, "20240331023000+0000"),
        ({"effectiveInstant": "2024-03-31T02:30:00.5+01:00"}, "20240331023000.5+0100"),
        (
            {"effectivePeriod": {"start": "2024-03-31T02:30:00.123456789+01:00"}},
            "20240331023000.123456+0100",
        ),
        ({"effectivePeriod": {"end": "2024"}}, ""),
        ({"effectiveDateTime": "31/03/2024"}, "31/03/2024"),  # no date: told as it was sent
        ({"effectiveTiming": {"event": ["2024"]}}, ""),
    ],
)
def test_a_bare_choice_reads_its_dates(effective: dict[str, Any], expected: str) -> None:
    resource = {"resourceType": "Observation", **effective}
    assert read(resource, "effective") == expected


def test_one_mapping_of_several_types() -> None:
    mapping = mapping_of("Condition", "Immunization")
    reader = FhirReader([mapping])
    subject, patient = reader.path("subject", mapping), reader.path("patient", mapping)
    condition = document(
        reader, {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    )
    shot = document(reader, {"resourceType": "Immunization", "patient": {"reference": "Patient/2"}})
    assert [subject.read(one, None) for one in (condition, shot)] == ["1", ""]
    assert [patient.read(one, None) for one in (condition, shot)] == ["", "2"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.10", "1.10"), ("1.10000000000000000001", "1.10000000000000000001"), ("-0.5", "-0.5"),
     ("5", "5"), ("1e3", "1000"), ("2.50E-2", "0.0250")],
)  # fmt: skip
def test_decimals_keep_the_digits_sent(value: str, expected: str) -> None:
    """R4 datatypes, decimal: the precision of what was sent is significant."""
    reader = FhirReader()
    path = reader.path("value.ofType(Quantity).value", mapping_of("Observation"))
    sent = f'{{"resourceType":"Observation","valueQuantity":{{"value":{value}}}}}'
    assert path.read(reader.parse(sent.encode()), None) == expected
