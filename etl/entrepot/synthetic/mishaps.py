"""What goes wrong on the way: late, disordered and repeated messages, and bad ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from random import Random

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Told
from entrepot.synthetic.hospital import units
from entrepot.synthetic.message import Ident, Message, Segment
from entrepot.synthetic.times import stamp

EVERY = 30  # one bad message of each sort in thirty patients


def spoil(chart: Chart, messages: list[Message], rng: Random) -> list[Message]:
    """Disorders some messages and adds the patient's bad message, if the rank asks for one."""
    make = BAD.get(chart.person.index % EVERY)
    if make:
        messages.append(make(chart, messages[len(messages) // 2].sent + dt.timedelta(minutes=1)))
    messages.sort(key=lambda m: (m.sent, m.source, m.event, m.facts))
    for number, message in enumerate(messages, 1):
        message.id = f"{chart.person.id}-{number:04d}"
        message.control_id = f"{message.source[:2].upper()}{chart.person.index:06d}{number:04d}"
    for message, following in pairwise(messages):
        _disorder(message, following, rng)
    return messages


def _disorder(message: Message, following: Message, rng: Random) -> None:
    draw = rng.random()
    if draw < 0.015:
        message.arrival += dt.timedelta(minutes=rng.randint(60, 20_000))
        message.marks["late"] = True
    elif draw < 0.03:
        message.arrival = max(message.arrival, following.arrival + dt.timedelta(minutes=1))
        message.marks["late"] = True
    elif draw < 0.045 and following.source == message.source:
        following.control_id = message.control_id
        following.marks["same_control_id"] = True


def _bad(
    chart: Chart, source: str, event: str, sent: dt.datetime, parts: list[Segment], why: str
) -> Message:
    return Message(source, event, chart.person.id, sent, parts, marks={"bad": why})


def _pid(chart: Chart, sent: dt.datetime) -> Segment:
    return seg.short_pid(chart.person, sent, chart.ipp_at(sent))


def _truncated(chart: Chart, sent: dt.datetime) -> Message:
    """Cut in the middle of PID-3."""
    cut = Segment(
        "PID", {1: "1", 3: [Ident(chart.ipp_at(sent), "IPP"), "", "", ["CHSYN", "1.2.25"]]}
    )
    return _bad(chart, "adt", seg.adt("A01"), sent, [seg.evn(sent, sent), cut], "truncated")


def _unknown_action(chart: Chart, sent: dt.datetime) -> Message:
    """ZBE shifted by one field: ZBE-4 holds a time (seen)."""
    stay = chart.stays[0]
    told = Told("A02", stamp(sent), sent, sent, units("medicine")[0])
    parts = [
        seg.evn(sent, sent),
        seg.pid(chart.person, sent, stay.ipp, stay.nda),
        visit.pv1(stay, sent),
        visit.zbe(stay.movements[0], told),
    ]
    parts[-1].fields |= {1: [Ident(chart.number("movement", 10), "AUTRE_ID"), "CHSYN"], 6: ""}
    return _bad(chart, "adt", seg.adt("A02"), sent, parts, "zbe4_unknown")


def _impossible_date(chart: Chart, sent: dt.datetime) -> Message:
    parts = [seg.evn(sent, sent), _pid(chart, sent), Segment("PV1", {1: "1", 2: "N"})]
    parts[1].fields[7] = Ident(f"{chart.person.final.birth[:4]}0230", "DATE_NAISSANCE")
    return _bad(chart, "adt", seg.adt("A31"), sent, parts, "impossible_date")


def _allergy(chart: Chart, sent: dt.datetime) -> Message:
    parts = [
        seg.evn(sent, sent),
        _pid(chart, sent),
        Segment("IAM", {1: "1", 2: "DA", 3: ["J01C", "Pénicillines", "ATC"], 6: "A"}),
    ]
    return _bad(chart, "adt", seg.adt("A60"), sent, parts, "event_not_mapped")


def _order(chart: Chart, sent: dt.datetime) -> Message:
    number = Ident(chart.number("placer", 11), "AUTRE_ID")
    parts = [
        _pid(chart, sent),
        Segment("ORC", {1: "NW", 2: [number, "DPI"]}),
        Segment("OBR", {1: "1", 2: [number, "DPI"], 4: ["NFS", "Numération", "L"]}),
    ]
    return _bad(chart, "lab", "ORM^O01^ORM_O01", sent, parts, "order")


def _appointment(chart: Chart, sent: dt.datetime) -> Message:
    number = Ident(chart.number("appointment", 11), "AUTRE_ID")
    parts = [
        Segment("SCH", {1: number, 6: ["CS", "Consultation"], 11: ["", "", "", stamp(sent)]}),
        _pid(chart, sent),
        Segment("RGS", {1: "1"}),
    ]
    return _bad(chart, "adt", "SIU^S12^SIU_S12", sent, parts, "scheduling")


def _acknowledgement(chart: Chart, sent: dt.datetime) -> Message:
    parts = [Segment("MSA", {1: "AA", 2: Ident(chart.number("ack", 11), "AUTRE_ID")})]
    return _bad(chart, "adt", "ACK^A01^ACK", sent, parts, "acknowledgement")


def _without_ipp(chart: Chart, sent: dt.datetime) -> Message:
    """PID-3 holds the INS only."""
    person = chart.person
    parts = [
        _pid(chart, sent),
        Segment("OBR", {1: "1", 4: ["NFS", "Numération", "L"], 7: stamp(sent)}),
        Segment(
            "OBX",
            {1: "1", 2: "NM", 3: ["718-7", "Hémoglobine", "LN"], 5: "12.0", 6: "g/dL", 11: "F"},
        ),
    ]
    ins = Ident(person.ins, "SECU")
    parts[0].fields[3] = [ins, "", "", ["ASIP-SANTE-INS-NIR", person.ins_oid, "ISO"], "INS"]
    return _bad(chart, "lab", "ORU^R01^ORU_R01", sent, parts, "subject_without_ipp")


BAD: dict[int, Callable[[Chart, dt.datetime], Message]] = {
    3: _truncated,
    7: _unknown_action,
    10: _impossible_date,
    12: _allergy,
    15: _order,
    17: _appointment,
    19: _acknowledgement,
    22: _without_ipp,
}
