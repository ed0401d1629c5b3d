"""Compiled paths equal a plain walk through the same JSON, whatever the JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fhir_samples import PATIENTS, Resource, mapping_of
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.feeds.fhir.reader import FhirReader

pytestmark = pytest.mark.core

Walk = Callable[[Resource], list[Any]]


def each(items: list[Any], *names: str) -> list[Any]:
    """What the elements hold under one name after the other, lists flattened."""
    for name in names:
        below = [item[name] for item in items if name in item]
        items = [one for value in below for one in (value if isinstance(value, list) else [value])]
    return items


def codes(item: Resource) -> list[Any]:
    return each([item], "type", "coding", "code")


# Path -> the same in plain Python over the decoded JSON.
WALKS: dict[str, Walk] = {
    "id": lambda p: each([p], "id"),
    "gender": lambda p: each([p], "gender"),
    "active": lambda p: [str(value).lower() for value in each([p], "active")],
    "multipleBirth.ofType(integer)": lambda p: [str(n) for n in each([p], "multipleBirthInteger")],
    "deceased.exists()": lambda p: ["true"] * ("deceasedBoolean" in p),
    "name.family": lambda p: each([p], "name", "family"),
    "name.given": lambda p: each([p], "name", "given"),
    "name.given[1]": lambda p: each([p], "name", "given")[1:2],
    "name[1].given.first()": lambda p: each(each([p], "name")[1:2], "given")[:1],
    "maritalStatus.coding.where(code.exists()).system": lambda p: [
        coding["system"]
        for coding in each([p], "maritalStatus", "coding")
        if "code" in coding and "system" in coding
    ],
    "identifier.where(use = 'official').value": lambda p: [
        one["value"]
        for one in each([p], "identifier")
        if one.get("use") == "official" and "value" in one
    ],
    "identifier.where(type.coding.code = 'PI' or type.coding.code = 'é').value": lambda p: [
        one["value"]
        for one in each([p], "identifier")
        if {"PI", "é"} & set(codes(one)) and "value" in one
    ],
    "identifier.where(use = 'usual' and type.coding.code = 'PI').value": lambda p: [
        one["value"]
        for one in each([p], "identifier")
        if one.get("use") == "usual" and "PI" in codes(one) and "value" in one
    ],
    "extension('http://a').value.ofType(string)": lambda p: [
        one["valueString"]
        for one in each([p], "extension")
        if one["url"] == "http://a" and "valueString" in one
    ],
    "name.extension('http://b').value.ofType(string)": lambda p: [
        one["valueString"]
        for one in each([p], "name", "extension")
        if one["url"] == "http://b" and "valueString" in one
    ],
    "birthDate.extension('http://a').value.ofType(string)": lambda p: [
        one["valueString"]
        for one in each([p], "_birthDate", "extension")
        if one["url"] == "http://a" and "valueString" in one
    ],
    "generalPractitioner": lambda p: [
        one["reference"][-1] for one in each([p], "generalPractitioner")
    ],
    "generalPractitioner.where(resolve() is Practitioner)": lambda p: [
        one["reference"][-1]
        for one in each([p], "generalPractitioner")
        if one["reference"].startswith("Practitioner/")
    ],
    "maritalStatus.text | gender": lambda p: (
        each([p], "maritalStatus", "text") or each([p], "gender")
    ),
    "identifier[*].value": lambda p: [one.get("value", "") for one in each([p], "identifier")],
    "name[*].given": lambda p: [(one.get("given") or [""])[0] for one in each([p], "name")],
}

MAPPING = mapping_of("Patient")
READER = FhirReader()
PATHS = {text: READER.path(text, MAPPING) for text in WALKS}


@settings(deadline=None)
@given(PATIENTS, st.booleans())
def test_paths_equal_a_walk(patient: Resource, escaped: bool) -> None:
    parsed = READER.parse(json.dumps(patient, ensure_ascii=escaped).encode(), "utf-8")
    for text, walk in WALKS.items():
        expected = walk(patient)
        assert PATHS[text].read_all(parsed, None) == expected, text
        first = next((value for value in expected if value), "")
        assert PATHS[text].read(parsed, None) == first, text


@settings(deadline=None)
@given(PATIENTS, st.randoms(use_true_random=False))
def test_the_order_of_elements_does_not_matter(patient: Resource, random: Any) -> None:
    names = list(patient)
    random.shuffle(names)
    sent = json.dumps({name: patient[name] for name in names}).encode()
    first, second = READER.parse(json.dumps(patient).encode()), READER.parse(sent)
    for path in PATHS.values():
        assert path.read_all(first, None) == path.read_all(second, None)
