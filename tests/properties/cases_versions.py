"""Versions of a FHIR resource: the newest says all (R4 http.html, resource.html#meta)."""

from __future__ import annotations

from properties.case import AT, DAY, Made, Names, case, hb
from properties.made import (
    deletion,
    observation,
    patient,
)
from properties.told import Told


@case
def a_newer_version_replaces(n: Names) -> Made:
    of, key = n.id("p"), n.id("o")
    who, new = patient(of, n.a), observation(key, of, 5.4, DAY[1], status="corrected")
    old = observation(key, of, 5.0, DAY[0])
    return {"records": (who, old, new), "plain": (who, new), "facts": [hb("A", "5.4")]}


@case
def a_component_that_vanished_is_gone(n: Names) -> Made:
    of, key = n.id("p"), n.id("o")

    def panel(sent: str, *codes: str) -> Told:
        parts = [
            {"code": {"coding": [{"system": "http://loinc.org", "code": code}]},
             "valueQuantity": {"value": 120}}
            for code in codes
        ]  # fmt: skip
        return observation(key, of, 0, sent, code="85354-9", component=parts, valueQuantity=None)

    who, old, new = patient(of, n.a), panel(DAY[0], "8480-6", "8462-4"), panel(DAY[1], "8480-6")
    facts = [f"A measurement 8480-6 120 {AT}"]
    return {"records": (who, old, new), "plain": (who, new), "facts": facts}


@case
def a_deleted_resource_is_gone(n: Names) -> Made:
    of = n.id("p")
    stays = [patient(of, n.a), observation(n.id("other"), of, 7)]
    gone = [observation(n.id("o"), of, 5), deletion("Observation", n.id("o"), DAY[1])]
    return {"records": (*stays, *gone), "plain": tuple(stays), "facts": [hb("A", "7")]}


@case
def an_older_version_after_a_deletion_stays_deleted(n: Names) -> Made:
    of = n.id("p")
    stays = [patient(of, n.a), observation(n.id("other"), of, 7)]
    gone = [
        observation(n.id("o"), of, 5, DAY[0]),
        observation(n.id("o"), of, 6, DAY[1]),
        deletion("Observation", n.id("o"), DAY[2]),
    ]
    return {"records": (*stays, *gone), "plain": tuple(stays), "facts": [hb("A", "7")]}


@case
def a_resource_made_again_after_its_deletion_stands(n: Names) -> Made:
    of, key = n.id("p"), n.id("o")
    who, again = patient(of, n.a), observation(key, of, 6, DAY[2])
    old, gone = observation(key, of, 5, DAY[0]), deletion("Observation", key, DAY[1])
    return {"records": (who, old, gone, again), "plain": (who, again), "facts": [hb("A", "6")]}


@case
def entered_in_error_is_gone(n: Names) -> Made:
    of = n.id("p")
    stays = [patient(of, n.a), observation(n.id("other"), of, 7)]
    wrong = [
        observation(n.id("o"), of, 5, DAY[0]),
        observation(n.id("o"), of, 5, DAY[1], status="entered-in-error"),
    ]
    return {"records": (*stays, *wrong), "plain": tuple(stays), "facts": [hb("A", "7")]}


@case
def a_preliminary_result_is_no_fact_until_it_is_final(n: Names) -> Made:
    of = n.id("p")
    who, last = patient(of, n.a), observation(n.id("o"), of, 5, DAY[1])
    first = observation(n.id("o"), of, 4, DAY[0], status="preliminary")
    open_ = observation(n.id("other"), of, 9, DAY[0], status="preliminary")
    return {
        "records": (who, first, open_, last),
        "plain": (who, last),
        "facts": [hb("A", "5")],
    }


@case
def a_resource_without_its_time_is_one_record(n: Names) -> Made:
    of = n.id("p")
    told = (patient(of, n.a), observation(n.id("o"), of, 5, ""))
    return {"records": (*told, told[1]), "plain": told, "facts": [hb("A", "5")]}
