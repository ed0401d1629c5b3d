"""The header of a CDA document of CI-SIS: who, by whom, when, in which stay, which version."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from entrepot.synthetic.cda.elements import (
    ACT_CODE,
    DOCUMENTS,
    HOSPITAL,
    LOINC,
    ORDERS,
    ROLE_CODE,
    SETS,
    UNITS,
    address,
    assigned,
    author,
    code,
    doctor_name,
    interval,
    number,
    organization,
    telecom,
    template,
    time,
)
from entrepot.synthetic.cda.tree import Child, Node, node
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Stay
from entrepot.synthetic.hospital import FINESS, PS_AUTHORITY, Professional
from entrepot.synthetic.message import Ident
from entrepot.synthetic.persons import Civil, Person
from entrepot.synthetic.spelling import bare

GENDERS = {"M": "Masculin", "F": "Féminin", "UN": "Indéterminé"}
CLASSES = {
    "I": ("IMP", "Hospitalisation"),
    "O": ("AMB", "Ambulatoire"),
    "R": ("AMB", "Ambulatoire"),
    "E": ("EMER", "Urgences"),
}
COMMON = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1")


@dataclass
class Version:
    """One version of one document.

    Attributes:
        code, title, templates: its type. of: the number of its set. number: its own.
        rank: versionNumber. replaced: number of the document that it replaces, or empty.
        order: filler number that it answers, or empty.
    """

    chart: Chart
    stay: Stay
    code: str
    title: str
    templates: tuple[str, ...]
    of: str
    number: str
    rank: int
    when: dt.datetime
    author: Professional
    replaced: str = ""
    order: str = ""
    service: tuple[str, str] = ("", "")
    performed: dt.datetime | None = None


def clinical_document(version: Version, body: Node) -> Node:
    """The whole document around its body."""
    types = [template(root) for root in (*COMMON, *version.templates)]
    return node(
        "ClinicalDocument",
        node("realmCode", code="FR"),
        node("typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040"),
        *types,
        number(Ident(version.number, "AUTRE_ID"), DOCUMENTS),
        code(version.code, LOINC, version.title),
        node("title", version.title),
        time(version.when),
        code("N", "2.16.840.1.113883.5.25", "Normal", tag="confidentialityCode"),
        node("languageCode", code="fr-FR"),
        number(Ident(version.of, "AUTRE_ID"), SETS, "setId"),
        node("versionNumber", value=str(version.rank)),
        _subject(version),
        author(version.author, version.when),
        node("custodian", node("assignedCustodian", organization(
            "representedCustodianOrganization"))),
        _signed(version),
        _practitioner(version.chart.person),
        _order(version.order),
        _service(version),
        _replaced(version.replaced),
        _stay(version),
        node("component", body),
    )  # fmt: skip


def _subject(version: Version) -> Node:
    person, stay = version.chart.person, version.stay
    civil = person.at(version.when)
    insured = bool(person.ins) and civil.reliability == "VALI"
    role = node(
        "patientRole",
        number(Ident(person.ins, "SECU"), person.ins_oid) if insured else None,
        number(Ident(stay.ipp, "IPP"), HOSPITAL),
        address(civil.address),
        *_telecoms(civil),
        _patient(person, civil),
    )
    return node("recordTarget", role)


def _telecoms(civil: Civil) -> list[Child]:
    if not (civil.phone or civil.mobile or civil.mail):
        return [node("telecom", nullFlavor="NASK")]
    return [
        telecom("tel:", civil.phone, "TEL", use="H") if civil.phone else None,
        telecom("tel:", civil.mobile, "TEL", use="MC") if civil.mobile else None,
        telecom("mailto:", civil.mail, "MAIL") if civil.mail else None,
    ]


def _patient(person: Person, civil: Civil) -> Node:
    sex = civil.sex if civil.sex in "MF" else "UN"
    names = [
        node("family", Ident(bare(civil.family).upper(), "NOM"), qualifier="BR"),
        node("given", Ident(bare(civil.givens).upper(), "PRENOM")),
        node("given", Ident(bare(civil.given).upper(), "PRENOM"), qualifier="BR"),
    ]
    if civil.used:
        names.append(node("family", Ident(civil.used.upper(), "NOM"), qualifier="CL"))
        names.append(node("given", Ident(civil.given, "PRENOM"), qualifier="CL"))
    return node(
        "patient",
        node("name", *names),
        code(sex, "2.16.840.1.113883.5.1", GENDERS[sex], tag="administrativeGenderCode"),
        node("birthTime", value=_birth(civil.birth)),
        _guardian(person, civil),
        _birthplace(person),
        classCode="PSN",
    )


def _birth(birth: str) -> str:
    """birthTime; a year or a month alone is what research may keep, and identifies nobody."""
    if birth.endswith("00"):
        return birth[:4] if birth.endswith("0000") else birth[:6]
    return Ident(birth, "DATE_NAISSANCE")


def _guardian(person: Person, civil: Civil) -> Node | None:
    if not person.mother:
        return None
    mother = person.mother.at(person.first_seen)
    name = node(
        "name",
        node("family", Ident(mother.daily.upper(), "NOM", "mother")),
        node("given", Ident(mother.given, "PRENOM", "mother")),
    )
    return node(
        "guardian",
        code("MTH", ROLE_CODE, "Mère"),
        address(civil.address),
        node("telecom", nullFlavor="NASK"),
        node("guardianPerson", name),
    )


def _birthplace(person: Person) -> Node:
    town = person.birth_place
    return node(
        "birthplace",
        node("place", node("addr", node("county", town.insee),
                           node("city", Ident(town.name, "VILLE")))),
    )  # fmt: skip


def _signed(version: Version) -> Node:
    return node(
        "legalAuthenticator",
        time(version.when, "time"),
        node("signatureCode", code="S"),
        assigned("assignedEntity", version.author),
    )


def _practitioner(person: Person) -> Node:
    """The general practitioner."""
    gp = person.practitioner
    street = node("streetAddressLine", Ident(gp.street, "ADRESSE", "professional"))
    return node(
        "participant",
        code("PCP", "2.16.840.1.113883.5.88", "Médecin traitant", tag="functionCode"),
        node("time", nullFlavor="NA"),
        node(
            "associatedEntity",
            number(Ident(gp.rpps, "RPPS", "professional"), PS_AUTHORITY[1]),
            code("G15_10", "1.2.250.1.213.1.1.4.5", "Médecin"),
            node("addr", street, node("postalCode", "45000"), node("city", "Orléans")),
            telecom("tel:", gp.phone, "TEL", "professional", "WP"),
            node("associatedPerson", doctor_name(gp)),
            classCode="PROV",
        ),
        typeCode="INF",
    )


def _order(filler: str) -> Node | None:
    if not filler:
        return None
    return node("inFulfillmentOf", node("order", number(Ident(filler, "AUTRE_ID"), ORDERS)))


def _service(version: Version) -> Node:
    value, label = version.service
    performer = node("performer", assigned("assignedEntity", version.author), typeCode="PRF")
    event = node(
        "serviceEvent",
        code(value, LOINC, label) if value else code("IMP", ACT_CODE, "Hospitalisation"),
        node("lab:statusCode", code="completed") if version.order else None,
        interval(version.performed or version.stay.start, version.when),
        performer,
    )
    return node("documentationOf", event)


def _replaced(parent: str) -> Node | None:
    if not parent:
        return None
    older = node("parentDocument", number(Ident(parent, "AUTRE_ID"), DOCUMENTS))
    return node("relatedDocument", older, typeCode="RPLC")


def _stay(version: Version) -> Node:
    stay, when = version.stay, version.when
    end, mode = stay.exit_at(when)
    value, label = CLASSES.get(stay.class_at(when), CLASSES["I"])
    unit = min(
        (m for m in stay.movements if not m.cancelled), key=lambda m: m.start,
        default=stay.movements[0],
    ).unit  # fmt: skip
    service = node(
        "serviceProviderOrganization", number(unit.code, UNITS), node("name", unit.label)
    )
    facility = node(
        "healthCareFacility",
        number("1" + FINESS, "1.2.250.1.71.4.2.2"),
        code("SA01", "1.2.250.1.71.4.2.4", "Etablissement public de santé"),
        node("location", node("name", unit.label)),
        service,
    )
    encounter = node(
        "encompassingEncounter",
        number(Ident(stay.nda, "NDA"), HOSPITAL),
        code(value, ACT_CODE, label),
        interval(stay.start, end),
        node("dischargeDispositionCode", code=mode, codeSystem=f"{HOSPITAL}.10") if mode else None,
        node("responsibleParty", assigned("assignedEntity", stay.attending)),
        node("location", facility),
    )
    return node("componentOf", encounter)
