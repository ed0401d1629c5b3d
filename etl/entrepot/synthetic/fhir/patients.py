"""Patient: each number of a person is a resource; links, corrections and death are new versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from entrepot.synthetic.admissions import known_since
from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Death
from entrepot.synthetic.fhir.elements import (
    FR_CORE,
    FR_SYSTEM,
    HOSPITAL,
    TERMINOLOGY,
    Element,
    coding,
    concept,
    extension,
    identifier,
    opaque,
    present,
    professional,
    reference,
)
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.links import joined_and_parted
from entrepot.synthetic.message import Ident, Text
from entrepot.synthetic.persons import Civil, Person, Relative
from entrepot.synthetic.population import person as draw_person
from entrepot.synthetic.spelling import bare
from entrepot.synthetic.times import instant

GENDERS = {"M": "male", "F": "female", "I": "other", "U": "unknown"}
CORRECTIONS = {"name_corrected", "birth_corrected", "death_withdrawn", "named", "validated"}
ROLES = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode"


def patient_id(seed: int, ipp: str) -> str:
    """Logical id of the Patient of one IPP; nobody can tell the IPP from it."""
    return opaque(seed, "Patient", ipp)


def messages(chart: Chart) -> Iterator[Resource]:
    """Every version of every Patient of one person, and the mother's RelatedPerson."""
    for ipp in chart.person.ipps:
        times = _times(chart, ipp)
        for rank, when in enumerate(times):
            yield patient(chart, ipp, when, first=rank == 0)
    if chart.person.mother:
        yield _mother(chart, chart.person.mother)


def patient(chart: Chart, ipp: str, when: dt.datetime, *, first: bool = False) -> Resource:
    """The Patient of `ipp` as the hospital knew it at `when`."""
    person = chart.person
    civil = person.at(when)
    rng = stream(chart.seed, person.index, f"fhir patient {ipp} {when}")
    content = _identity(chart, ipp, civil, rng)
    links = list(_links(chart, ipp, when, rng))
    if links:
        content["link"] = [link for link, _ in links]
        content["active"] = all(link["type"] != "replaced-by" for link, _ in links)
    facts = [chart.facts[0].id]
    changed = [change.reason for change in person.history if change.since == when]
    if any(change.civil.death for change in person.history if change.since <= when):
        facts += [fact.id for fact in chart.facts if isinstance(fact, Death)]
    new = Resource("Patient", patient_id(chart.seed, ipp), content, person.id, when, tuple(facts))
    new.other = "".join(other for _, other in links)
    if not first and CORRECTIONS & set(changed):
        new.marks["correction"] = True
    return new


def _times(chart: Chart, ipp: str) -> list[dt.datetime]:
    """When versions of the Patient of `ipp` were stated."""
    person = chart.person
    known = known_since(chart)
    found = {known} | {change.since for change in person.history[1:]}
    found = {when for when in found if chart.ipp_at(when) == ipp}
    early = dt.timedelta(minutes=5)
    found |= {max(known, s.classes[0][0] - early) for s in chart.stays if s.ipp == ipp}
    return sorted(found | _linked(chart))


def _linked(chart: Chart) -> set[dt.datetime]:
    person = chart.person
    if person.role in ("merged", "renumbered", "linked"):
        return {person.dated["joined"]}
    if person.role in ("wrongly_merged", "wrongly_linked"):
        return set(joined_and_parted(person, draw_person(chart.seed, person.index - 1)))
    return set()


def _links(chart: Chart, ipp: str, when: dt.datetime, rng: Random) -> Iterator[tuple[Element, str]]:
    """Patient.link at `when`, each with the other patient it names."""
    person, seed = chart.person, chart.seed
    kind = "seealso" if "link" in person.role else "replaced-by"
    if person.role in ("merged", "renumbered", "linked") and when >= person.dated["joined"]:
        surviving = ipp == person.ipps[0]
        other = person.ipps[1] if surviving else person.ipps[0]
        if surviving and kind == "replaced-by":
            kind = "replaces"
        yield {"other": reference("Patient", patient_id(seed, other), rng), "type": kind}, ""
    elif person.role in ("wrongly_merged", "wrongly_linked"):
        other_person = draw_person(seed, person.index - 1)
        joined, parted = joined_and_parted(person, other_person)
        if joined <= when < parted:
            target = reference("Patient", patient_id(seed, other_person.ipps[0]), rng, "other")
            yield {"other": target, "type": kind}, other_person.id


def _identity(chart: Chart, ipp: str, civil: Civil, rng: Random) -> Element:
    person = chart.person
    insured = bool(person.ins) and civil.reliability == "VALI"
    found = present(
        profile="fr-core-patient-ins" if insured else "fr-core-patient",
        text=_narrative(civil) if rng.random() < 0.25 else "",
        extension=_extensions(person, civil),
        identifier=_identifiers(person, ipp, insured=insured),
        active=True,
        name=_names(civil),
        telecom=_telecoms(civil),
        gender=GENDERS[civil.sex],
        birthDate=birth_date(civil.birth),
        deceasedDateTime=instant(civil.death) if civil.death else "",
        address=[_address(civil)],
        maritalStatus=concept(coding(TERMINOLOGY + "v3-MaritalStatus", "M" if civil.used else "S")),
        contact=[_contact(known) for known in person.relatives if known.registered],
        generalPractitioner=[professional(chart.seed, person.practitioner, rng)],
        managingOrganization={"reference": "Organization/ch-synthetique"},
    )
    if person.birth_order:
        found["multipleBirthInteger"] = person.birth_order
    return found


def birth_date(birth: str) -> str:
    """FHIR date; a year or a month alone is what research may keep, and identifies nobody."""
    year, month, day = birth[:4], birth[4:6], birth[6:8]
    if day == "00":
        return year if month == "00" else f"{year}-{month}"
    return Ident(f"{year}-{month}-{day}", "DATE_NAISSANCE")


def _narrative(civil: Civil) -> Element:
    pieces = [civil.title, " ", Ident(civil.given, "PRENOM"), " "]
    pieces += [Ident(civil.daily.upper(), "NOM"), ", ", birth_date(civil.birth)]
    head = '<div xmlns="http://www.w3.org/1999/xhtml"><p>'
    return {"status": "generated", "div": Text([head, *pieces, "</p></div>"])}


def _extensions(person: Person, civil: Civil) -> list[Element]:
    status = coding(FR_SYSTEM + "fr-core-cs-v2-0445", civil.reliability)
    born = person.birth_place
    place: Element = {"city": Ident(born.name, "VILLE")}
    if born.postcode:
        place["postalCode"] = Ident(born.postcode, "ZIP")
    commune = coding(
        "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM", born.insee
    )
    place["extension"] = [extension(FR_CORE + "fr-core-address-insee-code", valueCoding=commune)]
    return [
        extension(
            FR_CORE + "fr-core-identity-reliability",
            extension=[extension("identityStatus", valueCoding=status)],
        ),
        extension("http://hl7.org/fhir/StructureDefinition/patient-birthPlace", valueAddress=place),
    ]


def _identifiers(person: Person, ipp: str, *, insured: bool) -> list[Element]:
    found = [{"use": "usual", **identifier(Ident(ipp, "IPP"), HOSPITAL, "PI")}]
    if insured:
        kinds, number = FR_SYSTEM + "fr-core-cs-v2-0203", Ident(person.ins, "SECU")
        insured_as = identifier(number, f"urn:oid:{person.ins_oid}", "INS-NIR", kinds)
        found.append({"use": "official", **insured_as})
    return found


def _names(civil: Civil) -> list[Element]:
    givens = Ident(bare(civil.givens).upper(), "PRENOM")
    official: Element = {
        "extension": [
            extension(FR_CORE + "fr-core-patient-birth-list-given-name", valueString=givens)
        ],
        "use": "official",
        "family": Ident(bare(civil.family).upper(), "NOM"),
        "given": [Ident(bare(civil.given).upper(), "PRENOM")],
    }
    if not civil.used:
        return [official]
    usual: Element = {
        "use": "usual",
        "family": Ident(civil.used.upper(), "NOM"),
        "given": [Ident(civil.given, "PRENOM")],
        "prefix": [civil.title],
    }
    return [official, usual]


def _telecoms(civil: Civil) -> list[Element]:
    known = (("phone", civil.phone, "TEL", "home"), ("phone", civil.mobile, "TEL", "mobile"),
             ("email", civil.mail, "MAIL", "home"))  # fmt: skip
    return [
        {"system": system, "value": Ident(value, label), "use": use}
        for system, value, label, use in known
        if value
    ]


def _address(civil: Civil) -> Element:
    home = civil.address
    street: list[str] = [Ident(home.street, "ADRESSE")]
    return {
        "use": "home",
        "line": [*street, home.complement] if home.complement else street,
        "city": Ident(home.town, "VILLE"),
        "postalCode": Ident(home.postcode, "ZIP"),
        "country": "FRA",
    }


def _contact(who: Relative) -> Element:
    phone = {"system": "phone", "value": Ident(who.phone, "TEL", "relative"), "use": "mobile"}
    return present(
        relationship=[concept(coding(ROLES, who.relation))],
        name={
            "family": Ident(who.family.upper(), "NOM", "relative"),
            "given": [Ident(who.given, "PRENOM", "relative")],
        },
        telecom=[phone] if who.phone else [],
    )


def _mother(chart: Chart, mother: Person) -> Resource:
    """RelatedPerson of a newborn: the mother, by her IPP."""
    person, when = chart.person, chart.person.first_seen + dt.timedelta(seconds=40)
    civil = mother.at(when)
    rng = stream(chart.seed, person.index, "fhir mother")
    content: Element = {
        "identifier": [identifier(Ident(mother.ipps[0], "IPP", "mother"), HOSPITAL, "PI")],
        "active": True,
        "patient": reference("Patient", patient_id(chart.seed, chart.ipp_at(when)), rng),
        "relationship": [concept(coding(TERMINOLOGY + "v3-RoleCode", "MTH", "Mère"))],
        "name": [
            {
                "family": Ident(civil.daily.upper(), "NOM", "mother"),
                "given": [Ident(civil.given, "PRENOM", "mother")],
            }
        ],
        "gender": "female",
    }
    key = opaque(chart.seed, "RelatedPerson", person.id)
    return Resource("RelatedPerson", key, content, person.id, when, (chart.facts[0].id,))
