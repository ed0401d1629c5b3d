"""What hangs on a stay in the second synthetic warehouse, and what describes it."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections import defaultdict

from other_hospital import DAY, EHR, INPATIENT, Row, Style, Tables
from other_vocabulary import ACTS, CONCEPTS, DRUGS, LABS, PROBLEMS, SEXED, TEXTS, VOCABULARIES

Place = tuple[int, int]


def add_events(style: Style, tables: Tables, place: Place, visit: Row, sex: str) -> None:
    """The stay, cut at `until`, with its diagnoses, acts, results, drugs and notes."""
    dice = random.Random(f"{style.seed}/{place[0]}/{place[1]}")
    day = visit["visit_start_date"]
    if visit["visit_end_date"] > style.until:
        visit = visit | {
            "visit_end_date": style.until, "visit_end_datetime": style.time(style.until, 1400),
        }  # fmt: skip
    end = visit["visit_end_date"]
    tables["visit_occurrence"].append(visit)
    if style.wide and visit["visit_concept_id"] == INPATIENT:
        tables["visit_detail"].append(_detail(style, place, visit))
    common = {name: visit[name] for name in ("person_id", "visit_occurrence_id", "provider_id")}
    if not (style.late_pmsi and day > style.until - 60 * DAY):
        _coded(style, tables, place, (day, end), common, (sex, dice))
    _measured(style, tables, place, day, common, dice)
    _given(style, tables, place, (day, end), common, dice)


def _detail(style: Style, place: Place, visit: Row) -> Row:
    parts = ("_start_date", "_start_datetime", "_end_date", "_end_datetime", "_concept_id",
             "_type_concept_id")  # fmt: skip
    same = ("person_id", "visit_occurrence_id", "care_site_id", "provider_id")
    return (
        {"visit_detail_id": style.key("detail", *place), "visit_detail_source_value": "UF"}
        | {f"visit_detail{part}": visit[f"visit{part}"] for part in parts}
        | {name: visit[name] for name in same}
    )


def _coded(
    style: Style, tables: Tables, place: Place, span: tuple[dt.date, dt.date], common: Row,
    who: tuple[str, random.Random],
) -> None:  # fmt: skip
    (day, end), (sex, dice) = span, who
    problems = [*PROBLEMS, *SEXED[sex]]
    for rank, (code, concept) in enumerate(dice.sample(problems, dice.randint(1, 3))):
        tables["condition_occurrence"].append(common | {
            "condition_occurrence_id": style.key("condition", *place, rank),
            "condition_concept_id": concept, "condition_start_date": day,
            "condition_start_datetime": style.time(day, 600), "condition_end_date": end,
            "condition_end_datetime": style.time(end, 1390), "condition_type_concept_id": EHR,
            "condition_source_value": code, "condition_source_concept_id": 0,
        })  # fmt: skip
    if dice.random() < 0.6:
        tables["procedure_occurrence"].append(common | {
            "procedure_occurrence_id": style.key("procedure", *place, 1),
            "procedure_concept_id": 0, "procedure_date": day,
            "procedure_datetime": style.time(day, 660), "procedure_type_concept_id": EHR,
            "procedure_source_value": dice.choice(ACTS), "procedure_source_concept_id": 0,
            "quantity": 1,
        })  # fmt: skip


def _measured(
    style: Style, tables: Tables, place: Place, day: dt.date, common: Row, dice: random.Random
) -> None:
    for rank, lab in enumerate(dice.sample(LABS, dice.randint(3, 9))):
        code, concept, unit, unit_id, middle, spread, low, high = lab
        value = min(max(dice.gauss(middle, spread), middle / 3), middle * 3)
        value = round(value, 1 if middle < 20 else 0)
        tables["measurement"].append(common | {
            "measurement_id": style.key("measurement", *place, rank),
            "measurement_concept_id": concept, "measurement_date": day,
            "measurement_datetime": style.time(day, 520 + rank),
            "measurement_type_concept_id": EHR, "value_as_number": value,
            "unit_concept_id": unit_id, "unit_source_value": unit, "range_low": low,
            "range_high": high, "measurement_source_value": code,
            "measurement_source_concept_id": concept, "value_source_value": str(value),
        })  # fmt: skip
    if dice.random() < 0.3:
        tables["observation"].append(common | {
            "observation_id": style.key("observation", *place, 1),
            "observation_concept_id": 4275495, "observation_date": day,
            "observation_datetime": style.time(day, 540), "observation_type_concept_id": EHR,
            "value_as_string": dice.choice(("Non-fumeur", "Fumeur actif", "Ancien fumeur")),
            "observation_source_value": "TABAC", "observation_source_concept_id": 0,
        })  # fmt: skip


def _given(
    style: Style, tables: Tables, place: Place, span: tuple[dt.date, dt.date], common: Row,
    dice: random.Random,
) -> None:  # fmt: skip
    day, end = span
    for rank, (code, concept) in enumerate(dice.sample(DRUGS, dice.randint(0, 2))):
        tables["drug_exposure"].append(common | {
            "drug_exposure_id": style.key("drug", *place, rank), "drug_concept_id": concept,
            "drug_exposure_start_date": day, "drug_exposure_end_date": end,
            "drug_exposure_start_datetime": style.time(day, 700),
            "drug_exposure_end_datetime": style.time(end, 1380), "drug_type_concept_id": EHR,
            "quantity": float(dice.randint(1, 30)), "days_supply": dice.randint(1, 30),
            "drug_source_value": code, "drug_source_concept_id": 0, "route_source_value": "PO",
        })  # fmt: skip
    if style.wide and dice.random() < 0.1:
        tables["device_exposure"].append(common | {
            "device_exposure_id": style.key("device", *place, 1), "device_concept_id": 0,
            "device_exposure_start_date": day, "device_type_concept_id": EHR, "quantity": 1,
            "device_exposure_start_datetime": style.time(day, 720),
            "device_source_value": dice.choice(("PROT01", "STENT")),
            "device_source_concept_id": 0,
        })  # fmt: skip
        tables["specimen"].append({
            "person_id": common["person_id"], "specimen_id": style.key("specimen", *place, 1),
            "specimen_concept_id": 0, "specimen_date": day, "specimen_type_concept_id": EHR,
            "specimen_datetime": style.time(day, 510), "specimen_source_value": "SANG",
            "quantity": 1.0,
        })  # fmt: skip
    if style.notes and dice.random() < 0.7:
        told = f"Température {36 + dice.randrange(30) / 10:.1f} °C."
        tables["note"].append(common | {
            "note_id": style.key("note", *place, 1), "note_date": end, "note_type_concept_id": EHR,
            "note_datetime": style.time(end, 1200), "note_class_concept_id": 0,
            "note_title": "Compte rendu", "encoding_concept_id": 0,
            "note_text": f"Compte rendu. {' '.join(dice.sample(TEXTS, 3))} {told}",
            "language_concept_id": 4180186, "note_source_value": "CR",
        })  # fmt: skip


def add_site(style: Style, tables: Tables) -> None:
    """Eras, units, providers, CDM_SOURCE and the vocabulary."""
    until = style.until
    tables["cdm_source"].append({
        "cdm_source_name": "Centre hospitalier d'essai", "cdm_source_abbreviation": "CHE",
        "cdm_holder": "CHE", "source_release_date": until, "cdm_release_date": until + DAY,
        "cdm_version": "5.4", "cdm_version_concept_id": 756265,
        "vocabulary_version": "v5.0 31-AUG-23",
    })  # fmt: skip
    if style.wide:
        _eras(tables, "condition", "condition_occurrence", "condition_occurrence_count")
        _eras(tables, "drug", "drug_exposure", "drug_exposure_count")
        _units(style, tables)
    if style.vocabulary == "tiny":
        _vocabulary(tables)


def _eras(tables: Tables, kind: str, table: str, counted: str) -> None:
    """Occurrences of one concept less than 31 days apart."""
    stem = "condition" if kind == "condition" else "drug_exposure"
    spans: dict[tuple[int, int], list[tuple[dt.date, dt.date]]] = defaultdict(list)
    for row in tables[table]:
        span = row[f"{stem}_start_date"], row[f"{stem}_end_date"]
        spans[row["person_id"], row[f"{kind}_concept_id"]].append(span)
    number = 0
    for (person, concept), found in spans.items():
        eras: list[tuple[dt.date, dt.date, int]] = []
        for first, last in sorted(found):
            if eras and first <= eras[-1][1] + 30 * DAY:
                start, end, n = eras.pop()
                eras.append((start, max(end, last), n + 1))
            else:
                eras.append((first, last, 1))
        for first, last, count in eras:
            number += 1
            tables[f"{kind}_era"].append({
                f"{kind}_era_id": number, "person_id": person, f"{kind}_concept_id": concept,
                f"{kind}_era_start_date": first, f"{kind}_era_end_date": last, counted: count,
            } | ({"gap_days": 0} if kind == "drug" else {}))  # fmt: skip


def _units(style: Style, tables: Tables) -> None:
    for number in range(9 if style.new_unit else 8):
        tables["care_site"].append({
            "care_site_id": style.key("care_site", number), "care_site_name": f"Unité {number}",
            "place_of_service_concept_id": 0, "care_site_source_value": f"UF{1000 + number}",
        })  # fmt: skip
    for number in range(15):
        tables["provider"].append({
            "provider_id": style.key("provider", number), "specialty_concept_id": 0,
            "provider_source_value": hashlib.sha256(f"pro{number}".encode()).hexdigest()[:20],
        })  # fmt: skip
    for number in range(20):
        tables["location"].append({
            "location_id": style.key("location", number), "zip": "35",
            "location_source_value": f"D{number}",
        })  # fmt: skip


def _vocabulary(tables: Tables) -> None:
    start, end = dt.date(1970, 1, 1), dt.date(2099, 12, 31)
    for concept_id, code, vocabulary, domain, kind, standard in CONCEPTS:
        tables["concept"].append({
            "concept_id": concept_id, "concept_name": code, "domain_id": domain,
            "vocabulary_id": vocabulary, "concept_class_id": kind, "concept_code": code,
            "standard_concept": standard, "valid_start_date": start, "valid_end_date": end,
        })  # fmt: skip
    for name in VOCABULARIES:
        version = "v5.0 31-AUG-23" if name == "None" else "2023"
        tables["vocabulary"].append({
            "vocabulary_id": name, "vocabulary_name": name, "vocabulary_version": version,
            "vocabulary_concept_id": 0,
        })  # fmt: skip
    for name in sorted({row[3] for row in CONCEPTS}):
        tables["domain"].append({"domain_id": name, "domain_name": name, "domain_concept_id": 0})
