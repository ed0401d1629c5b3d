"""The FHIR feed is valid R4: types, Bundles, references, versions, links, opaque ids."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from typing import Any

import pytest
from fhir_reading import at, final, valued
from synthetic_hospital import Hospital

from entrepot.synthetic.fhir.elements import HOSPITAL

pytestmark = pytest.mark.core

Line = dict[str, Any]
TYPES = {
    "Observation", "Claim", "MedicationRequest", "MedicationAdministration", "Immunization",
    "DocumentReference", "Binary", "Encounter", "Patient", "RelatedPerson", "Practitioner",
    "Organization", "Location",
}  # fmt: skip


def test_every_resource_is_valid(mixed: Hospital) -> None:
    checked: Counter[str] = Counter()
    for line in mixed.messages:
        record = mixed.resources.get(line["message"], {})
        if "resourceType" not in record or line["bad"] == "not_r4":
            continue
        validate(record)
        checked[record["resourceType"]] += 1
    assert set(checked) >= TYPES


def test_a_resource_of_another_version_is_not_valid(mixed: Hospital) -> None:
    bad = [m for m in mixed.messages if m["bad"] == "not_r4"]
    assert len(bad) == 2
    for line in bad:
        with pytest.raises(ValueError, match="actualPeriod"):
            validate(mixed.resources[line["message"]])


def validate(record: Line) -> None:
    """Raises for what R4B does not define; what differs between R4 and R4B is not in use here."""
    kind = record["resourceType"]
    module = importlib.import_module(f"fhir.resources.R4B.{kind.lower()}")
    getattr(module, kind).model_validate_json(json.dumps(record, default=float))


def test_bundles_are_valid_and_of_three_types(mixed: Hospital) -> None:
    found: Counter[str] = Counter()
    for path in sorted((mixed.out / "fhir").rglob("bundle-*.json")):
        bundle = json.loads(path.read_text(encoding="utf-8"))
        validate(bundle)
        found[bundle["type"]] += 1
        first = bundle["entry"][0].get("resource", {}).get("resourceType")
        expected = {"message": "MessageHeader", "document": "Composition"}
        assert first == expected.get(bundle["type"], first)
    assert set(found) == {"transaction", "message", "document"}


def test_references_come_in_every_form(mixed: Hospital) -> None:
    texts = [json.dumps(record, default=str) for record in mixed.resources.values()]
    for form in ('"reference": "Patient/', '"reference": "https://', "/_history/1", "urn:uuid:",
                 '"reference": "#', '"context": {"identifier"', '"contained"'):  # fmt: skip
        assert any(form in text for text in texts), form
    suffixes = {path.suffix for path in (mixed.out / "fhir").rglob("*") if path.is_file()}
    assert suffixes == {".ndjson", ".gz", ".json"}


def test_versions_count_up(mixed: Hospital) -> None:
    seen: dict[str, int] = {}
    for line in mixed.sound_of("fhir"):
        record = mixed.resources[line["message"]]
        if "meta" in record and line["control_id"]:
            number = int(record["meta"]["versionId"])
            assert number > seen.get(line["control_id"], 0)
            seen[line["control_id"]] = number
            assert at(record["meta"]["lastUpdated"]) == line["sent"]
    assert max(seen.values()) > 3


def test_links_between_patients(mixed: Hospital) -> None:
    patients = {k.split("/")[1]: v for k, v in final(mixed, "Patient").items()}
    ids = {valued(v, "PI"): key for key, v in patients.items()}
    for person in mixed.persons.values():
        links = [link for ipp in person["ipps"] if ipp in ids
                 for link in patients[ids[ipp]].get("link", [])]  # fmt: skip
        kinds = Counter(link["type"] for link in links)
        held = {link["event"] for link in person["links"] if not link["undone"]}
        if held & {"A40", "A47"}:
            assert kinds == {"replaced-by": 1, "replaces": 1}
        elif held:
            assert kinds == {"seealso": 2}
        else:
            assert not kinds  # a wrong link is gone from the last version
    wrong = [m for m in mixed.sound_of("fhir") if m["other"]]
    assert {m["patient"] for m in wrong} == {"P000014", "P000021"}


def test_mothers(mixed: Hospital) -> None:
    found = {}
    for line in mixed.sound_of("fhir"):
        if line["event"] == "RelatedPerson":
            found[line["patient"]] = valued(mixed.resources[line["message"]], "PI")
    expected = {
        p["patient"]: mixed.persons[p["mother"]]["ipps"][0]
        for p in mixed.persons.values()
        if p["mother"]
    }
    assert found == expected


def test_numbers_are_of_the_hospital_and_ids_tell_nothing(mixed: Hospital) -> None:
    numbers = {n for p in mixed.persons.values() for n in (*p["ipps"], p["ins"]) if n}
    numbers |= {s["nda"] for s in mixed.statements.values() if s["kind"] == "stay"}
    for line in mixed.sound_of("fhir"):
        record = mixed.resources[line["message"]]
        assert not [n for n in numbers if n in str(record.get("id", ""))]
        if line["event"] == "Patient":
            assert record["identifier"][0]["system"] == HOSPITAL == "urn:oid:1.2.250.1.999.1"


def test_superseded_records_have_a_newer_version(mixed: Hospital) -> None:
    last: dict[str, str] = {}
    for line in mixed.sound_of("fhir"):
        if line["control_id"]:
            last[line["control_id"]] = line["message"]
    for line in mixed.sound_of("fhir"):
        newest = not line["control_id"] or last[line["control_id"]] == line["message"]
        assert line["superseded"] == (not newest)
