"""Cases: records written by hand about persons of their own, and what must come of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from properties.told import Told

DAY = ("20240330120000", "20240331120000", "20240401120000", "20240402120000")
AT = "2024-03-30 10:30"  # of every result that says nothing else


@dataclass(frozen=True)
class Names:
    """Numbers and ids that no other case uses.

    Args:
        a, b: IPPs of two persons.
    """

    number: int

    @property
    def a(self) -> str:
        return f"77{self.number:03d}10"

    @property
    def b(self) -> str:
        return f"77{self.number:03d}20"

    def id(self, name: str) -> str:
        """A logical id, a number of an order or of a document."""
        return f"{name}-{self.number:03d}"


@dataclass(frozen=True)
class Case:
    """One case.

    Args:
        facts: `A hb 5.4 2024-03-30 10:30` and so on, sorted; `AB` when two numbers are one person.
        records: in the order in which they were made.
        plain: records that say the same without the detour, where there was one.
    """

    name: str
    names: Names
    facts: tuple[str, ...]
    records: tuple[Told, ...]
    plain: tuple[Told, ...] = ()
    merged: bool = False


Made = dict[str, Any]
ALL: list[Callable[[Names], Made]] = []


def case(make: Callable[[Names], Made]) -> Callable[[Names], Made]:
    """Adds a case: its function gives `records`, `facts`, and perhaps `plain` and `merged`."""
    ALL.append(make)
    return make


def hb(who: str, number: str, at: str = AT) -> str:
    """A haemoglobin as a fact."""
    return f"{who} measurement 718-7 {number} {at}"
