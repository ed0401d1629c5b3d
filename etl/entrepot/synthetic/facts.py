"""The clinical truth: what really is, after every correction and cancellation.

Each fact also keeps how the hospital told it over time (`tellings`), from which the feeds are
made; its `line` says only the final state. Fields are described in docs/reference/truth.md.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from entrepot.synthetic.clinical import Act as CcamAct
from entrepot.synthetic.clinical import Diagnosis as Cim10
from entrepot.synthetic.hospital import Professional, Unit
from entrepot.synthetic.persons import Person


def iso(when: dt.datetime | None) -> str | None:
    """ISO 8601 local time to the second."""
    return None if when is None else when.isoformat(timespec="seconds")


@dataclass
class Fact(ABC):
    """One statement about one patient.

    Attributes:
        ipp: the IPP under which the feeds tell it.
        cancelled: the hospital took it back.
        told_in: the formats in which a sound record states it.
    """

    kind: ClassVar[str]
    id: str
    patient: str
    ipp: str
    cancelled: bool = field(default=False, kw_only=True)
    told_in: tuple[str, ...] = field(default=(), kw_only=True)

    def line(self) -> dict[str, object]:
        """The statement as `statements.jsonl` holds it."""
        head = {"id": self.id, "patient": self.patient, "kind": self.kind, "ipp": self.ipp}
        told = {"told": bool(self.told_in), "told_in": list(self.told_in)}
        return head | self.content() | {"cancelled": self.cancelled} | told

    @abstractmethod
    def content(self) -> dict[str, object]:
        """Fields of this kind."""


@dataclass
class Identity(Fact):
    """Who the patient is."""

    kind = "identity"
    person: Person

    def content(self) -> dict[str, object]:
        civil = self.person.final
        return {
            "sex": civil.sex,
            "birth_date": civil.birth,
            "birth_precision": civil.birth_precision,
            "death_date": iso(civil.death),
            "postcode": civil.address.postcode,
            "reliability": civil.reliability,
        }


@dataclass
class Death(Fact):
    """The patient died in hospital, or was said to have died and had not (cancelled)."""

    kind = "death"
    at: dt.datetime
    stay: str

    def content(self) -> dict[str, object]:
        return {"at": iso(self.at), "stay": self.stay or None}


class Told(NamedTuple):
    """One telling of a movement: event, action of ZBE-4, when it was told and what was said."""

    event: str
    action: str
    at: dt.datetime
    start: dt.datetime
    unit: Unit
    historic: bool = False
    delay: dt.timedelta = dt.timedelta(0)


@dataclass
class Movement(Fact):
    """One movement of a stay; `event` is the trigger event that first told it."""

    kind = "movement"
    number: str
    nda: str
    event: str
    class_code: str
    start: dt.datetime
    unit: Unit
    end: dt.datetime | None = None
    realised: bool = True
    tellings: list[Told] = field(default_factory=list)

    @property
    def nature(self) -> str:
        """ZBE-9: which responsibilities the movement changes."""
        return {"A02": "MH", "A21": "L", "A22": "D", "A03": "D"}.get(self.event, "HMS")

    def content(self) -> dict[str, object]:
        return {
            "movement": self.number,
            "stay": self.nda,
            "event": self.event,
            "class": self.class_code,
            "uf": self.unit.code,
            "start": iso(self.start),
            "end": iso(self.end),
            "realised": self.realised,
        }


@dataclass
class Stay(Fact):
    """One stay, keyed by its NDA.

    Attributes:
        classes: (told at, class) as the stay changed class.
        exits: (told at, end or None, exit mode) as discharges were told and cancelled.
        visit_number: PV1-19 as this stay's messages have it; empty when absent.
    """

    kind = "stay"
    nda: str
    start: dt.datetime
    setting: str
    attending: Professional
    visit_number: str = ""
    entry: str = "8"
    realised: bool = True
    classes: list[tuple[dt.datetime, str]] = field(default_factory=list)
    exits: list[tuple[dt.datetime, dt.datetime | None, str]] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)

    def class_at(self, when: dt.datetime) -> str:
        """Class as told up to `when`."""
        told = [code for at, code in self.classes if at <= when]
        return told[-1] if told else self.classes[0][1]

    def exit_at(self, when: dt.datetime) -> tuple[dt.datetime | None, str]:
        """End and exit mode as told up to `when`; nothing while open."""
        told = [(end, mode) for at, end, mode in self.exits if at <= when]
        return told[-1] if told else (None, "")

    @property
    def end(self) -> dt.datetime | None:
        """End after every correction; None when open or never closed."""
        return self.exits[-1][1] if self.exits else None

    def unit_at(self, when: dt.datetime) -> Unit:
        """Where the patient is at `when`, by the movements that hold."""
        valid = [m for m in self.movements if not m.cancelled and m.start <= when]
        return max(valid, key=lambda m: m.start, default=self.movements[0]).unit

    def content(self) -> dict[str, object]:
        return {
            "nda": self.nda,
            "class": self.classes[-1][1],
            "start": iso(self.start),
            "end": iso(self.end),
            "entry_mode": self.entry,
            "exit_mode": self.exits[-1][2] if self.exits and self.end else None,
            "realised": self.realised and not self.cancelled,
        }


class DiagnosisTold(NamedTuple):
    """One telling of a diagnosis: DG1-21 action, when, code as written, rank."""

    action: str
    at: dt.datetime
    code: Cim10
    rank: str


@dataclass
class Diagnosis(Fact):
    """One PMSI diagnosis."""

    kind = "diagnosis"
    stay: Stay
    number: str
    code: Cim10
    written: str
    rank: str
    date: dt.date
    tellings: list[DiagnosisTold] = field(default_factory=list)

    def content(self) -> dict[str, object]:
        return {
            "code": self.written,
            "code_pmsi": self.code.code,
            "rank": self.rank,
            "stay": self.stay.nda,
            "date": self.date.isoformat(),
            "diagnosis": self.number,
        }


class ActTold(NamedTuple):
    """One telling of an act: PR1-20 action and when."""

    action: str
    at: dt.datetime


@dataclass
class Act(Fact):
    """One CCAM act."""

    kind = "act"
    stay: Stay
    number: str
    code: CcamAct
    activity: str
    phase: str
    at: dt.datetime
    doctor: Professional
    tellings: list[ActTold] = field(default_factory=list)

    def content(self) -> dict[str, object]:
        return {
            "code": self.code.code,
            "activity": self.activity,
            "phase": self.phase,
            "at": iso(self.at),
            "stay": self.stay.nda,
            "act": self.number,
        }
