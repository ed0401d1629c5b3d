"""Data types of FHIR R4 as dictionaries whose leaves mark what identifies somebody (FR Core).

A leaf may be an `Ident` or a `Text`, as in HL7 fields; a `Number` is a JSON number written with
the very digits that the laboratory gave.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from random import Random
from typing import Any, TypeAlias

from entrepot.synthetic.hospital import AUTHORITY, PS_AUTHORITY, Professional, Unit
from entrepot.synthetic.message import Ident, Text
from entrepot.synthetic.times import instant
from entrepot.synthetic.units import ucum

Element: TypeAlias = dict[str, Any]

BASE = "https://fhir.ch-synthetique.example.org/r4"
HOSPITAL = f"urn:oid:{AUTHORITY[1]}"
UNIT_SYSTEM = f"urn:oid:{AUTHORITY[1]}.2"
LOCAL_CODES = f"urn:oid:{AUTHORITY[1]}.4"  # the laboratory's own codes
ORDERS = {"SIL": f"urn:oid:{AUTHORITY[1]}.5", "DPI": f"urn:oid:{AUTHORITY[1]}.6",
          "PHARMA": f"urn:oid:{AUTHORITY[1]}.7"}  # fmt: skip
DOCUMENTS = f"urn:oid:{AUTHORITY[1]}.8"
CODE_SYSTEM = "https://fhir.ch-synthetique.example.org/CodeSystem/"
FR_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
FR_SYSTEM = "https://hl7.fr/ig/fhir/core/CodeSystem/"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
LOINC, UCUM_SYSTEM = "http://loinc.org", "http://unitsofmeasure.org"
SYSTEMS = {  # as the HL7 feeds name them -> FHIR
    "UCD": "urn:oid:1.2.250.1.213.2.61",
    "CIP": "urn:oid:1.2.250.1.213.2.3.2",
    "ATC": "http://www.whocc.no/atc",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "CIM10": "http://hl7.org/fhir/sid/icd-10",
    "CCAM": "urn:oid:1.2.250.1.215.300.1",
}


class Number(str):
    """A decimal, written as it is."""

    __slots__ = ()


def opaque(*parts: object) -> str:
    """A UUID that only the parts decide; nobody can tell them from it."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def present(**members: Any) -> Element:
    """The members that hold something."""
    return {name.rstrip("_"): value for name, value in members.items() if value not in ("", [], {})}


def coding(system: str, code: str, display: str = "") -> Element:
    """Coding."""
    return present(system=system, code=code, display=display)


def concept(*codings: Element, text: str = "") -> Element:
    """CodeableConcept."""
    return present(coding=list(codings), text=text)


def identifier(value: Ident, system: str, kind: str = "", kinds: str = "v2-0203") -> Element:
    """Identifier; `kind` is its type, of a code system of HL7 or, when it is a URL, another."""
    url = kinds if "/" in kinds else TERMINOLOGY + kinds
    return present(type=concept(coding(url, kind)) if kind else "", system=system, value=value)


def reference(kind: str, target: str, rng: Random, of: str = "patient") -> Element:
    """Reference to a resource: relative, absolute, or to its first version."""
    ident = Ident(target, "AUTRE_ID", of)
    draw = rng.random()
    if draw < 0.08:
        return {"reference": Text([f"{BASE}/{kind}/", ident])}
    if draw < 0.14:
        return {"reference": Text([f"{kind}/", ident, "/_history/1"])}
    return {"reference": Text([f"{kind}/", ident])}


def professional(seed: int, who: Professional, rng: Random) -> Element:
    """Reference to a Practitioner, by address, by RPPS, or both; often with the name."""
    draw, found = rng.random(), Element()
    if draw < 0.75:
        found |= reference("Practitioner", practitioner_id(seed, who), rng, "professional")
    if draw > 0.25:
        number = Ident(who.rpps, "RPPS", "professional")
        found["identifier"] = identifier(
            number, f"urn:oid:{PS_AUTHORITY[1]}", "RPPS", FR_SYSTEM + "fr-core-cs-v2-0203"
        )
    if rng.random() < 0.5:
        found["display"] = Text([f"{who.title} ".lstrip(), *_called(who)])
    return found


def _called(who: Professional) -> list[str]:
    family = Ident(who.family.upper(), "NOM_PS", "professional")
    return [Ident(who.given, "PRENOM_PS", "professional"), " ", family]


def practitioner_id(seed: int, who: Professional) -> str:
    """Logical id of a professional."""
    return opaque(seed, "Practitioner", who.rpps)


def department_id(unit: Unit) -> str:
    """Logical id of the Organization of a UF."""
    return f"service-{unit.code}"


def unit_reference(unit: Unit, rng: Random) -> Element:
    """Reference to the Location of a UF; often with the UF's code as identifier."""
    found: Element = {"reference": f"Location/uf-{unit.code}", "display": unit.label}
    if rng.random() < 0.7:
        found["identifier"] = {"system": UNIT_SYSTEM, "value": unit.code}
    return found


def quantity(value: str, unit: str, comparator: str = "") -> Element:
    """Quantity with the unit as written and its UCUM code."""
    found = present(value=Number(value), comparator=comparator)
    if unit:
        found |= {"unit": unit, "system": UCUM_SYSTEM, "code": ucum(unit)}
    return found


def period(start: dt.datetime, end: dt.datetime | None = None) -> Element:
    """Period."""
    return present(start=instant(start), end=instant(end) if end else "")


def product(code: str, system: str, label: str) -> Element:
    """Coding of a product."""
    return coding(SYSTEMS[system], code, label)


def extension(url: str, **value: Any) -> Element:
    """Extension with one value or with extensions of its own."""
    return {"url": url, **value}
