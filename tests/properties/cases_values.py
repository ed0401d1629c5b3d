"""What FHIR resources say: status, values, dates."""

from __future__ import annotations

from typing import Any

from properties.case import AT, DAY, Made, Names, case, hb
from properties.made import (
    instant,
    observation,
    patient,
    quantity,
    resource,
)
from properties.told import Told


@case
def bounds_and_comparators(n: Names) -> Made:
    of = n.id("p")
    limits = [{"low": {"value": 12}, "high": {"value": 16}}]
    told = (
        patient(of, n.a),
        observation(n.id("o"), of, 5, referenceRange=limits),
        observation(n.id("o2"), of, 0, code="2823-3", valueQuantity=quantity(3, comparator="<")),
    )
    return {
        "records": told,
        "facts": [
            f"A measurement 2823-3 <3 {AT}",
            f"A measurement 718-7 5 [12..16] {AT}",
        ],
    }


@case
def a_value_that_is_absent_makes_no_row(n: Names) -> Made:
    of = n.id("p")
    absent = {"coding": [{"code": "not-performed"}]}
    period = {"start": instant("20240330103000"), "end": instant("20240330113000")}
    told = (
        patient(of, n.a),
        observation(n.id("o"), of, 0, valueQuantity=None, dataAbsentReason=absent),
        observation(n.id("o2"), of, 5, effectiveDateTime=None, effectivePeriod=period),
    )
    return {"records": told, "facts": [hb("A", "5")]}


@case
def what_was_not_done_is_no_fact(n: Names) -> Made:
    of = n.id("p")
    subject: Made = {"subject": {"reference": f"Patient/{of}"}}

    def given(key: str, status: str) -> Told:
        return resource(
            "MedicationAdministration", n.id(key), DAY[0], status=status, **subject,
            medicationCodeableConcept=_atc("N02BE01"), effectiveDateTime=instant("20240330103000"),
        )  # fmt: skip

    def ordered(key: str, status: str, **more: Any) -> Told:
        return resource(
            "MedicationRequest", n.id(key), DAY[0], status=status, **subject,
            medicationCodeableConcept=_atc("C09AA05"), authoredOn=instant("20240330103000"),
            **({"intent": "order"} | more),
        )  # fmt: skip

    told = (
        patient(of, n.a), given("m1", "completed"), given("m2", "not-done"),
        ordered("r1", "active"), ordered("r2", "cancelled"), ordered("r3", "active", intent="plan"),
        ordered("r4", "active", doNotPerform=True),
    )  # fmt: skip
    return {
        "records": told,
        "facts": [f"A drug C09AA05 {AT}", f"A drug N02BE01 {AT}"],
    }


def _atc(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://www.whocc.no/atc", "code": code}]}


@case
def a_medicine_told_after_the_order_that_names_it(n: Names) -> Made:
    of = n.id("p")
    ordered = resource(
        "MedicationRequest", n.id("r"), DAY[0], status="active", intent="order",
        subject={"reference": f"Patient/{of}"}, authoredOn=instant("20240330103000"),
        medicationReference={"reference": f"Medication/{n.id('d')}"},
    )  # fmt: skip
    medicine = resource("Medication", n.id("d"), DAY[1], code=_atc("N02BE01"))
    told = (patient(of, n.a), ordered, medicine)
    return {"records": told, "facts": [f"A drug N02BE01 {AT}"]}


@case
def refuted_and_unconfirmed_diagnoses_are_no_conditions(n: Names) -> Made:
    of = n.id("p")

    def condition(key: str, code: str, verified: str) -> Told:
        return resource(
            "Condition", n.id(key), DAY[0], subject={"reference": f"Patient/{of}"},
            code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]},
            verificationStatus={"coding": [{"code": verified}]}, onsetDateTime="2024-03-30",
        )  # fmt: skip

    told = (
        patient(of, n.a), condition("c1", "I10", "confirmed"),
        condition("c2", "I20", "unconfirmed"),
        condition("c3", "I21", "refuted"), condition("c4", "I22", "entered-in-error"),
    )  # fmt: skip
    return {
        "records": told,
        "facts": ["A condition I10 2024-03-30", "A observation I21 2024-03-30"],
    }
