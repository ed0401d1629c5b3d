"""Links between identities: merges (A40), new numbers (A47), links (A24), their undoing (A37)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Movement, Stay, Told
from entrepot.synthetic.hospital import units
from entrepot.synthetic.message import Message, Segment
from entrepot.synthetic.persons import Person
from entrepot.synthetic.population import person as draw_person

PAIRED = ("wrongly_merged", "wrongly_linked", "shared_nda")


def messages(chart: Chart) -> Iterator[Message]:
    """The link messages of the patient's role, if any; a shared NDA adds its facts to the chart."""
    person = chart.person
    if person.role in ("merged", "renumbered", "linked"):
        yield _own(chart, {"merged": "A40", "renumbered": "A47", "linked": "A24"}[person.role])
    elif person.role in ("wrongly_merged", "wrongly_linked"):
        other = draw_person(chart.seed, person.index - 1)
        joined, parted = joined_and_parted(person, other)
        yield _pair(person, other, "A40" if person.role == "wrongly_merged" else "A24", joined)
        undone = _pair(person, other, "A37", parted)
        undone.marks["cancel"] = True
        yield undone
    elif person.role == "shared_nda":
        yield from _shared_nda(chart, draw_person(chart.seed, person.index - 1))


def joined_and_parted(person: Person, other: Person) -> tuple[dt.datetime, dt.datetime]:
    """When two patients were taken for one, and when that was undone."""
    joined = max(person.dated["joined"], other.first_seen + dt.timedelta(days=60))
    return joined, joined + (person.dated["parted"] - person.dated["joined"])


def history(chart: Chart) -> list[dict[str, object]]:
    """The links of the patient as `persons.jsonl` holds them."""
    if chart.person.role == "shared_nda":
        return []
    return [
        {
            "event": message.event[4:7],
            "at": message.sent.isoformat(timespec="seconds"),
            "other": message.other or None,
            "undone": message.other != "",
        }
        for message in messages(chart)
        if message.event[4:7] in ("A40", "A47", "A24")
    ]


def _own(chart: Chart, event: str) -> Message:
    """Two numbers of one patient: the first survives."""
    person, sent = chart.person, chart.person.dated["joined"]
    first, second = person.ipps
    parts = [seg.evn(sent, sent), seg.pid(person, sent, first)]
    if event == "A24":
        parts.append(seg.short_pid(person, sent, second))
    else:
        parts.append(Segment("MRG", {1: seg.ipp(second)}))
    return Message("adt", seg.adt(event), person.id, sent, parts, (chart.facts[0].id,))


def _pair(person: Person, other: Person, event: str, sent: dt.datetime) -> Message:
    """Two patients taken for one: `other` survives the merge."""
    parts = [seg.evn(sent, sent), seg.pid(other, sent, other.ipps[0], of="other")]
    if event == "A40":
        parts.append(Segment("MRG", {1: seg.ipp(person.ipps[0])}))
    else:
        parts.append(seg.short_pid(person, sent, person.ipps[0]))
    return Message("adt", seg.adt(event), person.id, sent, parts, (), other=other.id)


def _shared_nda(chart: Chart, other: Person) -> Iterator[Message]:
    """One consultation of each of two patients under one NDA: both must be refused."""
    start = max(chart.person.first_seen, other.first_seen) + dt.timedelta(days=33, hours=2)
    number, unit = chart.nda(start), units("clinic")[0]
    for who, shift in ((other, 0), (chart.person, 3)):
        at = start + dt.timedelta(hours=shift)
        stay = Stay(
            chart.fact_id("stay"),
            who.id,
            who.ipps[0],
            number,
            at,
            "clinic",
            chart.staff.doctors[0],
            classes=[(at, "O")],
        )
        movement = Movement(
            chart.fact_id("movement"),
            who.id,
            who.ipps[0],
            chart.number("movement", 10),
            number,
            "A04",
            "O",
            at,
            unit,
        )
        stay.movements.append(movement)
        chart.facts += [stay, movement]
        told = Told("A04", "INSERT", at + dt.timedelta(minutes=3), at, unit)
        parts = [
            seg.evn(told.at, at),
            seg.pid(who, told.at, who.ipps[0], number),
            visit.pv1(stay, told.at),
            visit.zbe(movement, told),
        ]
        new = Message("adt", seg.adt("A04"), who.id, told.at, parts, (stay.id, movement.id))
        new.marks["bad"] = "key_of_two_persons"
        yield new
