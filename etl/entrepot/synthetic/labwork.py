"""Laboratory orders of a stay: values, and how reports preceded, corrected or withdrew them."""

from __future__ import annotations

import datetime as dt
from random import Random

from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import LABS, Lab
from entrepot.synthetic.facts import Stay
from entrepot.synthetic.message import Ident, Said, Text
from entrepot.synthetic.orders import Order, Report, Result, Value
from entrepot.synthetic.times import settled

USUAL = ("NFS", "IONO", "RENAL", "INFL", "HEPAT")
OTHER = ("GLYC", "LIPID", "COAG", "HORM", "URINE", "BACT", "VIRO")
NEUTRAL = (
    "Prélèvement hémolysé, à contrôler.",
    "Résultat vérifié sur un second tube.",
    "Quelques amas plaquettaires.",
    "Flore polymorphe, sans prédominance. Signe de contamination possible.",
    "Examen direct : rares leucocytes, absence de germe.",
)


def order_labs(chart: Chart, stay: Stay) -> None:
    """Adds the stay's orders."""
    if stay.cancelled or not stay.realised:
        return
    rng = chart.rng
    if stay.classes[-1][1] == "O":
        if rng.random() < 0.45:
            for panel in rng.sample(USUAL + OTHER, rng.randint(1, 2)):
                order(chart, stay, panel, stay.start + chart.minutes(15, 50))
        return
    first = settled(stay.start + chart.minutes(10, 90))
    if stay.classes[-1][1] == "R" or stay.setting == "birth":
        order(chart, stay, "NFS", first)
        return
    for panel in [*rng.sample(USUAL, rng.randint(2, 4)), *rng.sample(OTHER, rng.randint(0, 2))]:
        order(chart, stay, panel, first)
    end = stay.end or stay.start + dt.timedelta(days=4)
    for number in range(1, min(5, (end - stay.start).days)):
        morning = first.replace(hour=6, minute=rng.randint(0, 59)) + dt.timedelta(days=number)
        if morning < end:
            order(chart, stay, rng.choice(("NFS", "IONO", "INFL", "RENAL")), settled(morning))


def order(chart: Chart, stay: Stay, panel: str, observed: dt.datetime) -> None:
    """One order and its reports."""
    rng = chart.rng
    observed = settled(observed.replace(second=0))
    draw = rng.random()
    style = "offset" if draw < 0.15 else "utc" if draw < 0.25 else "local"
    new = Order(
        stay,
        chart.number("placer", 11),
        "L" + chart.number("filler", 11),
        panel,
        observed,
        stay.attending,
        rng.choice(chart.staff.biologists),
        style,
    )
    for lab in _chosen(panel, chart):
        for sub_id in ("1", "2") if lab.local == "HEMOC" else ("",):
            new.results.append(_result(chart, new, lab, sub_id))
    _report(chart, new)
    for result in new.results:
        if (not result.lab.texts and rng.random() < 0.05) or result.sub_id == "1":
            new.comments[result.id] = _comment(chart)
        chart.add(result)
    chart.orders.append(new)


def _chosen(panel: str, chart: Chart) -> list[Lab]:
    rng, sex = chart.rng, chart.person.final.sex
    found = [lab for lab in LABS if lab.panel == panel and (lab.local != "PSA" or sex == "M")]
    if panel == "RENAL":  # a laboratory gives creatinine in one unit
        other = rng.choice(("CREA", "CREAM"))
        found = [lab for lab in found if lab.local != other]
    return found if len(found) < 4 else [lab for lab in found if rng.random() < 0.8] or found[:1]


def _result(chart: Chart, order: Order, lab: Lab, sub_id: str) -> Result:
    rng = chart.rng
    other = bool(lab.other_unit) and rng.random() < 0.2
    factor = lab.other_factor if other else 1
    low, high = (_scaled(bound, factor) for bound in (lab.low, lab.high))
    at = settled(order.observed + dt.timedelta(minutes=rng.choice((0, 0, 0, 5, 12))))
    return Result(
        chart.fact_id("result"),
        order.stay.patient,
        order.stay.ipp,
        order,
        lab,
        lab.other_unit if other else lab.unit,
        low,
        high,
        at,
        draw_value(lab, factor, rng),
        sub_id=sub_id,
    )


def _scaled(bound: str, factor: int) -> str:
    return bound if factor == 1 or not bound else f"{float(bound) * factor:.0f}"


def draw_value(lab: Lab, factor: int, rng: Random) -> Value:
    """One value of `lab`: number, comparison, French text, word or code."""
    if lab.texts:
        text = rng.choice(lab.texts)
        code, _, label = text.partition("^")
        return Value("CWE", label, code=code, label=label) if label else Value("ST", text)
    raw = rng.gauss(lab.mean, lab.spread)
    least = lab.mean / 40
    decimals = 0 if factor > 1 else lab.decimals
    number = f"{max(raw, least) * factor:.{decimals}f}"
    if lab.value_type == "SN":
        operator = "<" if raw < least else ">" if lab.local == "DFG" and raw > 90 else ""
        number = "90" if operator == ">" else number
        if operator == "<" and rng.random() < 0.5:
            return Value("ST", "<" + number.replace(".", ","), number, "<")
        return Value("SN", operator + number, number, operator)
    if rng.random() < 0.06 and "." in number:
        return Value("ST", number.replace(".", ","), number)
    return Value("NM", number, number)


def _report(chart: Chart, order: Order) -> None:
    """Tells the order: final at once, or preliminary, corrected, deleted, withdrawn."""
    rng = chart.rng
    at = order.observed + chart.minutes(40, 240)
    late = chart.minutes(2_000, 20_000) if rng.random() < 0.03 else dt.timedelta(0)
    later = at + chart.minutes(60, 2_000)
    draw = rng.random()
    final = tuple((r, "F", r.value) for r in order.results)
    if draw < 0.12:
        early = tuple((r, "P", _other(r, rng)) for r in order.results)
        order.reports = [Report(at - chart.minutes(10, 35), early), Report(at, final, late)]
    elif draw < 0.20:
        order.reports = _corrected(order, at, later, rng)
    elif draw < 0.24:
        victim = rng.choice(order.results)
        victim.cancelled, victim.status = True, "D"
        order.reports = [Report(at, final), Report(later, ((victim, "D", victim.value),))]
    elif draw < 0.25:
        for result in order.results:
            result.cancelled, result.status = True, "W"
        withdrawn = tuple((r, "W", r.value) for r in order.results)
        order.reports = [Report(at, final), Report(later, withdrawn)]
    elif draw < 0.27:
        for result in order.results:
            result.status = "P"
        order.reports = [Report(at, tuple((r, "P", r.value) for r in order.results))]
    elif draw < 0.29 and len(order.results) > 1:
        failed = order.results[0]
        failed.status, failed.value = "X", Value(failed.value.kind, "")
        lines = tuple((r, r.status, r.value) for r in order.results)
        order.reports = [Report(at, lines)]
    else:
        order.reports = [Report(at, final, late)]


def _corrected(order: Order, at: dt.datetime, later: dt.datetime, rng: Random) -> list[Report]:
    chosen = rng.choice(order.results)
    chosen.status = "C"
    first = tuple((r, "F", _other(r, rng) if r is chosen else r.value) for r in order.results)
    whole = rng.random() < 0.5
    second = tuple((r, "C" if r is chosen else "F", r.value) for r in order.results)
    return [Report(at, first), Report(later, second if whole else ((chosen, "C", chosen.value),))]


def _other(result: Result, rng: Random) -> Value:
    return draw_value(result.lab, result.lab.other_factor if result.unit == "/mm3" else 1, rng)


def _comment(chart: Chart) -> Text:
    rng = chart.rng
    if rng.random() < 0.75:
        return Text([Said(rng.choice(NEUTRAL), "finding")])
    doctor, civil = rng.choice(chart.staff.doctors), chart.person.final
    return Text(
        [
            "Résultat téléphoné au Dr ",
            Ident(doctor.family.upper(), "NOM_PS", "professional"),
            f" pour {civil.title} ",
            Ident(civil.daily.upper(), "NOM"),
            ".",
        ]
    )
