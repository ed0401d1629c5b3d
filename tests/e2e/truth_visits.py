"""Visits and unit stays that the truth asks for (IHE PAM France; French feeds, "Stays")."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from truth_concepts import Concepts
from truth_reading import Line, Truth, moment, moment_or_none
from truth_rows import Rows, add

# A leave neither opens nor closes a unit stay; a pre-admission is no movement yet.
NO_UNIT_STAY = {"A05", "A21", "A22"}
EMERGENCY_GAP = dt.timedelta(hours=24)


@dataclass
class UnitStay:
    """One stay in a unit."""

    uf: str
    class_code: str
    start: dt.datetime
    end: dt.datetime


@dataclass
class Visit:
    """One visit: a stay, and the emergency stay that led to it within 24 hours."""

    stay: Line
    start: dt.datetime
    end: dt.datetime
    movements: list[Line]
    emergency: bool
    units: list[UnitStay] = field(default_factory=list)

    def uf_at(self, when: dt.datetime) -> str | None:
        """The unit that the patient is in at `when`, the latest entered if two meet."""
        here = [unit for unit in self.units if unit.start <= when <= unit.end]
        return max(here, key=lambda unit: unit.start).uf if here else None


def visits_of(truth: Truth) -> dict[str, Visit]:
    """NDA -> visit, for every realised stay; merged stays share one."""
    movements: dict[str, list[Line]] = defaultdict(list)
    for line in truth.holds("movement"):
        if line["realised"] and line["event"] not in NO_UNIT_STAY:
            movements[line["stay"]].append(line)
    stays = [line for line in truth.holds("stay") if line["realised"]]
    visits = {stay["nda"]: _visit(stay, movements[stay["nda"]], truth.as_of) for stay in stays}
    for emergency in stays:
        for admission in stays:
            if _follows(emergency, admission):
                _merge(visits, emergency["nda"], admission["nda"])
    for visit in distinct(visits):
        visit.units = _units(visit)
    return visits


def distinct(visits: dict[str, Visit]) -> list[Visit]:
    """Every visit once."""
    return list({id(visit): visit for visit in visits.values()}.values())


def add_visits(rows: Rows, visits: dict[str, Visit], concepts: Concepts) -> None:
    """Rows of visit_occurrence and visit_detail."""
    for visit in distinct(visits):
        stay, kind = visit.stay, concepts.type["encounter"]
        concept = concepts.visit_class[stay["class"]]
        if stay["class"] == "I" and visit.emergency:
            concept = concepts.constant["visit_emergency_and_inpatient"]
        own = [line for line in visit.movements if line["stay"] == stay["nda"]]
        earlier = [
            other.start
            for other in distinct(visits)
            if other.stay["patient"] == stay["patient"] and other.start < visit.start
        ]
        values = {
            "patient": stay["patient"], "concept": concept, "class": stay["class"],
            "start": visit.start, "end": visit.end, "start_date": visit.start.date(),
            "end_date": visit.end.date(), "type": kind, "entry_mode": stay["entry_mode"],
            "entry": concepts.movement_mode["entry", stay["entry_mode"]],
            "exit_mode": stay["exit_mode"],
            "exit": concepts.movement_mode["exit", stay["exit_mode"] or ""],
            "uf": own[0]["uf"], "previous": max(earlier, default=None),
        }  # fmt: skip
        add(rows, "visit_occurrence", **values)
        for unit in visit.units:
            values = {
                "patient": stay["patient"], "visit": visit.start, "class": unit.class_code,
                "concept": concepts.visit_class[unit.class_code], "uf": unit.uf,
                "start": unit.start, "end": unit.end, "type": kind,
            }  # fmt: skip
            add(rows, "visit_detail", **values)


def _visit(stay: Line, movements: list[Line], as_of: dt.datetime) -> Visit:
    """An open inpatient stay goes on until `as_of`; others without an end, end as they begin."""
    start, end = moment(stay["start"]), moment_or_none(stay["end"])
    if end is None:
        end = max(as_of, start) if stay["class"] == "I" else start
    ordered = sorted(movements, key=lambda line: (line["start"], line["movement"]))
    return Visit(stay, start, end, ordered, any(line["class"] == "E" for line in movements))


def _follows(emergency: Line, admission: Line) -> bool:
    end = moment_or_none(emergency["end"])
    if end is None or (emergency["class"], admission["class"]) != ("E", "I"):
        return False
    start = moment(admission["start"])
    near = moment(emergency["start"]) <= start <= end + EMERGENCY_GAP
    return near and emergency["patient"] == admission["patient"]


def _merge(visits: dict[str, Visit], emergency: str, admission: str) -> None:
    first, visit = visits[emergency], visits[admission]
    visit.start, visit.emergency = first.start, True
    visit.movements = first.movements + visit.movements
    visits[emergency] = visit


def _units(visit: Visit) -> list[UnitStay]:
    found = []
    for place, line in enumerate(visit.movements, 1):
        if line["event"] == "A03":
            continue
        after = visit.movements[place:]
        end = moment(after[0]["start"]) if after else visit.end
        found.append(UnitStay(line["uf"], line["class"], moment(line["start"]), end))
    return found
