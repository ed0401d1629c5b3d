"""One patient's chart while it is written: the person, the facts so far, and fresh numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from random import Random
from zlib import crc32

from entrepot.synthetic.chance import scattered, stream
from entrepot.synthetic.facts import Fact, Identity, Movement, Stay
from entrepot.synthetic.hospital import FINESS, Staff, Unit, staff
from entrepot.synthetic.orders import Letter, Order
from entrepot.synthetic.persons import Person

_PER_PATIENT = 10_000  # numbers of one kind that one patient may use up


@dataclass
class Chart:
    """What one patient lives through.

    Attributes:
        facts: in the order in which they were written. stays, orders, letters: the same, by kind.
    """

    seed: int
    person: Person
    rng: Random
    facts: list[Fact] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    _used: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, seed: int, person: Person) -> Chart:
        """A new chart that holds the identity only."""
        chart = cls(seed, person, stream(seed, person.index, "chart"))
        chart.add(Identity(chart.fact_id("identity"), person.id, person.ipps[0], person))
        return chart

    @property
    def staff(self) -> Staff:
        """The hospital's staff."""
        return staff(self.seed)

    def add(self, fact: Fact) -> None:
        """Writes one fact."""
        self.facts.append(fact)

    def rank(self, kind: str) -> int:
        """The next rank of one kind for this patient, from 1."""
        self._used[kind] = self._used.get(kind, 0) + 1
        return self._used[kind]

    def fact_id(self, kind: str) -> str:
        """A fresh statement id."""
        return f"{self.person.id}.{kind}.{self.rank('fact ' + kind)}"

    def number(self, kind: str, digits: int = 11) -> str:
        """A number of one kind that nobody else has."""
        return scattered(
            crc32(kind.encode()) + self.person.index * _PER_PATIENT + self.rank(kind), digits
        )

    def nda(self, start: dt.datetime) -> str:
        """A fresh NDA: two digits of the year and eight more."""
        number = 39_916_801 + self.person.index * 100 + self.rank("nda")
        return f"{start:%y}{scattered(number, 8)}"

    def ipp_at(self, when: dt.datetime) -> str:
        """The IPP in use at `when`: a second number may be in use for some time."""
        person, dated = self.person, self.person.dated
        if len(person.ipps) == 1:
            return person.ipps[0]
        second_in_use = dated["second_from"] <= when < dated["second_until"]
        return person.ipps[1] if second_in_use else person.ipps[0]

    def stay(self, start: dt.datetime, class_code: str, setting: str, entry: str = "8") -> Stay:
        """Opens a stay."""
        nda = self.nda(start)
        draw = self.rng.random()
        visit = "" if draw < 0.15 else nda if draw < 0.45 else FINESS if draw < 0.6 else f"V{nda}"
        new = Stay(
            self.fact_id("stay"),
            self.person.id,
            self.ipp_at(start),
            nda,
            start,
            setting,
            self.rng.choice(self.staff.doctors),
            visit,
            entry,
            classes=[(start, class_code)],
        )
        self.stays.append(new)
        self.add(new)
        return new

    def movement(
        self, stay: Stay, event: str, start: dt.datetime, unit: Unit, class_code: str = ""
    ) -> Movement:
        """Adds a movement to `stay`; its class is the stay's unless said."""
        new = Movement(
            self.fact_id("movement"),
            self.person.id,
            stay.ipp,
            self.number("movement", 10),
            stay.nda,
            event,
            class_code or stay.class_at(start),
            start,
            unit,
        )
        stay.movements.append(new)
        self.add(new)
        return new

    def age_at(self, when: dt.datetime) -> int:
        """Age in whole years, as well as the birth date tells it."""
        return when.year - int(self.person.final.birth[:4])

    def minutes(self, low: int, high: int) -> dt.timedelta:
        """A random delay."""
        return dt.timedelta(minutes=self.rng.randint(low, high))
