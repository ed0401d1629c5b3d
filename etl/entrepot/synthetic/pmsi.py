"""The PMSI feed: BAR^P01 tells a stay's diagnoses and acts, BAR^P05 corrects them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Act, ActTold, Diagnosis, DiagnosisTold, Stay
from entrepot.synthetic.hospital import AUTHORITY
from entrepot.synthetic.message import Field, Ident, Message, Repeat, Segment
from entrepot.synthetic.times import day, minute, stamp


def messages(chart: Chart) -> Iterator[Message]:
    """Every BAR message of one patient, in no order."""
    for stay in chart.stays:
        told: dict[dt.datetime, list[tuple[Diagnosis | Act, DiagnosisTold | ActTold]]] = {}
        for fact in chart.facts:
            if isinstance(fact, (Diagnosis, Act)) and fact.stay is stay:
                for telling in fact.tellings:
                    told.setdefault(telling.at, []).append((fact, telling))
        for number, at in enumerate(sorted(told)):
            yield _bar(chart, stay, at, told[at], first=number == 0)


def _bar(
    chart: Chart,
    stay: Stay,
    at: dt.datetime,
    told: list[tuple[Diagnosis | Act, DiagnosisTold | ActTold]],
    *,
    first: bool,
) -> Message:
    event = "P01" if first else "P05"
    parts = [seg.evn(at, at), seg.pid(chart.person, at, stay.ipp, stay.nda), visit.pv1(stay, at)]
    diagnoses = [
        (f, t) for f, t in told if isinstance(f, Diagnosis) and isinstance(t, DiagnosisTold)
    ]
    acts = [(f, t) for f, t in told if isinstance(f, Act)]
    parts += [_dg1(number, fact, telling) for number, (fact, telling) in enumerate(diagnoses, 1)]
    parts += [_pr1(number, fact, telling.action) for number, (fact, telling) in enumerate(acts, 1)]
    facts = tuple(fact.id for fact, _ in told)
    new = Message("pmsi", f"BAR^{event}^BAR_{event}", chart.person.id, at, parts, facts)
    actions = {telling.action for _, telling in told}
    if "D" in actions:
        new.marks["cancel"] = True
    if "U" in actions:
        new.marks["correction"] = True
    return new


def _dg1(number: int, fact: Diagnosis, told: DiagnosisTold) -> Segment:
    written = fact.written if told.code == fact.code else told.code.code
    priority = "1" if told.rank == "DP" else str(number if number > 1 else 2)
    return Segment(
        "DG1",
        {
            1: str(number),
            2: "CIM10",
            3: [written, told.code.label, "CIM10"],
            5: day(_midnight(fact.date)),
            6: "F",
            15: priority,
            16: fact.stay.attending.xcn(),
            17: told.rank,
            19: stamp(told.at),
            20: _number(fact.number),
            21: told.action,
        },
    )


def _pr1(number: int, fact: Act, action: str) -> Segment:
    return Segment(
        "PR1",
        {
            1: str(number),
            2: "CCAM",
            3: [fact.code.code, fact.code.label, "CCAM"],
            5: minute(fact.at),
            11: fact.doctor.xcn(),
            16: _modifiers(fact),
            19: _number(fact.number),
            20: action,
        },
    )


def _modifiers(fact: Act) -> Field:
    """PR1-16: activity, then phase, as two repetitions."""
    return Repeat([fact.activity, fact.phase])


def _number(value: str) -> Field:
    return [Ident(value, "AUTRE_ID"), *AUTHORITY]


def _midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time())
