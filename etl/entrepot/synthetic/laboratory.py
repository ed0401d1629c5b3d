"""The laboratory's feed: ORU^R01, one order a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import PANELS, Lab
from entrepot.synthetic.message import NULL, Field, Ident, Message, Segment
from entrepot.synthetic.orders import Order, Report, Result, Value
from entrepot.synthetic.times import in_utc, stamp, with_offset

STYLES: dict[str, Callable[[datetime], str]] = {
    "local": stamp,
    "offset": with_offset,
    "utc": in_utc,
}


def messages(chart: Chart) -> Iterator[Message]:
    """Every report of every order, in no order."""
    for order in chart.orders:
        for report in order.reports:
            yield _report(chart, order, report)


def _report(chart: Chart, order: Order, report: Report) -> Message:
    stay = order.stay
    keyed = stay.visit_number == stay.nda  # the NDA then travels in PV1-19 alone
    parts = [
        seg.short_pid(chart.person, report.at, stay.ipp, "" if keyed else stay.nda),
        visit.brief_pv1(stay, report.at, keyed=keyed),
        _orc(order, report),
        _obr(order, report),
    ]
    for number, (result, status, value) in enumerate(report.lines, 1):
        parts.append(_obx(order, result, number, status, value))
        comment = order.comments.get(result.id)
        if comment and status in ("F", "C"):
            parts.append(Segment("NTE", {1: "1", 2: "L", 3: comment}))
    facts = tuple(result.id for result, _, _ in report.lines)
    new = Message(
        "lab",
        "ORU^R01^ORU_R01",
        chart.person.id,
        report.at,
        parts,
        facts,
        report.at + report.late,
        style=order.style,
    )
    statuses = {status for _, status, _ in report.lines}
    if report.late:
        new.marks["late"] = True
    if statuses & {"D", "W"}:
        new.marks["cancel"] = True
    elif "C" in statuses:
        new.marks["correction"] = True
    return new


def _orc(order: Order, report: Report) -> Segment:
    return Segment(
        "ORC",
        {
            1: "RE",
            2: [Ident(order.placer, "AUTRE_ID"), "DPI"],
            3: [Ident(order.filler, "AUTRE_ID"), "SIL"],
            5: "CM",
            9: STYLES[order.style](report.at),
            12: order.prescriber.xcn(),
        },
    )


def _obr(order: Order, report: Report) -> Segment:
    write = STYLES[order.style]
    loinc, label = PANELS[order.panel]
    panel: Field = (
        [loinc, label, "LN", order.panel, label, "L"] if loinc else [order.panel, label, "L"]
    )
    statuses = {status for _, status, _ in report.lines}
    overall = "P" if statuses == {"P"} else "C" if statuses & {"C", "D", "W"} else "F"
    return Segment(
        "OBR",
        {
            1: "1",
            2: [Ident(order.placer, "AUTRE_ID"), "DPI"],
            3: [Ident(order.filler, "AUTRE_ID"), "SIL"],
            4: panel,
            7: write(order.observed),
            16: order.prescriber.xcn(),
            22: write(report.at),
            24: "LAB",
            25: overall,
            32: [order.biologist.cnn()],
        },
    )


def _obx(order: Order, result: Result, number: int, status: str, value: Value) -> Segment:
    timed = result.at != order.observed or int(order.filler[-1]) % 2 == 0  # else OBR-7 holds
    return Segment(
        "OBX",
        {
            1: str(number),
            2: value.kind,
            3: _analysis(result.lab, order),
            4: result.sub_id,
            5: _value(value, status),
            6: result.unit,
            7: _range(result),
            8: flag(result, value),
            11: status,
            14: STYLES[order.style](result.at) if timed else "",
            16: order.biologist.xcn(),
        },
    )


def _analysis(lab: Lab, order: Order) -> Field:
    local = [lab.local, lab.label, "L"]
    if not lab.loinc:
        return [*local]
    standard = [lab.loinc, lab.label, "LN"]
    return [*local, *standard] if int(order.filler[-2]) < 3 else [*standard, *local]


def _value(value: Value, status: str) -> Field:
    if status == "D":
        return NULL
    if value.kind == "SN" and value.written:
        return [value.operator, value.number]
    if value.kind == "CWE" and value.written:
        return [value.code, value.label, "L"]
    return value.written


def _range(result: Result) -> str:
    if result.low and result.high:
        return f"{result.low}-{result.high}"
    return f"<{result.high}" if result.high else f">{result.low}" if result.low else ""


def flag(result: Result, value: Value) -> str:
    """OBX-8: below, within or above the range; empty when there is none."""
    if not value.number or not (result.low or result.high):
        return ""
    number = float(value.number)
    if result.low and number < float(result.low):
        return "L"
    return "H" if result.high and number > float(result.high) else "N"
