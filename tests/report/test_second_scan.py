"""The second scan finds what it is for, some of it alone, and takes no word for a name."""

from __future__ import annotations

from pathlib import Path

import pytest
import scan_zone
from hidden_names import INS, IPP, PLANTS, note, write_truth

from entrepot.errors import ConfigurationError
from entrepot.report.scan import scan
from entrepot.report.second_scan import SecondScan, second_scan
from entrepot.report.second_scan.spelling import slips, sound

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_truth(tmp_path_factory.mktemp("second") / "truth")


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    folder = tmp_path / "research"
    folder.mkdir()
    (folder / "readme.txt").write_text(scan_zone.FILLER, encoding="utf-8")
    return folder


def scanned(zone: Path, truth: Path, text: str) -> SecondScan:
    (zone / "run.log").write_text(text, encoding="utf-8")
    return second_scan(zone, truth)


@pytest.mark.parametrize("name", PLANTS)
def test_a_hidden_identifier_is_found(zone: Path, truth: Path, name: str) -> None:
    plant = PLANTS[name]
    plant.write(zone)
    report = second_scan(zone, truth)
    found = {(finding.way, finding.label) for finding in report.findings}
    assert (plant.way, plant.label) in found
    assert not report.unread
    assert not report.clean


@pytest.mark.parametrize("name", PLANTS)
def test_some_the_first_scan_finds_and_some_it_does_not(zone: Path, truth: Path, name: str) -> None:
    plant = PLANTS[name]
    plant.write(zone)
    assert bool(scan(zone, truth).leaks) is plant.first


@pytest.mark.parametrize(
    "text",
    [
        "Mme présente un petit nodule, teint rose. Petit bassin libre.",
        "M. opéré le 01/05/1950 ; contrôle le 28/03/1980, le 29 mars 1979",
        "Dr absent. Thévenin et Norton : circuit équivalent ; tes venaux",  # near, but no sound
        "circuit de Thévenaud, d'après la littérature",  # a sound without a name beside it
        "2790351215189 8,0012345 180012345 80012346",
        "thé, vent, not ; le thé ve not; genévrier; kermès, kerosène",
        "row_key 3b34fad5cabe0ff1ce0279dead5beef0 6bada55e",
        "98 quai Saint-Louis, le quai 98, laurent",
        "Rosemont, Petitot, rosé, petite",
    ],
)
def test_what_only_resembles_is_no_leak(zone: Path, truth: Path, text: str) -> None:
    assert scanned(zone, truth, text).findings == ()


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("thevenot", "tevenaud"), ("lefevre", "lefebvre"), ("gauthier", "gotier"),
        ("haddad", "adad"), ("guerin", "gerain"), ("kowalski", "covalski"), ("besson", "baisson"),
        ("legendre", "lejandre"), ("chatelain", "chatelin"), ("philippe", "filipe"),
    ],
)  # fmt: skip
def test_what_sounds_alike_has_one_key(name: str, heard: str) -> None:
    assert sound(name) == sound(heard)


@pytest.mark.parametrize(
    ("name", "other"),
    [("thevenot", "thevenin"), ("martin", "martine"), ("girard", "gerard"), ("faure", "favre")],
)
def test_what_sounds_otherwise_has_another_key(name: str, other: str) -> None:
    assert sound(name) != sound(other)


def test_a_slip_is_a_letter_more_less_changed_or_swapped() -> None:
    one = [("morel", "morrel"), ("morel", "mrel"), ("morel", "marel"), ("morel", "moerl")]
    assert [slips(a, b, 3) for a, b in one] == [1, 1, 1, 1]
    assert slips("morel", "tirel", 3) == 2
    assert slips("morel", "poisson", 2) == 3  # more than was asked for


def test_a_finding_tells_where_and_never_what(zone: Path, truth: Path) -> None:
    (zone / "THEVENOT").mkdir()
    (zone / "THEVENOT" / "a.log").write_text(f"x {INS}", encoding="utf-8")
    report = second_scan(zone, truth)
    assert {(one.file, one.part) for one in report.findings} == {
        ("[…]", "name"), ("[…]/a.log", "bytes"),
    }  # fmt: skip
    told = report.summary() + str(report.findings)
    assert INS not in told
    assert "thevenot" not in told.lower()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("a name in a note", "note.note_text"), ("Parquet numbers", ".number"),
        ("Parquet page index", "page index"), ("Parquet statistics", "footer"),
        ("Parquet metadata", "key-value metadata"), ("a deleted row", "free pages"),
        ("a folder's name", "name"),
        ("a DuckDB text before", "note.note_text before the last checkpoint"),
        ("bzip2", "member"), ("a mail", "bytes"),
    ],
)  # fmt: skip
def test_a_finding_tells_the_part_of_the_file(
    zone: Path, truth: Path, name: str, part: str
) -> None:
    PLANTS[name].write(zone)
    assert part in {one.part for one in second_scan(zone, truth).findings}


def test_a_birth_is_no_leak_where_it_is_a_day_of_care(zone: Path, tmp_path: Path) -> None:
    truth = write_truth(tmp_path / "truth")
    text = "contrôle du 28/03/1979"
    assert {one.label for one in scanned(zone, truth, text).findings} == {"DATE_NAISSANCE"}
    with (truth / "statements.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "S2", "patient": "P2", "at": "1979-03-28T10:00:00"}\n')
    assert scanned(zone, truth, text).clean
    assert scanned(zone, truth, "né le 28/03/1979").findings


def test_several_folders_are_read(zone: Path, truth: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "scheduler.log").write_text("Mme Thévenot", encoding="utf-8")
    assert second_scan(zone, truth).clean
    assert {one.file for one in second_scan([zone, logs], truth).findings} == {"scheduler.log"}


def test_a_file_that_resists_is_told(zone: Path, truth: Path) -> None:
    (zone / "torn.parquet").write_bytes(b"PAR1" + bytes(60) + b"PAR1")
    report = second_scan(zone, truth)
    assert report.unread == ("torn.parquet",)
    assert not report.clean


def test_a_scan_of_nothing_is_an_error(zone: Path, truth: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigurationError, match="no file"):
        second_scan(empty, truth)
    scan_zone.write_truth(tmp_path / "none", [])
    (tmp_path / "none" / "texts.jsonl").touch()
    with pytest.raises(ConfigurationError, match="no identifier"):
        second_scan(zone, tmp_path / "none")
    with pytest.raises(ConfigurationError, match="lacks a file"):
        second_scan(zone, tmp_path)


def test_public_texts_make_words(zone: Path, truth: Path) -> None:
    (zone / "run.log").write_text("zone Europe/Pithiviers", encoding="utf-8")
    assert not second_scan(zone, truth).clean
    assert second_scan(zone, truth, public=["Europe/Pithiviers"]).clean


def test_the_figures_of_a_key_are_no_number(zone: Path, truth: Path) -> None:
    assert scanned(zone, truth, f"{IPP}abcdef0123456789abcdef01").clean
    assert scanned(zone, truth, f"{IPP} abcdef0123456789abcdef01").findings
    assert scanned(zone, truth, f"{IPP}abcdef").findings


def test_the_figures_of_a_key_are_no_number_backwards(zone: Path, truth: Path) -> None:
    (zone / "bytes.bin").write_bytes(b"\x00" + f"{IPP[::-1]}abcdef0123456789abcdef01".encode())
    assert second_scan(zone, truth).clean
    (zone / "bytes.bin").write_bytes(f"\x000123456789abcdef{IPP[::-1]}0123456789abcdef".encode())
    assert second_scan(zone, truth).clean
    (zone / "bytes.bin").write_bytes(b"\x00" + f"{IPP[::-1]}\x00abcdef".encode())
    assert [one.way for one in second_scan(zone, truth).findings] == ["reversed"]


@pytest.mark.parametrize(("folder", "clean"), [("studies", True), ("reports", False)])
def test_a_shifted_day_in_a_study_is_no_birth(
    folder: str, clean: bool, truth: Path, tmp_path: Path
) -> None:
    place = tmp_path / "research" / folder / "essai"
    place.mkdir(parents=True)
    note("contrôle du 28/03/1979")(place)
    assert second_scan(tmp_path / "research", truth).clean is clean


@pytest.mark.parametrize(("folder", "clean"), [("studies", True), ("reports", False)])
def test_a_shifted_delivery_in_a_study_is_no_birth(
    folder: str, clean: bool, tmp_path: Path
) -> None:
    """Beside the word for it, and a day of care as well."""
    truth = write_truth(tmp_path / "truth")
    with (truth / "statements.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "S2", "patient": "P2", "at": "1979-03-28T10:00:00"}\n')
    place = tmp_path / "research" / folder / "essai"
    place.mkdir(parents=True)
    note("né le 28/03/1979")(place)
    assert second_scan(tmp_path / "research", truth).clean is clean
