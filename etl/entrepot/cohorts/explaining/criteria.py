"""One criterion in words: its concept set, and each attribute that is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from entrepot.cohorts.definition import (
    Concept,
    ConceptSetSelection,
    Criterion,
    DateAdjustment,
    DateRange,
    DemographicCriteria,
    NumericRange,
    Period,
    TextFilter,
)
from entrepot.cohorts.explaining.words import Words

_SETS, _EXCLUDE = "CS", "Exclude"
# Said elsewhere than in the list of attributes.
_APART = frozenset({"CodesetId", "CorrelatedCriteria", "DateAdjustment"})


@dataclass(frozen=True)
class Saying:
    """A language, and the names of the definition's concept sets by number."""

    words: Words
    sets: Mapping[int, str]

    def concept_set(self, number: int) -> str:
        """The set by its name; by its number when the definition does not hold it."""
        return self.words.say("concept_set", name=self.sets.get(number) or number)

    def concepts(self, concepts: tuple[Concept, ...]) -> str:
        """Names and ids."""
        return ", ".join(self.concept(one) for one in concepts)

    def concept(self, concept: Concept) -> str:
        """Name and id."""
        name = concept.concept_name or self.words.say("nameless")
        return self.words.say("concept", name=name, id=concept.concept_id)

    def criterion(self, criterion: Criterion) -> str:
        """`a condition occurrence of concept set “…” [age: at least 18; …]`."""
        number = getattr(criterion, "codeset_id", None)
        kind = "any_kind" if number is None else "in_set"
        named = "" if number is None else self.concept_set(number)
        said = self.words.say(
            "of",
            criterion=self.words.criteria[type(criterion).__name__],
            set=self.words.say(kind, set=named),
        )
        attributes = self.listed(criterion)
        return f"{said} [{attributes}]" if attributes else said

    def listed(self, part: Criterion | DemographicCriteria) -> str:
        """What is stated, in one line."""
        return self.words.say("attributes_apart").join(self.attributes(part))

    def attributes(self, part: Criterion | DemographicCriteria) -> Iterator[str]:
        """What is stated, attribute by attribute."""
        fields = {field.encode_name: field.name for field in msgspec.structs.fields(type(part))}
        for written, name in fields.items():
            value = getattr(part, name)
            # `in` would take concept set 0 for False.
            stated = value is not None and value is not False and value != ()
            if not stated or written in _APART or written.endswith(_EXCLUDE):
                continue
            kind = written.removesuffix(_SETS)
            label = self.words.attributes.get(kind, "")
            excluded = bool(getattr(part, fields.get(kind + _EXCLUDE, ""), False))
            said = self.value(value, excluded) if value is not True else ""
            if label:
                yield self.words.say("attribute", label=label, said=said)
            else:
                yield said or self.words.say(written.lower())
        adjustment = getattr(part, "date_adjustment", None)
        if adjustment is not None:
            yield self._adjusted(adjustment)

    def value(self, value: object, excluded: bool) -> str:
        """What an attribute must be.

        Raises:
            TypeError: a kind of value that no phrase says.
        """
        match value:
            case NumericRange() | DateRange() | TextFilter():
                return self._compared(value)
            case ConceptSetSelection():
                return self._selected(value)
            case Period():
                return self.words.say("span", days=self._days(value))
            case int():
                return self.concept_set(value)
            case tuple():
                said = self.concepts(value)
                return self.words.say("all_but", concepts=said) if excluded else said
        raise TypeError(type(value).__name__)

    def _compared(self, value: NumericRange | DateRange | TextFilter) -> str:
        if isinstance(value, TextFilter):
            return self.words.texts[value.op].format(value.text)
        phrases = self.words.numbers if isinstance(value, NumericRange) else self.words.dates
        return phrases[value.op].format(value.value, value.extent)

    def _selected(self, selection: ConceptSetSelection) -> str:
        if selection.codeset_id is None:
            return self.words.say("is_absent" if selection.is_exclusion else "is_stated")
        phrase = "exclusion" if selection.is_exclusion else "in_set"
        return self.words.say(phrase, set=self.concept_set(selection.codeset_id))

    def _days(self, period: Period) -> str:
        sides = (("period_from", period.start_date), ("period_to", period.end_date))
        return ", ".join(self.words.say(phrase, day=day) for phrase, day in sides if day)

    def _adjusted(self, adjusted: DateAdjustment) -> str:
        def moved(side: str, days: int) -> str:
            return self.words.say(f"adjusted_{side.lower()}", days=days)

        return self.words.say(
            "adjusted",
            start=moved(adjusted.start_with, adjusted.start_offset),
            end=moved(adjusted.end_with, adjusted.end_offset),
        )
