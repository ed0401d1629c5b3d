"""CR-BIO: the results of one order; a correction is a whole report that replaces the former."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from entrepot.synthetic.cda.elements import (
    LOCAL_CODES,
    LOINC,
    code,
    quantity,
    template,
    time,
)
from entrepot.synthetic.cda.header import Version, clinical_document
from entrepot.synthetic.cda.narrative import greeting
from entrepot.synthetic.cda.tree import Node, node
from entrepot.synthetic.chance import opaque_number
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import PANELS
from entrepot.synthetic.laboratory import flag
from entrepot.synthetic.orders import Order, Report, Result, Value

CODE, TITLE = "11502-2", "CR d'examens biologiques"
TEMPLATES = ("1.3.6.1.4.1.19376.1.3.3", "1.2.250.1.213.1.1.1.55")
CHAPTERS = {  # panel -> LOINC chapter of the French nomenclature
    "NFS": ("18723-7", "Hématologie"),
    "COAG": ("18720-3", "Hémostase"),
    "URINE": ("18729-4", "Examens urinaires"),
    "BACT": ("18725-2", "Microbiologie"),
    "VIRO": ("18727-8", "Sérologie"),
}
BIOCHEMISTRY = ("18719-5", "Biochimie")
OBSERVATION = ("1.3.6.1.4.1.19376.1.3.1.6", "1.2.250.1.213.1.1.3.80")
BATTERY = ("1.3.6.1.4.1.19376.1.3.1.4", "1.2.250.1.213.1.1.3.78")
ISOLATE = ("1.3.6.1.4.1.19376.1.3.1.5", "1.2.250.1.213.1.1.3.79")
LABELS = {"L": "Anormalement bas", "H": "Anormalement haut", "N": "Normal"}


class Line(NamedTuple):
    """One result as a report tells it."""

    result: Result
    status: str
    value: Value


class Telling(NamedTuple):
    """One version of the report of an order; `gone` when the laboratory takes it back."""

    order: Order
    rank: int
    report: Report
    root: Node
    number: str
    facts: tuple[str, ...]
    gone: bool


def tellings(chart: Chart, order: Order) -> Iterator[Telling]:
    """Every version of the report of one order, in the order of time."""
    held: dict[str, Line] = {}
    of = opaque_number(chart.seed, "cda order", order.filler)
    parent = ""
    for rank, report in enumerate(order.reports, 1):
        for line in report.lines:
            held[line[0].id] = Line(*line)
        standing = [line for line in held.values() if line.status not in ("D", "W")]
        if standing:
            own = opaque_number(chart.seed, "cda report", order.filler, rank)
            root = _document(chart, order, report, standing, (of, own, parent), rank)
            parent = own
        facts = tuple(held)
        yield Telling(order, rank, report, root, parent, facts, gone=not standing)


def _document(
    chart: Chart,
    order: Order,
    report: Report,
    lines: list[Line],
    names: tuple[str, str, str],
    rank: int,
) -> Node:
    of, own, parent = names
    version = Version(
        chart,
        order.stay,
        CODE,
        TITLE,
        TEMPLATES,
        of,
        own,
        rank,
        report.at,
        order.biologist,
        replaced=parent,
        order=order.filler,
        service=CHAPTERS.get(order.panel, BIOCHEMISTRY),
        performed=order.observed,
    )
    return clinical_document(version, node("structuredBody", _chapter(version, order, lines)))


def _chapter(version: Version, order: Order, lines: list[Line]) -> Node:
    value, label = CHAPTERS.get(order.panel, BIOCHEMISTRY)
    inner = node(
        "section",
        template("1.3.6.1.4.1.19376.1.3.3.2.2"),
        template("1.2.250.1.213.1.1.2.71"),
        code(value, LOINC, label),
        _narrative(version, order, lines),
        _entry(order, lines, value, label),
    )
    outer = node(
        "section",
        template("1.3.6.1.4.1.19376.1.3.3.2.1"),
        template("1.2.250.1.213.1.1.2.70"),
        code(value, LOINC, label),
        node("title", label.upper()),
        node("component", inner),
    )
    return node("component", outer)


def _narrative(version: Version, order: Order, lines: list[Line]) -> Node:
    """The table that a reader sees, with the patient's and the biologist's names."""
    head = [node("th", cell) for cell in ("Examen", "Résultat", "Valeurs de référence")]
    rows = [
        node(
            "tr",
            node("td", node("content", line.result.lab.label, ID=f"examen-{rank}")),
            node("td", f"{line.value.written} {line.result.unit}".strip() or "non réalisé"),
            node("td", _range_text(line.result)),
        )
        for rank, line in enumerate(lines, 1)
    ]
    table = node("table", node("thead", node("tr", *head)), node("tbody", *rows))
    comments = [
        node("paragraph", order.comments[line.result.id])
        for line in lines
        if line.result.id in order.comments and line.status in ("F", "C")
    ]
    return node("text", greeting(version), table, *comments)


def _range_text(result: Result) -> str:
    if result.low and result.high:
        return f"{result.low} - {result.high}"
    return f"< {result.high}" if result.high else f"> {result.low}" if result.low else ""


def _entry(order: Order, lines: list[Line], value: str, label: str) -> Node:
    found = [_observation(line, rank) for rank, line in enumerate(lines, 1)]
    if lines[0].result.sub_id:  # two bottles: one isolate each
        held = [
            _organizer(ISOLATE, "CLUSTER", [_germ(line), node("component", one)], order)
            for line, one in zip(lines, found, strict=True)
        ]
    elif PANELS[order.panel][0]:
        components = [node("component", one) for one in found]
        held = [_organizer(BATTERY, "BATTERY", components, order)]
    else:
        held = found
    act = node(
        "act",
        code(value, LOINC, label),
        node("statusCode", code="completed"),
        *[node("entryRelationship", one, typeCode="COMP") for one in held],
        classCode="ACT",
        moodCode="EVN",
    )
    types = [template(root) for root in ("1.3.6.1.4.1.19376.1.3.1", "1.2.250.1.213.1.1.3.21")]
    return node("entry", *types, act, typeCode="DRIV")


def _germ(line: Line) -> Node:
    """What an isolate is."""
    value = line.value
    germ = node("code", nullFlavor="UNK")
    if value.code:
        germ = code(value.code, LOCAL_CODES, value.label)
    entity = node("specimenPlayingEntity", germ, classCode="MIC")
    return node("specimen", node("specimenRole", entity), typeCode="SPC")


def _organizer(roots: tuple[str, ...], class_code: str, found: list[Node], order: Order) -> Node:
    loinc, label = PANELS[order.panel]
    return node(
        "organizer",
        *[template(root) for root in roots],
        code(loinc, LOINC, label) if loinc else None,
        node("statusCode", code="completed"),
        time(order.observed),
        *found,
        classCode=class_code,
        moodCode="EVN",
    )


def _observation(line: Line, rank: int) -> Node:
    result, value = line.result, line.value
    found = flag(result, value)
    return node(
        "observation",
        *[template(root) for root in OBSERVATION],
        _analysis(result, rank),
        node("statusCode", code="aborted" if line.status == "X" else "completed"),
        time(result.at),
        _value(result, value),
        code(found, "2.16.840.1.113883.5.83", LABELS[found], tag="interpretationCode")
        if found
        else None,
        _range(result),
        classCode="OBS",
        moodCode="EVN",
    )


def _analysis(result: Result, rank: int) -> Node:
    lab = result.lab
    text = node("originalText", node("reference", value=f"#examen-{rank}"))
    own = code(lab.local, LOCAL_CODES, lab.label, tag="translation")
    if not lab.loinc:
        return node("code", text, own)
    return code(lab.loinc, LOINC, lab.label, text, own)


def _value(result: Result, value: Value) -> Node | None:
    if value.number and value.operator:
        side = "high" if value.operator == "<" else "low"
        bound = quantity(side, value.number, result.unit, inclusive="false")
        return node("value", bound, xsi_type="IVL_PQ")
    if value.number:
        return quantity("value", value.number, result.unit, xsi_type="PQ")
    if value.code:
        coded = code(value.code, LOCAL_CODES, value.label, tag="value")
        coded.attributes = {"xsi:type": "CD"} | coded.attributes
        return coded
    return node("value", value.written, xsi_type="ST") if value.written else None


def _range(result: Result) -> Node | None:
    if not (result.low or result.high):
        return None
    bounds = (("low", result.low), ("high", result.high))
    sides = [quantity(side, bound, result.unit) for side, bound in bounds if bound]
    held = node(
        "observationRange",
        node("value", *sides, xsi_type="IVL_PQ"),
        code("N", "2.16.840.1.113883.5.83", "Normal", tag="interpretationCode"),
        classCode="OBS",
        moodCode="EVN.CRT",
    )
    return node("referenceRange", held, typeCode="REFV")
