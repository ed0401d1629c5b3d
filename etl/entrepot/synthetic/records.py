"""One patient's records in every format: what each feed tells, in the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from entrepot.synthetic import (
    admissions,
    documents,
    itinerary,
    laboratory,
    links,
    mishaps,
    pharmacy,
    pmsi,
)
from entrepot.synthetic.cda import Document
from entrepot.synthetic.cda import documents as cda_documents
from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.fhir import Resource, resources
from entrepot.synthetic.message import Message
from entrepot.synthetic.population import person as draw_person
from entrepot.synthetic.telling import CDA, FHIR, FORMATS, HL7V2, allotted, part
from entrepot.synthetic.truth import Record

WHOLE = (admissions, links)
CLINICAL = (laboratory, pmsi, pharmacy, documents)


class PatientRecords(NamedTuple):
    """One patient's chart, complete, and the records that tell it."""

    chart: Chart
    messages: list[Message]
    resources: list[Resource]
    documents: list[Document]


def patient_messages(seed: int, index: int) -> tuple[Chart, list[Message]]:
    """One patient's chart, complete, and the messages that tell it, in the order of arrival."""
    told = patient_records(seed, index, (HL7V2,), 0)
    return told.chart, told.messages


def patient_records(seed: int, index: int, formats: Sequence[str], twice: float) -> PatientRecords:
    """One patient's records; the chart is the same whatever the formats."""
    chart = Chart.open(seed, draw_person(seed, index))
    itinerary.live(chart)
    messages = [message for feed in WHOLE for message in feed.messages(chart)]
    allotment = allotted(chart, formats, twice)
    clinical = part(chart, allotment, HL7V2)
    messages += [message for feed in CLINICAL for message in feed.messages(clinical)]
    files: list[Document] = []
    if CDA in formats:
        files, carried = cda_documents(part(chart, allotment, CDA), transmitted=HL7V2 in formats)
        messages += carried
    messages = mishaps.spoil(chart, messages, stream(seed, index, "mishaps"))
    messages.sort(key=lambda m: (m.arrival, m.id))
    found = PatientRecords(
        chart,
        messages if HL7V2 in formats else [],
        resources(chart, part(chart, allotment, FHIR)) if FHIR in formats else [],
        files,
    )
    _mark_told(chart, [*found.messages, *found.resources, *found.documents])
    return found


def _mark_told(chart: Chart, records: Iterable[Record]) -> None:
    told: dict[str, set[str]] = {}
    for record in records:
        if "bad" not in record.marks:
            for stated in record.facts:
                told.setdefault(stated, set()).add(record.carries or record.format)
    for fact in chart.facts:
        fact.told_in = tuple(name for name in FORMATS if name in told.get(fact.id, ()))
