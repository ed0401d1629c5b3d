"""Sections 7 to 9 of the report on a synthetic hospital, and nobody of it in any."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

import roads
from entrepot.audit import Action, AuditLog
from entrepot.report.dpo.disclosure import SMALL
from entrepot.report.dpo.report import write_dpo_report
from entrepot.report.scan import scan
from report.dpo_hospital import GROUP, Hospital, is_told

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group(GROUP)]


def test_section_7_agrees_with_classes_counted_here(hospital: Hospital) -> None:
    rows = roads.query(
        hospital.site,
        "SELECT p.person_id, gender_concept_id, year_of_birth, month_of_birth, county"
        " FROM cdm.person p LEFT JOIN cdm.location USING (location_id)",
    )
    risk = hospital.facts["risk"]
    for name, columns in (("sex_year", slice(1, 3)), ("sex_month_home", slice(1, 5))):
        sizes = Counter(row[columns] for row in rows)
        bands = next(level["bands"] for level in risk["levels"] if level["name"] == name)
        edges = {"1": (1, 1), "2-4": (2, 4), "5-10": (5, 10), "11-50": (11, 50)}
        for band, (low, high) in edges.items():
            persons = sum(size for size in sizes.values() if low <= size <= high)
            assert is_told(bands[band], persons), (name, band)
    days: dict[int, list[Any]] = defaultdict(list)
    for person, day in roads.query(
        hospital.site, "SELECT person_id, visit_start_date FROM cdm.visit_occurrence"
    ):
        days[person].append(day)
    sequences = Counter(tuple(sorted(found)) for found in days.values())
    assert is_told(risk["with_stay"], len(days))
    assert is_told(risk["same_stays"], sum(count == 1 for count in sequences.values()))
    known = next(level for level in risk["levels"] if level["name"] == "sex_year_home")
    assert is_told(known["diversity"]["sureness"]["100"], _same_diagnosis(hospital, rows))
    assert [one["remaining"] for one in risk["scans"]] == [0, 0, 0, 0]
    assert all(one["columns"] > 3 for one in risk["scans"])


def _same_diagnosis(hospital: Hospital, rows: list[tuple[Any, ...]]) -> int:
    borne: dict[int, set[int]] = defaultdict(set)
    for person, concept in roads.query(
        hospital.site,
        "SELECT person_id, condition_concept_id FROM cdm.condition_occurrence"
        " WHERE condition_concept_id <> 0",
    ):
        borne[person].add(concept)
    classes: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for person, sex, year, _, home in rows:
        classes[sex, year, home].append(person)
    return sum(
        len(members)
        for members in classes.values()
        if len(members) > 1 and set.intersection(*(borne[one] for one in members))
    )


def test_section_8_proves_that_oppositions_are_applied(hospital: Hospital) -> None:
    with (hospital.folder / "oppositions.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines
    rights = hospital.facts["rights"]
    register = next(one for one in rights["registers"] if one["name"] == "opposition")
    assert is_told(register["total"], len(lines))
    withdrawn = sum(bool(line["withdrawn_on"]) for line in lines)
    assert is_told(register["states"]["withdrawn"], withdrawn)
    assert hospital.facts["applied"]
    places = {proof["place"]: proof["rows"] for proof in rights["proofs"]}
    assert {"cdm.person", "cdm.note", "cdm.drug_era", "staging.event"} <= set(places)
    assert set(places.values()) == {0}


def test_the_proof_finds_what_it_looks_for(hospital: Hospital) -> None:
    """Somebody opposes now: until the next run their rows are still there, and are counted."""
    from entrepot.landing.database import write_transaction, zone_engine
    from entrepot.register.oppositions import add
    from entrepot.register.person import Identifier
    from entrepot.report.dpo.facts import collect

    person = next(p for p in hospital.truth("persons") if p["role"] == "plain" and not p["opposed"])
    authority = _authority(hospital)
    engine, keyring = zone_engine(hospital.site), roads.keyring(hospital.site)
    with write_transaction(engine) as connection:
        for ipp in person["ipps"]:
            number = Identifier(authority, ipp, "")
            assert add(connection, keyring, number, dt.date(2025, 1, 1), "desk")
    facts = collect(hospital.site, keyring)
    with write_transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM opposition WHERE channel = 'desk'")
    engine.dispose()
    assert not facts["applied"]
    assert any(proof["rows"] for proof in facts["rights"]["proofs"])
    assert collect(hospital.site, keyring)["applied"]


def _authority(hospital: Hospital) -> str:
    with (hospital.folder / "oppositions.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))["authority"]


def test_section_9_tells_who_did_what(hospital: Hospital) -> None:
    trail = hospital.facts["trail"]
    assert trail["intact"]
    assert trail["acts"][Action.OPPOSITIONS_IMPORTED]
    log = AuditLog(hospital.site, roads.keyring(hospital.site))
    log.append(Action.APPROVED, {"what": "report", "by": "Mme Vigne"})
    log.append(Action.CONTENT_READ, {"record": 1, "why": "test"})
    later = write_dpo_report(hospital.site, out=hospital.folder.parent / "later.html").facts
    assert later["trail"]["acts"][Action.APPROVED]
    assert set(later["trail"]["personal"][Action.CONTENT_READ].values()) == {SMALL}
    assert ":" not in trail["head"], "the number of the last act would count those of patients"


def test_nobody_of_the_hospital_is_in_it(hospital: Hospital, tmp_path: Path) -> None:
    """Words of a report without any data are its own: one patient is called SECRET."""
    own = write_dpo_report(roads.new_site(tmp_path / "empty"))
    found = {}
    for name, report in (("own", own), ("hospital", hospital.report)):
        folder = tmp_path / name
        folder.mkdir()
        for path in (*report.pages.values(), report.document):
            (folder / path.name).write_bytes(path.read_bytes())
        found[name] = scan(folder, hospital.folder / "truth")
        assert found[name].files == 3
        assert found[name].distinctive > 1000
    words = {leak.origin for leak in found["own"].leaks}
    assert len(words) < 5
    assert [leak for leak in found["hospital"].leaks if leak.origin not in words] == []
