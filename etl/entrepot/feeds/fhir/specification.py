"""The R4 specification as data (`elements.csv`): which type has which element, of which type."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ELEMENTS = Path(__file__).parent / "elements.csv"
NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt"})
DATES = frozenset({"date", "dateTime", "instant"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type; a choice (`value[x]`) has one for each of its types.

    Args:
        name: as paths write it (`value`).
        json: as JSON writes it (`valueQuantity`).
        type: `Quantity`, `string`; a backbone's is made of its path (`ObservationComponent`).
        many: a JSON array.
        targets: resource types that a reference may name; `Resource` is any.
    """

    name: str
    json: str
    type: str
    many: bool
    targets: tuple[str, ...]

    @property
    def primitive(self) -> bool:
        """A JSON string, number or boolean, which may have a sibling `_name`."""
        return self.type[0].islower()

    @property
    def choice(self) -> bool:
        """One of the types of a `value[x]`."""
        return self.json != self.name


class Specification:
    """All types of R4 by name.

    Args:
        types: elements by type, inherited ones included.
        resources: names of the resource types.
        known_by_name: resource types of which only the inherited elements are known.
    """

    def __init__(
        self,
        types: Mapping[str, tuple[Element, ...]],
        resources: frozenset[str],
        known_by_name: frozenset[str],
    ) -> None:
        self.types, self.resources, self.known_by_name = types, resources, known_by_name
        self._named: dict[str, dict[str, list[Element]]] = {}

    def elements(self, type_: str, name: str) -> list[Element]:
        """The elements that a type has under one name: several of a choice, none if unknown."""
        named = self._named.get(type_)
        if named is None:
            named = self._named[type_] = {}
            for element in self.types.get(type_, ()):
                named.setdefault(element.name, []).append(element)
        return named.get(name, [])


@cache
def specification() -> Specification:
    """Reads `elements.csv`; columns type, base, element, json, element_type, list, targets."""
    own: dict[str, list[Element]] = {}
    bases: dict[str, str] = {}
    with ELEMENTS.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for type_, base, name, json, element_type, many, targets in rows:
            if not name:
                own[type_], bases[type_] = [], base
            else:
                targeted = tuple(targets.split())
                own[type_].append(Element(name, json, element_type, bool(many), targeted))
    types = {name: tuple(_inherited(name, own, bases)) for name in own}
    resources = frozenset(name for name in own if _is_resource(name, bases)) - _ABSTRACT
    return Specification(types, resources, frozenset(n for n in resources if not own[n]))


_ABSTRACT = frozenset({"Resource", "DomainResource"})


def _inherited(name: str, own: dict[str, list[Element]], bases: dict[str, str]) -> list[Element]:
    base = bases[name]
    return own[name] + (_inherited(base, own, bases) if base else [])


def _is_resource(name: str, bases: dict[str, str]) -> bool:
    while name and name != "Resource":
        name = bases[name]
    return name == "Resource"
