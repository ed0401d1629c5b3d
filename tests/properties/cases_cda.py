"""CDA documents: versions, withdrawal, what an entry says."""

from __future__ import annotations

from properties.case import AT, DAY, Made, Names, case, hb
from properties.made import (
    carried,
    cda,
    letter,
    patient,
    pq,
    result,
)
from properties.told import Told


@case
def a_newer_version_of_a_set_replaces(n: Names) -> Made:
    def version(number: int, value: float, sent: str) -> Told:
        return cda(
            n.id(f"d{number}"), n.a, sent, result(pq(value)), set_=n.id("s"), version=number,
            replaces=n.id("d1") if number > 1 else "",
        )  # fmt: skip

    # version 3 was sent before version 2: the number counts
    told = (version(1, 5, DAY[0]), version(2, 6, DAY[2]), version(3, 7, DAY[1]))
    facts = [hb("A", "7"), "A note 11502-2 2024-03-31 12:00"]
    return {"records": told, "plain": told[2:], "facts": facts}


@case
def a_replacement_in_another_set(n: Names) -> Made:
    old = cda(n.id("d1"), n.a, DAY[0], result(pq(5)), set_=n.id("s1"), version=1)
    new = cda(n.id("d2"), n.a, DAY[1], result(pq(6)), set_=n.id("s2"), replaces=n.id("d1"))
    facts = [hb("A", "6"), "A note 11502-2 2024-03-31 12:00"]
    return {"records": (old, new), "plain": (new,), "facts": facts}


@case
def a_carried_document_is_withdrawn(n: Names) -> Made:
    document = cda(n.id("d1"), n.a, DAY[0], result(pq(5)))
    other = cda(n.id("d2"), n.a, DAY[0], result(pq(6)))
    told = (
        carried(n.id("u"), n.a, DAY[0], document), carried(n.id("v"), n.a, DAY[0], other),
        carried(n.id("w"), n.a, DAY[1], document, status="D"),
    )  # fmt: skip
    facts = [hb("A", "6"), "A note 11502-2 2024-03-30 12:00"]
    return {"records": told, "plain": told[1:2], "facts": facts}


@case
def a_carried_document_is_cancelled(n: Names) -> Made:
    document = cda(n.id("d1"), n.a, DAY[0], result(pq(5)))
    other = cda(n.id("d2"), n.a, DAY[0], result(pq(6)))
    told = (
        carried(n.id("u"), n.a, DAY[0], document), carried(n.id("v"), n.a, DAY[0], other),
        carried(n.id("w"), n.a, DAY[1], document, order="CA"),
    )  # fmt: skip
    facts = [hb("A", "6"), "A note 11502-2 2024-03-30 12:00"]
    return {"records": told, "plain": told[1:2], "facts": facts}


@case
def a_withdrawal_holds_for_the_document_that_came_alone_too(n: Names) -> Made:
    document = cda(n.id("d1"), n.a, DAY[0], result(pq(5)))
    other = cda(n.id("d2"), n.a, DAY[0], result(pq(6)))
    told = (
        other, document, carried(n.id("u"), n.a, DAY[0], document),
        carried(n.id("w"), n.a, DAY[1], document, status="D"),
    )  # fmt: skip
    facts = [hb("A", "6"), "A note 11502-2 2024-03-30 12:00"]
    return {"records": told, "facts": facts}


@case
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


@case
def what_a_document_denies_or_lacks_is_no_result(n: Names) -> Made:
    denied = result(pq(5), attributes='negationInd="true"')
    absent = result('<value xsi:type="PQ" nullFlavor="NA"/>')
    planned = result(pq(6)).replace('moodCode="EVN"', 'moodCode="RQO"')
    stopped = result(pq(8)).replace('code="completed"', 'code="aborted"')
    told = cda(n.id("d"), n.a, DAY[0], denied, absent, planned, stopped, result(pq(7)))
    facts = [hb("A", "7"), "A note 11502-2 2024-03-30 12:00"]
    return {"records": (told,), "facts": facts}


@case
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


@case
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


@case
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


@case
def a_name_learnt_later_from_a_resource(n: Names) -> Made:
    written = cda(n.id("d"), n.a, DAY[0], text="Examen fait avec Cerise ce jour", code="11490-0")
    who = patient(n.id("p"), n.a, DAY[1], name="CERISE")
    facts = ["A note 11490-0 2024-03-30 12:00"]
    return {"records": (written, who), "facts": facts}
