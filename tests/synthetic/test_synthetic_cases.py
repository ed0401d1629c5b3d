"""Sixty patients hold every case of French feeds that the road must survive."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
from hl7_reading import pick
from synthetic_hospital import Hospital

from entrepot.synthetic.roles import ROLES

pytestmark = pytest.mark.core

EVENTS = frozenset(
    [
        "A01",
        "A02",
        "A03",
        "A04",
        "A05",
        "A06",
        "A08",
        "A11",
        "A12",
        "A13",
        "A21",
        "A22",
        "A24",
        "A28",
        "A31",
        "A37",
        "A38",
        "A40",
        "A47",
        "A60",
        "Z99",
        "R01",
        "P01",
        "P05",
        "O11",
        "O17",
        "V04",
        "T02",
        "T10",
        "T11",
        "O01",
        "S12",
    ]
)
REASONS = {
    "truncated",
    "zbe4_unknown",
    "impossible_date",
    "event_not_mapped",
    "order",
    "scheduling",
    "acknowledgement",
    "subject_without_ipp",
    "key_of_two_persons",
}


def test_every_event_role_and_fault_is_there(hospital: Hospital) -> None:
    assert {line["event"].split("^")[1] for line in hospital.messages} >= EVENTS
    assert set(ROLES.values()) <= {person["role"] for person in hospital.persons.values()}
    assert {line["bad"] for line in hospital.messages} == REASONS | {None}
    for mark in ("duplicate_of", "late", "correction", "cancel", "same_control_id"):
        assert any(line[mark] for line in hospital.messages), mark


def test_volume_and_variety(hospital: Hospital) -> None:
    assert 40 <= hospital.summary.messages / hospital.summary.patients <= 60
    assert {line["charset"] for line in hospital.messages} == {"UNICODE UTF-8", "8859/1", "8859/15"}
    actions = {pick(z, 4) for _, read in hospital.sound for z in read.named("ZBE")}
    assert actions == {"INSERT", "UPDATE", "CANCEL"}
    statuses = {pick(x, 11) for _, read in hospital.sound for x in read.named("OBX")}
    assert {"P", "F", "C", "D", "X"} <= statuses
    kinds = {pick(x, 2) for _, read in hospital.sound for x in read.named("OBX")}
    assert {"NM", "SN", "ST", "CWE", "TX", "FT", "ED"} <= kinds
    classes = {pick(v, 2) for _, read in hospital.sound for v in read.named("PV1")}
    assert {"I", "O", "E", "R", "P", "N"} <= classes


def test_framings_are_well_formed(hospital: Hospital) -> None:
    found: Counter[str] = Counter()
    for name, messages in hospital.files.items():
        raw = (hospital.out / name).read_bytes()
        if raw.startswith(b"FHS|"):
            found["batch"] += 1
            assert f"\rBTS|{len(messages)}\rFTS|1\r".encode() in raw
        elif raw.startswith(b"\x0b"):
            found["mllp"] += 1
            assert raw.count(b"\x0b") == raw.count(b"\x1c\r") == len(messages)
        else:
            found["plain"] += 1
    assert min(found["batch"], found["mllp"]) > 5
    assert found["plain"] > found["batch"] + found["mllp"]


def test_a_duplicate_is_the_same_bytes(hospital: Hospital) -> None:
    bytes_of = {
        m["message"]: hospital.files[m["file"]][m["ordinal"] - 1] for m in hospital.messages
    }
    again = [m for m in hospital.messages if m["duplicate_of"]]
    assert len(again) == hospital.summary.duplicates > 10
    for line in again:
        assert bytes_of[line["message"]] == bytes_of[line["duplicate_of"]]
    once = [bytes_of[m["message"]] for m in hospital.messages if not m["duplicate_of"]]
    assert len(set(once)) == len(once)


def test_same_control_id_comes_with_other_content(hospital: Hospital) -> None:
    for line in (m for m in hospital.messages if m["same_control_id"]):
        twins = [
            m
            for m in hospital.messages
            if m["control_id"] == line["control_id"]
            and m["source"] == line["source"]
            and not m["duplicate_of"]
        ]
        assert len({m["message"] for m in twins}) > 1


def test_an_nda_belongs_to_one_person_but_for_the_bad_pair(hospital: Hospital) -> None:
    owners: dict[str, set[str]] = {}
    for stay in (s for s in hospital.statements.values() if s["kind"] == "stay"):
        owners.setdefault(stay["nda"], set()).add(stay["patient"])
    shared = {nda: who for nda, who in owners.items() if len(who) > 1}
    assert list(shared.values()) == [{"P000023", "P000024"}]
    for line in hospital.messages:
        read = hospital.read[line["message"]]
        nda = read.get("PID-18.1") if read.named("PID") else ""
        assert (nda in shared) == (line["bad"] == "key_of_two_persons")


def test_pv1_19_is_the_finess_of_several_stays(hospital: Hospital) -> None:
    stays = {
        read.get("PID-18.1")
        for line, read in hospital.sound
        if line["source"] == "adt" and read.named("PV1") and read.get("PV1-19.1") == "450999990"
    }
    assert len(stays) > 5


def test_births(hospital: Hospital) -> None:
    mothers = {p["patient"]: p["mother"] for p in hospital.persons.values() if p["mother"]}
    assert mothers == {"P000002": "P000001", "P000005": "P000004", "P000006": "P000004"}
    linked = set()
    for line, read in hospital.sound:
        if number := read.get("PID-21.1") if read.named("PID") else "":
            assert number == hospital.persons[mothers[line["patient"]]]["ipps"][0]
            linked.add(line["patient"])
    assert linked == set(mothers)


def test_a_secret_birth_names_no_mother(hospital: Hospital) -> None:
    mother = hospital.persons["P000008"]
    known = {
        line["value"]
        for line in hospital.identifiers
        if line["patient"] == "P000008"
        and line["of"] == "patient"
        and line["label"] in ("IPP", "NDA", "SECU", "TEL", "MAIL", "ADRESSE")
    }
    assert set(mother["ipps"]) <= known
    checked = 0
    for line in hospital.messages:
        if line["patient"] == "P000009":
            read = hospital.read[line["message"]]
            text = "|".join("|".join(segment) for segment in read.segments)
            assert (
                read.get("PID-32") == "ANOM" or line["source"] in ("lab", "pharma") or line["bad"]
            )
            assert not [value for value in known if value in text]
            checked += 1
    assert checked > 3


def test_oppositions_agree_with_the_persons(hospital: Hospital) -> None:
    with (hospital.out / "oppositions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    opposed = {row["ipp"] for row in rows if not row["withdrawn_on"]}
    told = {ipp for p in hospital.persons.values() if p["opposed"] for ipp in p["ipps"]}
    assert opposed == told
    assert len(rows) == 2
    assert [row["opposed_on"] < row["withdrawn_on"] for row in rows if row["withdrawn_on"]] == [
        True
    ]


def test_names_that_are_words_towns_and_short(hospital: Hospital) -> None:
    surnames: dict[str, set[str]] = {}
    for line in hospital.identifiers:
        if line["label"] == "NOM" and line["of"] == "patient":
            surnames.setdefault(line["patient"], set()).add(line["value"].upper())
    towns = {
        line["value"].upper()
        for line in hospital.identifiers
        if line["label"] == "VILLE" and line["patient"] == "P000048"
    }
    assert surnames["P000048"] & towns
    assert min(len(name) for name in surnames["P000044"]) <= 6
    assert surnames["P000057"] & surnames["P000058"]  # homonyms


def test_letters_write_names_in_many_ways(hospital: Hospital) -> None:
    mentions = [
        line
        for line in hospital.identifiers
        if line["label"] in ("NOM", "PRENOM") and any("start" in p for p in line["places"])
    ]
    values = {line["value"] for line in mentions}
    assert any("\n" in value for value in values)  # broken over two lines
    assert any(value.endswith(".") for value in values)  # initial
    assert any(line["typo"] for line in hospital.identifiers)
    assert {"patient", "relative"} <= {line["of"] for line in mentions}
