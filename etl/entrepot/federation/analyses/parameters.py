"""What a study may ask of a node: a closed union of typed parameters, nothing free.

Whatever an asker could shift by a day to sound out one person (windows, intervals, years) comes
from a short list, so that two questions differ by much or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

Model = TypeVar("Model")
CohortName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Int = Annotated[int, Field(strict=True)]  # a number in quotes is no number
ConceptId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Year = Annotated[int, Field(strict=True, ge=1990, le=2100)]
Stratum = Literal["age_band", "sex", "year", "care_site_group"]
Domain = Literal["condition", "drug", "measurement", "observation", "procedure"]
MAX_FEATURES, MAX_YEARS, MAX_CELLS = 40, 20, 600
# The linear programs over a cube take 1 s for 132 cells and 17 s for 429.
MAX_CUBE = 300


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Years(_Parameters):
    """Calendar years, both ends included; who entered outside them is counted as such."""

    first: Year
    last: Year

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 <= self.last - self.first < MAX_YEARS:
            raise ValueError(f"from 1 to {MAX_YEARS} years, the first one first")
        return self

    def each(self) -> range:
        """Every year."""
        return range(self.first, self.last + 1)


class Feature(_Parameters):
    """Whether a person has an event of a concept.

    Args:
        name: what the study calls it.
        descendants: events of concepts below it (`concept_ancestor`) count as well.
    """

    name: CohortName
    domain: Domain
    concept_id: ConceptId
    descendants: Annotated[bool, Field(strict=True)] = True


Features = Annotated[tuple[Feature, ...], Field(max_length=MAX_FEATURES)]
# Days before entry, the day of entry included: the windows of OHDSI's FeatureExtraction.
Window = Literal[30, 180, 365, 3650]


class Counts(_Parameters):
    """Persons of each cohort."""

    kind: Literal["counts"] = "counts"
    cohorts: Annotated[tuple[CohortName, ...], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        return _distinct(self, self.cohorts)


class Stratified(_Parameters):
    """Persons of a cohort by what they were when they first entered it.

    Args:
        years: needed when `by` has `year`.
    """

    kind: Literal["stratified"] = "stratified"
    cohort: CohortName
    by: Annotated[tuple[Stratum, ...], Field(min_length=1, max_length=3)]
    years: Years | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if ("year" in self.by) != (self.years is not None):
            raise ValueError("years are stated when the strata have a year, and only then")
        return _distinct(self, self.by)


class Attrition(_Parameters):
    """Persons left after each inclusion rule.

    Args:
        rules: how many the definition has; a node refuses another number.
    """

    kind: Literal["attrition"] = "attrition"
    cohort: CohortName
    rules: Annotated[int, Field(strict=True, ge=0, le=50)]


class Characterisation(_Parameters):
    """Table 1: age, sex and features before entry, of one cohort or of two."""

    kind: Literal["characterisation"] = "characterisation"
    target: CohortName
    comparator: CohortName | None = None
    features: Features
    window_days: Window = 365

    @model_validator(mode="after")
    def _named(self) -> Self:
        _distinct(self, [feature.name for feature in self.features])
        return _distinct(self, _both(self.target, self.comparator))


class _FollowUp(_Parameters):
    """Time from entry to the first outcome, in intervals of the same length.

    Args:
        intervals: how many are looked at; observation is cut at their end.
        prior: whether those stay who had the outcome up to the day of entry.
    """

    target: CohortName
    comparator: CohortName | None = None
    outcome: CohortName
    interval_days: Literal[30, 91, 182, 365] = 91
    intervals: Annotated[int, Field(strict=True, ge=1, le=20)] = 4
    prior: Literal["exclude", "keep"] = "exclude"

    @model_validator(mode="after")
    def _apart(self) -> Self:
        return _distinct(self, [*_both(self.target, self.comparator), self.outcome])


class Incidence(_FollowUp):
    """New outcomes and time at risk."""

    kind: Literal["incidence"] = "incidence"


class Survival(_FollowUp):
    """Kaplan and Meier's curve at the ends of the intervals."""

    kind: Literal["survival"] = "survival"


class Prevalence(_Parameters):
    """Share of a cohort that is in another one, each year.

    Args:
        at: on the first of January, or on any day of the year.
    """

    kind: Literal["prevalence"] = "prevalence"
    population: CohortName
    condition: CohortName
    years: Years
    at: Literal["first_day", "any_day"] = "any_day"

    @model_validator(mode="after")
    def _apart(self) -> Self:
        return _distinct(self, (self.population, self.condition))


class _Regression(_Parameters):
    """An outcome within a time of entry, by group and by what persons were at entry.

    Args:
        comparator: persons of both cohorts are left out.
    """

    target: CohortName
    comparator: CohortName | None = None
    outcome: CohortName
    horizon_days: Literal[30, 91, 182, 365, 730, 1825] = 365
    age: Annotated[bool, Field(strict=True)] = True
    sex: Annotated[bool, Field(strict=True)] = True
    features: Annotated[tuple[Feature, ...], Field(max_length=8)] = ()
    window_days: Window = 365

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if not (self.comparator or self.age or self.sex or self.features):
            raise ValueError("a regression needs a covariate")
        _distinct(self, [feature.name for feature in self.features])
        return _distinct(self, [*_both(self.target, self.comparator), self.outcome])


class Logistic(_Regression):
    """Odds ratios; who is not observed to the horizon and had no outcome is left out."""

    kind: Literal["logistic"] = "logistic"


class Cox(_Regression):
    """Hazard ratios, each node with a baseline hazard of its own."""

    kind: Literal["cox"] = "cox"


Analysis = Annotated[
    Counts | Stratified | Attrition | Characterisation | Incidence | Survival | Prevalence
    | Logistic | Cox,
    Field(discriminator="kind"),
]  # fmt: skip
ANALYSIS: TypeAdapter[Analysis] = TypeAdapter(Analysis)


def cohorts_of(analysis: Analysis) -> tuple[str, ...]:
    """Names of the cohorts that an analysis needs, each once."""
    fields = ("cohort", "target", "comparator", "outcome", "population", "condition")
    named = [getattr(analysis, field, None) for field in fields]
    return tuple(dict.fromkeys([*getattr(analysis, "cohorts", ()), *filter(None, named)]))


def _both(target: str, comparator: str | None) -> list[str]:
    return [target, comparator] if comparator else [target]


def _distinct(model: Model, names: Sequence[str]) -> Model:
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice")
    return model
