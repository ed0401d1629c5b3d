"""Data types of CDA-R2 as the French norm (CI-SIS) writes them: codes, times, people, places."""

from __future__ import annotations

import datetime as dt

from entrepot.synthetic.cda.tree import Child, Node, node
from entrepot.synthetic.hospital import AUTHORITY, FINESS, PS_AUTHORITY, Professional
from entrepot.synthetic.message import Ident, Text
from entrepot.synthetic.persons import Address
from entrepot.synthetic.times import with_offset
from entrepot.synthetic.units import ucum

HOSPITAL = AUTHORITY[1]
UNITS = f"{HOSPITAL}.2"
LOCAL_CODES = f"{HOSPITAL}.4"
ORDERS, PHARMACY, DOCUMENTS = f"{HOSPITAL}.5", f"{HOSPITAL}.7", f"{HOSPITAL}.8"
SETS = f"{HOSPITAL}.9"
LOINC, ACT_CODE = "2.16.840.1.113883.6.1", "2.16.840.1.113883.5.4"
ROLE_CODE, ROUTES = "2.16.840.1.113883.5.111", "2.16.840.1.113883.12.162"
EDQM = "0.4.0.127.0.16.1.1.2.1"
SYSTEMS = {  # as the HL7 feeds name them -> OID and name
    "UCD": ("1.2.250.1.213.2.61", "UCD"),
    "CIP": ("1.2.250.1.213.2.3.2", "CIP"),
    "ATC": ("2.16.840.1.113883.6.73", "ATC"),
    "CVX": ("2.16.840.1.113883.12.292", "CVX"),
}
STANDARD_ROUTES = {  # HL7 table 0162 -> EDQM
    "PO": ("20053000", "Voie orale"),
    "IV": ("20045000", "Voie intraveineuse"),
    "SC": ("20066000", "Voie sous-cutanée"),
    "IM": ("20035000", "Voie intramusculaire"),
    "IH": ("20020000", "Voie inhalée"),
}


def template(root: str) -> Node:
    """templateId."""
    return node("templateId", root=root)


def number(value: str, root: str, tag: str = "id") -> Node:
    """An instance identifier."""
    return node(tag, root=root, extension=value)


def code(value: str, system: str, label: str, *children: Child, tag: str = "code") -> Node:
    """A coded element; LOINC is named, as in the official documents."""
    name = "LOINC" if system == LOINC else ""
    return node(
        tag, *children, code=value, displayName=label, codeSystem=system, codeSystemName=name
    )


def time(when: dt.datetime, tag: str = "effectiveTime") -> Node:
    """An instant with its offset."""
    return node(tag, value=with_offset(when))


def interval(low: dt.datetime, high: dt.datetime | None, *, typed: bool = False) -> Node:
    """effectiveTime as an interval."""
    ends = [time(low, "low"), time(high, "high") if high else None]
    return node("effectiveTime", *ends, xsi_type="IVL_TS" if typed else "")


def quantity(tag: str, value: str, unit: str, **attributes: str) -> Node:
    """A physical quantity in UCUM."""
    return node(tag, value=value, unit=ucum(unit), **attributes)


def product(value: str, system: str, label: str, *children: Child, tag: str = "code") -> Node:
    """A coded product."""
    oid, name = SYSTEMS[system]
    return node(tag, *children, code=value, displayName=label, codeSystem=oid, codeSystemName=name)


def route(value: str) -> Node:
    """routeCode: the EDQM's code, the hospital's own as its translation."""
    standard, label = STANDARD_ROUTES[value]
    own = code(value, ROUTES, label, tag="translation")
    return code(standard, EDQM, label, own, tag="routeCode")


def address(home: Address, of: str = "patient") -> Node:
    """addr of a person."""
    return node(
        "addr",
        node("streetAddressLine", Ident(home.street, "ADRESSE", of)),
        node("streetAddressLine", home.complement) if home.complement else None,
        node("postalCode", Ident(home.postcode, "ZIP", of)),
        node("city", Ident(home.town, "VILLE", of)),
        node("country", "FRANCE"),
        use="H",
    )


def telecom(scheme: str, value: str, label: str, of: str = "patient", use: str = "") -> Node:
    """telecom with its scheme."""
    return node("telecom", value=Text([scheme, Ident(value, label, of)]), use=use)


def doctor_name(who: Professional) -> Node:
    """name of a professional."""
    return node(
        "name",
        node("given", Ident(who.given, "PRENOM_PS", "professional")),
        node("family", Ident(who.family.upper(), "NOM_PS", "professional")),
        node("suffix", who.title.upper()) if who.title else None,
    )


def assigned(tag: str, who: Professional) -> Node:
    """assignedAuthor or assignedEntity of a professional of the hospital."""
    return node(
        tag,
        number(Ident(who.rpps, "RPPS", "professional"), PS_AUTHORITY[1]),
        code("G15_10", "1.2.250.1.213.1.1.4.5", "Médecin"),
        node("addr", nullFlavor="NASK"),
        telecom("tel:", who.phone, "TEL", "professional", "WP"),
        node("assignedPerson", doctor_name(who)),
        organization("representedOrganization"),
    )


def author(who: Professional, when: dt.datetime) -> Node:
    """author of a document or an entry."""
    return node("author", time(when, "time"), assigned("assignedAuthor", who))


def organization(tag: str) -> Node:
    """The hospital."""
    return node(
        tag,
        number("1" + FINESS, "1.2.250.1.71.4.2.2"),
        node("name", "Centre hospitalier synthétique"),
    )
