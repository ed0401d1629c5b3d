"""The whole definition, step by step."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import msgspec

from entrepot.cohorts.definition import (
    CohortExpression,
    CollapseSettings,
    ConceptSet,
    CustomEra,
    DateOffset,
    EndStrategy,
    InclusionRule,
    LimitType,
    ObservationWindow,
    Period,
    PrimaryCriteria,
    ResultLimit,
)
from entrepot.cohorts.writing.conditions import Combined, Counted, Person, all_of
from entrepot.cohorts.writing.events import Event
from entrepot.cohorts.writing.sets import Concepts, Numbering
from entrepot.errors import ConfigurationError


@dataclass(frozen=True)
class Draft:
    """A definition under way; every step gives another draft."""

    title: str
    events: tuple[Event, ...] = ()
    window: ObservationWindow = field(default_factory=ObservationWindow)
    entry_limit: LimitType = LimitType.FIRST
    additional: Combined | None = None
    qualified_limit: LimitType = LimitType.ALL
    rules: tuple[tuple[str, Combined], ...] = ()
    rules_limit: LimitType = LimitType.ALL
    offset: DateOffset | None = None
    era: tuple[Concepts, int, int, int | None] | None = None
    censors: tuple[Event, ...] = ()
    pad: int = 0
    censor_window: Period | None = None

    def entry(
        self, *events: Event, prior_days: int = 0, post_days: int = 0, keep: str = "First"
    ) -> Draft:
        """Any of these begins the cohort.

        Args:
            prior_days: days of observation needed before the event; `post_days` after it.
            keep: `All` events of a person, the `First` or the `Last`.
        """
        return replace(
            self, events=events, window=ObservationWindow(prior_days, post_days),
            entry_limit=LimitType(keep),
        )  # fmt: skip

    def restricted(self, *conditions: Counted | Person | Combined, keep: str = "All") -> Draft:
        """Only entry events around which all of these hold."""
        return replace(self, additional=all_of(*conditions), qualified_limit=LimitType(keep))

    def rule(self, name: str, *conditions: Counted | Person | Combined) -> Draft:
        """An inclusion rule: all of these hold. Its attrition is told by name."""
        return replace(self, rules=(*self.rules, (name, all_of(*conditions))))

    def keeping(self, limit: str) -> Draft:
        """Of the events that satisfy every rule: `All`, the `First` or the `Last`."""
        return replace(self, rules_limit=LimitType(limit))

    def leaving(self, *, days: int, after: str = "start") -> Draft:
        """So many days after the event's start or end, within its observation."""
        if after not in ("start", "end"):
            raise ConfigurationError("days are counted from start or end", where="leaving(after=…)")
        offset = DateOffset("EndDate" if after == "end" else "StartDate", days)
        return replace(self, offset=offset, era=None)

    def leaving_with(
        self, drugs: Concepts, *, gap_days: int, offset: int = 0, days_supply: int | None = None
    ) -> Draft:
        """At the end of an uninterrupted use of these drugs."""
        return replace(self, era=(drugs, gap_days, offset, days_supply), offset=None)

    def censored_by(self, *events: Event) -> Draft:
        """The first of these ends the cohort."""
        return replace(self, censors=events)

    def joined(self, days: int) -> Draft:
        """Periods of one person at most so many days apart become one."""
        return replace(self, pad=days)

    def within(self, start: dt.date | None = None, end: dt.date | None = None) -> Draft:
        """Only days of the calendar from `start` to `end` count."""
        return replace(self, censor_window=Period(start, end))

    def definition(self) -> CohortExpression:
        """Circe's definition; `.json()` is what ATLAS reads.

        Raises:
            ConfigurationError: no entry event.
        """
        if not self.events:
            raise ConfigurationError(
                "the cohort has no entry event", where=self.title, remedy="call entry(event(…))"
            )
        numbering = Numbering()
        made = CohortExpression(
            PrimaryCriteria(
                tuple(one.criterion(numbering) for one in self.events),
                self.window,
                ResultLimit(self.entry_limit),
            ),
            additional_criteria=self.additional.group(numbering) if self.additional else None,
            qualified_limit=ResultLimit(self.qualified_limit),
            expression_limit=ResultLimit(self.rules_limit),
            inclusion_rules=tuple(
                InclusionRule(group.group(numbering), name) for name, group in self.rules
            ),
            end_strategy=self._end(numbering),
            censoring_criteria=tuple(one.criterion(numbering) for one in self.censors),
            collapse_settings=CollapseSettings(era_pad=self.pad),
            censor_window=self.censor_window,
            title=self.title,
        )
        return msgspec.structs.replace(made, concept_sets=_sets(numbering))

    def _end(self, numbering: Numbering) -> EndStrategy | None:
        if self.era is not None:
            drugs, gap, offset, supply = self.era
            return EndStrategy(custom_era=CustomEra(numbering.number(drugs), gap, offset, supply))
        return EndStrategy(self.offset) if self.offset is not None else None


def _sets(numbering: Numbering) -> tuple[ConceptSet, ...]:
    return tuple(
        ConceptSet(number, one.name, one.expression) for one, number in numbering.sets.items()
    )


def cohort(title: str) -> Draft:
    """An empty draft."""
    return Draft(title)
