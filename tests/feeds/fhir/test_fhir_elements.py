"""The specification as data equals the models that others made of R4B."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from r4_elements import ELEMENTS, NAMES_ALONE, rendered

from entrepot.feeds.fhir.specification import specification

pytestmark = pytest.mark.core


def test_the_file_is_what_the_models_say() -> None:
    assert ELEMENTS.read_text(encoding="utf-8") == rendered()


def test_all_resource_types_of_r4_are_known() -> None:
    """R4 (4.0.1) has 148 types, two of them abstract (hl7.org/fhir/R4/resourcelist.html)."""
    assert len(specification().resources) == 148 - 2
    assert specification().known_by_name == frozenset(NAMES_ALONE)


@pytest.mark.parametrize(
    ("type_", "name", "expected"),
    [
        ("Observation", "value", {"valueQuantity", "valueString", "valueBoolean", "valuePeriod"}),
        ("Encounter", "class", {"class"}),
        ("Patient", "deceased", {"deceasedBoolean", "deceasedDateTime"}),
        ("Encounter", "actualPeriod", set()),  # of R5
        ("Observation", "comment", set()),  # of STU3
    ],
)
def test_elements_of_the_norm(type_: str, name: str, expected: set[str]) -> None:
    found = {element.json for element in specification().elements(type_, name)}
    assert expected <= found
    assert bool(found) == bool(expected)


def test_every_type_of_the_official_r4_examples_is_known(shared: Path) -> None:
    """The examples of R4 that Microsoft's server is tested with; its own fixtures are left out."""
    files = sorted((shared / "data/fhir/msfhir_R4").glob("*-example*.json"))
    examples = [json.loads(file.read_bytes()) for file in files]
    types = {one["resourceType"] for one in examples if isinstance(one, dict)}
    assert len(types) > 90
    assert types <= specification().resources
