"""Cases of versions, links, references and repetitions in FHIR and CDA, and what comes of them.

Each is about persons of its own, so that all can be told to one site. `facts` is written by hand
from the norm (FHIR R4, CDA R2, IHE); `plain`, where there is one, are records that say the same
without the detour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from properties.made import (
    OID,
    carried,
    cda,
    deletion,
    filler,
    instant,
    joined,
    letter,
    observation,
    oru,
    patient,
    pq,
    quantity,
    resource,
    result,
    transaction,
)
from properties.told import Told

DAY = ("20240330120000", "20240331120000", "20240401120000", "20240402120000")
AT = "2024-03-30 10:30"  # of every result that says nothing else


@dataclass(frozen=True)
class Names:
    """Numbers and ids that no other case uses.

    Args:
        a, b: IPPs of two persons.
    """

    number: int

    @property
    def a(self) -> str:
        return f"77{self.number:03d}10"

    @property
    def b(self) -> str:
        return f"77{self.number:03d}20"

    def id(self, name: str) -> str:
        """A logical id, a number of an order or of a document."""
        return f"{name}-{self.number:03d}"


@dataclass(frozen=True)
class Case:
    """One case.

    Args:
        facts: `A hb 5.4 2024-03-30 10:30` and so on, sorted; `AB` when two numbers are one person.
        records: in the order in which they were made.
    """

    name: str
    names: Names
    facts: tuple[str, ...]
    records: tuple[Told, ...]
    plain: tuple[Told, ...] = ()
    merged: bool = False


def _hb(who: str, number: str, at: str = AT) -> str:
    return f"{who} measurement 718-7 {number} {at}"


Made = dict[str, Any]
_ALL: list[Callable[[Names], Made]] = []


def _case(make: Callable[[Names], Made]) -> Callable[[Names], Made]:
    _ALL.append(make)
    return make


def cases() -> list[Case]:
    """Every case, each with its own names."""
    found = []
    for number, make in enumerate(_ALL, 1):
        names = Names(number)
        made = make(names)
        facts = tuple(sorted(made.pop("facts")))
        found.append(Case(make.__name__, names, facts, **made))
    return found


# FHIR: versions


@_case
def a_newer_version_replaces(n: Names) -> Made:
    of, key = n.id("p"), n.id("o")
    who, new = patient(of, n.a), observation(key, of, 5.4, DAY[1], status="corrected")
    old = observation(key, of, 5.0, DAY[0])
    return {"records": (who, old, new), "plain": (who, new), "facts": [_hb("A", "5.4")]}


@_case
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


@_case
def a_deleted_resource_is_gone(n: Names) -> Made:
    of = n.id("p")
    stays = [patient(of, n.a), observation(n.id("other"), of, 7)]
    gone = [observation(n.id("o"), of, 5), deletion("Observation", n.id("o"), DAY[1])]
    return {"records": (*stays, *gone), "plain": tuple(stays), "facts": [_hb("A", "7")]}


@_case
def an_older_version_after_a_deletion_stays_deleted(n: Names) -> Made:
    of = n.id("p")
    stays = [patient(of, n.a), observation(n.id("other"), of, 7)]
    gone = [
        observation(n.id("o"), of, 5, DAY[0]),
        observation(n.id("o"), of, 6, DAY[1]),
        deletion("Observation", n.id("o"), DAY[2]),
    ]
    return {"records": (*stays, *gone), "plain": tuple(stays), "facts": [_hb("A", "7")]}


@_case
def a_resource_made_again_after_its_deletion_stands(n: Names) -> Made:
    of, key = n.id("p"), n.id("o")
    who, again = patient(of, n.a), observation(key, of, 6, DAY[2])
    old, gone = observation(key, of, 5, DAY[0]), deletion("Observation", key, DAY[1])
    return {"records": (who, old, gone, again), "plain": (who, again), "facts": [_hb("A", "6")]}


@_case
def entered_in_error_is_gone(n: Names) -> Made:
    of = n.id("p")
    stays = [patient(of, n.a), observation(n.id("other"), of, 7)]
    wrong = [
        observation(n.id("o"), of, 5, DAY[0]),
        observation(n.id("o"), of, 5, DAY[1], status="entered-in-error"),
    ]
    return {"records": (*stays, *wrong), "plain": tuple(stays), "facts": [_hb("A", "7")]}


@_case
def a_preliminary_result_is_no_fact_until_it_is_final(n: Names) -> Made:
    of = n.id("p")
    who, last = patient(of, n.a), observation(n.id("o"), of, 5, DAY[1])
    first = observation(n.id("o"), of, 4, DAY[0], status="preliminary")
    open_ = observation(n.id("other"), of, 9, DAY[0], status="preliminary")
    return {
        "records": (who, first, open_, last),
        "plain": (who, last),
        "facts": [_hb("A", "5")],
    }


@_case
def a_resource_without_its_time_is_one_record(n: Names) -> Made:
    of = n.id("p")
    told = (patient(of, n.a), observation(n.id("o"), of, 5, ""))
    return {"records": (*told, told[1]), "plain": told, "facts": [_hb("A", "5")]}


# FHIR: persons


@_case
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
        "facts": [_hb("AB", "5"), _hb("AB", "6")],
    }


@_case
def a_newer_version_without_the_link_parts_them(n: Names) -> Made:
    p, q = n.id("p"), n.id("q")
    link = [{"other": {"reference": f"Patient/{p}"}, "type": "seealso"}]
    facts = (observation(n.id("o"), p, 5), observation(n.id("o2"), q, 6))
    last = patient(q, n.b, DAY[1])
    return {
        "records": (patient(p, n.a), patient(q, n.b, DAY[0], link=link), *facts, last),
        "plain": (patient(p, n.a), *facts, last),
        "facts": [_hb("A", "5"), _hb("B", "6")],
    }


@_case
def a_merge_by_message_holds_for_resources(n: Names) -> Made:
    p, q = n.id("p"), n.id("q")
    told = (
        patient(p, n.a), patient(q, n.b), joined("A40", n.id("m"), DAY[0], n.a, n.b),
        observation(n.id("o"), q, 6), oru(n.id("u"), n.a, DAY[0], n.id("f"), 5),
    )  # fmt: skip
    facts = [_hb("AB", "5"), _hb("AB", "6")]
    return {"records": told, "merged": True, "facts": facts}


@_case
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
        "facts": [_hb("A", "5"), _hb("B", "6")],
    }


@_case
def an_observation_moves_to_another_patient(n: Names) -> Made:
    p, q, key = n.id("p"), n.id("q"), n.id("o")
    both = (patient(p, n.a), patient(q, n.b), observation(n.id("own"), p, 7))
    wrong, right = observation(key, p, 5, DAY[0]), observation(key, q, 5, DAY[1])
    return {
        "records": (*both, wrong, right),
        "plain": (*both, right),
        "facts": [_hb("A", "7"), _hb("B", "5")],
    }


@_case
def an_observation_waits_for_its_patient(n: Names) -> Made:
    told = (observation(n.id("o"), n.id("p"), 5), patient(n.id("p"), n.a))
    return {"records": told, "facts": [_hb("A", "5")]}


@_case
def a_subject_by_its_number_alone(n: Names) -> Made:
    subject = {"identifier": {"system": f"urn:oid:{OID}", "value": n.a}}
    told = (observation(n.id("o"), "", 5, subject=subject), patient(n.id("p"), n.a))
    return {"records": told, "facts": [_hb("A", "5")]}


@_case
def a_transaction_names_its_entries_by_uuid(n: Names) -> Made:
    """R4 bundle.html#references: `urn:uuid` of an entry stands for what the entry is."""
    import json

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
    return {"records": (whole,), "plain": (who, what), "facts": [_hb("A", "5")]}


@_case
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
            _hb("A", "5", f"{AT} {stays}"),
            _hb("A", "6", f"{AT} {stays}"),
        ],
    }


@_case
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


# FHIR: values


@_case
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


@_case
def a_value_that_is_absent_makes_no_row(n: Names) -> Made:
    of = n.id("p")
    absent = {"coding": [{"code": "not-performed"}]}
    period = {"start": instant("20240330103000"), "end": instant("20240330113000")}
    told = (
        patient(of, n.a),
        observation(n.id("o"), of, 0, valueQuantity=None, dataAbsentReason=absent),
        observation(n.id("o2"), of, 5, effectiveDateTime=None, effectivePeriod=period),
    )
    return {"records": told, "facts": [_hb("A", "5")]}


@_case
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


@_case
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


@_case
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


# One fact told by several feeds


@_case
def three_formats_tell_one_result(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    message = oru(n.id("u"), n.a, DAY[0], order, 5)
    report = cda(n.id("d"), n.a, DAY[0], result(pq(5)), order=order)
    told = (message, patient(of, n.a), observation(n.id("o"), of, 5, identifier=filler(order)))
    note = "A note 11502-2 2024-03-30 12:00"
    return {
        "records": (*told, report),
        "facts": [_hb("A", "5"), note],
    }


@_case
def what_is_left_speaks_when_one_feed_takes_it_back(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    first, last = oru(n.id("u"), n.a, DAY[0], order, 5), oru(n.id("v"), n.a, DAY[1], order, 5, status="D")  # fmt: skip  # noqa: E501
    told = (patient(of, n.a), observation(n.id("o"), of, 5, identifier=filler(order)))
    return {"records": (*told, first, last), "facts": [_hb("A", "5")]}


@_case
def the_message_stands_when_the_resource_is_deleted(n: Names) -> Made:
    of, order, key = n.id("p"), n.id("f"), n.id("o")
    told = (patient(of, n.a), oru(n.id("u"), n.a, DAY[0], order, 5))
    twice = (
        observation(key, of, 5, identifier=filler(order)),
        deletion("Observation", key, DAY[1]),
    )
    return {"records": (*told, *twice), "plain": told, "facts": [_hb("A", "5")]}


@_case
def the_feed_of_the_higher_rank_speaks(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    told = (
        patient(of, n.a), observation(n.id("o"), of, 6, DAY[1], identifier=filler(order)),
        oru(n.id("u"), n.a, DAY[0], order, 5),
    )  # fmt: skip
    return {"records": told, "facts": [_hb("A", "5")]}


@_case
def a_preliminary_result_hides_no_final_one(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    told = (
        patient(of, n.a), oru(n.id("u"), n.a, DAY[0], order, 4, status="P"),
        observation(n.id("o"), of, 5, DAY[1], identifier=filler(order)),
    )  # fmt: skip
    return {"records": told, "facts": [_hb("A", "5")]}


@_case
def equal_results_of_one_feed_stay_two(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    told = (
        patient(of, n.a), observation(n.id("o"), of, 5, identifier=filler(order)),
        observation(n.id("o2"), of, 5, identifier=filler(order)),
        oru(n.id("u"), n.a, DAY[0], order, 5),
    )  # fmt: skip
    return {"records": told, "facts": [_hb("A", "5"), _hb("A", "5")]}


@_case
def another_code_time_or_person_is_another_fact(n: Names) -> Made:
    p, q, order, hour = n.id("p"), n.id("q"), n.id("f"), "20240330113000"
    told = (
        patient(p, n.a), patient(q, n.b), oru(n.id("u"), n.a, DAY[0], order, 5),
        observation(n.id("o"), p, 5, code="2823-3", identifier=filler(order)),
        observation(n.id("o2"), p, 5, at=hour, identifier=filler(order)),
        observation(n.id("o3"), q, 5, identifier=filler(order)),
    )  # fmt: skip
    return {
        "records": told,
        "facts": [
            _hb("A", "5"), f"A measurement 2823-3 5 {AT}", _hb("A", "5", "2024-03-30 11:30"),
            _hb("B", "5"),
        ],
    }  # fmt: skip


@_case
def a_document_told_twice_is_one_note(n: Names) -> Made:
    of, number = n.id("p"), n.id("doc")
    reference = resource(
        "DocumentReference", n.id("r"), DAY[0], status="current", docStatus="final",
        subject={"reference": f"Patient/{of}"}, date=instant(DAY[0]),
        type={"coding": [{"system": "http://loinc.org", "code": "11490-0"}]},
        masterIdentifier={"value": number},
        content=[{"attachment": {"contentType": "text/plain", "data": "VmVudHJlIHNvdXBsZQ=="}}],
    )  # fmt: skip
    document = cda(number, n.a, DAY[0], text="Ventre souple", code="11490-0")
    return {
        "records": (patient(of, n.a), reference, document),
        "facts": ["A note 11490-0 2024-03-30 12:00"],
    }


# CDA


@_case
def a_newer_version_of_a_set_replaces(n: Names) -> Made:
    def version(number: int, value: float, sent: str) -> Told:
        return cda(
            n.id(f"d{number}"), n.a, sent, result(pq(value)), set_=n.id("s"), version=number,
            replaces=n.id("d1") if number > 1 else "",
        )  # fmt: skip

    # version 3 was sent before version 2: the number counts
    told = (version(1, 5, DAY[0]), version(2, 6, DAY[2]), version(3, 7, DAY[1]))
    facts = [_hb("A", "7"), "A note 11502-2 2024-03-31 12:00"]
    return {"records": told, "plain": told[2:], "facts": facts}


@_case
def a_replacement_in_another_set(n: Names) -> Made:
    old = cda(n.id("d1"), n.a, DAY[0], result(pq(5)), set_=n.id("s1"), version=1)
    new = cda(n.id("d2"), n.a, DAY[1], result(pq(6)), set_=n.id("s2"), replaces=n.id("d1"))
    facts = [_hb("A", "6"), "A note 11502-2 2024-03-31 12:00"]
    return {"records": (old, new), "plain": (new,), "facts": facts}


@_case
def a_carried_document_is_withdrawn(n: Names) -> Made:
    document = cda(n.id("d1"), n.a, DAY[0], result(pq(5)))
    other = cda(n.id("d2"), n.a, DAY[0], result(pq(6)))
    told = (
        carried(n.id("u"), n.a, DAY[0], document), carried(n.id("v"), n.a, DAY[0], other),
        carried(n.id("w"), n.a, DAY[1], document, status="D"),
    )  # fmt: skip
    facts = [_hb("A", "6"), "A note 11502-2 2024-03-30 12:00"]
    return {"records": told, "plain": told[1:2], "facts": facts}


@_case
def a_carried_document_is_cancelled(n: Names) -> Made:
    document = cda(n.id("d1"), n.a, DAY[0], result(pq(5)))
    other = cda(n.id("d2"), n.a, DAY[0], result(pq(6)))
    told = (
        carried(n.id("u"), n.a, DAY[0], document), carried(n.id("v"), n.a, DAY[0], other),
        carried(n.id("w"), n.a, DAY[1], document, order="CA"),
    )  # fmt: skip
    facts = [_hb("A", "6"), "A note 11502-2 2024-03-30 12:00"]
    return {"records": told, "plain": told[1:2], "facts": facts}


@_case
def a_letter_is_replaced_and_another_withdrawn(n: Names) -> Made:
    first = cda(n.id("d1"), n.a, DAY[0], text="Ventre souple", code="11490-0")
    second = cda(n.id("d2"), n.a, DAY[1], text="Ventre tendu", code="11490-0", replaces=n.id("d1"))
    third = cda(n.id("d3"), n.a, DAY[0], text="Auscultation claire", code="11490-0")
    told = (
        letter("T02", n.id("m1"), n.a, DAY[0], first, n.id("d1")),
        letter("T02", n.id("m3"), n.a, DAY[0], third, n.id("d3")),
        letter("T10", n.id("m2"), n.a, DAY[1], second, n.id("d2"), status="C", parent=n.id("d1")),
        letter("T04", n.id("m4"), n.a, DAY[2], third, n.id("d3"), status="D"),
    )
    facts = ["A note 11490-0 2024-03-31 12:00"]
    return {"records": told, "plain": told[2:3], "facts": facts}


@_case
def what_a_document_denies_or_lacks_is_no_result(n: Names) -> Made:
    denied = result(pq(5), attributes='negationInd="true"')
    absent = result('<value xsi:type="PQ" nullFlavor="NA"/>')
    planned = result(pq(6)).replace('moodCode="EVN"', 'moodCode="RQO"')
    stopped = result(pq(8)).replace('code="completed"', 'code="aborted"')
    told = cda(n.id("d"), n.a, DAY[0], denied, absent, planned, stopped, result(pq(7)))
    facts = [_hb("A", "7"), "A note 11502-2 2024-03-30 12:00"]
    return {"records": (told,), "facts": facts}


@_case
def bounds_and_intervals_of_a_document(n: Names) -> Made:
    limits = (
        '<referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="12" unit="g/dL"/>'
        '<high value="16" unit="g/dL"/></value></observationRange></referenceRange>'
    )
    below = '<value xsi:type="IVL_PQ"><high value="3" unit="g/dL" inclusive="false"/></value>'
    during = '<effectiveTime><low value="20240330103000+0100"/><high value="20240330113000+0100"/></effectiveTime>'  # fmt: skip  # noqa: E501
    told = cda(
        n.id("d"), n.a, DAY[0], result(pq(5), more=limits),
        result(below, code="2823-3", time=during),
    )  # fmt: skip
    facts = [
        f"A measurement 2823-3 <3 {AT}", f"A measurement 718-7 5 [12..16] {AT}",
        "A note 11502-2 2024-03-30 12:00",
    ]  # fmt: skip
    return {"records": (told,), "facts": facts}


@_case
def a_problem_of_a_document_begins_at_its_low(n: Names) -> Made:
    def problem(code: str, attributes: str = "") -> str:
        return (
            f'<observation classCode="OBS" moodCode="EVN" {attributes}>'
            f'<templateId root="1.3.6.1.4.1.19376.1.5.3.1.4.5"/>'
            f'<code code="55607006" codeSystem="2.16.840.1.113883.6.96"/>'
            '<statusCode code="completed"/><effectiveTime><low value="20240102"/>'
            '<high value="20240330"/></effectiveTime>'
            f'<value xsi:type="CD" code="{code}" codeSystem="2.16.840.1.113883.6.3"/></observation>'
        )

    denied = problem("I20", 'negationInd="true"')
    told = cda(n.id("d"), n.a, DAY[0], problem("I10"), denied, code="34133-9")
    facts = ["A condition I10 2024-01-02", "A note 34133-9 2024-03-30 12:00"]
    return {"records": (told,), "facts": facts}


@_case
def a_prescription_in_a_document(n: Names) -> Made:
    def drug(mood: str, code: str) -> str:
        return (
            f'<substanceAdministration classCode="SBADM" moodCode="{mood}">'
            '<templateId root="1.3.6.1.4.1.19376.1.9.1.3.2"/>'
            f'<id root="1.2.6" extension="{n.id(code)}"/><statusCode code="completed"/>'
            '<effectiveTime xsi:type="IVL_TS"><low value="20240330103000+0100"/>'
            '<high value="20240410103000+0200"/></effectiveTime>'
            "<consumable><manufacturedProduct><manufacturedMaterial>"
            f'<code code="{code}" codeSystem="2.16.840.1.113883.6.73"/>'
            "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"
        )

    told = cda(
        n.id("d"), n.a, DAY[0], drug("INT", "N02BE01"), drug("PRP", "C09AA05"), code="57833-6"
    )
    facts = [f"A drug N02BE01 {AT}", "A note 57833-6 2024-03-30 12:00"]
    return {"records": (told,), "facts": facts}


@_case
def a_name_learnt_later_from_a_resource(n: Names) -> Made:
    written = cda(n.id("d"), n.a, DAY[0], text="Examen fait avec Cerise ce jour", code="11490-0")
    who = patient(n.id("p"), n.a, DAY[1], name="CERISE")
    facts = ["A note 11490-0 2024-03-30 12:00"]
    return {"records": (written, who), "facts": facts}
