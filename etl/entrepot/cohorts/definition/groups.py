"""Groups of criteria: correlated events counted, demographics, and groups within groups.

The attributes are those of OHDSI's circe-be 1.12 (package `org.ohdsi.circe.cohortdefinition`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from entrepot.cohorts.definition.values import (
    Concepts,
    ConceptSetSelection,
    Count,
    CountColumn,
    DateAdjustment,
    DateRange,
    GroupType,
    NumericRange,
    Part,
    Window,
)

if TYPE_CHECKING:
    from entrepot.cohorts.definition.choice import OneCriterion


class Criterion(Part, frozen=True):
    """Events of one table; all attributes that are given must hold."""

    correlated_criteria: CriteriaGroup | None = None
    date_adjustment: DateAdjustment | None = None


class Occurrence(Part, frozen=True):
    """How often correlated events occur: type 0 exactly, 1 at most, 2 at least `count` times."""

    type: Literal[0, 1, 2]
    count: Count
    is_distinct: bool = False
    count_column: CountColumn | None = None


class CorrelatedCriteria(Part, frozen=True):
    """Events around an index event, counted."""

    criteria: OneCriterion
    start_window: Window
    occurrence: Occurrence
    end_window: Window | None = None
    restrict_visit: bool = False
    ignore_observation_period: bool = False


class DemographicCriteria(Part, frozen=True):
    """The person at an index event."""

    age: NumericRange | None = None
    gender: Concepts = ()
    gender_cs: ConceptSetSelection | None = None
    race: Concepts = ()
    race_cs: ConceptSetSelection | None = None
    ethnicity: Concepts = ()
    ethnicity_cs: ConceptSetSelection | None = None
    occurrence_start_date: DateRange | None = None
    occurrence_end_date: DateRange | None = None


class CriteriaGroup(Part, frozen=True):
    """Members of which all, any, at least or at most `count` hold; empty, it always holds."""

    type: GroupType
    count: Count | None = None
    criteria_list: tuple[CorrelatedCriteria, ...] = ()
    demographic_criteria_list: tuple[DemographicCriteria, ...] = ()
    groups: tuple[CriteriaGroup, ...] = ()

    def __post_init__(self) -> None:
        if self.type in (GroupType.AT_LEAST, GroupType.AT_MOST) and self.count is None:
            raise ValueError(f"a group of type {self.type} needs a Count")

    @property
    def empty(self) -> bool:
        """No member at all."""
        return not (self.criteria_list or self.demographic_criteria_list or self.groups)
