"""Segments of a visit: PV1, ZBE and the Z segments of IHE PAM France."""

from __future__ import annotations

import datetime as dt

from entrepot.synthetic.facts import Movement, Stay, Told
from entrepot.synthetic.hospital import AUTHORITY, FINESS, Unit
from entrepot.synthetic.message import Field, Ident, Segment
from entrepot.synthetic.segments import nda
from entrepot.synthetic.times import day, stamp


def pv1(stay: Stay, when: dt.datetime, unit: Unit | None = None) -> Segment:
    """PV1 of `stay` as told up to `when`; PV1-3 is often empty of a unit (seen)."""
    end, mode = stay.exit_at(when)
    here = (unit or stay.unit_at(when)).code if int(stay.nda[-1]) < 6 else ""
    planned = stay.class_at(when) == "P"
    return Segment(
        "PV1",
        {
            1: "1",
            2: stay.class_at(when),
            3: [here, "", "", AUTHORITY],
            4: "R",
            7: stay.attending.xcn(),
            14: stay.entry,
            19: visit_number(stay.visit_number, stay.nda),
            36: mode,
            44: "" if planned else stamp(stay.start),
            45: stamp(end) if end else "",
            51: "V",
        },
    )


def brief_pv1(stay: Stay, when: dt.datetime, *, keyed: bool) -> Segment:
    """PV1 as other departments send it: class, unit, doctor; `keyed`: PV1-19 is the NDA."""
    number: Field = nda(stay.nda) if keyed else visit_number(stay.visit_number, stay.nda)
    return Segment(
        "PV1",
        {
            1: "1",
            2: stay.class_at(when),
            3: [stay.unit_at(when).code, "", "", AUTHORITY],
            7: stay.attending.xcn(),
            19: number,
        },
    )


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
    return Segment(
        "ZBE",
        {
            1: [Ident(movement.number, "AUTRE_ID"), *AUTHORITY],
            2: stamp(told.start),
            4: told.action,
            5: "Y" if told.historic else "N",
            6: "" if told.action == "INSERT" else movement.event,
            7: unit,
            8: unit,
            9: movement.nature,
        },
    )


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
