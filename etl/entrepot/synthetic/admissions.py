"""The ADT feed: movements of the stays (IHE PAM France), identities and their corrections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Death, Movement, Stay, Told
from entrepot.synthetic.message import NULL, Message, Segment
from entrepot.synthetic.persons import Change
from entrepot.synthetic.times import stamp

CORRECTIONS = {"name_corrected", "birth_corrected", "death_withdrawn", "named", "validated"}


def messages(chart: Chart) -> Iterator[Message]:
    """Every ADT message of one patient, in no order."""
    if chart.rng.random() < 0.7:
        yield _creation(chart)
    for change in chart.person.history[1:]:
        if change.reason != "died":
            yield _update(chart, change)
    for stay in chart.stays:
        for movement in stay.movements:
            for told in movement.tellings:
                yield _movement(chart, stay, movement, told)
        if stay.classes[-1][1] == "I" and stay.end and int(stay.nda[-3]) < 3:
            yield _refresh(chart, stay)


def known_since(chart: Chart) -> dt.datetime:
    """When the hospital first registers the patient: before the first stay, or just after birth."""
    person = chart.person
    if person.birth_order or "newborn" in person.role:
        return person.first_seen + dt.timedelta(seconds=15)
    early = dt.timedelta(minutes=7)
    return min(person.first_seen - early, chart.stays[0].classes[0][0] - early)


def identity_id(chart: Chart) -> str:
    """Statement id of the patient's identity."""
    return chart.facts[0].id


def _creation(chart: Chart) -> Message:
    person, sent = chart.person, known_since(chart)
    parts = [seg.evn(sent, sent), seg.pid(person, sent, chart.ipp_at(sent)), *seg.nk1(person)]
    parts.append(Segment("PV1", {1: "1", 2: "N"}))
    return Message("adt", seg.adt("A28"), person.id, sent, parts, (identity_id(chart),))


def _update(chart: Chart, change: Change) -> Message:
    """A31, or A08 when the patient is in; phones and deaths go by HL7 nulls."""
    person, sent = chart.person, change.since
    number = chart.ipp_at(sent)
    stay = _current(chart, sent)
    if change.reason == "phone_deleted":
        identity = seg.forgetful_pid(person, sent, number, {13: NULL})
    elif change.reason == "death_withdrawn":
        identity = seg.forgetful_pid(person, sent, number, {29: NULL, 30: "N"})
    else:
        identity = seg.pid(person, sent, number, stay.nda if stay else "")
    facts = [identity_id(chart)]
    if "death" in change.reason:
        facts += [fact.id for fact in chart.facts if isinstance(fact, Death)]
    parts = [seg.evn(sent, sent), identity, *seg.nk1(person)]
    if stay:
        parts.append(visit.pv1(stay, sent))
        facts.append(stay.id)
    else:
        parts.append(Segment("PV1", {1: "1", 2: "N"}))
    event = seg.adt("A08" if stay else "A31")
    new = Message("adt", event, person.id, sent, parts, tuple(facts))
    if change.reason in CORRECTIONS:
        new.marks["correction"] = True
    return new


def _refresh(chart: Chart, stay: Stay) -> Message:
    """A08 in the course of a stay: nothing new, everything again."""
    sent = stay.start + (stay.exits[0][0] - stay.start) * 0.6
    sent = sent.replace(microsecond=0)
    parts = [
        seg.evn(sent, sent),
        seg.pid(chart.person, sent, stay.ipp, stay.nda),
        visit.pv1(stay, sent),
    ]
    facts = (identity_id(chart), stay.id)
    return Message("adt", seg.adt("A08"), chart.person.id, sent, parts, facts)


def _current(chart: Chart, when: dt.datetime) -> Stay | None:
    """The stay in which the patient is at `when`, under the same IPP; A08 speaks of it."""
    for stay in chart.stays:
        end, _ = stay.exit_at(when)
        inside = stay.start <= when and (end is None or when <= end)
        if inside and stay.classes[-1][1] == "I" and not stay.cancelled:
            return stay if stay.ipp == chart.ipp_at(when) else None
    return None


def _movement(chart: Chart, stay: Stay, movement: Movement, told: Told) -> Message:
    person, sent = chart.person, told.at
    facts = [identity_id(chart), stay.id, movement.id]
    clerk = chart.staff.clerks[int(stay.nda[-1]) % len(chart.staff.clerks)]
    parts = [seg.evn(sent, told.start, clerk), seg.pid(person, sent, stay.ipp, stay.nda)]
    if told.event in ("A01", "A04", "A05"):
        parts += [Segment("PD1", {2: "U"}), seg.rol(person), *seg.nk1(person)]
    parts.append(visit.pv1(stay, sent, told.unit))
    if told.event == "A13":
        parts[-1].fields |= {36: NULL, 45: NULL}
    if told.event in ("A01", "A05"):
        parts.append(Segment("PV2", {8: stamp(stay.start), 12: "Hospitalisation"}))
    parts.append(visit.zbe(movement, told))
    if told.event in ("A01", "A03", "A04"):
        parts += visit.french_segments(stay, sent)
    if told.event == "A03" and stay.exit_at(sent)[1] == "9":
        facts += [
            fact.id for fact in chart.facts if isinstance(fact, Death) and fact.stay == stay.nda
        ]
    new = Message(
        "adt", seg.adt(told.event), person.id, sent, parts, tuple(facts), sent + told.delay
    )
    if told.delay or told.historic:
        new.marks["late"] = True
    if told.action != "INSERT":
        new.marks["cancel" if told.action == "CANCEL" else "correction"] = True
    return new
