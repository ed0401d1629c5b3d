"""The demonstration as its user runs it: both equations, the gate, nobody's identity anywhere."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from entrepot.config import Site
from entrepot.demonstration import Demonstration, demonstrate
from entrepot.keys import site_keyring
from entrepot.publish.warehouse import query
from entrepot.report.scan import scan
from entrepot.report.scan.files import pieces
from entrepot.report.scan.lineage import Places
from entrepot.report.scan.places import survivors
from entrepot.report.scan.truth import read_inventory
from entrepot.report.second_scan import second_scan
from entrepot.site_files import SOURCES

pytestmark = pytest.mark.integration
HIDDEN = {  # output of the demonstration -> what a program might add to it
    "reports/run.json": base64.b64encode(b"x vue ce jour HADDAD Jasmine").decode()[1:],
    "reports/run.html": "<p>Le<!-- a -->gen<!-- b -->dre</p>",
    "quality/data_docs/index.html": "<!-- " + b"Mme Fatima HADDAD".hex() + " -->",
    "quality/results.csv": "vu par LEGENDR=45",
    "quality/verdict.json": json.dumps("Gu\u00e9rin"),
    "work/order.json": "jerome.thevenot@courriel.example.com",
}


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


def test_the_second_scan_agrees(shown: Demonstration) -> None:
    line = next(line for line in shown.lines if "second scan" in line)
    assert line.startswith("second scan: 0 identifiers found: ")
    files, identifiers = re.findall(r"([\d.]+) (?:files|identifiers)", line.partition(":")[2])[1:]
    assert int(files) > 20
    assert int(identifiers) > 1000
    assert any(re.search(r"clinical facts in texts: (9[89]|100)", line) for line in shown.lines)


def test_what_hides_in_a_real_output_is_found_again(
    shown: Demonstration, folder: Path, tmp_path: Path
) -> None:
    """A leak in a copy of each of these outputs; the first scan sees the last two alone."""
    assert shown.release
    site, hospital = Site.open(folder / "site"), folder / "hospital"
    zone, truth = site.research, hospital / "truth"
    notes, event = "warehouse.duckdb", next((zone / "staging").rglob("event/0*.parquet"))
    for path in (zone / notes, event, *(zone / name for name in HIDDEN)):
        shutil.copy(path, tmp_path / path.name)
    for name, leak in HIDDEN.items():
        with (tmp_path / Path(name).name).open("a", encoding="utf-8") as file:
            file.write(leak)
    with duckdb.connect(str(tmp_path / notes)) as warehouse:
        one = "note_id = (SELECT min(note_id) FROM cdm.note)"
        warehouse.execute(
            f"UPDATE cdm.note SET note_text = note_text || ' Vu Mme LEJANDRE' WHERE {one}"
        )
    table = pq.read_table(tmp_path / event.name)
    pq.write_table(table.replace_schema_metadata({"by": "H A D D A D"}), tmp_path / event.name)
    found = {(one.file, one.way) for one in second_scan(tmp_path, truth).findings}
    assert found == {
        ("warehouse.duckdb", "sounds alike"), (event.name, "split"), ("run.json", "Base64"),
        ("run.html", "markup"), ("index.html", "hexadecimal"), ("results.csv", "quoted-printable"),
        ("verdict.json", "escapes"), ("order.json", "written"),
    }  # fmt: skip
    places = Places(site, site_keyring(site), hospital)
    seen = {leak.file for leak in scan(tmp_path, truth, source_text=places.source).leaks}
    assert seen == {"verdict.json", "order.json"}


def test_an_ambiguous_name_that_stayed_would_be_found_in_each_format(
    shown: Demonstration, folder: Path
) -> None:
    """Free texts are found through their record; let through as they came, they are all hits."""
    assert shown.release
    site, hospital = Site.open(folder / "site"), folder / "hospital"
    places = Places(site, site_keyring(site), hospital)
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
