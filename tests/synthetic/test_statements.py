"""The messages, replayed in the order in which they were sent, end in the stated truth."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hl7_reading import local, pick
from synthetic_hospital import Hospital

pytestmark = pytest.mark.core

Line = dict[str, Any]


def of_kind(hospital: Hospital, kind: str) -> list[Line]:
    """The told statements of one kind."""
    return [s for s in hospital.statements.values() if s["kind"] == kind and s["told"]]


def iso(stamp: str) -> str | None:
    """An HL7 time as the truth writes it."""
    return local(stamp).isoformat() if stamp else None


def test_results(hospital: Hospital) -> None:
    last: dict[tuple[str, str, str], Line] = {}
    for line, read in hospital.sound:
        if not line["event"].startswith("ORU"):
            continue
        for obx in read.named("OBX"):
            code = pick(obx, 3, component=1) if pick(obx, 3, component=3) == "LN" else ""
            code = code or pick(obx, 3, component=4) or pick(obx, 3, component=1)
            last[read.get("OBR-3.1"), code, pick(obx, 4)] = {
                "status": pick(obx, 11),
                "unit": pick(obx, 6) or None,
                "value": written(obx),
                "at": iso(pick(obx, 14) or read.get("OBR-7")),
            }
    results = of_kind(hospital, "result")
    assert len(results) == len(last) > 2_000
    for truth in results:
        told = last[truth["order"], truth["code"], truth["sub_id"] or ""]
        assert told["status"] == truth["status"]
        assert told["unit"] == truth["unit"]
        assert told["at"] == truth["at"]
        assert truth["cancelled"] == (truth["status"] in ("D", "W"))
        if truth["status"] != "D":
            assert told["value"] == truth["value"]


def written(obx: list[str]) -> str:
    """OBX-5 as a reader sees it."""
    if pick(obx, 2) == "SN":
        return pick(obx, 5, component=1) + pick(obx, 5, component=2)
    return pick(obx, 5, component=2) if pick(obx, 2) == "CWE" else pick(obx, 5)


def test_numbers_mean_what_is_written(hospital: Hospital) -> None:
    for truth in of_kind(hospital, "result"):
        if truth["number"]:
            text = truth["value"].replace(",", ".")
            assert text == (truth["operator"] or "") + truth["number"]


def test_diagnoses_and_acts(hospital: Hospital) -> None:
    diagnoses: dict[str, tuple[str, ...]] = {}
    acts: dict[str, tuple[str, ...]] = {}
    for _, read in hospital.sound:
        nda = read.get("PID-18.1")
        for dg1 in read.named("DG1"):
            diagnoses[pick(dg1, 20, component=1)] = (
                pick(dg1, 3, component=1),
                pick(dg1, 17),
                pick(dg1, 5),
                nda,
                pick(dg1, 21),
            )
            assert (pick(dg1, 15) == "1") == (pick(dg1, 17) == "DP")
        for pr1 in read.named("PR1"):
            acts[pick(pr1, 19, component=1)] = (
                pick(pr1, 3, component=1),
                pick(pr1, 16),
                pick(pr1, 16, 2),
                iso(pick(pr1, 5)) or "",
                nda,
                pick(pr1, 20),
            )
    assert len(diagnoses) == len(of_kind(hospital, "diagnosis"))
    assert len(acts) == len(of_kind(hospital, "act"))
    for truth in of_kind(hospital, "diagnosis"):
        date = truth["date"].replace("-", "")
        *told, action = diagnoses[truth["diagnosis"]]
        assert told == [truth["code"], truth["rank"], date, truth["stay"]]
        assert (action == "D") == truth["cancelled"]
    for truth in of_kind(hospital, "act"):
        *told, action = acts[truth["act"]]
        assert told == [truth[k] for k in ("code", "activity", "phase", "at", "stay")]
        assert (action == "D") == truth["cancelled"]


def test_drugs(hospital: Hospital) -> None:
    ordered: dict[str, tuple[Any, ...]] = {}
    given: dict[tuple[str, str], tuple[Any, ...]] = {}
    for _, read in hospital.sound:
        order = read.get("ORC-2.1") if read.named("ORC") else ""
        for rxe in read.named("RXE"):
            ordered[order] = (
                pick(rxe, 2, component=1),
                pick(rxe, 3),
                pick(rxe, 5),
                read.get("RXR-1.1"),
                iso(read.get("TQ1-7")),
                iso(read.get("TQ1-8")),
                read.get("ORC-1") == "CA",
            )
        for rxa in read.named("RXA"):
            given[order, pick(rxa, 2)] = (
                pick(rxa, 5, component=1),
                pick(rxa, 6),
                pick(rxa, 7),
                read.get("RXR-1.1"),
                iso(pick(rxa, 3)),
                iso(pick(rxa, 4)),
                pick(rxa, 20),
                pick(rxa, 21) == "D",
            )
    fields = ("code", "dose", "dose_unit", "route", "start", "end")
    prescriptions, administrations = (
        of_kind(hospital, k) for k in ("prescription", "administration")
    )
    assert len(prescriptions) == len(ordered)
    assert len(administrations) == len(given)
    for truth in prescriptions:
        assert ordered[truth["order"]] == (*(truth[f] for f in fields), truth["cancelled"])
    for truth in administrations:
        told = given[truth["order"], str(truth["number"])]
        assert told == (*(truth[f] for f in fields), truth["status"], truth["cancelled"])


def test_movements(hospital: Hospital) -> None:
    last: dict[str, tuple[Any, ...]] = {}
    for _, read in hospital.sound:
        for zbe in read.named("ZBE"):
            first = pick(zbe, 6) or read.get("MSH-9.2")
            last[pick(zbe, 1, component=1)] = (
                read.get("PID-18.1"),
                first,
                pick(zbe, 7, component=10),
                iso(pick(zbe, 2)),
                pick(zbe, 4) == "CANCEL",
            )
    movements = of_kind(hospital, "movement")
    assert len(movements) == len(last)
    stays: dict[str, list[Line]] = {}
    for truth in movements:
        assert last[truth["movement"]] == (
            truth["stay"],
            truth["event"],
            truth["uf"],
            truth["start"],
            truth["cancelled"],
        )
        if not truth["cancelled"] and truth["realised"]:
            stays.setdefault(truth["stay"], []).append(truth)
    ends = {s["nda"]: s["end"] for s in of_kind(hospital, "stay")}
    for nda, chain in stays.items():
        chain.sort(key=lambda m: m["start"])
        for here, after in zip(chain, [*chain[1:], None], strict=True):
            expected = after["start"] if after else ends[nda]
            assert here["end"] == (here["start"] if here["event"] == "A03" else expected)


def test_stays(hospital: Hospital) -> None:
    last: dict[str, Line] = {}
    for line, read in hospital.sound:
        if line["source"] != "adt" or not read.named("ZBE"):
            continue
        told = last.setdefault(
            read.get("PID-18.1"), {"end": None, "exit_mode": None, "start": None}
        )
        told["class"] = read.get("PV1-2")
        told["start"] = iso(read.get("PV1-44")) or told["start"]
        for key, field in (("end", 45), ("exit_mode", 36)):
            value = read.get(f"PV1-{field}")
            if value == '""':
                told[key] = None
            elif value:
                told[key] = iso(value) if key == "end" else value
        told["realised"] = line["event"][4:7] != "A05" and told["class"] != "P"
        if line["event"][4:7] in ("A11", "A38"):
            told["realised"] = False
    stays = of_kind(hospital, "stay")
    assert len(stays) == len(last)
    for truth in stays:
        told = last[truth["nda"]]
        for key in ("class", "end", "exit_mode", "realised"):
            assert told[key] == truth[key], (truth["nda"], key)
        if truth["class"] != "P":
            assert told["start"] == truth["start"]


def test_identities(hospital: Hospital) -> None:
    """Snapshot fields last stated by admissions; HL7 null deletes, absence changes nothing."""
    owners = {ipp: p["patient"] for p in hospital.persons.values() for ipp in p["ipps"]}
    known: dict[str, dict[str, str]] = {}
    for line, read in hospital.sound:
        if line["source"] != "adt":
            continue
        state = known.setdefault(owners[read.get("PID-3.1")], {})
        for key, position in (
            ("sex", "PID-8"),
            ("birth_date", "PID-7"),
            ("postcode", "PID-11.5"),
            ("death_date", "PID-29"),
            ("reliability", "PID-32"),
        ):
            if value := read.get(position):
                state[key] = "" if value == '""' else value
    identities = of_kind(hospital, "identity")
    assert len(identities) == 60
    for truth in identities:
        state = known[truth["patient"]]
        for key in ("sex", "birth_date", "postcode", "reliability"):
            assert state[key] == truth[key], (truth["patient"], key)
        assert iso(state.get("death_date", "")) == truth["death_date"]


def test_deaths(hospital: Hospital) -> None:
    deaths = [s for s in hospital.statements.values() if s["kind"] == "death"]
    identities = {s["patient"]: s for s in of_kind(hospital, "identity")}
    assert sorted(s["cancelled"] for s in deaths) == [False, True]
    for death in deaths:
        expected = None if death["cancelled"] else death["at"]
        assert identities[death["patient"]]["death_date"] == expected
        if not death["cancelled"]:
            stay = next(s for s in of_kind(hospital, "stay") if s["nda"] == death["stay"])
            assert (stay["end"], stay["exit_mode"]) == (death["at"], "9")


def test_letters(hospital: Hospital) -> None:
    texts: dict[str, Line] = {}
    gone: dict[str, str] = {}
    for line, read in hospital.sound:
        if not line["event"].startswith("MDM"):
            continue
        document = read.get("TXA-12.1")
        if line["event"].startswith("MDM^T11"):
            gone[document] = ""
            continue
        texts[document] = {
            "type_code": read.get("TXA-2"),
            "at": iso(read.get("TXA-4")),
            "author": read.get("TXA-9.1"),
            "stay": read.get("PID-18.1"),
        }
        if parent := read.get("TXA-13.1"):
            assert line["event"].startswith("MDM^T10")
            gone[parent] = document
    letters = of_kind(hospital, "letter")
    assert len(letters) == len(texts)
    for truth in letters:
        assert texts[truth["document"]] == {
            k: truth[k] for k in ("type_code", "at", "author", "stay")
        }
        assert (truth["document"] in gone) == truth["cancelled"]
        assert (gone.get(truth["document"]) or None) == truth["replaced_by"]


def test_each_message_states_facts_of_its_patient(hospital: Hospital) -> None:
    for line in hospital.messages:
        for fact in line["statements"]:
            assert hospital.statements[fact]["patient"] == line["patient"]
    told = {f for line in hospital.messages if not line["bad"] for f in line["statements"]}
    for fact in hospital.statements.values():
        assert fact["told"] == (fact["id"] in told)


def test_nothing_happens_before_birth_or_after_the_stay(hospital: Hospital) -> None:
    births = {s["patient"]: s["birth_date"] for s in of_kind(hospital, "identity")}
    for truth in of_kind(hospital, "stay"):
        born = births[truth["patient"]]
        start = dt.datetime.fromisoformat(truth["start"])
        assert start.strftime("%Y%m%d") >= born
        assert truth["end"] is None or truth["end"] > truth["start"]
