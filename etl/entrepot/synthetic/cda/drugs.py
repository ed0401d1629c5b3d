"""Prescriptions (eP-MED) and vaccination notes (VAC): one product a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from entrepot.synthetic.cda.elements import (
    ACT_CODE,
    LOINC,
    PHARMACY,
    assigned,
    author,
    code,
    interval,
    number,
    product,
    quantity,
    route,
    template,
    time,
)
from entrepot.synthetic.cda.header import Version, clinical_document
from entrepot.synthetic.cda.narrative import greeting
from entrepot.synthetic.cda.tree import Node, node
from entrepot.synthetic.chance import opaque_number
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import Drug, Vaccine
from entrepot.synthetic.message import Ident, Text
from entrepot.synthetic.orders import Administration, DrugTold, Prescription

PRESCRIPTION = ("57833-6", "Prescription de produits de santé")
PRESCRIPTION_TYPES = (
    "1.3.6.1.4.1.19376.1.9.1.1.1",
    "1.3.6.1.4.1.19376.1.5.3.1.1.1",
    "1.2.250.1.213.1.1.1.39",
)
ITEM_TYPES = (
    "2.16.840.1.113883.10.20.1.24",
    "1.3.6.1.4.1.19376.1.5.3.1.4.7",
    "1.3.6.1.4.1.19376.1.9.1.3.2",
    "1.2.250.1.213.1.1.3.83",
    "1.3.6.1.4.1.19376.1.9.1.3.6",
    "1.3.6.1.4.1.19376.1.5.3.1.4.7.1",
)
NOTE = ("87273-9", "Note de vaccination")
NOTE_TYPES = ("1.3.6.1.4.1.19376.1.5.3.1.1.18.1.2", "1.2.250.1.213.1.1.1.46")
SHOT_TYPES = (
    "2.16.840.1.113883.10.20.1.24",
    "1.3.6.1.4.1.19376.1.5.3.1.4.12",
    "1.2.250.1.213.1.1.3.45",
)
PRODUCT_TYPES = (
    "2.16.840.1.113883.10.20.1.53",
    "1.3.6.1.4.1.19376.1.5.3.1.4.7.2",
    "1.2.250.1.213.1.1.3.43",
)


class Telling(NamedTuple):
    """One version of the document of a prescription or of a vaccination."""

    fact: Prescription | Administration
    told: DrugTold
    rank: int
    code: str
    number: str
    root: Node
    gone: bool


def prescribed(chart: Chart, fact: Prescription) -> Iterator[Telling]:
    """Every version of one prescription; a cancelled one takes the last document back."""
    of = opaque_number(chart.seed, "cda prescription", fact.order)
    parent = ""
    for rank, told in enumerate(fact.tellings, 1):
        gone = told.action == "CA"
        if not gone:
            own = opaque_number(chart.seed, "cda prescription", fact.order, rank)
            version = Version(
                chart,
                fact.stay,
                *PRESCRIPTION,
                PRESCRIPTION_TYPES,
                of,
                own,
                rank,
                told.at,
                fact.prescriber,
                replaced=parent,
            )
            body = node("structuredBody", _prescriptions(version, fact, told))
            root, parent = clinical_document(version, body), own
        yield Telling(fact, told, rank, PRESCRIPTION[0], parent, root, gone)


def _prescriptions(version: Version, fact: Prescription, told: DrugTold) -> Node:
    item = node("item", node("content", f"{fact.drug.label} : ", ID="produit-1"),
                node("content", fact.sig, ID="posologie-1"))  # fmt: skip
    section = node(
        "section",
        template("1.3.6.1.4.1.19376.1.9.1.2.1"),
        template("1.2.250.1.213.1.1.2.171"),
        code("57828-6", LOINC, "Prescriptions"),
        node("title", "Prescription de médicaments"),
        node("text", greeting(version), node("list", item)),
        node("entry", _item(version, fact, told)),
    )
    return node("component", section)


def _item(version: Version, fact: Prescription, told: DrugTold) -> Node:
    drug = fact.drug
    rhythm = node("period", value=str(24 // fact.per_day), unit="h")
    return node(
        "substanceAdministration",
        *[template(root) for root in ITEM_TYPES],
        number(Ident(fact.order, "AUTRE_ID"), PHARMACY),
        code("DRUG", ACT_CODE, "Médicament"),
        node("text", fact.sig, node("reference", value="#posologie-1")),
        node("statusCode", code="completed"),
        interval(fact.start, told.end, typed=True),
        node("effectiveTime", rhythm, xsi_type="PIVL_TS", operator="A"),
        route(drug.route),
        quantity("doseQuantity", told.dose, drug.unit),
        _consumable(drug, "", "#produit-1"),
        author(fact.prescriber, told.at),
        classCode="SBADM",
        moodCode="INT",
    )


def vaccinated(chart: Chart, fact: Administration) -> Iterator[Telling]:
    """The note of one vaccination."""
    for rank, told in enumerate(fact.tellings, 1):
        own = opaque_number(chart.seed, "cda vaccination", fact.order, rank)
        version = Version(chart, fact.stay, *NOTE, NOTE_TYPES, own, own, rank, told.at, fact.nurse)
        body = node("structuredBody", _vaccinations(version, fact, told))
        root = clinical_document(version, body)
        yield Telling(fact, told, rank, NOTE[0], own, root, gone=False)


def _vaccinations(version: Version, fact: Administration, told: DrugTold) -> Node:
    lot = Text([" lot ", Ident(fact.lot, "AUTRE_ID"), " le ", f"{fact.start:%d/%m/%Y}"])
    row = node("paragraph", node("content", fact.drug.label, ID="vaccin-1"), lot)
    section = node(
        "section",
        template("1.3.6.1.4.1.19376.1.5.3.1.3.23"),
        template("1.2.250.1.213.1.1.2.147"),
        code("11369-6", LOINC, "Historique des vaccinations"),
        node("title", "Note de vaccination"),
        node("text", greeting(version), row),
        node("entry", _shot(fact, told)),
    )
    return node("component", section)


def _shot(fact: Administration, told: DrugTold) -> Node:
    return node(
        "substanceAdministration",
        *[template(root) for root in SHOT_TYPES],
        number(Ident(fact.order, "AUTRE_ID"), PHARMACY),
        code("IMMUNIZ", ACT_CODE, "Vaccination"),
        node("text", node("reference", value="#vaccin-1")),
        node("statusCode", code="completed"),
        time(fact.start),
        route(fact.route),
        quantity("doseQuantity", told.dose, fact.unit),
        _consumable(fact.drug, fact.lot, "#vaccin-1"),
        node("performer", assigned("assignedEntity", fact.nurse), typeCode="PRF"),
        classCode="SBADM",
        moodCode="EVN",
        negationInd="false",
    )


def _consumable(drug: Drug | Vaccine, lot: str, where: str) -> Node:
    material = node(
        "manufacturedMaterial",
        _coded(drug, node("originalText", node("reference", value=where))),
        node("name", drug.label),
        node("lotNumberText", Ident(lot, "AUTRE_ID")) if lot else None,
    )
    types = [template(root) for root in PRODUCT_TYPES]
    return node("consumable", node("manufacturedProduct", *types, material))


def _coded(drug: Drug | Vaccine, text: Node) -> Node:
    if isinstance(drug, Vaccine):
        other = product(drug.cvx, "CVX", drug.label, tag="translation")
    elif drug.system != "ATC":
        other = product(drug.atc, "ATC", drug.substance, tag="translation")
    else:
        return product(drug.code, drug.system, drug.label, text)
    return product(drug.code, drug.system, drug.label, text, other)
