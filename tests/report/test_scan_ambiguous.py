"""Ambiguous identifiers: computed from the truth, silent elsewhere, forbidden in their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import scan_zone

from entrepot.errors import ConfigurationError
from entrepot.report.scan import ScanReport, scan
from entrepot.report.scan.truth import read_inventory

pytestmark = pytest.mark.core

LETTER = "Madame Rose Blanc, globules blancs 5 G/L, a le teint rose. Née le 02/05/2024 à Tours."
STATED = [
    {"id": "S1", "patient": "P2", "kind": "result", "label": "Globule blanc", "unit": "G/L"},
    {"id": "S2", "patient": "P2", "kind": "stay", "nda": "V12", "start": "2024-05-02T03:07:00"},
    {"id": "S3", "patient": "P2", "kind": "act", "label": "Test au rose bengale, deux tours"},
]


def span(text: str, word: str) -> dict[str, Any]:
    start = text.index(word)
    return {"message": "L1", "position": "OBX-5", "start": start, "end": start + len(word)}


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    identifiers = [
        ("P1", "NOM", "Blanc"), ("P1", "PRENOM", "Rose"), ("P1", "NOM", "Ba"),
        ("P1", "DATE_NAISSANCE", "02/05/2024"), ("P1", "VILLE", "Tours"), ("P1", "CP", "37000"),
        ("P1", "DATE_NAISSANCE", "19790328"), ("P1", "NOM", "Thévenot"), ("P1", "IPP", "80012345"),
        ("P2", "NDA", "V12"), ("P2", "NDA", "V9012"),
    ]  # fmt: skip
    stated = [*STATED, {"id": "S4", "patient": "P2", "kind": "stay", "nda": "V9012"}]
    places = {word: [span(LETTER, word)] for word in ("Rose", "Blanc", "02/05/2024", "Tours")}
    return scan_zone.write_truth(tmp_path / "truth", identifiers, stated, places)


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    folder = tmp_path / "research"
    folder.mkdir()
    words = "globules blancs, test au rose bengale, 2024-05-02, 37000 lignes, ba, <li>, tours"
    (folder / "words.html").write_text(words, encoding="utf-8")
    return folder


def with_output(zone: Path, truth: Path, output: str, source: str | None = LETTER) -> ScanReport:
    return scan(
        zone,
        truth,
        place_text=lambda message, position: [output] if position == "OBX-5" else [],
        source_text=lambda message, position: source,
    )


def test_the_ambiguous_list_is_what_the_truth_says_besides_identities(truth: Path) -> None:
    inventory = read_inventory(truth)
    ambiguous = {entry.value for entry in inventory.ambiguous}
    # words of the labels; two or three letters; fewer than six digits; the day of a stay
    assert ambiguous == {"Blanc", "Rose", "Tours", "Ba", "V12", "37000", "02/05/2024"}


def test_an_identifier_stated_with_its_own_patient_is_no_word(truth: Path) -> None:
    entry = next(entry for entry in read_inventory(truth).entries if entry.value == "V9012")
    assert not entry.ambiguous


def test_public_words_are_words(truth: Path, zone: Path) -> None:
    (zone / "vocabulary.csv").write_text("signe de Thévenot", encoding="utf-8")
    assert {leak.label for leak in scan(zone, truth).leaks} == {"NOM"}
    assert scan(zone, truth, public=["signe de Thévenot"]).clean


def test_ambiguous_words_elsewhere_are_no_leak(truth: Path, zone: Path) -> None:
    report = scan(zone, truth)
    assert report.clean
    assert (report.ambiguous, report.places) == (7, 0)


def test_a_letter_that_keeps_its_own_words_is_clean(truth: Path, zone: Path) -> None:
    masked = LETTER.replace("Rose", "[PRENOM_1]").replace("Blanc", "[NOM_1]")
    masked = masked.replace("02/05/2024", "2024").replace("Tours", "[VILLE_1]")
    report = with_output(zone, truth, masked)
    assert report.clean
    assert report.places == 7


@pytest.mark.parametrize(
    ("kept", "label"),
    [("Rose", "PRENOM"), ("Blanc", "NOM"), ("02/05/2024", "DATE_NAISSANCE"), ("Tours", "VILLE")],
)
def test_an_ambiguous_identifier_that_stayed_in_its_place_leaks(
    truth: Path, zone: Path, kept: str, label: str
) -> None:
    output = LETTER
    for word in {"Rose", "Blanc", "02/05/2024", "Tours"} - {kept}:
        output = output.replace(word, "[X]", 1)
    (leak,) = with_output(zone, truth, output).leaks
    assert (leak.file, leak.label, leak.kind, leak.where) == (
        "L1 OBX-5",
        label,
        "ambiguous",
        "place",
    )


def test_without_the_source_any_occurrence_leaks(truth: Path, zone: Path) -> None:
    report = with_output(zone, truth, "a le teint rose", source=None)
    assert [leak.label for leak in report.leaks] == ["PRENOM"]


def test_an_element_that_gave_nothing_holds_nothing(truth: Path, zone: Path) -> None:
    assert scan(zone, truth, place_text=lambda message, position: []).clean


def test_a_scan_of_nothing_proves_nothing(tmp_path: Path, truth: Path, zone: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="no file to scan"):
        scan(tmp_path / "empty", truth)
    with pytest.raises(ConfigurationError, match="lists no identifier"):
        scan(zone, scan_zone.write_truth(tmp_path / "nobody", []))
    with pytest.raises(ConfigurationError, match="lacks a file"):
        scan(zone, tmp_path / "empty")
