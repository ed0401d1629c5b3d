"""Each identifier of the truth stands in the decoded message at the stated place."""

from __future__ import annotations

import pytest
from hl7_reading import attachment
from synthetic_hospital import Hospital

pytestmark = pytest.mark.core


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
