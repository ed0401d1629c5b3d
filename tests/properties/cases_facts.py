"""One fact told by several feeds is one row."""

from __future__ import annotations

from properties.case import AT, DAY, Made, Names, case, hb
from properties.cases_persons import document_reference
from properties.made import (
    cda,
    deletion,
    filler,
    observation,
    oru,
    patient,
    pq,
    result,
)


@case
def three_formats_tell_one_result(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    message = oru(n.id("u"), n.a, DAY[0], order, 5)
    report = cda(n.id("d"), n.a, DAY[0], result(pq(5)), order=order)
    told = (message, patient(of, n.a), observation(n.id("o"), of, 5, identifier=filler(order)))
    note = "A note 11502-2 2024-03-30 12:00"
    return {
        "records": (*told, report),
        "facts": [hb("A", "5"), note],
    }


@case
def what_is_left_speaks_when_one_feed_takes_it_back(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    first, last = oru(n.id("u"), n.a, DAY[0], order, 5), oru(n.id("v"), n.a, DAY[1], order, 5, status="D")  # fmt: skip  # noqa: E501
    told = (patient(of, n.a), observation(n.id("o"), of, 5, identifier=filler(order)))
    return {"records": (*told, first, last), "facts": [hb("A", "5")]}


@case
def the_message_stands_when_the_resource_is_deleted(n: Names) -> Made:
    of, order, key = n.id("p"), n.id("f"), n.id("o")
    told = (patient(of, n.a), oru(n.id("u"), n.a, DAY[0], order, 5))
    twice = (
        observation(key, of, 5, identifier=filler(order)),
        deletion("Observation", key, DAY[1]),
    )
    return {"records": (*told, *twice), "plain": told, "facts": [hb("A", "5")]}


@case
def the_feed_of_the_higher_rank_speaks(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    told = (
        patient(of, n.a), observation(n.id("o"), of, 6, DAY[1], identifier=filler(order)),
        oru(n.id("u"), n.a, DAY[0], order, 5),
    )  # fmt: skip
    return {"records": told, "facts": [hb("A", "5")]}


@case
def a_preliminary_result_hides_no_final_one(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    told = (
        patient(of, n.a), oru(n.id("u"), n.a, DAY[0], order, 4, status="P"),
        observation(n.id("o"), of, 5, DAY[1], identifier=filler(order)),
    )  # fmt: skip
    return {"records": told, "facts": [hb("A", "5")]}


@case
def equal_results_of_one_feed_stay_two(n: Names) -> Made:
    of, order = n.id("p"), n.id("f")
    told = (
        patient(of, n.a), observation(n.id("o"), of, 5, identifier=filler(order)),
        observation(n.id("o2"), of, 5, identifier=filler(order)),
        oru(n.id("u"), n.a, DAY[0], order, 5),
    )  # fmt: skip
    return {"records": told, "facts": [hb("A", "5"), hb("A", "5")]}


@case
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
            hb("A", "5"), f"A measurement 2823-3 5 {AT}", hb("A", "5", "2024-03-30 11:30"),
            hb("B", "5"),
        ],
    }  # fmt: skip


@case
def a_document_told_twice_is_one_note(n: Names) -> Made:
    of, number = n.id("p"), n.id("doc")
    reference = document_reference(n, "r", DAY[0], masterIdentifier={"value": number})
    document = cda(number, n.a, DAY[0], text="Ventre souple", code="11490-0")
    return {
        "records": (patient(of, n.a), reference, document),
        "facts": ["A note 11490-0 2024-03-30 12:00"],
    }
