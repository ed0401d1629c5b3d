"""Segments that several feeds share: PID, PV1, NK1, ROL, ZBE (IHE PAM France)."""

from __future__ import annotations

import datetime as dt

from entrepot.synthetic.facts import Movement, Stay, Told
from entrepot.synthetic.hospital import AUTHORITY, FINESS, Unit
from entrepot.synthetic.message import Field, Ident, Repeat, Segment
from entrepot.synthetic.persons import Civil, Person, Relative
from entrepot.synthetic.spelling import bare
from entrepot.synthetic.times import day, stamp

EVENTS = {  # trigger event -> message structure
    "A01": "ADT_A01", "A02": "ADT_A02", "A03": "ADT_A03", "A04": "ADT_A01", "A05": "ADT_A05",
    "A06": "ADT_A06", "A07": "ADT_A06", "A08": "ADT_A01", "A11": "ADT_A09", "A12": "ADT_A09",
    "A13": "ADT_A01", "A21": "ADT_A21", "A22": "ADT_A21", "A24": "ADT_A24", "A28": "ADT_A05",
    "A31": "ADT_A05", "A37": "ADT_A37", "A38": "ADT_A38", "A40": "ADT_A39", "A47": "ADT_A30",
    "A60": "ADT_A60", "Z99": "ADT_A01",
}  # fmt: skip


def adt(event: str) -> str:
    """MSH-9 of an ADT message."""
    return f"ADT^{event}^{EVENTS[event]}"


def ipp(value: str, of: str = "patient") -> list[str | list[str]]:
    """HL7 CX of an IPP."""
    return [Ident(value, "IPP", of), "", "", AUTHORITY, "PI"]


def nda(value: str) -> list[str | list[str]]:
    """HL7 CX of an NDA."""
    return [Ident(value, "NDA"), "", "", AUTHORITY, "AN"]


def evn(sent: dt.datetime, happened: dt.datetime) -> Segment:
    """EVN: when recorded and when it happened."""
    return Segment("EVN", {2: stamp(sent), 6: stamp(happened)})


def pid(person: Person, when: dt.datetime, number: str, stay: str = "", of: str = "patient") -> Segment:
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
        Ident(bare(civil.family).upper(), "NOM", of), Ident(bare(civil.given).upper(), "PRENOM", of),
        Ident(bare(civil.givens).upper(), "PRENOM", of), "", "", "", "L",
    ]  # fmt: skip
    if not civil.used:
        return Repeat([birth])
    daily: list[str | list[str]] = [
        Ident(civil.used.upper(), "NOM", of), Ident(civil.given, "PRENOM", of), "", "", civil.title, "", "D",
    ]  # fmt: skip
    return Repeat([birth, daily])


def _addresses(person: Person, civil: Civil, of: str) -> Repeat:
    home, born = civil.address, person.birth_place
    country = "FRA" if born.postcode else ""
    return Repeat([
        [Ident(home.street, "ADRESSE", of), home.complement, Ident(home.town, "VILLE", of), "",
         Ident(home.postcode, "ZIP", of), "FRA", "H"],
        ["", "", Ident(born.name, "VILLE", of), "", Ident(born.postcode, "ZIP", of) if born.postcode else "",
         country, "BDL", "", born.insee],
    ])  # fmt: skip


def _telecoms(civil: Civil, of: str) -> Repeat:
    found: list[Field] = []
    if civil.phone:
        found.append([Ident(civil.phone, "TEL", of), "PRN", "PH"])
    if civil.mobile:
        found.append(["", "PRN", "CP", "", "", "", "", "", "", "", "", Ident(civil.mobile, "TEL", of)])
    if civil.mail:
        found.append(["", "NET", "Internet", Ident(civil.mail, "MAIL", of)])
    return Repeat(found)


def pv1(stay: Stay, when: dt.datetime, unit: Unit | None = None) -> Segment:
    """PV1 of `stay` as told up to `when`; PV1-3 is often empty of a unit (seen)."""
    end, mode = stay.exit_at(when)
    here = (unit or stay.unit_at(when)).code if int(stay.nda[-1]) < 6 else ""
    planned = stay.class_at(when) == "P"
    return Segment("PV1", {
        1: "1", 2: stay.class_at(when), 3: [here, "", "", AUTHORITY], 4: "R", 7: stay.attending.xcn(),
        14: stay.entry, 19: visit_number(stay.visit_number, stay.nda), 36: mode,
        44: "" if planned else stamp(stay.start), 45: stamp(end) if end else "", 51: "V",
    })  # fmt: skip


def brief_pv1(stay: Stay, when: dt.datetime, *, keyed: bool) -> Segment:
    """PV1 as other departments send it: class, unit, doctor; `keyed`: PV1-19 is the NDA."""
    number: Field = nda(stay.nda) if keyed else visit_number(stay.visit_number, stay.nda)
    return Segment("PV1", {
        1: "1", 2: stay.class_at(when), 3: [stay.unit_at(when).code, "", "", AUTHORITY],
        7: stay.attending.xcn(), 19: number,
    })  # fmt: skip


def visit_number(value: str, stay_number: str) -> Field:
    """PV1-19: a number of its own, the NDA again, or the FINESS of the hospital (seen)."""
    if not value:
        return ""
    label = "NDA" if value == stay_number else "AUTRE_ID"
    marked = value if value == FINESS else Ident(value, label)
    return [marked, "", "", AUTHORITY, "VN"]


def zbe(movement: Movement, told: Told) -> Segment:
    """ZBE of one telling: ZBE-6 names the first event unless the movement is inserted."""
    unit: Field = [told.unit.label, "", "", "", "", AUTHORITY, "UF", "", "", told.unit.code]
    return Segment("ZBE", {
        1: [Ident(movement.number, "AUTRE_ID"), *AUTHORITY], 2: stamp(told.start), 4: told.action,
        5: "Y" if told.historic else "N", 6: "" if told.action == "INSERT" else movement.event,
        7: unit, 8: unit, 9: movement.nature,
    })  # fmt: skip


def nk1(person: Person) -> list[Segment]:
    """NK1 of the relatives that the hospital registers."""
    known = [relative for relative in person.relatives if relative.registered]
    return [_nk1(number, relative) for number, relative in enumerate(known, 1)]


def _nk1(number: int, who: Relative) -> Segment:
    return Segment("NK1", {
        1: str(number),
        2: [Ident(who.family.upper(), "NOM", "relative"), Ident(who.given, "PRENOM", "relative")],
        3: [who.relation, "", "HL70063"],
        5: [Ident(who.phone, "TEL", "relative"), "PRN", "PH"] if who.phone else "",
    })  # fmt: skip


def rol(person: Person) -> Segment:
    """ROL of the general practitioner (ODRP)."""
    gp = person.practitioner
    return Segment("ROL", {
        2: "UC", 3: "ODRP", 4: gp.xcn(),
        11: [Ident(gp.street, "ADRESSE", "professional"), "", "Orléans", "", "45000", "FRA", "O"],
        12: ["", "WPN", "PH", "", "", "", "", "", "", "", "", Ident(gp.phone, "TEL", "professional")],
    })  # fmt: skip


def french_segments(stay: Stay, when: dt.datetime) -> list[Segment]:
    """ZFA (DMP), ZFV (previous hospital), ZFM (PMSI modes) and ZFD of IHE PAM France."""
    _, mode = stay.exit_at(when)
    found = [
        Segment("ZFA", {1: "ACTIF", 2: stamp(when), 10: "NA" if int(stay.nda[-2]) < 8 else "IO"}),
        Segment("ZFM", {1: stay.entry, 2: mode}),
        Segment("ZFD", {4: "N", 5: "N", 6: "INSI", 7: day(stay.start)}),
    ]
    if stay.entry == "7":
        found.insert(1, Segment("ZFV", {1: ["450999982", day(stay.start)]}))
    return found


