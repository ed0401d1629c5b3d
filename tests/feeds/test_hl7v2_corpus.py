"""Messages of others: what their manifest and another converter say of them, we say too."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import runpy
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.message import Message, parse
from entrepot.feeds.hl7v2.values import decimal, stated_date, structured_number, timestamp

pytestmark = pytest.mark.core

PARIS = ZoneInfo("Europe/Paris")
SETS = ("ans_hl7v2_exemples", "hapi", "linuxforhealth", "malformed", "ms_fhirconverter", "phdi",
        "v2tofhir_ig")  # fmt: skip

# malformed/MANIFEST: rejected, or several messages in one file (which landing parts)
MALFORMED_REASONS = {
    "03_latin1_bytes_declared_utf8": "charset_mismatch",
    "05_no_charset_cp1252": "charset_mismatch",
    "11_two_messages_mllp": "several_messages",
    "12_batch_FHS_BHS": "no_msh",
    "13_batch_count_mismatch": "no_msh",
    "14_truncated_in_pid": "truncated",
    "15_truncated_msh": "truncated",
    "16_empty": "empty_message",
    "17_only_whitespace": "empty_message",
    "18_no_msh": "no_msh",
    "32_dup_msh10_same_payload": "several_messages",
    "33_dup_msh10_other_payload": "several_messages",
    "45_A01_A11_out_of_order": "several_messages",
    "50_obx_corrected_deleted": "several_messages",
}
# Files of other projects that hold no message, or several
OTHER_REASONS = {
    "guide.txt": "no_msh",
    "uuencoded.txt": "no_msh",
    "uuencoded_escaped.txt": "no_msh",
    "messages.txt": "no_msh",
    "example_oml_o21.hl7": "several_messages",
    "FileSingleMessageInvalidSegments.hl7": "no_msh",
    "cp1252-sample.txt": "no_msh",
}


def files(shared: Path) -> Iterator[Path]:
    for name in SETS:
        for path in sorted((shared / "data" / "hl7v2" / name).rglob("*")):
            if path.is_file() and path.suffix in {".hl7", ".er7", ".txt"}:
                yield path


def touch(message: Message) -> None:
    """Reads everything, so that every lazy step has run."""
    for segment in message.segments:
        for n in range(1, segment.count() + 1):
            segment.tree(n)
            segment.text(n)


def malformed(shared: Path, name: str, default: str = "utf-8") -> Message:
    (path,) = (shared / "data" / "hl7v2" / "malformed").glob(f"{name}_*.hl7")
    return parse(path.read_bytes(), default)


def test_every_file_is_read_or_refused_with_the_expected_reason(shared: Path) -> None:
    expected = OTHER_REASONS | {f"{name}.hl7": reason for name, reason in MALFORMED_REASONS.items()}
    wrong, seen = {}, 0
    for path in files(shared):
        reason = ""
        try:
            touch(parse(path.read_bytes()))
        except RecordFault as fault:
            reason = fault.reason
        if reason != expected.get(path.name, ""):
            wrong[path.name] = reason
        seen += 1
    assert wrong == {}
    assert seen > 200


def test_every_part_of_a_file_of_several_messages_is_read(shared: Path) -> None:
    for name in ("11", "12", "13", "32", "33", "45", "50"):
        (path,) = (shared / "data" / "hl7v2" / "malformed").glob(f"{name}_*.hl7")
        content = re.split(rb"(?m)^(?=\x0b?MSH)", path.read_bytes().replace(b"\r", b"\n"))
        messages = [parse(part) for part in content if b"MSH" in part]
        assert len(messages) == (3 if name == "50" else 1 if name == "13" else 2)


@pytest.mark.parametrize("name", ["00", "01", "04", "06", "08", "09", "10", "19"])
def test_variants_say_what_the_reference_says(shared: Path, name: str) -> None:
    message = malformed(shared, name)
    assert message.structure == "ADT^A01"
    assert message.get("PID-5.1") == "PATÉ-ÉCLAIR"
    assert message.get("PID-5.3") == "Zoé Anaïs"
    assert message.get("PID-11.1") == "1 rue de l'Église"
    assert message.get("PID-3[5=INS].1") == "279035121518989"
    assert message.get("ZBE-4") == "INSERT"
    assert message.get("ZBE-7.10") == "3000"


def test_site_default_reads_the_message_without_charset(shared: Path) -> None:
    message = malformed(shared, "05", "cp1252")
    assert message.get("PID-5.1") == "PATÉ-ÉCLAIR"
    assert message.notices == [("charset_defaulted", "MSH-18")]


def test_latin9_ligature_and_euro(shared: Path) -> None:
    text = "".join(segment.raw for segment in malformed(shared, "02").segments)
    assert "œ" in text or "Œ" in text
    assert "€" in text


@pytest.mark.parametrize(
    ("name", "notice"),
    [
        ("04", ("charset_mojibake_repaired", "MSH-18")),
        ("20", ("escape_unknown", "OBX[1]-5")),
        ("21", ("escape_unterminated", "OBX[1]-5")),
        ("47", ("version_unknown", "MSH-12")),
        ("48", ("control_bytes_removed", "")),
    ],
)
def test_what_was_repaired_is_noticed(shared: Path, name: str, notice: tuple[str, str]) -> None:
    message = malformed(shared, name)
    touch(message)
    assert notice in message.notices


def test_escapes_of_the_manifest(shared: Path) -> None:
    text = malformed(shared, "20").get("OBX-5")
    assert text == "Taux & valeur | 5 ^ 3 ~ ok \\ fin\nligne 2 gras \\XE9\\ \\Z01\\"


def test_control_bytes_never_pass(shared: Path) -> None:
    message = malformed(shared, "48")
    assert message.get("PID-11.3") == "Orlans"


def test_large_messages(shared: Path) -> None:
    assert len(malformed(shared, "22").named("PID")[0].repetitions(3)) >= 200
    message = malformed(shared, "24")
    assert len(message.named("OBX")) == 20_000
    last = message.named("OBX")[-1]
    assert message.related("PID", last) is message.named("PID")[0]


@pytest.mark.integration
def test_document_of_twelve_megabytes_in_bounded_memory(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "hl7v2"
    runpy.run_path(str(folder / "malformed" / "make_large.py"))["main"]([str(tmp_path)])
    (path,) = tmp_path.iterdir()
    with (folder / "MANIFEST.csv").open(encoding="utf-8") as manifest:
        sums = {Path(row["file"]).name: row["sha256"] for row in csv.DictReader(manifest)}
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == sums[path.name]
    tracemalloc.start()
    message = parse(content)
    document = message.get("OBX-5.5")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(document) == 12_000_000
    assert peak < 8 * len(content)


@pytest.mark.parametrize(
    ("name", "path", "value", "precision"),
    [
        ("26", "PID-7", datetime(1979, 1, 1), "year"),
        ("40", "MSH-7", datetime(2024, 1, 1, 10, 30, 0, 123400), "second"),
        ("40", "PV1-43", datetime(2024, 1, 2, 4, 30), "second"),
        ("00", "PID-7", datetime(1979, 3, 28), "day"),
    ],
)
def test_times_of_the_manifest(
    shared: Path, name: str, path: str, value: datetime, precision: str
) -> None:
    assert timestamp(malformed(shared, name).get(path), PARIS) == (value, precision)


def test_thirtieth_of_february_is_impossible(shared: Path) -> None:
    with pytest.raises(RecordFault, match="impossible_date"):
        timestamp(malformed(shared, "25").get("PID-7"), PARIS)


@pytest.mark.parametrize("name", ["38", "39"])  # an hour that 31 March skips, 27 October repeats
def test_times_around_summer_time_stay_as_stated(shared: Path, name: str) -> None:
    text = malformed(shared, name).get("PV1-43")
    value, _ = timestamp(text, PARIS)
    assert value is not None
    assert f"{value:%Y%m%d%H%M%S}" == text
    assert value.hour == 2


def test_values_that_do_not_fit_their_type(shared: Path) -> None:
    message = malformed(shared, "49")
    texts = [message.named("OBX")[n].text(5) for n in range(4)]
    assert decimal(texts[0]) == (None, None, False)
    assert decimal(texts[1]) == (Decimal("0.5"), "<", True)
    assert decimal(texts[2]) == (Decimal("1234.5"), None, True)
    assert structured_number(texts[3]) == (">", Decimal(10), None, None)


def test_null_and_empty(shared: Path) -> None:
    message = malformed(shared, "51")
    assert message.get("PID-11.5") == '""'
    assert message.get("PID-12") == ""


def test_official_french_messages(shared: Path) -> None:
    folder = shared / "data" / "hl7v2" / "ans_hl7v2_exemples"
    messages = [parse(path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]
    reports = [message for message in messages if message.structure == "ORU^R01"]
    assert len(messages) == 34
    assert reports
    for message in reports:
        assert message.get("PID-11[2].7") == "BDL"  # their repetition separator is ~ or ˜
        assert message.get("OBX-5.4") == "Base64"


def test_another_converter_reads_the_same_patients_and_times(shared: Path) -> None:
    folder = shared / "data" / "hl7v2"
    bundles = (folder / "ms_fhirconverter_expected_fhir").rglob("*-expected.json")
    compared = 0
    for bundle in sorted(bundles):
        source = folder / "ms_fhirconverter" / f"{bundle.name.removesuffix('-expected.json')}.hl7"
        entries = json.loads(bundle.read_bytes())["entry"]
        resources = [entry["resource"] for entry in entries]
        if not source.exists():
            continue
        message = parse(source.read_bytes())
        for patient in [r for r in resources if r["resourceType"] == "Patient" and "name" in r][:1]:
            assert message.get("PID-5.1") == patient["name"][0]["family"], source.name
            born, precision = stated_date(message.get("PID-7"))
            assert str(born) == patient["birthDate"]
            assert precision == "day"
            compared += 1
        stays = [r for r in resources if r["resourceType"] == "Encounter" and "period" in r]
        odd = source.stem == "ADT-A27-01"  # its bundle says 19 s where PV1-44 says 20
        if stays and message.structure[:3] == "ADT" and message.get("PV1-44") and not odd:
            start = datetime.fromisoformat(stays[0]["period"]["start"]).astimezone(PARIS)
            assert timestamp(message.get("PV1-44"), PARIS)[0] == start.replace(tzinfo=None)
            compared += 1
    assert compared > 120


@pytest.mark.parametrize("name", ["LAB-ORU-1", "LAB-ORU-2", "ORU-R01-RMGEAD"])
def test_another_converter_reads_the_same_results(shared: Path, name: str) -> None:
    folder = shared / "data" / "hl7v2"
    (bundle,) = (folder / "ms_fhirconverter_expected_fhir").rglob(f"{name}-expected.json")
    expected = [
        Decimal(str(entry["resource"]["valueQuantity"]["value"]))
        for entry in json.loads(bundle.read_bytes())["entry"]
        if "valueQuantity" in entry["resource"]
    ]
    message = parse((folder / "ms_fhirconverter" / f"{name}.hl7").read_bytes())
    found = []
    for row in message.named("OBX"):
        kind, text = row.component(2), row.text(5)
        number = structured_number(text) if kind == "SN" else None
        found.append(number.first if number else decimal(text)[0])
    assert [value for value in found if value is not None] == expected
    assert expected
