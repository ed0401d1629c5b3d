"""Patients as persons: who they are, and what the hospital believed about them at each time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from entrepot.synthetic.hospital import Professional
from entrepot.synthetic.names import Town


class Address(NamedTuple):
    """A postal address."""

    street: str  # number and street
    complement: str
    town: str
    postcode: str
    insee: str


@dataclass(frozen=True)
class Civil:
    """An identity as the register of the hospital holds it.

    Attributes:
        family: birth name. used: name of use, empty when it is the birth name.
        given: first given name, or the one used. givens: all of them.
        sex: M, F, I or U. birth: HL7 date, with 0000 or 00 for unknown parts.
        reliability: PID-32, of HL7 table 0445 (VALI, QUAL, PROV, ANOM…).
    """

    family: str
    used: str
    given: str
    givens: str
    sex: str
    birth: str
    address: Address
    phone: str
    mobile: str
    mail: str
    reliability: str
    death: dt.datetime | None = None

    @property
    def birth_precision(self) -> str:
        """day, month or year: what of the birth date is known."""
        if self.birth.endswith("0000"):
            return "year"
        return "month" if self.birth.endswith("00") else "day"

    @property
    def title(self) -> str:
        """Civil title."""
        return "M." if self.sex == "M" else "Mme"

    @property
    def daily(self) -> str:
        """The name that people call: the name of use, else the birth name."""
        return self.used or self.family


@dataclass(frozen=True)
class Change:
    """What the hospital believed from `since` on, and why it changed its mind."""

    since: dt.datetime
    civil: Civil
    reason: str


@dataclass(frozen=True)
class Relative:
    """A relative; those that the hospital does not register appear only in letters."""

    relation: str  # HL7 table 0063: SPO, CHD, MTH, SIB…
    family: str
    given: str
    sex: str
    phone: str
    registered: bool


@dataclass
class Person:
    """One patient.

    Attributes:
        index: rank in the hospital; id: `P000012`.
        ipps: every IPP the patient ever has, the surviving one first.
        ins: NIR of 15 characters, empty when the patient has none.
        history: what the hospital believed, oldest first.
        delivery: when the patient gives birth, for mothers.
        mother: the mother, for newborns whose birth is no secret.
    """

    index: int
    id: str
    role: str
    ipps: list[str]
    ins: str
    ins_oid: str
    birth_place: Town
    history: list[Change]
    relatives: list[Relative]
    practitioner: Professional
    first_seen: dt.datetime
    dies: bool = False
    delivery: dt.datetime | None = None
    mother: Person | None = None
    birth_order: int = 0
    dated: dict[str, dt.datetime] = field(default_factory=dict)  # merge, unmerge, link…

    def at(self, when: dt.datetime) -> Civil:
        """The identity believed at `when`."""
        known = self.history[0].civil
        for change in self.history:
            if change.since <= when:
                known = change.civil
        return known

    @property
    def final(self) -> Civil:
        """The identity after every correction."""
        return self.history[-1].civil

    def believe(self, since: dt.datetime, reason: str, **changes: object) -> None:
        """Adds a change of belief, in the order of time."""
        self.history.append(Change(since, replace(self.final, **changes), reason))  # type: ignore[arg-type]
