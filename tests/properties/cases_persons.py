"""Persons, stays and documents that FHIR resources refer to."""

from __future__ import annotations

import json
from typing import Any

from properties.case import AT, DAY, Made, Names, case, hb
from properties.made import (
    OID,
    deletion,
    instant,
    joined,
    observation,
    oru,
    patient,
    resource,
    transaction,
)
from properties.told import Told


@case
def a_link_makes_two_patients_one(n: Names) -> Made:
    p, q = n.id("p"), n.id("q")
    link = [{"other": {"reference": f"Patient/{p}"}, "type": "replaced-by"}]
    told = (
        patient(p, n.a), patient(q, n.b), patient(q, n.b, DAY[0], link=link),
        observation(n.id("o"), p, 5), observation(n.id("o2"), q, 6),
    )  # fmt: skip
    return {
        "records": told,
        "plain": (told[0], *told[2:]),
        "merged": True,
        "facts": [hb("AB", "5"), hb("AB", "6")],
    }


@case
def a_newer_version_without_the_link_parts_them(n: Names) -> Made:
    p, q = n.id("p"), n.id("q")
    link = [{"other": {"reference": f"Patient/{p}"}, "type": "seealso"}]
    facts = (observation(n.id("o"), p, 5), observation(n.id("o2"), q, 6))
    last = patient(q, n.b, DAY[1])
    return {
        "records": (patient(p, n.a), patient(q, n.b, DAY[0], link=link), *facts, last),
        "plain": (patient(p, n.a), *facts, last),
        "facts": [hb("A", "5"), hb("B", "6")],
    }


@case
def a_merge_by_message_holds_for_resources(n: Names) -> Made:
    p, q = n.id("p"), n.id("q")
    told = (
        patient(p, n.a), patient(q, n.b), joined("A40", n.id("m"), DAY[0], n.a, n.b),
        observation(n.id("o"), q, 6), oru(n.id("u"), n.a, DAY[0], n.id("f"), 5),
    )  # fmt: skip
    facts = [hb("AB", "5"), hb("AB", "6")]
    return {"records": told, "merged": True, "facts": facts}


@case
def an_unmerge_by_message_holds_for_resources(n: Names) -> Made:
    p, q = n.id("p"), n.id("q")
    told = (
        patient(p, n.a), patient(q, n.b), observation(n.id("o"), q, 6),
        oru(n.id("u"), n.a, DAY[0], n.id("f"), 5),
    )  # fmt: skip
    joint = (
        joined("A24", n.id("m"), DAY[0], n.a, n.b),
        joined("A37", n.id("m2"), DAY[1], n.a, n.b),
    )
    return {
        "records": (*told, *joint),
        "plain": told,
        "facts": [hb("A", "5"), hb("B", "6")],
    }


@case
def an_observation_moves_to_another_patient(n: Names) -> Made:
    p, q, key = n.id("p"), n.id("q"), n.id("o")
    both = (patient(p, n.a), patient(q, n.b), observation(n.id("own"), p, 7))
    wrong, right = observation(key, p, 5, DAY[0]), observation(key, q, 5, DAY[1])
    return {
        "records": (*both, wrong, right),
        "plain": (*both, right),
        "facts": [hb("A", "7"), hb("B", "5")],
    }


@case
def the_number_of_a_patient_is_corrected(n: Names) -> Made:
    p, last = n.id("p"), patient(n.id("p"), n.b, DAY[1])
    told = (observation(n.id("o"), p, 5), oru(n.id("u"), n.a, DAY[0], n.id("f"), 6))
    return {
        "records": (patient(p, n.a, DAY[0]), *told, last),
        "plain": (*told, last),
        "facts": [hb("A", "6"), hb("B", "5")],
    }


@case
def an_observation_waits_for_its_patient(n: Names) -> Made:
    told = (observation(n.id("o"), n.id("p"), 5), patient(n.id("p"), n.a))
    return {"records": told, "facts": [hb("A", "5")]}


@case
def a_subject_by_its_number_alone(n: Names) -> Made:
    subject = {"identifier": {"system": f"urn:oid:{OID}", "value": n.a}}
    told = (observation(n.id("o"), "", 5, subject=subject), patient(n.id("p"), n.a))
    return {"records": told, "facts": [hb("A", "5")]}


@case
def a_transaction_names_its_entries_by_uuid(n: Names) -> Made:
    """R4 bundle.html#references: `urn:uuid` of an entry stands for what the entry is."""
    p, urn = n.id("p"), f"urn:uuid:{n.number:08d}-0000-4000-8000-000000000000"
    who, what = patient(p, n.a), observation(n.id("o"), p, 5)
    inner = json.loads(what.content) | {"subject": {"reference": urn}}
    entries = [
        {"fullUrl": urn, "resource": json.loads(who.content),
         "request": {"method": "PUT", "url": f"Patient/{p}"}},
        {"fullUrl": urn.replace("-4000-", "-4001-"), "resource": inner,
         "request": {"method": "PUT", "url": f"Observation/{n.id('o')}"}},
    ]  # fmt: skip
    whole = transaction(DAY[0], *entries)
    return {"records": (whole,), "plain": (who, what), "facts": [hb("A", "5")]}


@case
def a_transaction_of_resources_without_ids(n: Names) -> Made:
    """R4 http.html#trules: a POST names its entry by its fullUrl."""
    urn = f"urn:uuid:{n.number:08d}-0000-4000-9000-000000000000"
    who = json.loads(patient("", n.a, "").content)
    what = json.loads(observation("", "", 5, "", subject={"reference": urn}).content)
    whole = transaction(
        DAY[0],
        {"fullUrl": urn, "resource": who, "request": {"method": "POST", "url": "Patient"}},
        {"fullUrl": urn.replace("-9000-", "-9001-"), "resource": what,
         "request": {"method": "POST", "url": "Observation"}},
    )  # fmt: skip
    return {"records": (whole,), "facts": [hb("A", "5")]}


@case
def a_stay_named_by_its_id_before_its_encounter(n: Names) -> Made:
    of, stay, nda = n.id("p"), n.id("e"), n.id("nda")
    encounter = resource(
        "Encounter", stay, DAY[0], status="finished", subject={"reference": f"Patient/{of}"},
        **{"class": {"code": "IMP", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"}},
        identifier=[{"type": {"coding": [{"code": "VN"}]}, "value": nda}],
        period={"start": instant("20240329080000"), "end": instant("20240402100000")},
    )  # fmt: skip
    told = observation(n.id("o"), of, 5, encounter={"reference": f"Encounter/{stay}"})
    other = oru(n.id("u"), n.a, DAY[0], n.id("f"), 6, stay=nda)
    stays = "in 2024-03-29 08:00"
    return {
        "records": (patient(of, n.a), told, other, encounter),
        "facts": [
            "A visit IMP 2024-03-29 08:00 2024-04-02 10:00",
            hb("A", "5", f"{AT} {stays}"),
            hb("A", "6", f"{AT} {stays}"),
        ],
    }


@case
def planned_and_cancelled_stays_open_no_visit(n: Names) -> Made:
    of = n.id("p")
    encounters = [
        resource(
            "Encounter", n.id(status), DAY[0], status=status,
            subject={"reference": f"Patient/{of}"}, **{"class": {"code": "IMP"}},
            identifier=[{"type": {"coding": [{"code": "VN"}]}, "value": n.id(f"nda{status}")}],
            period={"start": instant(f"202403{day}080000"), "end": instant(f"202403{day}180000")},
        )
        for status, day in (("planned", "11"), ("cancelled", "13"), ("finished", "15"))
    ]  # fmt: skip
    facts = ["A visit IMP 2024-03-15 08:00 2024-03-15 18:00"]
    return {"records": (patient(of, n.a), *encounters), "facts": facts}


@case
def the_number_of_a_stay_is_corrected(n: Names) -> Made:
    of, stay = n.id("p"), n.id("e")

    def encounter(number: str, sent: str) -> Told:
        return resource(
            "Encounter", stay, sent, status="finished", subject={"reference": f"Patient/{of}"},
            **{"class": {"code": "IMP"}},
            identifier=[{"type": {"coding": [{"code": "VN"}]}, "value": number}],
            period={"start": instant("20240329080000"), "end": instant("20240402100000")},
        )  # fmt: skip

    old, new = encounter(n.id("nda1"), DAY[0]), encounter(n.id("nda2"), DAY[1])
    told = (
        patient(of, n.a),
        observation(n.id("o"), of, 5, encounter={"reference": f"Encounter/{stay}"}),
    )
    return {
        "records": (*told, old, new),
        "plain": (*told, new),
        "facts": [
            "A visit IMP 2024-03-29 08:00 2024-04-02 10:00",
            hb("A", "5", f"{AT} in 2024-03-29 08:00"),
        ],
    }


@case
def a_stay_moves_to_another_patient(n: Names) -> Made:
    p, q, stay = n.id("p"), n.id("q"), n.id("e")

    def encounter(of: str, sent: str) -> Told:
        return resource(
            "Encounter", stay, sent, status="finished", subject={"reference": f"Patient/{of}"},
            **{"class": {"code": "IMP"}},
            identifier=[{"type": {"coding": [{"code": "VN"}]}, "value": n.id("nda")}],
            period={"start": instant("20240329080000"), "end": instant("20240402100000")},
        )  # fmt: skip

    old, new = encounter(p, DAY[0]), encounter(q, DAY[1])
    told = (
        patient(p, n.a), patient(q, n.b), observation(n.id("o"), p, 5),
        observation(n.id("o2"), q, 6, encounter={"reference": f"Encounter/{stay}"}),
    )  # fmt: skip
    return {
        "records": (*told, old, new),
        "plain": (*told, new),
        "facts": [
            hb("A", "5"),
            hb("B", "6", f"{AT} in 2024-03-29 08:00"),
            "B visit IMP 2024-03-29 08:00 2024-04-02 10:00",
        ],
    }


@case
def a_deleted_stay_is_no_visit(n: Names) -> Made:
    of, stay = n.id("p"), n.id("e")
    encounter = resource(
        "Encounter", stay, DAY[0], status="finished", subject={"reference": f"Patient/{of}"},
        **{"class": {"code": "IMP"}},
        identifier=[{"type": {"coding": [{"code": "VN"}]}, "value": n.id("nda")}],
        period={"start": instant("20240329080000"), "end": instant("20240402100000")},
    )  # fmt: skip
    what = observation(n.id("o"), of, 5, encounter={"reference": f"Encounter/{stay}"})
    told = (patient(of, n.a), what)
    gone = deletion("Encounter", stay, DAY[1])
    return {"records": (*told, encounter, gone), "plain": told, "facts": [hb("A", "5")]}


def document_reference(n: Names, key: str, sent: str, **more: Any) -> Told:
    """A document of `Patient/p` with a text."""
    text = {"contentType": "text/plain", "data": "VmVudHJlIHNvdXBsZQ=="}
    content: Made = {
        "status": "current", "docStatus": "final", "date": instant(sent),
        "subject": {"reference": f"Patient/{n.id('p')}"},
        "type": {"coding": [{"system": "http://loinc.org", "code": "11490-0"}]},
        "masterIdentifier": {"value": n.id(f"number{key}")}, "content": [{"attachment": text}],
    }  # fmt: skip
    return resource("DocumentReference", n.id(key), sent, **(content | more))


@case
def a_document_replaces_another(n: Names) -> Made:
    old = {"code": "replaces", "target": {"reference": f"DocumentReference/{n.id('d1')}"}}
    new = document_reference(n, "d2", DAY[1], relatesTo=[old])
    who, first = patient(n.id("p"), n.a), document_reference(n, "d1", DAY[0])
    facts = ["A note 11490-0 2024-03-31 12:00"]
    return {"records": (who, first, new), "plain": (who, new), "facts": facts}


@case
def the_content_of_a_document_comes_on_its_own(n: Names) -> Made:
    address = [{"attachment": {"contentType": "text/plain", "url": f"Binary/{n.id('b')}"}}]
    body = resource(
        "Binary", n.id("b"), DAY[1], contentType="text/plain", data="VmVudHJlIHNvdXBsZQ==",
        securityContext={"reference": f"Patient/{n.id('p')}"},
    )  # fmt: skip
    told = (patient(n.id("p"), n.a), document_reference(n, "d1", DAY[0], content=address), body)
    return {"records": told, "facts": ["A note 11490-0 2024-03-30 12:00"]}
