"""A canary planted in each type of file is found, and a zone without one is clean."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import scan_zone

from entrepot.report.scan import scan
from entrepot.report.scan.tables import parquet

pytestmark = pytest.mark.core

NAME, NUMBER = "Ménard-Kerléo", "279035121518989"
CANARIES = {
    "name": ("NOM", NAME, NAME.upper()),
    "number": ("INS", NUMBER, NUMBER),
    "mail": ("MAIL", "zoe.menard@example.org", "zoe.menard@example.org"),
}


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    folder = tmp_path / "research"
    folder.mkdir()
    (folder / "readme.txt").write_text(scan_zone.FILLER, encoding="utf-8")
    return folder


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    identifiers = [("P1", label, value) for label, value, _ in CANARIES.values()]
    return scan_zone.write_truth(tmp_path / "truth", identifiers)


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("plant", scan_zone.PLANTS, ids=lambda plant: plant.__name__)
def test_a_canary_in_each_file_type_is_found(
    zone: Path, truth: Path, plant: scan_zone.Plant, canary: str
) -> None:
    label, _, written = CANARIES[canary]
    plant(zone, written)
    report = scan(zone, truth)
    assert {leak.label for leak in report.leaks} == {label}
    assert not report.undecoded


@pytest.mark.parametrize("plant", scan_zone.PLANTS, ids=lambda plant: plant.__name__)
def test_the_same_file_without_a_canary_is_clean(
    zone: Path, truth: Path, plant: scan_zone.Plant
) -> None:
    plant(zone, "Ecureuil roux")
    report = scan(zone, truth)
    assert report.clean
    assert report.files == sum(path.is_file() for path in zone.rglob("*"))
    assert report.bytes == sum(path.stat().st_size for path in zone.rglob("*") if path.is_file())
    assert report.summary().startswith("0 identifiers leaked")


def test_the_statistics_of_parquet_are_read_as_such(zone: Path) -> None:
    scan_zone.parquet_statistics(zone, NAME)
    read = list(parquet(zone / "part-3.parquet"))
    assert [piece.where for piece in read if NAME in piece.text] == ["statistics"]


@pytest.mark.parametrize("glued", ["DurandZoé Ménard-KerléoPicard", f"ipp7{NUMBER}nda"])
def test_cells_stored_without_separators_are_found_in_raw_bytes(
    zone: Path, truth: Path, glued: str
) -> None:
    (zone / "block").write_bytes(b"\x00\x01" + glued.encode() + b"\xff\x00")
    assert {leak.where for leak in scan(zone, truth).leaks} == {"raw"}


def test_a_leaking_name_of_a_file_is_not_told(zone: Path, truth: Path) -> None:
    scan_zone.folder_name(zone, NAME)
    (leak,) = scan(zone, truth).leaks
    assert (leak.file, leak.where, leak.origin) == ("[…]", "name", "identifiers.jsonl:1")


def test_a_leak_in_a_folder_whose_name_leaks_does_not_tell_the_name(
    zone: Path, truth: Path
) -> None:
    (zone / NAME).mkdir()
    (zone / NAME / "run.log").write_text(NUMBER, encoding="utf-8")
    leaks = scan(zone, truth).leaks
    assert {(leak.file, leak.where) for leak in leaks} == {
        ("[…]", "name"),
        ("[…]/run.log", "text"),
    }


def test_a_link_and_an_empty_folder_are_their_names(zone: Path, truth: Path) -> None:
    (zone / "latest").symlink_to(f"/nowhere/{NUMBER}")
    (zone / f"empty {NUMBER}").mkdir()
    assert {leak.file for leak in scan(zone, truth).leaks} == {"latest", "[…]"}


@pytest.mark.parametrize(
    ("name", "content"),
    [("torn.parquet", b"PAR1" + bytes(60) + b"PAR1"), ("torn.zip", b"PK\x03\x04" + bytes(60)),
     ("torn.gz", b"\x1f\x8b" + bytes(60)), ("torn.duckdb", bytes(8) + b"DUCK" + bytes(60))],
)  # fmt: skip
def test_a_file_that_resists_makes_the_scan_unclean(
    zone: Path, truth: Path, name: str, content: bytes
) -> None:
    (zone / name).write_bytes(content)
    report = scan(zone, truth)
    assert report.undecoded == (name,)
    assert not report.clean


def test_an_identifier_across_the_reading_blocks_is_found(zone: Path, truth: Path) -> None:
    filler = "é " * (1 << 21)  # 6 MB; blocks are 4 MB
    for offset in range(-8, 3):
        at = (1 << 22) // 3 * 2 + offset
        (zone / f"{offset}.log").write_text(f"{filler[:at]} {NAME} {filler[at:]}", encoding="utf-8")
    found = {leak.file for leak in scan(zone, truth).leaks}
    assert found == {f"{offset}.log" for offset in range(-8, 3)}


@pytest.mark.parametrize(
    ("cells", "leaks"), [(["02", "59236871"], 0), (["02 59236871"], 1), (["02\n59236871"], 1)]
)
def test_cells_side_by_side_are_no_number(tmp_path: Path, cells: list[str], leaks: int) -> None:
    """Python takes the sign between cells for a blank; the order of rows follows from keys."""
    truth = scan_zone.write_truth(tmp_path / "truth", [("P1", "AUTRE_ID", "0259236871")])
    zone = tmp_path / "research"
    zone.mkdir()
    with duckdb.connect(str(zone / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE one AS SELECT unnest(?) AS v", [cells])
    found = [one for one in scan(zone, truth).leaks if one.where == "cell"]
    assert len(found) == leaks
