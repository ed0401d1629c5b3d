"""What is refused, by which reason, and that nothing else ever escapes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from fhir_samples import PATIENTS, Resource, mapping_of
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.feeds.fhir.reader import FhirReader
from entrepot.feeds.fhir.refusal import MAX_DEPTH

pytestmark = pytest.mark.core

NAMED = {
    "value": "value.ofType(Quantity).value",
    "code": "code.coding.code",
    "status": "status",
    "contained": "subject.resolve().identifier.value",
}
OBSERVATION = mapping_of("Observation", **NAMED)
ENCOUNTER = mapping_of("Encounter", code="class.code")
PATIENT = mapping_of("Patient", family="name.family", born="birthDate")
MODIFIER = "modifierExtension.where(url = 'http://known').value.ofType(boolean)"
READER = FhirReader(
    [OBSERVATION, ENCOUNTER, PATIENT, mapping_of("Procedure", known=MODIFIER)]
)  # fmt: skip


def refusal(content: bytes | Resource) -> tuple[str, str]:
    sent = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(RecordFault) as caught:
        READER.parse(sent, "utf-8")
    return caught.value.reason, caught.value.position


def nested(depth: int) -> bytes:
    """A Patient whose extensions nest so that objects and arrays are `depth` levels deep."""
    pairs = (depth - 1) // 2
    return b'{"resourceType":"Patient"' + b',"extension":[{"url":"a"' * pairs + b"}]" * pairs + b"}"


@pytest.mark.parametrize(
    ("sent", "reason", "position"),
    [
        (b"", "invalid_json", ""),
        (b"{", "invalid_json", ""),
        (b'{"resourceType":"Patient"}}', "invalid_json", ""),
        (b'{"resourceType":"Patient","active":tru}', "invalid_json", ""),
        (b'{"resourceType":"Patient","id":"\xe9"}', "invalid_utf8", "byte 33"),
        ('{"resourceType":"Patient"}'.encode("utf-16"), "invalid_utf8", "byte 1"),
        (b"{}", "resource_type_unknown", "resourceType"),
        (b'{"resourceType":"Dupont"}', "resource_type_unknown", "resourceType"),
        (b'{"resourceType":["Patient"]}', "resource_type_unknown", "resourceType"),
        (b"[]", "invalid_fhir", ""),
        (b"7", "invalid_fhir", ""),
        (b"null", "invalid_fhir", ""),
        (b'<Bundle xmlns="http://hl7.org/fhir"/>', "fhir_xml_not_supported", "Bundle"),
    ],
)
def test_what_is_no_resource(sent: bytes, reason: str, position: str) -> None:
    assert refusal(sent) == (reason, position)


@pytest.mark.parametrize(
    ("resource", "reason", "position"),
    [
        # R5: Encounter.class is a list of CodeableConcept, period became actualPeriod
        ({"resourceType": "Encounter", "class": [{"coding": [{"code": "IMP"}]}]},
         "not_r4", "Encounter.class"),
        ({"resourceType": "Encounter", "actualPeriod": {"start": "2024"}}, "not_r4", "Encounter"),
        # STU3: Observation.context, Condition.clinicalStatus as a code; DSTU2: Patient.animal too
        ({"resourceType": "Observation", "context": {"reference": "Encounter/1"}},
         "not_r4", "Observation.context"),
        # an element that no version has: its name could be anything, so it is not told
        ({"resourceType": "Patient", "DUPONT": 1}, "not_r4", "Patient"),
        ({"resourceType": "Patient", "_DUPONT": 1}, "not_r4", "Patient"),
        ({"resourceType": "Patient", "birthDate": 1974}, "invalid_fhir", "Patient.birthDate"),
        ({"resourceType": "Patient", "birthDate": None}, "invalid_fhir", "Patient.birthDate"),
        ({"resourceType": "Patient", "name": [{"family": ["A"]}]},
         "invalid_fhir", "Patient.name[0].family"),
        ({"resourceType": "Patient", "name": {"family": "A"}}, "not_r4", "Patient.name"),
        ({"resourceType": "Observation", "code": {"coding": {"code": "1"}}},
         "invalid_fhir", "Observation.code.coding"),
    ],
)  # fmt: skip
def test_other_shapes_than_r4(resource: Resource, reason: str, position: str) -> None:
    assert refusal(resource) == (reason, position)


@pytest.mark.parametrize("value", ['"5.4"', "true", "{}", "[1]", "null5"])
def test_a_decimal_that_is_no_number(value: str) -> None:
    sent = f'{{"resourceType":"Observation","valueQuantity":{{"value":{value}}}}}'
    path = READER.path(NAMED["value"], OBSERVATION)
    with pytest.raises(RecordFault, match="invalid_"):
        path.read(READER.parse(sent.encode()), None)


def test_a_contained_resource_is_as_strict() -> None:
    subject = {"reference": "#p"}
    contained = [{"resourceType": "Patient", "id": "p", "animal": {}}]
    parsed = READER.parse(
        json.dumps(
            {"resourceType": "Observation", "subject": subject, "contained": contained}
        ).encode()
    )
    with pytest.raises(RecordFault) as caught:
        READER.path(NAMED["contained"], OBSERVATION).read(parsed, None)
    assert caught.value.reason == "not_r4"


def test_siblings_of_primitives_are_r4() -> None:
    sent = {"resourceType": "Patient", "_birthDate": {"id": "a"}, "_gender": {"extension": []}}
    assert READER.parse(json.dumps(sent).encode()).event == "Patient"


@pytest.mark.parametrize("depth", [3, 31, 63])
def test_depth_within_the_limit(depth: int) -> None:
    assert READER.parse(nested(depth)).event == "Patient"


@pytest.mark.parametrize("depth", [67, 201, 3001, 100_001])
def test_too_deep(depth: int) -> None:
    assert refusal(nested(depth))[0] == "nesting_too_deep"


def test_brackets_in_a_text_are_not_depth() -> None:
    text = '[{"' * (MAX_DEPTH * 2)
    sent = {"resourceType": "Patient", "name": [{"text": text}], "text": {"div": text}}
    assert READER.parse(json.dumps(sent).encode()).event == "Patient"


@pytest.mark.parametrize("place", ["root", "backbone", "contained", "escaped"])
def test_unknown_modifier_extensions_anywhere(place: str) -> None:
    modifier = [{"url": "http://unknown", "valueBoolean": True}]
    sent: dict[str, Any] = {"resourceType": "Observation"}
    if place == "root":
        sent["modifierExtension"] = modifier
    elif place == "backbone":
        sent["component"] = [{"modifierExtension": modifier}]
    else:
        sent["contained"] = [{"resourceType": "Patient", "modifierExtension": modifier}]
    content = json.dumps(sent).encode()
    if place == "escaped":
        content = content.replace(b"modifierExtension", b"modifi\\u0065rExtension")
    assert refusal(content) == ("modifier_extension_unknown", "modifierExtension")


def test_a_modifier_extension_that_a_mapping_names_is_known() -> None:
    known = [{"url": "http://known", "valueBoolean": True}]
    sent = {"resourceType": "Procedure", "modifierExtension": known}
    mapping = mapping_of("Procedure", known=MODIFIER)
    parsed = READER.parse(json.dumps(sent).encode())
    assert READER.path(MODIFIER, mapping).read(parsed, None) == "true"


def test_the_words_in_a_text_are_no_modifier() -> None:
    sent = {"resourceType": "Patient", "name": [{"text": "modifierExtension"}]}
    assert READER.parse(json.dumps(sent).encode()).event == "Patient"


_KEYS = st.sampled_from(
    ["name", "family", "identifier", "value", "code", "coding", "valueQuantity", "contained",
     "reference", "subject", "resourceType", "class", "modifierExtension", "url", "meta", "id"]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_EVERYTHING = [
    (READER.path(text, mapping), mapping.events)
    for mapping in (OBSERVATION, ENCOUNTER, PATIENT)
    for column in mapping.columns.values()
    if isinstance(text := column.path, str)
]


def try_all(content: bytes) -> None:
    """Parses and reads every path; only a RecordFault may come out."""
    with suppress(RecordFault):
        parsed = READER.parse(content, "utf-8")
        for path, events in _EVERYTHING:
            if parsed.event in events:
                assert isinstance(path.read(parsed, None), str)
                assert all(isinstance(value, str) for value in path.read_all(parsed, None))
        parsed.stated()
        parsed.embedded()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    try_all(content)


@settings(deadline=None)
@given(st.sampled_from(["Patient", "Observation", "Encounter", "DocumentReference"]), _JSON)
def test_any_json(type_: str, value: Any) -> None:
    base = value if isinstance(value, dict) else {"name": value}
    try_all(json.dumps({"resourceType": type_, **base}).encode())
    try_all(json.dumps({"entry": value, "resource": base}).encode())


@settings(deadline=None)
@given(PATIENTS, st.data())
def test_a_resource_with_a_changed_byte(patient: Resource, data: st.DataObject) -> None:
    content = bytearray(json.dumps(patient).encode())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    try_all(bytes(content))
