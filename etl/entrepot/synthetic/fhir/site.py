"""What belongs to the hospital and to no patient: Organization, Location, Practitioner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from entrepot.synthetic.fhir.elements import (
    FR_SYSTEM,
    HOSPITAL,
    UNIT_SYSTEM,
    Element,
    coding,
    concept,
    department_id,
    identifier,
    practitioner_id,
    present,
)
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.hospital import FINESS, PS_AUTHORITY, UNITS, Professional, Unit, staff
from entrepot.synthetic.message import Ident

OPENED = dt.datetime(2024, 1, 1, 6, 0)


def site_resources(seed: int) -> Iterator[Resource]:
    """The same whatever the number of patients."""
    known = staff(seed)
    resources = [_hospital(), *map(_department, UNITS), *map(_location, UNITS)]
    everybody = (*known.doctors, *known.biologists, *known.practitioners, *known.clerks)
    resources += [_practitioner(seed, who) for who in everybody]
    for number, new in enumerate(resources, 1):
        new.id = f"SITE-f{number:04d}"
        yield new


def _hospital() -> Resource:
    finess = {"system": "urn:oid:1.2.250.1.71.4.2.2", "value": FINESS}
    content: Element = {
        "profile": "fr-core-organization",
        "identifier": [finess, {"system": HOSPITAL, "value": "CHSYN"}],
        "active": True,
        "name": "Centre hospitalier synthétique",
    }
    return Resource("Organization", "ch-synthetique", content, "", OPENED, of="site")


def _department(unit: Unit) -> Resource:
    content: Element = {
        "profile": "fr-core-organization-uf",
        "identifier": [{"use": "official", "system": UNIT_SYSTEM, "value": unit.code}],
        "active": True,
        "type": [concept(coding(FR_SYSTEM + "fr-core-cs-v2-3307", "UF"))],
        "name": unit.label,
        "partOf": {"reference": "Organization/ch-synthetique"},
    }
    return Resource("Organization", department_id(unit), content, "", OPENED, of="site")


def _location(unit: Unit) -> Resource:
    content: Element = {
        "profile": "fr-core-location",
        "identifier": [{"system": UNIT_SYSTEM, "value": unit.code}],
        "status": "active",
        "name": unit.label,
        "mode": "instance",
        "type": [concept(coding(FR_SYSTEM + "fr-core-cs-location-type", "UF"))],
        "managingOrganization": {"reference": f"Organization/{department_id(unit)}"},
    }
    return Resource("Location", f"uf-{unit.code}", content, "", OPENED, of="site")


def _practitioner(seed: int, who: Professional) -> Resource:
    number = Ident(who.rpps, "RPPS", "professional")
    kinds = FR_SYSTEM + "fr-core-cs-v2-0203"
    phone = {"system": "phone", "value": Ident(who.phone, "TEL", "professional"), "use": "work"}
    content = present(
        profile="fr-core-practitioner",
        identifier=[identifier(number, f"urn:oid:{PS_AUTHORITY[1]}", "RPPS", kinds)],
        active=True,
        name=[
            present(
                family=Ident(who.family.upper(), "NOM_PS", "professional"),
                given=[Ident(who.given, "PRENOM_PS", "professional")],
                suffix=[who.title] if who.title else [],
            )
        ],
        telecom=[phone],
        gender="female" if who.sex == "F" else "male",
    )
    key = practitioner_id(seed, who)
    return Resource("Practitioner", key, content, "", OPENED, of="professional")
