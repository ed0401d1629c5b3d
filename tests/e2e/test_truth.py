"""The warehouse of a synthetic hospital agrees with its truth, by business key, both ways.

Once told in HL7 v2 alone, row by row as the feed spells it; once told in three formats, where each
format's own spelling of units, routes and classes is brought to one (`truth_formats`).
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from truth_dispositions import EXCLUDED, STAGED, Dispositions
from truth_expected import expected_rows
from truth_formats import one_spelling
from truth_observed import observed_rows, open_read_only, person_id
from truth_reading import Truth, moment
from truth_rows import COLUMNS, Rows, differences, total

import roads
from entrepot.config import Site
from entrepot.landing.database import zone_engine
from entrepot.report.scan.lineage import Places
from entrepot.report.survival import survival
from entrepot.run import RunResult
from entrepot.synthetic.generate import generate

pytestmark = pytest.mark.integration
PATIENTS, SEED = 60, 7  # every case of the synthetic hospital once
FORMATS = {"hl7v2": ("hl7v2",), "three": ("hl7v2", "fhir", "cda")}


@dataclass(frozen=True)
class Hospital:
    """A synthetic hospital, its truth and the warehouse that the road makes of it."""

    folder: Path
    truth: Truth
    site: Site
    result: RunResult
    patients: dict[int, str]
    expected: Rows
    observed: Rows


@pytest.fixture(scope="module", params=FORMATS)
def hospital(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """Generated, landed, taken down the whole road."""
    folder, formats = tmp_path_factory.mktemp("truth"), FORMATS[request.param]
    generate(PATIENTS, SEED, folder / "hospital", formats=formats)
    site = roads.new_site(folder / "site")
    roads.feed_hospital(site, folder / "hospital")
    result = roads.travel(site)
    assert result.published, result.failures
    truth, keyring = Truth(folder / "hospital"), roads.keyring(site)
    patients = {
        person_id(keyring, person["ipps"]): patient for patient, person in truth.persons.items()
    }
    with open_read_only(site.warehouse) as connection:
        observed = observed_rows(connection, patients)
    expected = expected_rows(folder / "hospital")
    if len(formats) > 1:
        expected, observed = one_spelling(expected), one_spelling(observed)
    return Hospital(folder / "hospital", truth, site, result, patients, expected, observed)


@pytest.mark.parametrize("table", COLUMNS)
def test_table_agrees_with_the_truth(hospital: Hospital, table: str) -> None:
    found = differences(hospital.expected, hospital.observed, [table])
    assert found == [], f"{len(found)} differences"


def test_the_comparison_is_not_of_nothing(hospital: Hospital) -> None:
    rows = total(hospital.expected)
    assert rows["person"] > PATIENTS * 0.9
    assert all(rows.values()), rows
    assert rows["measurement"] > 2_000
    assert rows["drug_exposure"] > 500


def test_a_changed_value_is_a_difference(hospital: Hospital) -> None:
    """One result moved by a thousandth: one row is missing, one is extra."""
    place = COLUMNS["measurement"].index("number")
    row = next(row for row in hospital.observed["measurement"] if row[place] is not None)
    changed = Counter(hospital.observed["measurement"])
    changed[row] -= 1
    changed[(*row[:place], row[place] * 1001 / 1000, *row[place + 1 :])] += 1
    found = differences(hospital.expected, hospital.observed | {"measurement": +changed})
    assert [line.split()[0] for line in found] == ["missing", "extra"]


def test_no_row_of_an_opposed_person(hospital: Hospital) -> None:
    opposed = {name for name, person in hospital.truth.persons.items() if person["opposed"]}
    assert opposed
    there = {row[0] for rows in hospital.observed.values() for row in rows}
    assert not opposed & there


def test_no_row_was_quarantined(hospital: Hospital) -> None:
    """What the truth asks for is sound: the gate has nothing to keep back."""
    assert roads.query(hospital.site, "SELECT * FROM etl.quarantine") == []


def test_each_record_has_the_disposition_that_the_truth_asks_for(hospital: Hospital) -> None:
    """A record that is not heard is one that the truth calls bad, opposed, or no longer true."""
    wanted = Dispositions(hospital.folder, hospital.truth)
    places = Places(hospital.site, roads.keyring(hospital.site), hospital.folder)
    engine = zone_engine(hospital.site)
    with engine.connect() as connection:
        lines = connection.exec_driver_sql(
            "SELECT r.address, d.disposition, d.reason FROM derivation d JOIN record r"
            " ON r.record_id = d.record_id"
        ).all()
    engine.dispose()
    found = {bytes(address): (disposition, reason) for address, disposition, reason in lines}
    records = [record for record in hospital.truth.records if not record["duplicate_of"]]
    told = {record["message"]: found[places.address(record["message"])] for record in records}
    assert [
        (record["message"], record["event"], told[record["message"]])
        for record in records
        if told[record["message"]][1] not in wanted.admitted(record)
    ] == []
    assert len(found) == len(records)
    bad = {told[record["message"]] for record in records if record["bad"]}
    assert {disposition for disposition, reason in bad if reason in EXCLUDED} == {"excluded"}
    assert {disposition for disposition, reason in bad if reason not in EXCLUDED} == {"quarantined"}
    assert STAGED not in {reason for _, reason in bad}


def test_clinical_facts_of_texts_survive(hospital: Hospital, tmp_path: Path) -> None:
    """Drugs, doses, diagnoses, findings, values and dates in letters; other scrubbed words."""
    truth, keys = hospital.folder / "truth", roads.keyring(hospital.site)
    kept = survival(hospital.site, keys, truth)
    losses = Counter((one.kind, one.words) for one in kept.lost).most_common(20)
    assert kept.share >= 0.98, (kept.lines(), losses)
    least = {"drug": 200, "dose": 200, "diagnosis": 100, "finding": 500, "value": 800, "date": 800,
             "sig": 150, "result": 50, "title": 100}  # fmt: skip
    assert {kind: min(kept.said[kind], count) for kind, count in least.items()} == least
    shutil.copytree(truth, tmp_path / "truth")
    texts = (truth / "texts.jsonl").read_text(encoding="utf-8")
    (tmp_path / "truth" / "texts.jsonl").write_text(texts.replace(" mg ", " kg "), encoding="utf-8")
    wrong = survival(hospital.site, keys, tmp_path / "truth")
    assert {one.kind for one in wrong.lost} - {one.kind for one in kept.lost} == {"dose"}


def test_the_clinical_words_of_letters_survive(hospital: Hospital) -> None:
    notes: dict[tuple[str, str], str] = {}
    query = "SELECT person_id, note_datetime, note_text FROM cdm.note"
    for person, at, text in roads.query(hospital.site, query):
        key = (hospital.patients[person], at.isoformat())
        notes[key] = notes.get(key, "") + text
    lost = [
        (letter["id"], phrase)
        for letter in hospital.truth.holds("letter")
        for phrase in letter["keep"]
        if phrase not in notes[letter["patient"], moment(letter["at"]).isoformat()]
    ]
    assert lost == []
