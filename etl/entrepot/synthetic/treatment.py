"""Drugs of a stay: prescriptions, administrations, vaccinations, and their corrections."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import DRUGS, VACCINES, Drug
from entrepot.synthetic.facts import Stay
from entrepot.synthetic.orders import Administration, DrugTold, Prescription
from entrepot.synthetic.times import settled

CHILDREN = ("J01CA04", "R03AC02")  # ATC of what children get here
MOMENTS = {1: "le matin", 2: "matin et soir", 3: "matin, midi et soir", 4: "toutes les 6 heures"}


def treat(chart: Chart, stay: Stay) -> None:
    """Adds the stay's prescriptions, administrations and vaccinations."""
    if stay.cancelled or not stay.realised or stay.setting == "birth":
        return
    rng = chart.rng
    class_code = stay.classes[-1][1]
    if class_code == "O":
        if rng.random() < 0.12:
            _vaccinate(chart, stay)
        return
    wanted = {"E": rng.randint(0, 1), "R": 1}.get(class_code, rng.randint(2, 4))
    known = DRUGS
    if chart.age_at(stay.start) < 15:
        known, wanted = tuple(drug for drug in DRUGS if drug.atc in CHILDREN), min(wanted, 1)
    for drug in rng.sample(known, wanted):
        _prescribe(chart, stay, drug)


def _prescribe(chart: Chart, stay: Stay, drug: Drug) -> None:
    rng = chart.rng
    start = settled((stay.start + chart.minutes(30, 400)).replace(second=0))
    stop = stay.end or start + dt.timedelta(days=5)
    planned = settled(start + dt.timedelta(days=rng.randint(1, 7)))
    end: dt.datetime | None = None if rng.random() < 0.15 else planned
    first = dose = drug.dose
    draw = rng.random()
    if draw < 0.10:
        first = str(Decimal(dose) * 2)
    new = Prescription(
        chart.fact_id("prescription"),
        stay.patient,
        stay.ipp,
        stay,
        chart.number("prescription", 11),
        drug,
        dose,
        drug.per_day,
        start,
        end,
        stay.attending,
        _sig(drug, dose),
    )
    told = start + chart.minutes(1, 20)
    new.tellings.append(DrugTold("NW", told, first, end))
    later = told + chart.minutes(60, 300)
    if draw < 0.10:
        new.tellings.append(DrugTold("XO", later, dose, end))
    elif draw < 0.18:
        new.end = end = later.replace(second=0)
        new.tellings.append(DrugTold("DC", later, dose, end))
    elif draw < 0.22:
        new.cancelled = True
        new.tellings.append(DrugTold("CA", later, dose, end))
    chart.add(new)
    if not new.cancelled:
        _administer(chart, new, min(stop, end or stop))


def _sig(drug: Drug, dose: str) -> str:
    return f"{dose.replace('.', ',')} {drug.unit} {MOMENTS[drug.per_day]}"


def _administer(chart: Chart, order: Prescription, until: dt.datetime) -> None:
    step = dt.timedelta(hours=24 // order.per_day)
    for number in range(1, chart.rng.randint(2, 5)):
        start = settled(order.start + (number - 1) * step + chart.minutes(10, 40))
        if start < until or number == 1:
            _give(chart, order, number, start)


def _give(chart: Chart, order: Prescription, number: int, start: dt.datetime) -> None:
    rng = chart.rng
    infused = order.drug.route == "IV"
    new = Administration(
        chart.fact_id("administration"),
        order.patient,
        order.ipp,
        order.stay,
        order.order,
        number,
        order.drug,
        order.dose,
        order.drug.unit,
        order.drug.route,
        start,
        start + chart.minutes(15, 60) if infused else start,
        rng.choice(chart.staff.clerks),
    )
    told = start + chart.minutes(1, 45)
    draw = rng.random()
    if draw < 0.05:
        new.status = rng.choice(("RE", "NA"))
    elif draw < 0.08:
        new.status, new.dose = "PA", str(Decimal(order.dose) / 2)
    new.tellings.append(DrugTold("A", told, new.dose, new.end))
    if 0.08 <= draw < 0.11:
        new.cancelled = True
        new.tellings.append(DrugTold("D", told + chart.minutes(5, 90), new.dose, new.end))
    elif 0.11 <= draw < 0.14:
        wrong = str(Decimal(new.dose) * 10)
        new.tellings = [
            DrugTold("A", told, wrong, new.end),
            DrugTold("U", told + chart.minutes(5, 90), new.dose, new.end),
        ]
    chart.add(new)


def _vaccinate(chart: Chart, stay: Stay) -> None:
    vaccine = chart.rng.choice(VACCINES)
    at = (stay.start + chart.minutes(10, 40)).replace(second=0)
    new = Administration(
        chart.fact_id("administration"),
        stay.patient,
        stay.ipp,
        stay,
        chart.number("vaccination", 11),
        1,
        vaccine,
        vaccine.dose,
        "mL",
        "IM",
        at,
        at,
        stay.attending,
        lot=f"LOT{chart.rng.randint(10_000, 99_999)}",
    )
    new.tellings.append(DrugTold("A", at + chart.minutes(2, 30), new.dose, at))
    chart.add(new)
