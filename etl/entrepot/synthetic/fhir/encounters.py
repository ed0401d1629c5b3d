"""Encounter: a version each time that a movement of the stay is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Movement, Stay, Told
from entrepot.synthetic.fhir.elements import (
    CODE_SYSTEM,
    FR_SYSTEM,
    HOSPITAL,
    TERMINOLOGY,
    Element,
    coding,
    concept,
    department_id,
    identifier,
    opaque,
    period,
    present,
    professional,
    reference,
    unit_reference,
)
from entrepot.synthetic.fhir.patients import patient_id
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.message import Ident

CLASSES = {"I": "IMP", "O": "AMB", "E": "EMER", "R": "AMB", "P": "PRENC"}
LEAVES = ("A21", "A22")  # a leave is no change of unit


def encounter_id(seed: int, nda: str) -> str:
    """Logical id of a stay."""
    return opaque(seed, "Encounter", nda)


def encounter_reference(chart: Chart, stay: Stay, rng: Random) -> Element:
    """Reference to a stay: by address or, now and then, by its NDA alone."""
    if rng.random() < 0.1:
        return {"identifier": visit_number(stay)}
    return reference("Encounter", encounter_id(chart.seed, stay.nda), rng)


def visit_number(stay: Stay) -> Element:
    """Identifier of a stay: the NDA, of type VN."""
    kinds = FR_SYSTEM + "fr-core-cs-identifier-type"
    return identifier(Ident(stay.nda, "NDA"), HOSPITAL, "VN", kinds)


def messages(chart: Chart) -> Iterator[Resource]:
    """Every version of every Encounter of one patient, in no order."""
    for stay in chart.stays:
        tellings = [told for movement in stay.movements for told in movement.tellings]
        for when in sorted({told.at for told in tellings}):
            yield _encounter(chart, stay, when)


def _encounter(chart: Chart, stay: Stay, when: dt.datetime) -> Resource:
    rng = stream(chart.seed, chart.person.index, f"fhir stay {stay.nda} {when}")
    held = list(_held(stay, when))
    end, mode = stay.exit_at(when)
    content = present(
        profile="fr-core-encounter",
        identifier=[visit_number(stay)],
        status=_status(stay, when, held),
        class_=_class(stay.class_at(when)),
        classHistory=_class_history(stay, when, end),
        type=[_type(stay)],
        subject=reference("Patient", patient_id(chart.seed, stay.ipp), rng),
        participant=[_attending(chart, stay, rng)],
        period=period(stay.start, end),
        hospitalization=_hospitalization(stay, mode),
        location=_locations(stay, when, held, rng),
        serviceProvider=_department(stay, held),
    )
    named = [m.id for m in stay.movements if m.event not in LEAVES and m.tellings[0].at <= when]
    key = encounter_id(chart.seed, stay.nda)
    new = Resource("Encounter", key, content, chart.person.id, when, (stay.id, *named))
    actions = {t.action for m in stay.movements for t in m.tellings if t.at == when}
    if actions - {"INSERT"}:
        new.marks["cancel" if "CANCEL" in actions else "correction"] = True
    return new


def _held(stay: Stay, when: dt.datetime) -> Iterator[tuple[Movement, Told]]:
    """The movements that hold by what was told up to `when`, each as it was last told."""
    for movement in stay.movements:
        told = [told for told in movement.tellings if told.at <= when]
        if told and told[-1].action != "CANCEL":
            yield movement, told[-1]


def _status(stay: Stay, when: dt.datetime, held: list[tuple[Movement, Told]]) -> str:
    if not held:
        return "cancelled" if stay.class_at(when) == "P" else "entered-in-error"
    if stay.class_at(when) == "P":
        return "planned"
    return "finished" if stay.exit_at(when)[0] else "in-progress"


def _department(stay: Stay, held: list[tuple[Movement, Told]]) -> Element:
    """The UF that took the patient in."""
    first = min(held, key=lambda pair: (pair[1].start, pair[0].number), default=None)
    unit = first[1].unit if first else stay.movements[0].unit
    return {"reference": f"Organization/{department_id(unit)}"}


def _class(code: str) -> Element:
    return coding(TERMINOLOGY + "v3-ActCode", CLASSES[code])


def _type(stay: Stay) -> Element:
    """What v3-ActCode has no class for: a séance."""
    code = "SEANCE" if stay.classes[-1][1] == "R" else "SEJOUR"
    return concept(coding(CODE_SYSTEM + "type-venue", code))


def _class_history(stay: Stay, when: dt.datetime, end: dt.datetime | None) -> list[Element]:
    """Classes in the order of the movements that changed them; none when it never changed."""
    changes: list[tuple[dt.datetime, str]] = []
    for movement, told in sorted(_held(stay, when), key=lambda pair: pair[1].start):
        if movement.event not in ("A03", "A05") and (
            not changes or changes[-1][1] != movement.class_code
        ):
            changes.append((told.start, movement.class_code))
    if len(changes) < 2:
        return []
    ends = [start for start, _ in changes[1:]] + [end]
    return [
        {"class": _class(code), "period": period(start, until)}
        for (start, code), until in zip(changes, ends, strict=True)
    ]


def _attending(chart: Chart, stay: Stay, rng: Random) -> Element:
    kind = concept(coding(TERMINOLOGY + "v3-ParticipationType", "ATND"))
    return {"type": [kind], "individual": professional(chart.seed, stay.attending, rng)}


def _hospitalization(stay: Stay, mode: str) -> Element:
    found = {"admitSource": concept(coding(CODE_SYSTEM + "pmsi-mode-entree", stay.entry))}
    if mode:
        found["dischargeDisposition"] = concept(coding(CODE_SYSTEM + "pmsi-mode-sortie", mode))
    return present(**found)


def _locations(
    stay: Stay, when: dt.datetime, held: list[tuple[Movement, Told]], rng: Random
) -> list[Element]:
    """The units, each until the next movement that holds, else the end of the stay."""
    planned = stay.class_at(when) == "P"
    moves = sorted(
        (
            (told.start, movement.number, movement.event, told)
            for movement, told in held
            if movement.event not in LEAVES and (movement.event != "A05" or planned)
        ),
        key=lambda move: move[:2],
    )
    end, _ = stay.exit_at(when)
    found: list[Element] = []
    for place, (start, _, event, told) in enumerate(moves, 1):
        if event == "A03":
            continue
        until = moves[place][0] if place < len(moves) else end
        status = "planned" if planned else "completed" if until else "active"
        found.append(
            {
                "location": unit_reference(told.unit, rng),
                "status": status,
                "period": period(start, until),
            }
        )
    return found
