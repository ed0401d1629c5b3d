"""The pharmacy's feed: RDE^O11 prescriptions, RAS^O17 administrations, VXU^V04 vaccinations."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import Drug, Vaccine
from entrepot.synthetic.facts import Stay
from entrepot.synthetic.message import Field, Ident, Message, Segment
from entrepot.synthetic.orders import Administration, DrugTold, Prescription
from entrepot.synthetic.times import minute, stamp

STATUS = {"CA": "CA", "DC": "DC"}


def messages(chart: Chart) -> Iterator[Message]:
    """Every message of the pharmacy about one patient, in no order."""
    for fact in chart.facts:
        if isinstance(fact, Prescription):
            for told in fact.tellings:
                yield _rde(chart, fact, told)
        elif isinstance(fact, Administration):
            for told in fact.tellings:
                yield _administered(chart, fact, told)


def _head(chart: Chart, stay: Stay, told: DrugTold) -> list[Segment]:
    return [
        seg.short_pid(chart.person, told.at, stay.ipp, stay.nda),
        visit.brief_pv1(stay, told.at, keyed=False),
    ]


def _rde(chart: Chart, fact: Prescription, told: DrugTold) -> Message:
    parts = _head(chart, fact.stay, told)
    parts.append(
        Segment(
            "ORC",
            {
                1: told.action,
                2: _order(fact.order),
                5: STATUS.get(told.action, "IP"),
                9: stamp(told.at),
                12: fact.prescriber.xcn(),
            },
        )
    )
    parts += [_rxe(fact, told), _tq1(fact, told)]
    parts.append(Segment("RXR", {1: [fact.drug.route, "", "HL70162"]}))
    new = Message("pharma", "RDE^O11^RDE_O11", chart.person.id, told.at, parts, (fact.id,))
    if told.action == "CA":
        new.marks["cancel"] = True
    elif told.action != "NW":
        new.marks["correction"] = True
    return new


def _rxe(fact: Prescription, told: DrugTold) -> Segment:
    end = minute(told.end) if told.end else ""
    return Segment(
        "RXE",
        {
            1: ["", "", "", minute(fact.start), end],
            2: _code(fact.drug),
            3: told.dose,
            5: [fact.drug.unit],
            7: ["", fact.sig],
            15: Ident(fact.order, "AUTRE_ID"),
        },
    )


def _tq1(fact: Prescription, told: DrugTold) -> Segment:
    return Segment(
        "TQ1",
        {
            1: "1",
            2: [told.dose, [fact.drug.unit]],
            3: f"Q{24 // fact.per_day}H",
            7: minute(fact.start),
            8: minute(told.end) if told.end else "",
        },
    )


def _administered(chart: Chart, fact: Administration, told: DrugTold) -> Message:
    vaccine = isinstance(fact.drug, Vaccine)
    parts = _head(chart, fact.stay, told)
    parts.append(Segment("ORC", {1: "RE", 2: _order(fact.order), 9: stamp(told.at)}))
    parts.append(
        Segment(
            "RXA",
            {
                1: "0",
                2: str(fact.number),
                3: minute(fact.start),
                4: minute(fact.end) if fact.end else "",
                5: _code(fact.drug),
                6: told.dose,
                7: [fact.unit],
                10: fact.nurse.xcn(),
                15: Ident(fact.lot, "AUTRE_ID") if fact.lot else "",
                20: fact.status,
                21: told.action,
            },
        )
    )
    parts.append(Segment("RXR", {1: [fact.route, "", "HL70162"]}))
    event = "VXU^V04^VXU_V04" if vaccine else "RAS^O17^RAS_O17"
    new = Message("pharma", event, chart.person.id, told.at, parts, (fact.id,))
    if told.action == "D":
        new.marks["cancel"] = True
    elif told.action == "U":
        new.marks["correction"] = True
    return new


def _order(number: str) -> Field:
    return [Ident(number, "AUTRE_ID"), "PHARMA"]


def _code(drug: Drug | Vaccine) -> Field:
    if isinstance(drug, Vaccine):
        return [drug.code, drug.label, drug.system, drug.cvx, "", "CVX"]
    if drug.system == "ATC":
        return [drug.code, drug.label, "ATC"]
    return [drug.code, drug.label, drug.system, drug.atc, drug.substance, "ATC"]
