"""Facts that answer an order: results, prescriptions, administrations; and letters."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple

from entrepot.synthetic.clinical import Drug, Lab, Vaccine
from entrepot.synthetic.facts import Fact, Stay, iso
from entrepot.synthetic.hospital import Professional
from entrepot.synthetic.message import Text


class Value(NamedTuple):
    """One result as the laboratory writes it.

    Attributes:
        kind: OBX-2. written: OBX-5 as a reader sees it (`<0,5`, `12.3`, `négatif`).
        number, operator: what it means, when it is a quantity.
        code, label: of a coded value, in the laboratory's own system.
    """

    kind: str
    written: str
    number: str = ""
    operator: str = ""
    code: str = ""
    label: str = ""


@dataclass
class Result(Fact):
    """One analysis of one order."""

    kind = "result"
    order: Order
    lab: Lab
    unit: str
    low: str
    high: str
    at: dt.datetime
    value: Value
    status: str = "F"
    sub_id: str = ""

    def content(self) -> dict[str, object]:
        value = self.value
        coded = {"code": value.code, "label": value.label, "system": "L"} if value.code else None
        return {
            "code": self.lab.loinc or self.lab.local,
            "system": "LN" if self.lab.loinc else "L",
            "local_code": self.lab.local,
            "value_type": value.kind,
            "value": value.written,
            "number": value.number or None,
            "operator": value.operator or None,
            "coded": coded,
            "unit": self.unit or None,
            "low": self.low or None,
            "high": self.high or None,
            "at": iso(self.at),
            "order": self.order.filler,
            "sub_id": self.sub_id or None,
            "status": self.status,
            "stay": self.order.stay.nda,
        }


class Report(NamedTuple):
    """One telling of an order: when, and each result's OBX-11 status and value then."""

    at: dt.datetime
    lines: tuple[tuple[Result, str, Value], ...]
    late: dt.timedelta = dt.timedelta(0)


@dataclass
class Order:
    """One laboratory order; not a fact itself."""

    stay: Stay
    placer: str
    filler: str
    panel: str
    observed: dt.datetime
    prescriber: Professional
    biologist: Professional
    style: str  # local, offset or utc: how the automaton writes its times
    results: list[Result] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    comments: dict[str, Text] = field(default_factory=dict)  # result id -> NTE-3


class DrugTold(NamedTuple):
    """One telling of a prescription (ORC-1) or an administration (RXA-21), and its dose then."""

    action: str
    at: dt.datetime
    dose: str
    end: dt.datetime | None


@dataclass
class Prescription(Fact):
    """One prescribed product."""

    kind = "prescription"
    stay: Stay
    order: str
    drug: Drug
    dose: str
    per_day: int
    start: dt.datetime
    end: dt.datetime | None
    prescriber: Professional
    sig: str
    tellings: list[DrugTold] = field(default_factory=list)

    def content(self) -> dict[str, object]:
        return drug_fields(self.drug) | {
            "dose": self.dose,
            "dose_unit": self.drug.unit,
            "route": self.drug.route,
            "start": iso(self.start),
            "end": iso(self.end),
            "order": self.order,
            "sig": self.sig,
            "stay": self.stay.nda,
        }


@dataclass
class Administration(Fact):
    """One dose given, or not given: `status` is RXA-20 (CP, PA, RE, NA)."""

    kind = "administration"
    stay: Stay
    order: str
    number: int
    drug: Drug | Vaccine
    dose: str
    unit: str
    route: str
    start: dt.datetime
    end: dt.datetime | None
    nurse: Professional
    status: str = "CP"
    lot: str = ""
    tellings: list[DrugTold] = field(default_factory=list)

    def content(self) -> dict[str, object]:
        return drug_fields(self.drug) | {
            "dose": self.dose,
            "dose_unit": self.unit,
            "route": self.route,
            "start": iso(self.start),
            "end": iso(self.end),
            "order": self.order,
            "number": self.number,
            "status": self.status,
            "vaccine": isinstance(self.drug, Vaccine),
            "stay": self.stay.nda,
        }


def drug_fields(drug: Drug | Vaccine) -> dict[str, object]:
    """Codes of a product as sent: the main one and the alternate one."""
    if isinstance(drug, Vaccine):
        return {"code": drug.code, "system": drug.system, "alt_code": drug.cvx, "alt_system": "CVX"}
    alternate = drug.atc if drug.system != "ATC" else None
    return {
        "code": drug.code,
        "system": drug.system,
        "alt_code": alternate,
        "alt_system": "ATC" if alternate else None,
    }


@dataclass
class Letter(Fact):
    """One letter or report."""

    kind = "letter"
    stay: Stay
    document: str
    parent: str
    type_code: str
    title: str
    written: dt.datetime
    author: Professional
    text: Text
    form: str  # breaks, lines, repeats, plain, html, rtf: how OBX-5 carries the text
    keep: tuple[str, ...]
    replaced_by: str = ""
    withdrawn: dt.datetime | None = None

    def content(self) -> dict[str, object]:
        return {
            "document": self.document,
            "title": self.title,
            "type_code": self.type_code,
            "at": iso(self.written),
            "stay": self.stay.nda,
            "author": self.author.rpps,
            "form": self.form,
            "keep": list(self.keep),
            "replaced_by": self.replaced_by or None,
        }
