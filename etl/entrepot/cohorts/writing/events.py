"""Events of a CDM table, with the attributes that they must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot.cohorts import definition
from entrepot.cohorts.definition import (
    Concept,
    ConceptSetSelection,
    Criterion,
    OneCriterion,
)
from entrepot.cohorts.writing.sets import Concepts, Numbering
from entrepot.errors import ConfigurationError

if TYPE_CHECKING:
    from entrepot.cohorts.writing.conditions import Combined

KINDS = {
    name: kind
    for name, kind in vars(definition).items()
    if isinstance(kind, type) and issubclass(kind, Criterion) and kind is not Criterion
}


@dataclass(frozen=True)
class Event:
    """Rows of one table; `where` and the like give another event and leave this one as it is."""

    kind: type[Criterion]
    concepts: Concepts | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    nested: Combined | None = None

    def where(self, **attributes: object) -> Event:
        """Attributes that must hold, by their names in snake case (`value_as_number`, `gender`).

        Args:
            attributes: a range, a text filter, True, concept ids as a list, or a concept set; one
                set among attributes of ids (`gender=[8532]`) stands for `gender_cs`.

        Raises:
            ConfigurationError: the criterion has no such attribute; it names those it has.
        """
        known = set(self.kind.__struct_fields__) - {"codeset_id", "correlated_criteria"}
        for name in attributes:
            if name not in known:
                raise ConfigurationError(
                    f"{self.kind.__name__} has no attribute {name}",
                    where="where()",
                    remedy=f"one of {', '.join(sorted(known))}",
                )
        return replace(self, attributes={**self.attributes, **attributes})

    def first(self) -> Event:
        """The person's first one of them in the whole record."""
        return self.where(first=True)

    def that(self, condition: Combined) -> Event:
        """A group of conditions around this very event."""
        return replace(self, nested=condition)

    def criterion(self, numbering: Numbering) -> OneCriterion:
        """As Circe holds it."""
        given = dict(attributes(self.kind, self.attributes, numbering))
        if self.concepts is not None:
            given["codeset_id"] = numbering.number(self.concepts)
        if self.nested is not None:
            given["correlated_criteria"] = self.nested.group(numbering)
        return OneCriterion.of(self.kind(**given))


def event(kind: str, concepts: Concepts | None = None) -> Event:
    """Events of one kind, spelled as Circe does: `ConditionOccurrence`, `Measurement`, `Death`.

    Raises:
        ConfigurationError: no such kind, or one that has no concept set.
    """
    if kind not in KINDS:
        raise ConfigurationError(
            "no such kind of event", where="event()", remedy=f"one of {', '.join(sorted(KINDS))}"
        )
    if concepts is not None and "codeset_id" not in KINDS[kind].__struct_fields__:
        raise ConfigurationError(f"{kind} takes no concept set", where="event()")
    return Event(KINDS[kind], concepts)


def attributes(
    kind: type[msgspec.Struct], given: Mapping[str, object], numbering: Numbering
) -> Iterable[tuple[str, Any]]:
    """Python values as the model's: ids become concepts, sets their numbers."""
    for name, value in given.items():
        if isinstance(value, Concepts):
            yield _numbered(kind, name, numbering.number(value))
        elif isinstance(value, list | tuple | set | frozenset):
            yield name, tuple(Concept(one) for one in value)
        else:
            yield name, value


def _numbered(kind: type[msgspec.Struct], name: str, number: int) -> tuple[str, Any]:
    if name.endswith("_cs"):
        return name, ConceptSetSelection(number)
    if f"{name}_cs" in kind.__struct_fields__:
        return f"{name}_cs", ConceptSetSelection(number)
    return name, number
