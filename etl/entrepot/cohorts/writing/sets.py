"""Concept sets by name; their numbers are given when the definition is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from entrepot.cohorts.definition import Concept, ConceptSetExpression, ConceptSetItem


@dataclass(frozen=True)
class Concepts:
    """A concept set. Two of the same name and content are one."""

    name: str
    items: tuple[ConceptSetItem, ...]

    @property
    def expression(self) -> ConceptSetExpression:
        """As Circe holds it."""
        return ConceptSetExpression(self.items)

    def without(self, *ids: int, descendants: bool = True) -> Concepts:
        """The set less these concepts."""
        left_out = (
            ConceptSetItem(Concept(one), is_excluded=True, include_descendants=descendants)
            for one in ids
        )
        return Concepts(self.name, (*self.items, *left_out))


def concepts(name: str, *ids: int, descendants: bool = True, mapped: bool = False) -> Concepts:
    """A set of concept ids.

    Args:
        descendants: with what `concept_ancestor` puts below them.
        mapped: with the source codes that map to them (French codes mostly are such).
    """
    return Concepts(name, tuple(_items(ids, descendants, mapped)))


def _items(ids: Iterable[int], descendants: bool, mapped: bool) -> Iterable[ConceptSetItem]:
    for one in ids:
        yield ConceptSetItem(Concept(one), include_descendants=descendants, include_mapped=mapped)


class Numbering:
    """Numbers of concept sets, in the order in which the definition names them."""

    def __init__(self) -> None:
        self.sets: dict[Concepts, int] = {}

    def number(self, one: Concepts) -> int:
        """The set's number, the same at every call."""
        return self.sets.setdefault(one, len(self.sets))
