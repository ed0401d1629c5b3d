"""Every CDA document of one patient: delivered as a file, or inside an HL7 v2 message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from entrepot.synthetic.cda import drugs, laboratory, letters, mishaps
from entrepot.synthetic.cda.document import Document
from entrepot.synthetic.cda.transmission import Envelope, enveloped
from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import Vaccine
from entrepot.synthetic.facts import Fact, Stay
from entrepot.synthetic.message import Message
from entrepot.synthetic.orders import Administration, Prescription
from entrepot.synthetic.telling import withdrawn

SHARE_INSIDE = 0.25  # documents that travel in an HL7 v2 message


class Documents(NamedTuple):
    """What tells the CDA part of one patient."""

    files: list[Document]
    messages: list[Message]


def documents(told: Chart, *, transmitted: bool) -> Documents:
    """The documents of one patient.

    Args:
        told: the chart that holds only the facts which CDA tells.
        transmitted: HL7 v2 messages carry some of them, and take some back.
    """
    files: list[Document] = []
    messages: list[Message] = []
    for group, must in _groups(told):
        for envelope in group[:-1]:
            envelope.document.marks["superseded"] = True
        rng = stream(told.seed, told.person.index, f"cda way {group[0].document.number}")
        if transmitted and (must or rng.random() < SHARE_INSIDE):
            messages += [enveloped(told, envelope) for envelope in group]
        else:
            files += [envelope.document for envelope in group]
    files += mishaps.bad(told)
    files.sort(key=lambda new: (new.sent, new.number))
    for number, new in enumerate(files, 1):
        new.id = f"{told.person.id}-c{number:04d}"
    _delay(files, stream(told.seed, told.person.index, "cda mishaps"))
    return Documents(sorted(files, key=lambda new: (new.arrival, new.id)), messages)


def _groups(chart: Chart) -> Iterator[tuple[list[Envelope], bool]]:
    """Documents that travel the same way, and whether a message must take the last one back."""
    for order in chart.orders:
        yield [_reported(chart, t) for t in laboratory.tellings(chart, order)], withdrawn(order)
    for fact in chart.facts:
        if isinstance(fact, Prescription):
            yield [_drug(chart, t) for t in drugs.prescribed(chart, fact)], fact.cancelled
        elif isinstance(fact, Administration) and isinstance(fact.drug, Vaccine):
            yield [_drug(chart, t) for t in drugs.vaccinated(chart, fact)], False
    yield from _letters(chart)


def _letters(chart: Chart) -> Iterator[tuple[list[Envelope], bool]]:
    known = {letter.document: letter for letter in chart.letters}
    chains: dict[str, list[Envelope]] = {}
    taken_back: set[str] = set()
    for letter in chart.letters:
        root = letter.parent or letter.document
        older = known.get(letter.parent)
        told = letters.telling(chart, letter, older)
        facts = (letter.id, older.id) if older else (letter.id,)
        new = Document(
            letter.type_code, letter.document, told.root, chart.person.id, letter.written,
            _stated(chart, letter.stay, facts),
        )  # fmt: skip
        if older:
            new.marks["correction"] = True
        held = chains.setdefault(root, [])
        held.append(Envelope(letter.stay, new, letter.author, letter.title, letter.parent))
        if letter.withdrawn:
            taken_back.add(root)
            held.append(_taken_back(held[-1], letter.withdrawn))
    for root, chain in chains.items():
        yield chain, root in taken_back


def _reported(chart: Chart, told: laboratory.Telling) -> Envelope:
    order, report = told.order, told.report
    new = Document(
        laboratory.CODE, told.number, told.root, chart.person.id, report.at,
        _stated(chart, order.stay, told.facts), report.at + report.late,
    )  # fmt: skip
    if report.late:
        new.marks["late"] = True
    statuses = {status for _, status, _ in report.lines}
    if statuses & {"D", "W"}:
        new.marks["cancel"] = True
    elif told.rank > 1:
        new.marks["correction"] = True
    return Envelope(
        order.stay, new, order.biologist, laboratory.TITLE, "", order, told.rank, told.gone
    )


def _drug(chart: Chart, told: drugs.Telling) -> Envelope:
    fact, title = told.fact, drugs.PRESCRIPTION[1]
    who = fact.prescriber if isinstance(fact, Prescription) else fact.nurse
    if isinstance(fact, Administration):
        title = drugs.NOTE[1]
    new = Document(
        told.code, told.number, told.root, chart.person.id, told.told.at,
        _stated(chart, fact.stay, (fact.id,)),
    )  # fmt: skip
    if told.gone:
        new.marks["cancel"] = True
    elif told.rank > 1:
        new.marks["correction"] = True
    return Envelope(fact.stay, new, who, title, "", None, told.rank, told.gone)


def _taken_back(held: Envelope, when: dt.datetime) -> Envelope:
    old = held.document
    new = Document(old.code, old.number, old.root, old.patient, when, old.facts)
    new.marks["cancel"] = True
    return held._replace(document=new, gone=True)


def _stated(chart: Chart, stay: Stay, facts: tuple[str, ...]) -> tuple[str, ...]:
    """The facts of a document: its own, and whose it is and in which stay."""
    identity: Fact = chart.facts[0]
    return (*facts, identity.id, stay.id)


def _delay(files: list[Document], rng: Random) -> None:
    for new in files:
        if rng.random() < 0.02:
            new.arrival += dt.timedelta(minutes=rng.randint(60, 20_000))
            new.marks["late"] = True
