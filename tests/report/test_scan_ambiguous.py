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


def test_an_initial_is_no_word_of_the_rest_of_the_letter(tmp_path: Path, zone: Path) -> None:
    """The output joins lines of which the source is one."""
    line, initial = "Dr L. Rémond", {"message": "L1", "position": "OBX-5", "start": 3, "end": 5}
    truth = scan_zone.write_truth(
        tmp_path / "lines", [("P1", "PRENOM_PS", "L.")], places={"L.": [initial]}
    )
    assert with_output(zone, truth, "Dr [PRENOM_1] [NOM_1]. À l'examen, rien.", line).clean
    (leak,) = with_output(zone, truth, "Dr L. [NOM_1]. À l'examen, rien.", line).leaks
    assert leak.label == "PRENOM_PS"


def test_in_a_formatted_attachment_occurrences_are_counted(tmp_path: Path, zone: Path) -> None:
    """HTML and RTF have no offsets: the output may say a word as often as the text itself does."""
    place = {"message": "L1", "position": "OBX-5"}
    truth = scan_zone.write_truth(
        tmp_path / "html", [("P1", "NOM", "Petit")],
        [{"id": "S1", "patient": "P1", "kind": "letter", "keep": ["petit nodule"]}],
        {"Petit": [place, place]},
    )  # fmt: skip
    source = "M. Petit a un petit nodule. Signé : Dr PETIT"
    assert with_output(
        zone, truth, "M. [NOM_1] a un petit nodule. Signé : Dr [NOM_1]", source
    ).clean
    half = "M. [NOM_1] a un petit nodule. Signé : Dr PETIT"
    assert {leak.label for leak in with_output(zone, truth, half, source).leaks} == {"NOM"}


def test_letters_tell_which_names_are_words(tmp_path: Path, zone: Path) -> None:
    text = "Mme Rivière se baigne en rivière"
    place = {"message": "L1", "position": "OBX-5", "start": 4, "end": 11}
    truth = scan_zone.write_truth(
        tmp_path / "letters", [("P1", "NOM", "Rivière"), ("P1", "NOM", "Thévenot")],
        places={"Rivière": [place]},
    )  # fmt: skip
    (zone / "letter.txt").write_text("se baigne en rivière", encoding="utf-8")
    assert not scan(zone, truth).clean
    report = with_output(zone, truth, "Mme [NOM_1] se baigne en rivière", text)
    assert report.clean
    assert (report.distinctive, report.ambiguous) == (1, 1)


def test_the_first_of_a_month_is_what_a_generalised_birth_writes(
    tmp_path: Path, zone: Path
) -> None:
    truth = scan_zone.write_truth(tmp_path / "births", [("P1", "DATE_NAISSANCE", "19650701")])
    (zone / "person.csv").write_text("person_id,birth_datetime\n1,1965-07-01", encoding="utf-8")
    report = scan(zone, truth)
    assert report.clean
    assert report.ambiguous == 1


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
