"""Resources of which no row may be found: damaged, of another FHIR version, of nobody, no fact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.fhir.elements import (
    CODE_SYSTEM,
    LOINC,
    Element,
    coding,
    concept,
    extension,
    opaque,
    period,
    quantity,
    reference,
)
from entrepot.synthetic.fhir.patients import patient_id
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.times import instant

EVERY = 30  # one bad resource of each sort in thirty patients


def bad(chart: Chart) -> Iterator[Resource]:
    """The patient's bad resource, if the rank asks for one."""
    make = BAD.get(chart.person.index % EVERY)
    if make:
        stay = chart.stays[0]
        sent = stay.start + dt.timedelta(minutes=50)
        rng = stream(chart.seed, chart.person.index, "fhir bad")
        target = patient_id(chart.seed, stay.ipp)
        new = make(chart, sent, reference("Patient", target, rng), rng)
        new.key = opaque(chart.seed, "bad", new.kind, chart.person.id)
        yield new


def _new(chart: Chart, kind: str, sent: dt.datetime, content: Element, why: str) -> Resource:
    return Resource(kind, "", content, chart.person.id, sent, marks={"bad": why})


def _heart_rate(subject: Element, sent: dt.datetime) -> Element:
    return {
        "status": "final",
        "code": concept(coding(LOINC, "8867-4", "Fréquence cardiaque")),
        "subject": subject,
        "effectiveDateTime": instant(sent),
        "valueQuantity": quantity("72", "/min"),
    }


def _later_version(chart: Chart, sent: dt.datetime, subject: Element, rng: Random) -> Resource:
    """An Encounter of FHIR R5: class is a list, the period is `actualPeriod`."""
    classes = [concept(coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB"))]
    content: Element = {
        "status": "completed",
        "class": classes,
        "subject": subject,
        "actualPeriod": period(sent),
    }
    return _new(chart, "Encounter", sent, content, "not_r4")


def _modified(chart: Chart, sent: dt.datetime, subject: Element, rng: Random) -> Resource:
    """A modifier that no reader knows may say the contrary."""
    modifier = extension(CODE_SYSTEM + "modificateur", valueBoolean=True)
    content = {"modifierExtension": [modifier], **_heart_rate(subject, sent)}
    return _new(chart, "Observation", sent, content, "modifier_extension_unknown")


def _cut(chart: Chart, sent: dt.datetime, subject: Element, rng: Random) -> Resource:
    """The export was interrupted in the middle of a line."""
    new = _new(chart, "Observation", sent, _heart_rate(subject, sent), "invalid_json")
    new.cut = True
    return new


def _order(chart: Chart, sent: dt.datetime, subject: Element, rng: Random) -> Resource:
    content: Element = {
        "status": "active",
        "intent": "order",
        "code": concept(text="Numération"),
        "subject": subject,
        "authoredOn": instant(sent),
    }
    return _new(chart, "ServiceRequest", sent, content, "order")


def _appointment(chart: Chart, sent: dt.datetime, subject: Element, rng: Random) -> Resource:
    content: Element = {
        "status": "booked",
        "start": instant(sent + dt.timedelta(days=20)),
        "end": instant(sent + dt.timedelta(days=20, minutes=15)),
        "participant": [{"actor": subject, "status": "accepted"}],
    }
    return _new(chart, "Appointment", sent, content, "scheduling")


def _of_nobody(chart: Chart, sent: dt.datetime, subject: Element, rng: Random) -> Resource:
    """The Patient was never exported."""
    unknown = reference("Patient", opaque(chart.seed, "nobody", chart.person.id), rng)
    return _new(chart, "Observation", sent, _heart_rate(unknown, sent), "subject_unknown")


BAD: dict[int, Callable[[Chart, dt.datetime, Element, Random], Resource]] = {
    1: _later_version,
    5: _modified,
    9: _cut,
    13: _order,
    20: _appointment,
    25: _of_nobody,
}
