"""What a plan is made of: the moves from a place to what a path reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from entrepot.feeds.fhir.shape import Shape


@dataclass(frozen=True, slots=True)
class Move:
    """To an element, which is an attribute of the struct."""

    attribute: str
    many: bool
    json: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Goes on only if one of the alternatives holds, each a conjunction of plans."""

    alternatives: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """`equal` None: the plan finds something; `is_type`: what the reference names has the type."""

    plan: Plan
    equal: str | None
    is_type: str
    sole: bool = False  # R4 allows no other type there


@dataclass(frozen=True, slots=True)
class Pick:
    """One item of all that the moves before it find."""

    number: int


@dataclass(frozen=True, slots=True)
class Single:
    """One value for each item that arrives here."""


@dataclass(frozen=True, slots=True)
class Jump:
    """To the contained resource, with a plan for each type that it may have."""

    plans: dict[str, Plan]


@dataclass(frozen=True, slots=True)
class Inside:
    """To every contained resource of one type."""

    type: str


@dataclass(frozen=True, slots=True)
class Fork:
    """Several types of a choice, each with its plan."""

    plans: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """The end at a primitive; `spell` None when it is text already."""

    spell: Callable[[Any], str] | None


@dataclass(frozen=True, slots=True)
class Token:
    """The end at a reference."""


@dataclass(frozen=True, slots=True)
class OwnId:
    """The end at a resource's id, which its Bundle entry may state instead."""


@dataclass(frozen=True, slots=True)
class Found:
    """The end of `exists()`."""


@dataclass(frozen=True, slots=True)
class Here:
    """The end at an element that a row or a reader takes as a whole."""

    shape: Shape


Operation = (
    Move | Filter | Pick | Single | Jump | Inside | Fork | Text | Token | OwnId | Found | Here
)
Plan = tuple[Operation, ...]
