"""A resource in XML is the resource that its JSON says."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.feeds.fhir.reader import FhirReader
from entrepot.feeds.fhir.xml import as_json

pytestmark = pytest.mark.core

NAMESPACE = 'xmlns="http://hl7.org/fhir"'


def without_narrative(value: Any) -> Any:
    """The two forms write the same XHTML with other blanks and quotes."""
    if isinstance(value, dict):
        return {name: without_narrative(one) for name, one in value.items() if name != "div"}
    return [without_narrative(one) for one in value] if isinstance(value, list) else value


def without_empty_siblings(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name[0] != "_" or any(one)}


def loaded(content: bytes) -> Any:
    pairs = json.loads(content, parse_float=Decimal, object_hook=without_empty_siblings)
    return without_narrative(pairs)


def test_official_examples_in_both_forms(shared: Path) -> None:
    """FR Core publishes each example in JSON and in XML."""
    files = sorted((shared / "data/fhir/frcore_examples_2.2.0").glob("*.xml"))
    assert len(files) == 31
    reader = FhirReader()
    for file in files:
        assert loaded(as_json(file.read_bytes())) == loaded(file.with_suffix(".json").read_bytes())
        assert reader.parse(file.read_bytes()).event == file.name.partition("-")[0]


def test_primitives_and_their_siblings() -> None:
    xml = f"""<?xml version="1.0" encoding="UTF-8"?>
    <!-- sent by the laboratory -->
    <Patient {NAMESPACE}><id value="p1"/><active value="false"/>
      <contained><Organization><id value="o"/><name value="CH"/></Organization></contained>
      <name><given value="Zoé"/><given><extension url="http://x"><valueDecimal value="1.10"/>
      </extension></given></name>
      <birthDate id="b" value="1979"/><multipleBirthInteger value="2"/></Patient>"""
    found = as_json(xml.encode())
    assert b'"valueDecimal":1.10' in found
    assert json.loads(found) == {
        "resourceType": "Patient",
        "id": "p1",
        "active": False,
        "contained": [{"resourceType": "Organization", "id": "o", "name": "CH"}],
        "name": [
            {
                "given": ["Zoé", None],
                "_given": [None, {"extension": [{"url": "http://x", "valueDecimal": 1.1}]}],
            }
        ],
        "birthDate": "1979",
        "_birthDate": {"id": "b"},
        "multipleBirthInteger": 2,
    }


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (f"<Patient {NAMESPACE}>", "invalid_xml"),
        ("<Patient/>", "resource_type_unknown"),
        (f"<Dupont {NAMESPACE}/>", "resource_type_unknown"),
        (f"<Patient {NAMESPACE}><animal/></Patient>", "not_r4"),
        (f'<Patient {NAMESPACE}><id value="1"/><id value="2"/></Patient>', "invalid_fhir"),
        (f"<Bundle {NAMESPACE}/>", "fhir_xml_not_supported"),
        (f'<!DOCTYPE Patient [<!ENTITY e "x">]><Patient {NAMESPACE}/>', "dtd_refused"),
        (f"<Patient {NAMESPACE}>" + "<extension>" * 5000, "invalid_xml"),
        (
            f"<Patient {NAMESPACE}>" + '<extension url="a">' * 90 + "</extension>" * 90
            + "</Patient>",
            "nesting_too_deep",
        ),
        (
            f'<Patient {NAMESPACE}><modifierExtension url="http://x"/></Patient>',
            "modifier_extension_unknown",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(xml: str, reason: str) -> None:
    with pytest.raises(RecordFault) as caught:
        FhirReader().parse(xml.encode())
    assert caught.value.reason == reason


READER = FhirReader()


@settings(deadline=None)
@given(st.text("<>/=\"' abPatient&;!x", max_size=40))
def test_any_markup(inner: str) -> None:
    for xml in (f"<{inner}", f"<Patient {NAMESPACE}>{inner}</Patient>"):
        try:
            READER.parse(xml.encode())
        except RecordFault as fault:
            reason = fault.reason
            assert reason in {"invalid_xml", "resource_type_unknown", "not_r4", "dtd_refused"}, xml
