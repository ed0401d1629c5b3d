"""Conditions around an event: others counted within days of it, the person, groups of these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from entrepot.cohorts.definition import (
    CorrelatedCriteria,
    CountColumn,
    CriteriaGroup,
    DemographicCriteria,
    Endpoint,
    GroupType,
    Occurrence,
    Window,
)
from entrepot.cohorts.writing.events import Event, attributes
from entrepot.cohorts.writing.sets import Numbering
from entrepot.errors import ConfigurationError

_ANY_TIME = Window(Endpoint(-1), Endpoint(1))


@dataclass(frozen=True)
class Counted:
    """An event that occurs so many times within days of the index event."""

    event: Event
    occurrence: Occurrence
    start: Window = _ANY_TIME
    end: Window | None = None
    visit: bool = False
    anywhere: bool = False

    def within(self, start: int | None, end: int | None, *, of: str = "start") -> Counted:
        """It starts within these days, counted from the index event's `of` (start or end).

        Args:
            start: days; negative is before, None any time before.
            end: days; negative is before, None any time after.
        """
        return replace(self, start=_window(start, end, of))

    def before(self, days: int = 1) -> Counted:
        """It starts at least so many days before the index event's start."""
        return self.within(None, -days)

    def ending_within(self, start: int | None, end: int | None, *, of: str = "start") -> Counted:
        """It ends within these days; see `within`."""
        return replace(self, end=_window(start, end, of, by_end=True))

    def same_visit(self) -> Counted:
        """In the index event's visit."""
        return replace(self, visit=True)

    def outside_observation(self) -> Counted:
        """Also where the person is not observed."""
        return replace(self, anywhere=True)

    def correlated(self, numbering: Numbering) -> CorrelatedCriteria:
        """As Circe holds it."""
        return CorrelatedCriteria(
            self.event.criterion(numbering), self.start, self.occurrence, self.end,
            self.visit, self.anywhere,
        )  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Age, sex and the like at the index event."""

    given: tuple[tuple[str, object], ...]

    def demographic(self, numbering: Numbering) -> DemographicCriteria:
        """As Circe holds it."""
        return DemographicCriteria(
            **dict(attributes(DemographicCriteria, dict(self.given), numbering))
        )


@dataclass(frozen=True)
class Combined:
    """Conditions of which all, any, at least or at most `count` hold."""

    type: GroupType
    members: tuple[Counted | Person | Combined, ...]
    count: int | None = None

    def group(self, numbering: Numbering) -> CriteriaGroup:
        """As Circe holds it."""
        counted = [one for one in self.members if isinstance(one, Counted)]
        persons = [one for one in self.members if isinstance(one, Person)]
        groups = [one for one in self.members if isinstance(one, Combined)]
        return CriteriaGroup(
            self.type,
            self.count,
            tuple(one.correlated(numbering) for one in counted),
            tuple(one.demographic(numbering) for one in persons),
            tuple(one.group(numbering) for one in groups),
        )


def times(
    event: Event,
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    exactly: int | None = None,
    distinct: CountColumn | str | None = None,
) -> Counted:
    """An event so many times, at least once without a word; by default at any time.

    Args:
        distinct: count distinct values of this (`START_DATE`, `DOMAIN_CONCEPT`…) instead of events.

    Raises:
        ConfigurationError: two counts at once, or an unknown column.
    """
    told: dict[Literal[0, 1, 2], int | None] = {0: exactly, 1: at_most, 2: at_least}
    given = {number: count for number, count in told.items() if count is not None}
    if len(given) > 1:
        raise ConfigurationError("give one of at_least, at_most, exactly", where="times()")
    if distinct is not None and str(distinct) not in set(CountColumn):
        raise ConfigurationError(
            "nothing of that name is counted", where="times()",
            remedy=f"one of {', '.join(sorted(CountColumn))}",
        )  # fmt: skip
    number, count = next(iter(given.items()), (2, 1))
    column = CountColumn(distinct) if distinct is not None else None
    return Counted(event, Occurrence(number, count, column is not None, column))


def person(**given: object) -> Person:
    """`age`, `gender`, `race`, `ethnicity` at the index event; see `Event.where`.

    Raises:
        ConfigurationError: another attribute.
    """
    known = DemographicCriteria.__struct_fields__
    for name in given:
        if name not in known:
            raise ConfigurationError(
                f"a person has no attribute {name}",
                where="person()",
                remedy=f"one of {', '.join(known)}",
            )
    return Person(tuple(given.items()))


def all_of(*members: Counted | Person | Combined) -> Combined:
    """All hold."""
    return Combined(GroupType.ALL, members)


def any_of(*members: Counted | Person | Combined) -> Combined:
    """At least one holds."""
    return Combined(GroupType.ANY, members)


def at_least_of(count: int, *members: Counted | Person | Combined) -> Combined:
    """At least `count` hold."""
    return Combined(GroupType.AT_LEAST, members, count)


def at_most_of(count: int, *members: Counted | Person | Combined) -> Combined:
    """At most `count` hold."""
    return Combined(GroupType.AT_MOST, members, count)


def _window(start: int | None, end: int | None, of: str, *, by_end: bool = False) -> Window:
    if of not in ("start", "end"):
        raise ConfigurationError("days are counted from start or end", where="within(of=…)")
    return Window(
        _endpoint(start, -1), _endpoint(end, 1), use_index_end=of == "end", use_event_end=by_end
    )


def _endpoint(days: int | None, edge: Literal[-1, 1]) -> Endpoint:
    if days is None:
        return Endpoint(edge)
    return Endpoint(-1 if days < 0 else 1, abs(days))
