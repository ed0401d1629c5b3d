"""Segments about persons that several feeds share: EVN, PID, NK1, ROL (IHE PAM France)."""

from __future__ import annotations

import datetime as dt

from entrepot.synthetic.hospital import AUTHORITY, Professional
from entrepot.synthetic.message import Field, Ident, Repeat, Segment
from entrepot.synthetic.persons import Civil, Person, Relative
from entrepot.synthetic.spelling import bare
from entrepot.synthetic.times import stamp

EVENTS = {  # trigger event -> message structure
    "A01": "ADT_A01",
    "A02": "ADT_A02",
    "A03": "ADT_A03",
    "A04": "ADT_A01",
    "A05": "ADT_A05",
    "A06": "ADT_A06",
    "A07": "ADT_A06",
    "A08": "ADT_A01",
    "A11": "ADT_A09",
    "A12": "ADT_A09",
    "A13": "ADT_A01",
    "A21": "ADT_A21",
    "A22": "ADT_A21",
    "A24": "ADT_A24",
    "A28": "ADT_A05",
    "A31": "ADT_A05",
    "A37": "ADT_A37",
    "A38": "ADT_A38",
    "A40": "ADT_A39",
    "A47": "ADT_A30",
    "A60": "ADT_A60",
    "Z99": "ADT_A01",
}


def adt(event: str) -> str:
    """MSH-9 of an ADT message."""
    return f"ADT^{event}^{EVENTS[event]}"


def ipp(value: str, of: str = "patient") -> list[str | list[str]]:
    """HL7 CX of an IPP."""
    return [Ident(value, "IPP", of), "", "", AUTHORITY, "PI"]


def nda(value: str) -> list[str | list[str]]:
    """HL7 CX of an NDA."""
    return [Ident(value, "NDA"), "", "", AUTHORITY, "AN"]


def evn(sent: dt.datetime, happened: dt.datetime, clerk: Professional | None = None) -> Segment:
    """EVN: when recorded, by whom, and when it happened."""
    return Segment("EVN", {2: stamp(sent), 5: clerk.xcn() if clerk else "", 6: stamp(happened)})


def pid(
    person: Person, when: dt.datetime, number: str, stay: str = "", of: str = "patient"
) -> Segment:
    """PID in full, as the hospital knew the person at `when`.

    Args:
        number: the IPP. stay: the NDA, empty outside a stay.
    """
    civil = person.at(when)
    fields: dict[int, Field] = {
        1: "1",
        3: _identifiers(person, civil, number, of),
        5: _names(civil, of),
        7: Ident(civil.birth, "DATE_NAISSANCE", of),
        8: civil.sex,
        11: _addresses(person, civil, of),
        13: _telecoms(civil, of),
        16: "M" if civil.used else "S",
        18: nda(stay) if stay else "",
        32: civil.reliability,
        33: stamp(when),
    }
    if person.mother:
        fields[21] = ipp(person.mother.ipps[0], "mother")
    if person.birth_order:
        fields |= {24: "Y", 25: str(person.birth_order)}
    if civil.death:
        fields |= {29: stamp(civil.death), 30: "Y"}
    return Segment("PID", {number: value for number, value in fields.items() if value})


def short_pid(person: Person, when: dt.datetime, number: str, stay: str = "") -> Segment:
    """PID as a laboratory or a pharmacy repeats it: number, name of use, birth date, sex."""
    civil = person.at(when)
    fields: dict[int, Field] = {
        1: "1",
        3: ipp(number),
        5: [Ident(civil.daily.upper(), "NOM"), Ident(civil.given, "PRENOM"), "", "", "", "", "D"],
        7: Ident(civil.birth, "DATE_NAISSANCE"),
        8: civil.sex,
    }
    if stay:
        fields[18] = nda(stay)
    return Segment("PID", fields)


def forgetful_pid(person: Person, when: dt.datetime, number: str, nulls: dict[int, str]) -> Segment:
    """PID that says who, and HL7 nulls: what is absent does not change, what is null goes."""
    segment = short_pid(person, when, number)
    segment.fields |= nulls
    return segment


def _identifiers(person: Person, civil: Civil, number: str, of: str) -> Repeat:
    numbers = [ipp(number, of)]
    if person.ins and civil.reliability == "VALI":
        authority = ["ASIP-SANTE-INS-NIR", person.ins_oid, "ISO"]
        numbers.append([Ident(person.ins, "SECU", of), "", "", authority, "INS", "", "20101207"])
    return Repeat(numbers)


def _names(civil: Civil, of: str) -> Repeat:
    birth: list[str | list[str]] = [
        Ident(bare(civil.family).upper(), "NOM", of),
        Ident(bare(civil.given).upper(), "PRENOM", of),
        Ident(bare(civil.givens).upper(), "PRENOM", of),
        "",
        "",
        "",
        "L",
    ]
    if not civil.used:
        return Repeat([birth])
    daily: list[str | list[str]] = [
        Ident(civil.used.upper(), "NOM", of),
        Ident(civil.given, "PRENOM", of),
        "",
        "",
        civil.title,
        "",
        "D",
    ]
    return Repeat([birth, daily])


def _addresses(person: Person, civil: Civil, of: str) -> Repeat:
    home, born = civil.address, person.birth_place
    country = "FRA" if born.postcode else ""
    return Repeat(
        [
            [
                Ident(home.street, "ADRESSE", of),
                home.complement,
                Ident(home.town, "VILLE", of),
                "",
                Ident(home.postcode, "ZIP", of),
                "FRA",
                "H",
            ],
            [
                "",
                "",
                Ident(born.name, "VILLE", of),
                "",
                Ident(born.postcode, "ZIP", of) if born.postcode else "",
                country,
                "BDL",
                "",
                born.insee,
            ],
        ]
    )


def _telecoms(civil: Civil, of: str) -> Repeat:
    found: list[Field] = []
    if civil.phone:
        found.append([Ident(civil.phone, "TEL", of), "PRN", "PH"])
    if civil.mobile:
        found.append(
            ["", "PRN", "CP", "", "", "", "", "", "", "", "", Ident(civil.mobile, "TEL", of)]
        )
    if civil.mail:
        found.append(["", "NET", "Internet", Ident(civil.mail, "MAIL", of)])
    return Repeat(found)


def nk1(person: Person) -> list[Segment]:
    """NK1 of the relatives that the hospital registers."""
    known = [relative for relative in person.relatives if relative.registered]
    return [_nk1(number, relative) for number, relative in enumerate(known, 1)]


def _nk1(number: int, who: Relative) -> Segment:
    return Segment(
        "NK1",
        {
            1: str(number),
            2: [
                Ident(who.family.upper(), "NOM", "relative"),
                Ident(who.given, "PRENOM", "relative"),
            ],
            3: [who.relation, "", "HL70063"],
            5: [Ident(who.phone, "TEL", "relative"), "PRN", "PH"] if who.phone else "",
        },
    )


def rol(person: Person) -> Segment:
    """ROL of the general practitioner (ODRP)."""
    gp = person.practitioner
    return Segment(
        "ROL",
        {
            2: "UC",
            3: "ODRP",
            4: gp.xcn(),
            11: [
                Ident(gp.street, "ADRESSE", "professional"),
                "",
                "Orléans",
                "",
                "45000",
                "FRA",
                "O",
            ],
            12: [
                "",
                "WPN",
                "PH",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                Ident(gp.phone, "TEL", "professional"),
            ],
        },
    )
