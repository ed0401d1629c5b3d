"""Claim: the PMSI of one stay (diagnoses and CCAM acts), whole in each version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Act, ActTold, Diagnosis, DiagnosisTold, Stay
from entrepot.synthetic.fhir.elements import (
    CODE_SYSTEM,
    SYSTEMS,
    TERMINOLOGY,
    Element,
    coding,
    concept,
    opaque,
    present,
    professional,
    reference,
)
from entrepot.synthetic.fhir.encounters import encounter_id
from entrepot.synthetic.fhir.patients import patient_id
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.times import instant


def messages(chart: Chart) -> Iterator[Resource]:
    """Every version of every Claim of one patient, in no order."""
    for stay in chart.stays:
        facts = [f for f in chart.facts if isinstance(f, (Diagnosis, Act)) and f.stay is stay]
        times = sorted({telling.at for fact in facts for telling in fact.tellings})
        for rank, when in enumerate(times):
            yield _claim(chart, stay, facts, when, first=rank == 0)


def _claim(
    chart: Chart, stay: Stay, facts: list[Diagnosis | Act], when: dt.datetime, *, first: bool
) -> Resource:
    rng = stream(chart.seed, chart.person.index, f"fhir claim {stay.nda} {when}")
    told = [(fact, _last(fact, when)) for fact in facts]
    held = [(f, t) for f, t in told if t is not None and t.action != "D"]
    operators = [fact.doctor for fact, _ in held if isinstance(fact, Act)]
    doctors = list(dict.fromkeys([stay.attending, *operators]))
    content = present(
        status="active",
        type=concept(coding(TERMINOLOGY + "claim-type", "institutional")),
        use="claim",
        patient=reference("Patient", patient_id(chart.seed, stay.ipp), rng),
        billablePeriod=_days(stay),
        created=instant(when),
        provider={"reference": "Organization/ch-synthetique"},
        priority=concept(coding(TERMINOLOGY + "processpriority", "normal")),
        careTeam=[
            {"sequence": rank, "provider": professional(chart.seed, doctor, rng)}
            for rank, doctor in enumerate(doctors, 1)
        ],
        diagnosis=_diagnoses(held),
        procedure=_procedures(held),
        insurance=[{"sequence": 1, "focal": True, "coverage": {"display": "Assurance maladie"}}],
        item=[_item(chart, stay, rng)],
    )
    key = opaque(chart.seed, "Claim", stay.nda)
    stated = tuple(fact.id for fact, telling in told if telling is not None)
    new = Resource("Claim", key, content, chart.person.id, when, stated)
    if rng.random() < 0.15:
        new.bundle = f"transaction {stay.nda} {when}"
    if any(t is not None and t.action == "D" and t.at == when for _, t in told):
        new.marks["cancel"] = True
    if not first:
        new.marks["correction"] = True
    return new


def _days(stay: Stay) -> Element:
    """The days of the stay: diagnoses are of the last one."""
    return present(start=f"{stay.start:%Y-%m-%d}", end=f"{stay.end:%Y-%m-%d}" if stay.end else "")


def _last(fact: Diagnosis | Act, when: dt.datetime) -> DiagnosisTold | ActTold | None:
    """How the fact was last told up to `when`."""
    told: list[DiagnosisTold | ActTold] = [t for t in fact.tellings if t.at <= when]
    return told[-1] if told else None


def _diagnoses(held: list[tuple[Diagnosis | Act, DiagnosisTold | ActTold]]) -> list[Element]:
    found: list[Element] = []
    for fact, told in held:
        if isinstance(fact, Diagnosis) and isinstance(told, DiagnosisTold):
            code = fact.written if told.code == fact.code else told.code.code
            kind = coding(CODE_SYSTEM + "pmsi-type-diagnostic", told.rank)
            found.append(
                {
                    "sequence": len(found) + 1,
                    "diagnosisCodeableConcept": concept(
                        coding(SYSTEMS["CIM10"], code, told.code.label)
                    ),
                    "type": [concept(kind)],
                }
            )
    return found


def _procedures(held: list[tuple[Diagnosis | Act, DiagnosisTold | ActTold]]) -> list[Element]:
    found: list[Element] = []
    for fact, _ in held:
        if isinstance(fact, Act):
            codings = (
                coding(CODE_SYSTEM + "ccam-activite", fact.activity),
                coding(CODE_SYSTEM + "ccam-phase", fact.phase),
            )
            found.append(
                {
                    "sequence": len(found) + 1,
                    "type": [concept(one) for one in codings],
                    "date": instant(fact.at),
                    "procedureCodeableConcept": concept(
                        coding(SYSTEMS["CCAM"], fact.code.code, fact.code.label)
                    ),
                }
            )
    return found


def _item(chart: Chart, stay: Stay, rng: Random) -> Element:
    """The stay as the one line of the claim: R4 links a claim to a stay here alone."""
    return {
        "sequence": 1,
        "productOrService": concept(text="Séjour"),
        "encounter": [reference("Encounter", encounter_id(chart.seed, stay.nda), rng)],
    }
