"""MedicationRequest, MedicationAdministration and Immunization."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import Drug, Vaccine
from entrepot.synthetic.fhir.elements import (
    ORDERS,
    SYSTEMS,
    TERMINOLOGY,
    Element,
    coding,
    concept,
    identifier,
    opaque,
    period,
    present,
    product,
    professional,
    quantity,
    reference,
)
from entrepot.synthetic.fhir.encounters import encounter_reference
from entrepot.synthetic.fhir.patients import patient_id
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.message import Ident
from entrepot.synthetic.orders import Administration, DrugTold, Prescription
from entrepot.synthetic.times import instant

REQUESTED = {"NW": "active", "XO": "active", "DC": "stopped", "CA": "cancelled"}
GIVEN = {"CP": "completed", "PA": "completed", "RE": "not-done", "NA": "not-done"}


def messages(chart: Chart) -> Iterator[Resource]:
    """Every version of what one patient was prescribed and given, in no order."""
    prescribed = {fact.order for fact in chart.facts if isinstance(fact, Prescription)}
    for fact in chart.facts:
        if isinstance(fact, Prescription):
            for told in fact.tellings:
                yield _request(chart, fact, told)
        elif isinstance(fact, Administration):
            for told in fact.tellings:
                yield _given(chart, fact, told, known=fact.order in prescribed)


def _rng(chart: Chart, fact: Prescription | Administration, told: DrugTold) -> Random:
    return stream(chart.seed, chart.person.index, f"fhir {fact.id} {told.action}")


def _number(order: str) -> Element:
    return identifier(Ident(order, "AUTRE_ID"), ORDERS["PHARMA"], "PLAC")


def _codings(drug: Drug | Vaccine) -> Element:
    if isinstance(drug, Vaccine):
        return concept(
            product(drug.code, drug.system, drug.label), coding(SYSTEMS["CVX"], drug.cvx)
        )
    main = product(drug.code, drug.system, drug.label)
    if drug.system == "ATC":
        return concept(main)
    return concept(main, product(drug.atc, "ATC", drug.substance), text=drug.label)


def _medication(drug: Drug | Vaccine, rng: Random) -> Element:
    """medication[x]: coded, or a contained Medication."""
    if rng.random() < 0.6:
        return {"medicationCodeableConcept": _codings(drug)}
    held: Element = {"resourceType": "Medication", "id": "produit", "code": _codings(drug)}
    return {"contained": [held], "medicationReference": {"reference": "#produit"}}


def _route(route: str) -> Element:
    return concept(coding(TERMINOLOGY + "v2-0162", route))


def _request(chart: Chart, fact: Prescription, told: DrugTold) -> Resource:
    rng, drug = _rng(chart, fact, told), fact.drug
    repeat = {
        "boundsPeriod": period(fact.start, told.end),
        "frequency": fact.per_day,
        "period": 1,
        "periodUnit": "d",
    }
    content = present(
        **_medication(drug, rng),
        identifier=[_number(fact.order)],
        status=REQUESTED[told.action],
        intent="order",
        subject=reference("Patient", patient_id(chart.seed, fact.ipp), rng),
        encounter=encounter_reference(chart, fact.stay, rng),
        authoredOn=instant(fact.start),
        requester=professional(chart.seed, fact.prescriber, rng),
        dosageInstruction=[
            {
                "text": fact.sig,
                "timing": {"repeat": repeat},
                "route": _route(drug.route),
                "doseAndRate": [{"doseQuantity": quantity(told.dose, drug.unit)}],
            }
        ],
    )
    key = opaque(chart.seed, "MedicationRequest", fact.order)
    new = Resource("MedicationRequest", key, content, chart.person.id, told.at, (fact.id,))
    if told.action == "CA":
        new.marks["cancel"] = True
    elif told.action != "NW":
        new.marks["correction"] = True
    return new


def _given(chart: Chart, fact: Administration, told: DrugTold, *, known: bool) -> Resource:
    rng = _rng(chart, fact, told)
    if isinstance(fact.drug, Vaccine):
        new = _immunization(chart, fact, told, rng)
    else:
        new = _administration(chart, fact, told, rng, known=known)
    if told.action == "D":
        new.marks["cancel"] = True
        if rng.random() < 0.5:
            new.deleted, new.bundle = True, f"transaction {fact.id}"
    elif told.action == "U":
        new.marks["correction"] = True
    return new


def _administration(
    chart: Chart, fact: Administration, told: DrugTold, rng: Random, *, known: bool
) -> Resource:
    status = "entered-in-error" if told.action == "D" else GIVEN[fact.status]
    order = Ident(opaque(chart.seed, "MedicationRequest", fact.order), "AUTRE_ID")
    infused = fact.end is not None and fact.end != fact.start
    content = present(
        **_medication(fact.drug, rng),
        identifier=[_number(fact.order)],
        status=status,
        subject=reference("Patient", patient_id(chart.seed, fact.ipp), rng),
        context=encounter_reference(chart, fact.stay, rng),
        effectivePeriod=period(fact.start, fact.end) if infused else "",
        effectiveDateTime="" if infused else instant(fact.start),
        performer=[{"actor": professional(chart.seed, fact.nurse, rng)}],
        request=reference("MedicationRequest", order, rng)
        if known
        else {"identifier": _number(fact.order)},
        dosage={"route": _route(fact.route), "dose": quantity(told.dose, fact.unit)},
    )
    if status == "not-done":
        content["statusReason"] = [concept(text="Refus du patient")]
    key = opaque(chart.seed, "MedicationAdministration", fact.id)
    kind = "MedicationAdministration"
    return Resource(kind, key, content, chart.person.id, told.at, (fact.id,))


def _immunization(chart: Chart, fact: Administration, told: DrugTold, rng: Random) -> Resource:
    number = identifier(Ident(fact.order, "AUTRE_ID"), ORDERS["PHARMA"], "PLAC")
    content = present(
        identifier=[number],
        status="entered-in-error" if told.action == "D" else GIVEN[fact.status],
        vaccineCode=_codings(fact.drug),
        patient=reference("Patient", patient_id(chart.seed, fact.ipp), rng),
        encounter=encounter_reference(chart, fact.stay, rng),
        occurrenceDateTime=instant(fact.start),
        primarySource=True,
        lotNumber=Ident(fact.lot, "AUTRE_ID") if fact.lot else "",
        route=_route(fact.route),
        doseQuantity=quantity(told.dose, fact.unit),
        performer=[{"actor": professional(chart.seed, fact.nurse, rng)}],
    )
    posted = rng.random() < 0.3  # in a Bundle, and the server chooses the id
    key = "" if posted else opaque(chart.seed, "Immunization", fact.order)
    new = Resource("Immunization", key, content, chart.person.id, told.at, (fact.id,))
    if posted:
        new.bundle = f"transaction {fact.order}"
    return new
