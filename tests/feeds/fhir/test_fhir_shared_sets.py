"""Others' resources: each is read, or refused by a named reason for which others refuse it too."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fhir_samples import mapping_of
from pydantic import ValidationError

from entrepot.errors import RecordFault
from entrepot.feeds.fhir.reader import FhirReader
from entrepot.feeds.fhir.values import dtm
from entrepot.landing.fhir_split import split

pytestmark = pytest.mark.integration

_REASONS = {
    "invalid_json", "invalid_utf8", "invalid_fhir", "not_r4", "resource_type_unknown",
    "modifier_extension_unknown", "nesting_too_deep", "fhir_xml_not_supported", "empty_file",
    "invalid_xml",
}  # fmt: skip
# What a mapping of each type would name, so that these elements' shapes are looked at.
_MAPPINGS = [
    mapping_of("Patient", a="name.family", b="identifier.value", c="address.line"),
    mapping_of("Encounter", a="class.code", b="period.start", c="type.coding.code"),
    mapping_of("Observation", a="code.coding.code", b="category.coding.code", c="effective"),
    mapping_of("Condition", a="code.coding.code", b="clinicalStatus.coding.code"),
    mapping_of("Procedure", a="code.coding.code", b="performed"),
    mapping_of("Organization", a="type.coding.code", b="name"),
]


@pytest.fixture(scope="module")
def reader() -> FhirReader:
    return FhirReader(_MAPPINGS)


def records(folder: Path) -> Iterator[tuple[bytes, RecordFault | None]]:
    """The records of every file of a set."""
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".json", ".ndjson", ".xml"}:
            for arrival in split(file.read_bytes()):
                yield arrival.content, arrival.fault


def tally(reader: FhirReader, folder: Path) -> tuple[Counter[str], list[bytes]]:
    """How many were read, or refused by each reason; the contents that the reader refused."""
    found: Counter[str] = Counter()
    refused = []
    for content, fault in records(folder):
        if fault is not None:
            found[fault.reason] += 1
            continue
        try:
            found[f"read {reader.parse(content).event}"] += 1
        except RecordFault as refusal:
            found[refusal.reason] += 1
            refused.append(content)
    return found, refused


def read_in(found: Counter[str]) -> int:
    return sum(count for name, count in found.items() if name.startswith("read "))


def test_every_synthea_resource_is_read(reader: FhirReader, shared: Path) -> None:
    """The set's README counts 7,585 resources, 3,561 Observations, 822 Claims, 646 Encounters."""
    found, _ = tally(reader, shared / "data/fhir/synthea_smart_r4")
    assert read_in(found) == sum(found.values()) == 7585
    assert found["read Observation"] == 3561
    assert found["read Claim"] == 822
    assert found["read Encounter"] == 646


def test_every_line_of_a_bulk_export_is_read(reader: FhirReader, shared: Path) -> None:
    """7,160 resources; the four others are lines of the export's own log."""
    found, _ = tally(reader, shared / "data/fhir/bulk_10")
    assert read_in(found) == 7160
    assert found["resource_type_unknown"] == 4
    assert sum(found.values()) == 7164


def test_fr_core_examples(reader: FhirReader, shared: Path) -> None:
    """31 resources, each in JSON and in XML."""
    found, _ = tally(reader, shared / "data/fhir/frcore_examples_2.2.0")
    assert read_in(found) == sum(found.values()) == 62


@pytest.mark.parametrize(
    ("name", "read"),
    [("pathling", 1600), ("nachc_usecases", 100), ("msfhir_R4", 300), ("phdi_bundles", 670),
     ("cumulus_etl", 130), ("fr_transcribed", 3), ("v2tofhir_ig", 20)],
)  # fmt: skip
def test_other_sets(reader: FhirReader, shared: Path, name: str, read: int) -> None:
    found, refused = tally(reader, shared / "data/fhir" / name)
    assert read_in(found) >= read
    assert {reason for reason in found if not reason.startswith("read ")} <= _REASONS
    assert not [content for content in refused if others_accept(content)]


@pytest.mark.parametrize(
    "name", ["synthea_smart_stu3_wrongversion", "synthea_smart_dstu2_wrongversion"]
)
def test_other_versions_are_refused(reader: FhirReader, shared: Path, name: str) -> None:
    """What is read of another version is R4 as it stands (an Organization, a Practitioner…)."""
    found, refused = tally(reader, shared / "data/fhir" / name)
    assert found["not_r4"] > 350
    assert not [content for content in refused if others_accept(content)]
    every = [content for content, fault in records(shared / "data/fhir" / name) if fault is None]
    read = [content for content in every if content not in set(refused)]
    assert len(read) == read_in(found)
    assert not [content for content in read if not others_accept(content)]


def others_accept(content: bytes) -> bool:
    """Whether fhir.resources takes it for R4B, without any modifier extension."""
    from fhir.resources.R4B import get_fhir_model_class

    if b"modifierExtension" in content:
        return False
    try:
        resource = json.loads(content)
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except (ValidationError, KeyError, ValueError, TypeError):
        return False
    return True


# The expected behaviour of each file is in the set's manifest; content that only a mapping or the
# register can judge (a wrong code, a refuted diagnosis) is read here.
MALFORMED: dict[str, list[str]] = {
    "01_bom.json": ["Patient"],
    "02_latin1_bytes.json": ["invalid_utf8"],
    "03_truncated.json": ["invalid_json"],
    "04_ndjson_one_bad_line.ndjson": ["Patient", "invalid_json line 2", "Patient"],
    "05_ndjson_blank_lines_crlf.ndjson": ["Patient", "Patient"],
    "06_ndjson_mixed_types.ndjson": ["Patient", "Encounter"],
    "11_duplicate_ids_conflict.ndjson": ["Patient", "Patient"],
    "13_urn_uuid_refs_bundle.json": ["Patient", "Condition"],
    "14_versioned_and_absolute_refs.ndjson": ["Condition", "Condition", "Condition"],
    "18_deleted_bundle.ndjson": ["DELETE^Patient"],
    "19_r5_encounter_class_array.json": ["not_r4 Encounter.class"],
    "22_deep_nesting.json": ["nesting_too_deep"],
}


def test_malformed_files(reader: FhirReader, shared: Path) -> None:
    folder = shared / "data/fhir/malformed"
    files = sorted(folder.iterdir())
    assert len(files) == 29
    for file in files:
        found = [_outcome(reader, a.content, a.fault) for a in split(file.read_bytes())]
        if file.name in MALFORMED:
            assert found == MALFORMED[file.name], file.name
        else:
            (only,) = found
            assert only[0].isupper(), file.name


def _outcome(reader: FhirReader, content: bytes, fault: RecordFault | None) -> str:
    try:
        if fault is not None:
            raise fault
        return reader.parse(content).event
    except RecordFault as refusal:
        return f"{refusal.reason} {refusal.position}".strip()


@pytest.mark.parametrize(
    ("file", "path", "expected"),
    [
        ("13_urn_uuid_refs_bundle.json", "subject", "p1"),
        ("15_logical_reference_only.json", "subject", ""),
        ("15_logical_reference_only.json", "subject.identifier.value", "279035121518989"),
        ("20_value_comparator.json", "value.ofType(Quantity).comparator", "<"),
        ("20_value_comparator.json", "effective", "20240331023000+0100"),
        ("21_decimal_precision.json", "value.ofType(Quantity).value", "1.10000000000000000001"),
        ("08_birthdate_partial.json", "birthDate", "1979"),
    ],
)
def test_what_the_malformed_files_say(shared: Path, file: str, path: str, expected: str) -> None:
    *_, arrival = split((shared / "data/fhir/malformed" / file).read_bytes())
    one = FhirReader()
    read = one.path(path, mapping_of("*")).read
    assert read(one.parse(arrival.content), None) == expected


# Plain element paths that FR Core's examples fill.
_PLAIN = {
    "Patient": ["identifier.value", "identifier.use", "identifier.type.coding.code", "name.family",
                "name.given", "name.use", "gender", "birthDate", "telecom.value", "address.city",
                "address.line", "address.period.start", "active", "meta.profile",
                "contact.name.family", "extension.url"],
    "Encounter": ["status", "class.code", "class.system", "period.start", "period.end",
                  "type.coding.code", "hospitalization.admitSource.coding.code", "identifier.value",
                  "participant.individual.reference", "location.location.reference"],
    "Observation": ["status", "code.coding.code", "code.coding.system", "category.coding.code",
                    "issued", "component.code.coding.code", "subject.reference",
                    "interpretation.coding.code", "meta.lastUpdated"],
    "Organization": ["name", "active", "type.coding.code", "identifier.value", "partOf.reference",
                     "address.city", "alias"],
    "Location": ["name", "status", "mode", "type.coding.code", "identifier.value",
                 "position.latitude", "managingOrganization.reference", "physicalType.coding.code"],
    "Practitioner": ["identifier.value", "name.family", "name.given", "qualification.code.text"],
    "PractitionerRole": ["active", "code.coding.code", "practitioner.reference", "telecom.rank"],
    "HealthcareService": ["active", "name", "type.coding.code", "location.reference"],
    "Slot": ["status", "start", "end", "schedule.reference"],
    "Schedule": ["active", "planningHorizon.start", "actor.reference"],
    "Appointment": ["status", "start", "minutesDuration", "participant.status"],
}  # fmt: skip


def test_values_equal_those_of_fhir_resources(shared: Path) -> None:
    from fhir.resources.R4B import get_fhir_model_class

    one = FhirReader()
    paths = {(type_, text): one.path(text, mapping_of(type_)) for type_ in _PLAIN
             for text in _PLAIN[type_]}  # fmt: skip
    compared = 0
    for file in sorted((shared / "data/fhir/frcore_examples_2.2.0").glob("*.json")):
        content = file.read_bytes()
        parsed = one.parse(content)
        model = get_fhir_model_class(parsed.event).model_validate_json(content)
        for text in _PLAIN[parsed.event]:
            expected = [_spelled(value) for value in _walk(model, text.split("."))]
            assert paths[parsed.event, text].read_all(parsed, None) == expected, (file.name, text)
            compared += len(expected)
    assert compared > 140  # an example fills few of them


def _walk(model: Any, names: list[str]) -> list[Any]:
    items = [model]
    for name in names:
        python = {"class": "class_fhir"}.get(name, name)
        below = [getattr(item, python) for item in items]
        items = [
            one
            for value in below
            for one in (value if isinstance(value, list) else [value])
            if one is not None
        ]
    return items


def _spelled(value: Any) -> str:
    """The model's value in the feeds' one spelling."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime | dt.date):
        return dtm(value.isoformat())
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
