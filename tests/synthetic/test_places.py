"""Each identifier of the truth stands in the decoded record at the stated place."""

from __future__ import annotations

import json
import re
from typing import Any

import fhir_reading
import pytest
from hl7_reading import attachment
from synthetic_hospital import Hospital

pytestmark = pytest.mark.core
TOKEN = re.compile(r"[\w@.+-]+")


def test_every_message_is_where_the_truth_says(hospital: Hospital) -> None:
    ranks: dict[str, list[int]] = {}
    for line in hospital.messages:
        ranks.setdefault(line["file"], []).append(line["ordinal"])
    assert set(ranks) == set(hospital.files)
    for file, found in ranks.items():
        assert sorted(found) == list(range(1, len(hospital.files[file]) + 1))
    for line in hospital.messages:
        read = hospital.read[line["message"]]
        assert read.get("MSH-10") == line["control_id"]
        assert read.named("MSH")[0][8] == line["event"]
        assert read.get("MSH-18") == line["charset"]


def test_each_identifier_is_found_at_its_place(hospital: Hospital) -> None:
    checked = inside = 0
    for line in hospital.identifiers:
        for place in line["places"]:
            read = hospital.read[place["message"]]
            text = read.get(place["position"])
            if "OBX" in place["position"] and place["position"].endswith(".5"):
                text = attachment(text, read.get("OBX-5.3"))
            if "start" in place:
                text = text[place["start"] : place["end"]]
                inside += 1
            elif text != line["value"]:  # a page or a document: somewhere in it
                assert place["position"] == "OBX-5.5"
                assert line["value"] in text
                continue
            assert text == line["value"], place
            checked += 1
    assert checked > 20_000
    assert inside > 1_000


def test_no_numbered_identifier_stands_elsewhere(hospital: Hospital) -> None:
    """An IPP, NDA or INS at a place that the truth does not list would never be looked for."""
    listed: dict[str, set[str]] = {}
    numbers = {"IPP", "NDA", "SECU", "TEL", "MAIL"}
    for line in hospital.identifiers:
        if line["label"] in numbers:
            listed.setdefault(line["value"], set()).update(p["message"] for p in line["places"])
    for message, read in hospital.read.items():
        tokens = {
            part for segment in read.segments for field in segment for part in field.split("^")
        }
        for value in tokens & set(listed):
            assert message in listed[value], value


def test_names_are_listed_wherever_they_stand_in_letters(hospital: Hospital) -> None:
    """Capitals that equal the patient's surname in a text are a mention, or a clinical word."""
    surnames = {
        (line["patient"], line["value"])
        for line in hospital.identifiers
        if line["label"] == "NOM" and line["value"].isupper() and len(line["value"]) > 4
    }
    spans: dict[str, str] = {}
    for line in hospital.identifiers:
        for place in line["places"]:
            if "start" in place:
                key = f"{place['message']} {place['position']}"
                text = spans.setdefault(key, hospital.read[place["message"]].get(place["position"]))
                if not place["position"].endswith(".5"):
                    hidden = "\0" * (place["end"] - place["start"])
                    spans[key] = text[: place["start"]] + hidden + text[place["end"] :]
    assert len(spans) > 100
    for key, text in spans.items():
        for patient, surname in surnames:
            if key.startswith(patient) and not key.endswith(".5") and surname != "ORLÉANS":
                assert f" {surname} " not in text


def test_each_identifier_of_a_resource_is_found_at_its_place(mixed: Hospital) -> None:
    lines = {line["message"]: line for line in mixed.messages}
    checked = 0
    for identifier in mixed.identifiers:
        for place in identifier["places"]:
            line = lines[place["message"]]
            if line["format"] != "fhir" or line["bad"] == "invalid_json":
                continue
            text = fhir_reading.text_at(mixed.resources[line["message"]], place["position"])
            check(identifier["value"], text, place, (".div", ".data"))
            checked += 1
    assert checked > 20_000


def test_each_identifier_of_a_document_is_found_at_its_place(mixed: Hospital) -> None:
    """In a document inside a message: somewhere in it."""
    checked = inside = 0
    for identifier in mixed.identifiers:
        for place in identifier["places"]:
            document = mixed.documents.get(place["message"])
            if document is None:
                continue
            if place["position"] == "OBX-5.5":
                assert identifier["value"] in document.everything
                inside += 1
            elif place["position"].startswith("ClinicalDocument"):
                check(identifier["value"], document.place(place["position"]), place, ("/text",))
                checked += 1
    assert checked > 10_000
    assert inside > 5_000


def check(value: str, text: str, place: dict[str, Any], whole: tuple[str, ...]) -> None:
    """The value is the stated span of the text, the text, or in a text that states no span."""
    if "start" in place:
        assert text[place["start"] : place["end"]] == value, place
    elif text != value:
        assert place["position"].endswith(whole), place
        assert value in text, place


@pytest.mark.parametrize("label", ["IPP", "NDA", "SECU", "RPPS", "MAIL", "AUTRE_ID"])
def test_no_number_stands_in_a_resource_or_document_unlisted(mixed: Hospital, label: str) -> None:
    known = {x["value"] for x in mixed.identifiers if x["label"] == label and len(x["value"]) > 6}
    listed: dict[str, list[str]] = {}
    for line in mixed.identifiers:
        for place in line["places"]:
            listed.setdefault(place["message"], []).append(line["value"])
    texts = {name: json.dumps(found, default=str) for name, found in mixed.resources.items()}
    texts |= {name: found.everything for name, found in mixed.documents.items()}
    for name, text in texts.items():
        for token in set(TOKEN.findall(text)) & known:
            assert any(token in value for value in listed[name]), (name, token)
