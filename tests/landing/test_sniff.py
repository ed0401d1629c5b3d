"""Sniffing: formats told apart by what their own norm puts at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrepot.landing.sniff import sniff

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"MSH|^~\\&|DPI\r", "hl7v2"),
        (b"\xef\xbb\xbfMSH|^~\\&|DPI\r", "hl7v2"),
        ("\ufeffMSH|^~\\&|DPI\r".encode("utf-16-le"), "hl7v2"),
        (b"\x0bMSH|^~\\&|DPI\r", "hl7v2"),
        (b"FHS*%!\\@*DPI\r", "hl7v2"),
        (b"/* exported */\r\nMSH|^~\\&|DPI\r", "hl7v2"),
        (b"EVN||20240101\rPID|1", "hl7v2"),
        (b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3">', "cda"),
        (b'<Patient xmlns="http://hl7.org/fhir">', "fhir"),
        (b'{"resourceType":"Bundle"}', "fhir"),
        (b'\n[{"a":1,"resourceType":"Patient"}]', "fhir"),
        (b"IPP;NDA;DATE\n1;2;3\n", "table"),
        (b"PAR1\x15\x04", "table"),
        (b"<html>", "unknown"),
        (b'{"a":1}', "unknown"),
        (b"%PDF-1.7\n%\xe2\xe3", "unknown"),
        (b"plain words\n", "unknown"),
        (b"", "unknown"),
    ],
)
def test_first_bytes_tell_the_format(first: bytes, expected: str) -> None:
    assert sniff(first) == expected


def test_every_malformed_hl7v2_sample_is_hl7v2_or_empty(hl7v2_samples: Path) -> None:
    empty = {"16_empty.hl7", "17_only_whitespace.hl7"}
    for file in (hl7v2_samples / "malformed").glob("*.hl7"):
        found = sniff(file.read_bytes())
        assert found == ("unknown" if file.name in empty else "hl7v2"), file.name


@pytest.mark.parametrize(
    ("folder", "pattern", "expected"),
    [
        ("cda/ans_cda_3_0", "*.xml", "cda"),
        ("fhir/bulk_10", "[A-Z]*.ndjson", "fhir"),
        ("fhir/nachc_usecases", "*.json", "fhir"),
    ],
)
def test_other_formats_are_not_taken_for_hl7v2(
    hl7v2_samples: Path, folder: str, pattern: str, expected: str
) -> None:
    files = [f for f in (hl7v2_samples.parent / folder).rglob(pattern) if f.stat().st_size]
    assert files
    assert {sniff(file.read_bytes()) for file in files} == {expected}
