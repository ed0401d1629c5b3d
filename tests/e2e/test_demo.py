"""The demonstration as its user runs it: both equations, the gate, nobody's identity anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from entrepot.config import Site
from entrepot.demonstration import Demonstration, demonstrate
from entrepot.keys import load_keyring
from entrepot.publish.warehouse import query
from entrepot.report.scan import scan
from entrepot.report.scan.files import pieces
from entrepot.report.scan.lineage import Places
from entrepot.report.scan.places import survivors
from entrepot.report.scan.truth import read_inventory
from entrepot.site_files import SOURCES

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def shown(folder: Path) -> Demonstration:
    return demonstrate(folder, 25, 2, lambda stage, done, total: None)


def test_it_ends_well_and_adds_up(shown: Demonstration) -> None:
    assert shown.exit_code == 0
    assert shown.leaks == 0
    sums = [line for line in shown.lines if "received" in line or "CDM rows" in line]
    assert len(sums) == len(SOURCES) + 1
    for line in sums:
        left, right = line.removesuffix(" (adds up)").split(" = ")
        assert int(re.findall(r"\d+", left)[-1]) == sum(map(int, re.findall(r"(?<= )\d+", right)))
    assert any(line.startswith("gate: passed") for line in shown.lines)


def test_the_scan_says_what_it_looked_for(shown: Demonstration) -> None:
    line = next(line for line in shown.lines if "identifiers leaked" in line)
    assert line.startswith("0 identifiers leaked")
    files, _, distinctive, ambiguous = re.findall(
        r"([\d.]+) (?:files|MB|distinctive|ambiguous)", line
    )
    assert int(files) > 20
    assert int(distinctive) > 1000
    assert 0 < int(ambiguous) < int(distinctive) / 10


def test_the_scan_would_find_a_name(shown: Demonstration, folder: Path, tmp_path: Path) -> None:
    """The same scan over the identifying feeds themselves is full of hits."""
    assert shown.release
    sample = sorted((folder / "hospital" / "hl7v2" / "letters").glob("*.hl7"))[:3]
    for path in sample:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert len(scan(tmp_path, folder / "hospital" / "truth").leaks) > 50


def test_an_ambiguous_name_that_stayed_would_be_found_in_each_format(
    shown: Demonstration, folder: Path
) -> None:
    """Free texts are found through their record; let through as they came, they are all hits."""
    assert shown.release
    site, hospital = Site.open(folder / "site"), folder / "hospital"
    places = Places(site, load_keyring(site.root_key), hospital)
    inventory = read_inventory(hospital / "truth", source_text=places.source)
    assert list(survivors(inventory, places.text, places.source)) == []

    def untouched(message: str, position: str) -> list[str]:
        texts = places.text(message, position)
        return [places.source(message, position) or "" for _ in texts]

    found = {place.message for _, place in survivors(inventory, untouched, places.source)}
    kinds = {re.sub(r"[\d-]|again", "", message.partition("-")[2]) for message in found}
    assert kinds == {"", "f", "c"}  # messages of HL7 v2, resources, documents
    assert len(found) > 20


def test_a_researcher_gets_an_answer(shown: Demonstration, folder: Path) -> None:
    site = Site.open(folder / "site")
    sql = (
        "SELECT c.concept_name, count(DISTINCT m.person_id) FROM measurement m"
        " JOIN concept c ON c.concept_id = m.measurement_concept_id"
        " WHERE m.value_as_number IS NOT NULL GROUP BY ALL ORDER BY 2 DESC LIMIT 3"
    )
    columns, rows = query(site.warehouse, sql)
    found = list(rows)
    assert columns[0] == "concept_name"
    assert len(found) == 3
    assert all(0 < persons <= shown.tables["person"] for _, persons in found)


def test_the_run_report_stands_alone(shown: Demonstration, folder: Path) -> None:
    assert shown.release
    reports = Site.open(folder / "site").reports
    html = (reports / "run.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(https?:)?//", html)
    assert html.count("L&#39;équation est juste") == 2
    facts = json.loads((reports / "run.json").read_text(encoding="utf-8"))
    assert facts["records_balanced"]
    assert facts["rows"]["balanced"]
    assert facts["release"] == shown.release


def test_every_file_of_the_zone_can_be_read(shown: Demonstration, folder: Path) -> None:
    assert shown.release
    research = Site.open(folder / "site").research
    for path in research.rglob("*"):
        if path.is_file() and path.stat().st_size:
            assert next(iter(pieces(path)), None) is not None, path.suffix
