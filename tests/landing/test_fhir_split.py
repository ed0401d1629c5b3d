"""Splitting: a resource's bytes come out as they went in, however resources were packed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_strategies import shape, told

from entrepot.landing import arrival as arrivals
from entrepot.landing import fhir_split
from entrepot.landing.fhir_split import split, split_stream

pytestmark = pytest.mark.core

P1 = b'{"resourceType":"Patient","id":"p1","name":[{"family":"PAT\xc3\x89"}]}'
C1 = b'{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"}}'

_RESOURCES = st.builds(
    lambda type_, id_, text, spaced: json.dumps(
        {"resourceType": type_, "id": id_, "text": {"div": text}},
        ensure_ascii=False,
        separators=(", ", ": ") if spaced else (",", ":"),
    ).encode(),
    st.sampled_from(["Patient", "Observation", "Condition"]),
    st.from_regex(r"[A-Za-z0-9\-.]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.booleans(),
)


def contents(file: bytes) -> list[bytes]:
    return [arrival.content for arrival in split(file)]


def faults(file: bytes) -> list[tuple[str, str] | None]:
    return [told(arrival.fault) for arrival in split(file)]


def bundle(resources: list[bytes]) -> bytes:
    """A Bundle with each resource in an entry, indented as servers do."""
    urls = [f"urn:uuid:{json.loads(resource)['id']}".encode() for resource in resources]
    found = [
        b'{"fullUrl": "%s", "resource": ' % url + resource + b" }"
        for url, resource in zip(urls, resources, strict=True)
    ]
    head = b'{\n  "resourceType": "Bundle",\n  "type": "collection",\n  "entry": ['
    return head + b",\n   ".join(found) + b"]\n}\n"


def pack(resources: list[bytes], way: str) -> bytes:
    """The resources in a file, in one of the usual ways."""
    if way == "lines":
        return b"\n".join(resources)
    if way == "dos":
        return b"\xef\xbb\xbf" + b"\r\n\r\n".join(resources) + b"\r\n"
    if way == "array":
        return b"[" + b",\n".join(resources) + b"]"
    if way == "bundles in a bundle":
        inner = bundle(resources)
        return b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":' + inner + b"}]}"
    return bundle(resources)


_PACKED = st.tuples(
    st.lists(_RESOURCES, min_size=1, max_size=5),
    st.sampled_from(["lines", "dos", "array", "bundle", "bundles in a bundle"]),
)


@settings(deadline=None)
@given(_PACKED)
def test_every_packing_gives_the_same_bytes(case: tuple[list[bytes], str]) -> None:
    resources, way = case
    found = list(split(pack(resources, way)))
    assert [arrival.content for arrival in found] == resources
    assert all(arrival.fault is None and arrival.format == "fhir" for arrival in found)


@settings(deadline=None)
@given(_PACKED, st.lists(st.integers(0, 2000), max_size=8))
def test_chunks_do_not_matter(case: tuple[list[bytes], str], cuts: list[int]) -> None:
    file = pack(*case)
    edges = [0, *sorted(min(cut, len(file)) for cut in cuts), len(file)]
    chunks = [file[a:b] for a, b in pairwise(edges)]
    found = [shape(arrival) for arrival in split_stream(chunks)]
    assert found == [shape(arrival) for arrival in split(file)]


@settings(deadline=None)
@given(st.binary(max_size=120) | st.text(alphabet='{}[]",:\n\\ae', max_size=60).map(str.encode))
def test_any_bytes_give_at_least_one_record(file: bytes) -> None:
    found = list(split(file))
    assert found
    assert sum(len(arrival.content) for arrival in found) <= len(file)


def test_one_bad_line_loses_that_line() -> None:
    file = P1 + b'\n\n{"resourceType": "Patient", "i\n' + C1 + b"\n"
    assert contents(file) == [P1, b'{"resourceType": "Patient", "i', C1]
    assert faults(file) == [None, ("invalid_json", "line 3"), None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"resourceType":"Patient","id":"\xe9"}', "invalid_utf8"),
        (b'{"resourceType":"Patient","id":1}', "invalid_fhir"),
        (b'{"resourceType":"Bundle","entry":{}}', "invalid_fhir"),
        (b'"Patient"', "invalid_fhir"),
        (b"Patient", "invalid_json"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "nesting_too_deep"),
        (b'{"a":' + b"[" * 100_000, "nesting_too_deep"),
    ],
)
def test_what_a_line_may_hold(line: bytes, reason: str) -> None:
    for before, place in ((b"", 1), (P1 + b"\n", 2)):
        file = before + line + b"\n" + C1
        assert faults(file)[-2:] == [(reason, f"line {place}"), None]
        assert contents(file)[-2:] == [line, C1]


def test_a_bad_first_line_is_still_a_line() -> None:
    assert faults(b'{"resourceType":\n' + P1 + b"\n" + C1) == [
        ("invalid_json", "line 1"),
        None,
        None,
    ]


@pytest.mark.parametrize("indent", [2, 4])
@pytest.mark.parametrize("value", [json.loads(P1), [json.loads(P1), json.loads(C1)]])
def test_an_indented_document_is_whole(indent: int, value: Any) -> None:
    file = json.dumps(value, indent=indent).encode()
    found = [json.loads(content) for content in contents(file)]
    assert found == (value if isinstance(value, list) else [value])


def test_an_array_with_a_resource_on_each_line() -> None:
    assert contents(b"[\n" + P1 + b",\n" + C1 + b"\n]") == [P1, C1]


def test_a_truncated_document_is_one_record() -> None:
    for file in (bundle([P1, C1])[:-20], b"[\n" + P1 + b",\n" + C1, P1[:-5]):
        assert contents(file) == [file]
        assert faults(file) == [("invalid_json", "")]


@pytest.mark.parametrize("file", [b"", b" \r\n\n", b"\xef\xbb\xbf", b"\0"])
def test_nothing_is_one_empty_record(file: bytes) -> None:
    assert faults(file) == [("empty_file", "")]


@pytest.mark.parametrize(
    "file",
    [
        P1.decode().encode("utf-16"),
        b'<?xml version="1.0"?>\n<Patient xmlns="http://hl7.org/fhir"/>',
    ],
)
def test_utf16_and_xml_are_left_to_the_reader(file: bytes) -> None:
    assert [shape(arrival) for arrival in split(file)] == [(file, None, (), b"")]


def entries(*found: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "entry": list(found), **more}).encode()


def wrapped(file: bytes) -> list[Any]:
    return [json.loads(content) for content in contents(file)]


PATIENT, NAMELESS = json.loads(P1), {"resourceType": "Patient", "active": True}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "urn:uuid:1"}}


def test_an_entry_names_a_resource_without_id() -> None:
    file = entries({"fullUrl": "urn:uuid:1", "resource": NAMELESS}, {"resource": NAMELESS})
    envelope = {"entry": {"fullUrl": "urn:uuid:1"}, "resource": NAMELESS}
    assert wrapped(file) == [envelope, NAMELESS]
    assert contents(file)[0].startswith(b'{"entry":{')


def test_references_to_entries_of_another_name() -> None:
    file = entries(
        {"fullUrl": "urn:uuid:1", "resource": PATIENT},
        {"fullUrl": "urn:uuid:2", "resource": CONDITION},
        {"fullUrl": "http://host/Condition/d", "resource": {**CONDITION, "id": "d"}},
        {"fullUrl": "urn:uuid:x", "resource": {**CONDITION, "subject": {"reference": "Group/1"}}},
    )
    named = {"entry": {}, "references": {"urn:uuid:1": "Patient/p1"}}
    found = wrapped(file)
    assert found[0] == PATIENT
    assert found[1] == {**named, "resource": CONDITION}
    assert found[2] == {**named, "resource": {**CONDITION, "id": "d"}}
    assert found[3]["subject"] == {"reference": "Group/1"}


def test_no_envelope_when_the_fullurl_ends_in_the_id() -> None:
    """Transactions of Synthea: urn:uuid of the resource's own id."""
    file = entries(
        {"fullUrl": "urn:uuid:p1", "resource": PATIENT},
        {"fullUrl": "http://host/Condition/c",
         "resource": {**CONDITION, "subject": {"reference": "urn:uuid:p1"}}},
    )  # fmt: skip
    assert all("resourceType" in found for found in wrapped(file))


@pytest.mark.parametrize("more", [{}, {"timestamp": "2025-01-01T00:00:00Z"}])
def test_deletions_of_a_history(more: dict[str, Any]) -> None:
    file = entries(
        {"fullUrl": "http://host/Patient/p1", "request": {"method": "DELETE", "url": "Patient/p1"},
         "response": {"status": "204", "lastModified": "2024-01-01T00:00:00Z"}},
        {"fullUrl": "http://host/Patient/p1", "resource": PATIENT,
         "request": {"method": "PUT", "url": "Patient/p1"}},
        type="history", **more,
    )  # fmt: skip
    stated = {"lastModified": "2024-01-01T00:00:00Z"}
    deletion = {"method": "DELETE", "url": "Patient/p1", **stated}
    assert wrapped(file) == [{"entry": deletion}, PATIENT]


def test_deletions_of_a_bulk_export_are_dated_by_the_bundle() -> None:
    """Bulk Data Access 1.1, `deleted` files: transactions with a meta.lastUpdated."""
    file = entries(
        {"request": {"method": "DELETE", "url": "Patient/p1"}},
        type="transaction", meta={"lastUpdated": "2020-04-27T02:56:00Z"},
    )  # fmt: skip
    (found,) = wrapped(file)
    assert found["entry"]["lastModified"] == "2020-04-27T02:56:00Z"


@pytest.mark.parametrize(
    "found",
    [
        [],
        [{"response": {"status": "201 Created", "location": "Patient/1"}}],
        [{"request": {"method": "GET", "url": "Patient/1"}}],
        [{"resource": None}],
    ],
)
def test_a_bundle_without_any_resource_is_a_record(found: list[Any]) -> None:
    assert contents(entries(*found)) == [entries(*found)]


def test_a_bad_entry_loses_itself_alone() -> None:
    file = entries({"resource": 7}, {"resource": PATIENT}, {"resource": {"resourceType": 1}})
    assert faults(file) == [("invalid_fhir", ""), None, ("invalid_fhir", "")]


def test_bundles_nested_without_end() -> None:
    file = P1
    for _ in range(40):
        file = b'{"resourceType":"Bundle","entry":[{"resource":' + file + b"}]}"
    assert faults(file) == [("nesting_too_deep", "")]


def test_what_is_too_large_is_one_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_RECORD_BYTES", 500)
    monkeypatch.setattr(fhir_split, "MAX_RECORD_BYTES", 500)
    huge = b'{"resourceType":"Binary","data":"' + b"QUJD" * 1000 + b'"}'
    file = b"\n".join([P1, huge, C1])
    chunked = list(split_stream(file[i : i + 64] for i in range(0, len(file), 64)))
    for found in (chunked, list(split(file))):
        told_of = [told(arrival.fault) for arrival in found]
        assert told_of == [None, ("record_too_large", "line 2"), None]
        assert [len(arrival.digest) for arrival in found] == [0, 32, 0]
    assert [shape(arrival) for arrival in chunked] == [shape(arrival) for arrival in split(file)]
    indented = json.dumps(json.loads(bundle([P1] * 20)), indent=1).encode()
    (whole,) = split(indented)
    assert (told(whole.fault), len(whole.digest)) == (("record_too_large", ""), 32)


def _resources(value: Any) -> list[Any]:
    """Every resource of decoded JSON, the plain way."""
    if isinstance(value, list):
        return [one for item in value for one in _resources(item)]
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        inner = [entry["resource"] for entry in value.get("entry", ()) if "resource" in entry]
        return [one for item in inner for one in _resources(item)] or [value]
    return [value]


@pytest.mark.parametrize("name", ["synthea_smart_r4", "bulk_10", "phdi_bundles", "pathling"])
def test_samples_give_every_resource(shared: Path, name: str) -> None:
    for file in sorted((shared / "data/fhir" / name).rglob("*.json")):
        content = file.read_bytes()
        found = list(split(content))
        try:
            expected = _resources(json.loads(content))
        except ValueError:
            assert found[0].fault is not None
            continue
        unwrapped = [json.loads(arrival.content) for arrival in found]
        assert [one.get("resource", one) for one in unwrapped] == expected
