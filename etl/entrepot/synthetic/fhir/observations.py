"""Observation: the laboratory's results, one resource each, a version at each report."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import Lab
from entrepot.synthetic.fhir.elements import (
    LOCAL_CODES,
    LOINC,
    ORDERS,
    TERMINOLOGY,
    Element,
    coding,
    concept,
    extension,
    identifier,
    opaque,
    present,
    professional,
    quantity,
    reference,
)
from entrepot.synthetic.fhir.encounters import encounter_reference
from entrepot.synthetic.fhir.patients import patient_id
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.laboratory import flag
from entrepot.synthetic.message import Ident
from entrepot.synthetic.orders import Order, Report, Result, Value
from entrepot.synthetic.times import instant

STATUSES = {  # OBX-11 -> Observation.status
    "F": "final",
    "C": "corrected",
    "P": "preliminary",
    "X": "cancelled",
    "D": "entered-in-error",
    "W": "entered-in-error",
}
SPECIMENS = {"URINE": ("UR", "Urine"), "BACT": ("BLD", "Sang total"), "VIRO": ("NPH", "Nez")}
SUB_ID = "http://hl7.org/fhir/StructureDefinition/observation-v2-subid"


def messages(chart: Chart) -> Iterator[Resource]:
    """Every version of every Observation of one patient, in no order."""
    for order in chart.orders:
        for number, report in enumerate(order.reports):
            yield from _report(chart, order, report, number)


def _report(chart: Chart, order: Order, report: Report, number: int) -> Iterator[Resource]:
    rng = stream(chart.seed, chart.person.index, f"fhir order {order.filler} {number}")
    draw = rng.random()
    carrier = "transaction" if draw < 0.15 else "message" if draw < 0.22 else ""
    erased = rng.random() < 0.5
    for result, status, value in report.lines:
        new = _observation(chart, result, status, value, report, rng)
        if status == "D" and erased:
            new.deleted, carrier = True, "transaction"
        if carrier:
            new.bundle = f"{carrier} {order.filler} {number}"
        if report.late:
            new.arrival += report.late
            new.marks["late"] = True
        yield new


def _observation(
    chart: Chart, result: Result, status: str, value: Value, report: Report, rng: Random
) -> Resource:
    order, lab = result.order, result.lab
    content = present(
        extension=_sub_id(result),
        contained=[_specimen(lab)],
        identifier=[identifier(Ident(order.filler, "AUTRE_ID"), ORDERS["SIL"], "FILL")],
        basedOn=[
            {
                "type": "ServiceRequest",
                "identifier": identifier(Ident(order.placer, "AUTRE_ID"), ORDERS["DPI"], "PLAC"),
            }
        ],
        status=STATUSES[status],
        category=[concept(coding(TERMINOLOGY + "observation-category", "laboratory"))],
        code=_analysis(lab, rng),
        subject=reference("Patient", patient_id(chart.seed, result.ipp), rng),
        encounter=encounter_reference(chart, order.stay, rng),
        effectiveDateTime=instant(result.at, "utc" if order.style == "utc" else "local"),
        issued=instant(report.at),
        performer=[professional(chart.seed, order.biologist, rng)],
        **_value(result, value),
        interpretation=_interpretation(result, value),
        note=_note(order, result, status),
        specimen={"reference": "#specimen"},
        referenceRange=_range(result),
    )
    key = opaque(chart.seed, "Observation", result.id)
    new = Resource("Observation", key, content, chart.person.id, report.at, (result.id,))
    new.style = "utc" if order.style == "utc" else "local"
    if status in ("D", "W"):
        new.marks["cancel"] = True
    elif status == "C":
        new.marks["correction"] = True
    return new


def _sub_id(result: Result) -> list[Element]:
    if not result.sub_id:
        return []
    original = extension("original-sub-identifier", valueString=result.sub_id)
    return [extension(SUB_ID, extension=[original])]


def _specimen(lab: Lab) -> Element:
    code, label = SPECIMENS.get(lab.panel, ("BLD", "Sang total"))
    return {
        "resourceType": "Specimen",
        "id": "specimen",
        "type": concept(coding(TERMINOLOGY + "v2-0487", code, label)),
    }


def _analysis(lab: Lab, rng: Random) -> Element:
    local = coding(LOCAL_CODES, lab.local, lab.label)
    if not lab.loinc:
        return concept(local, text=lab.label)
    standard = coding(LOINC, lab.loinc, lab.label)
    codings = (local, standard) if rng.random() < 0.3 else (standard, local)
    return concept(*codings, text=lab.label)


def _value(result: Result, value: Value) -> Element:
    if value.number:
        return {"valueQuantity": quantity(value.number, result.unit, value.operator)}
    if value.code:
        return {"valueCodeableConcept": concept(
            coding(LOCAL_CODES, value.code, value.label), text=value.label)}  # fmt: skip
    if value.written:
        return {"valueString": value.written}
    return {"dataAbsentReason": concept(coding(TERMINOLOGY + "data-absent-reason", "error"))}


def _interpretation(result: Result, value: Value) -> list[Element]:
    found = flag(result, value)
    kinds = TERMINOLOGY + "v3-ObservationInterpretation"
    return [concept(coding(kinds, found))] if found else []


def _note(order: Order, result: Result, status: str) -> list[Element]:
    comment = order.comments.get(result.id)
    return [{"text": comment}] if comment and status in ("F", "C") else []


def _range(result: Result) -> list[Element]:
    bounds = {"low": result.low, "high": result.high}
    found: Element = {name: quantity(bound, result.unit) for name, bound in bounds.items() if bound}
    return [found] if found else []
