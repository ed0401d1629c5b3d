"""A whole cohort definition: concept sets, entry, inclusion, exit."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from entrepot.cohorts.definition.choice import OneCriterion
from entrepot.cohorts.definition.groups import CriteriaGroup
from entrepot.cohorts.definition.values import (
    Concept,
    Days,
    Id,
    ObservationWindow,
    Part,
    Period,
    ResultLimit,
)

_ENCODER = msgspec.json.Encoder(order="sorted")


class ConceptSetItem(Part, rename="camel", frozen=True):
    """A concept with its flags."""

    concept: Concept
    is_excluded: bool = False
    include_descendants: bool = False
    include_mapped: bool = False


class ConceptSetExpression(Part, rename="camel", frozen=True):
    """Included concepts less excluded ones."""

    items: tuple[ConceptSetItem, ...] = ()


class ConceptSet(Part, rename="camel", frozen=True):
    """A concept set, named by number in the criteria; ATLAS adds who made it."""

    id: Id
    name: str = ""
    expression: ConceptSetExpression = ConceptSetExpression()
    description: str | None = None
    created_by: object = None
    created_date: object = None
    modified_by: object = None
    modified_date: object = None
    has_write_access: object = None
    has_read_access: object = None
    tags: object = None


class PrimaryCriteria(Part, frozen=True):
    """Which events can begin a cohort."""

    criteria_list: tuple[OneCriterion, ...]
    observation_window: ObservationWindow = ObservationWindow()
    primary_criteria_limit: ResultLimit = ResultLimit()

    def __post_init__(self) -> None:
        if not self.criteria_list:
            raise ValueError("at least one primary criterion is needed")


class InclusionRule(Part, rename="lower", frozen=True):
    """A named group that an event must satisfy to stay."""

    expression: CriteriaGroup
    name: str = ""
    description: str | None = None


class DateOffset(Part, frozen=True):
    """Exit a number of days after the event's start or end, at most its observation's end."""

    date_field: Literal["StartDate", "EndDate"] = "StartDate"
    offset: Days = 0


class CustomEra(Part, frozen=True):
    """Exit at the end of a run of drug exposures with gaps of at most `gap_days`."""

    drug_codeset_id: Id
    gap_days: Days = 0
    offset: Days = 0
    days_supply_override: Days | None = None


class EndStrategy(Part, frozen=True):
    """One of two ways to leave a cohort before the observation ends."""

    date_offset: DateOffset | None = None
    custom_era: CustomEra | None = None

    def __post_init__(self) -> None:
        if (self.date_offset is None) == (self.custom_era is None):
            raise ValueError("an end strategy is either a DateOffset or a CustomEra")


class CollapseSettings(Part, frozen=True):
    """Periods of one person at most `era_pad` days apart become one."""

    collapse_type: Literal["ERA"] = "ERA"
    era_pad: Days = 0


class CohortExpression(Part, frozen=True):
    """A definition in OHDSI's language (circe-be's `CohortExpression`)."""

    primary_criteria: PrimaryCriteria
    concept_sets: tuple[ConceptSet, ...] = ()
    additional_criteria: CriteriaGroup | None = None
    qualified_limit: ResultLimit = ResultLimit()
    expression_limit: ResultLimit = ResultLimit()
    inclusion_rules: tuple[InclusionRule, ...] = ()
    end_strategy: EndStrategy | None = None
    censoring_criteria: tuple[OneCriterion, ...] = ()
    collapse_settings: CollapseSettings = CollapseSettings()
    censor_window: Period | None = None
    title: str | None = None
    cdm_version_range: str | None = msgspec.field(default=None, name="cdmVersionRange")

    def __post_init__(self) -> None:
        numbers = [one.id for one in self.concept_sets]
        if len(numbers) != len(set(numbers)):
            raise ValueError("two concept sets have the same id")
        if len(self.inclusion_rules) > 62:
            raise ValueError("more than 62 inclusion rules do not fit in the mask of 64 bits")

    def canonical_json(self) -> str:
        """The same text for the same definition: sorted keys, no spaces, no defaults."""
        return _ENCODER.encode(self).decode()

    def json(self) -> str:
        """Circe's JSON, as ATLAS reads it."""
        return msgspec.json.format(_ENCODER.encode(self), indent=2).decode()


def definition_hash(expression: CohortExpression) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(expression.canonical_json().encode()).hexdigest()
