"""The rows of a regression at one node: who is in it, covariates, outcome. They never leave it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entrepot.federation.analyses.asked import Asked
from entrepot.federation.analyses.cells import count_table
from entrepot.federation.analyses.follow_up import Followed, followed
from entrepot.federation.analyses.parameters import Cox, Logistic
from entrepot.federation.analyses.shapes import NO, YES, groups, shapes
from entrepot.federation.analyses.strata import UNKNOWN, Strata, band_of, bands, load_strata
from entrepot.federation.disclosure import CountTable, PersonSet, person_set

Regression = Logistic | Cox
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """One person.

    Args:
        levels: value of each covariate, in the order of `covariates`.
        days: at risk.
    """

    person: int
    levels: tuple[str, ...]
    days: int
    event: bool


@dataclass(frozen=True)
class Design:
    """Covariates as columns of 0 and 1.

    Args:
        matrix: (persons, parameters).
        days, event: (persons,).
        tables: covariate levels by outcome, what the guard sees.
    """

    persons: PersonSet
    matrix: Vector
    days: Vector
    event: Vector
    tables: tuple[CountTable, ...]


def covariates(analysis: Regression, strata: Strata) -> list[tuple[str, tuple[str, ...]]]:
    """Name and levels of each covariate; the first level is the reference."""
    found: list[tuple[str, tuple[str, ...]]] = []
    if analysis.comparator:
        found.append(("group", ("comparator", "target")))
    if analysis.age:
        found.append(("age", bands(strata.regression_ages)))
    if analysis.sex:
        found.append(("sex", tuple(strata.sexes)))
    return found + [(feature.name, (NO, YES)) for feature in analysis.features]


def parameter_names(analysis: Regression, strata: Strata | None = None) -> tuple[str, ...]:
    """Names of the coefficients, in order: `intercept`, `age:50-69`, `sex:male`…"""
    named = [
        f"{name}:{level}"
        for name, levels in covariates(analysis, strata or load_strata())
        for level in levels[1:]
    ]
    return (*(("intercept",) if isinstance(analysis, Logistic) else ()), *named)


def design(asked: Asked, analysis: Regression) -> Design:
    """Everybody whose covariates and outcome are known, sorted by person_id."""
    subjects = sorted(_subjects(asked, analysis), key=lambda one: one.person)
    known = covariates(analysis, asked.strata)
    columns = [np.ones(len(subjects))] if isinstance(analysis, Logistic) else []
    for place, (_, levels) in enumerate(known):
        columns += [
            np.array([float(one.levels[place] == level) for one in subjects])
            for level in levels[1:]
        ]
    return Design(
        person_set(one.person for one in subjects), np.column_stack(columns),
        np.array([float(one.days) for one in subjects]),
        np.array([float(one.event) for one in subjects]), _tables(asked, analysis, subjects),
    )  # fmt: skip


def _tables(
    asked: Asked, analysis: Regression, subjects: Sequence[Subject]
) -> tuple[CountTable, ...]:
    return tuple(
        count_table(
            shape, ((one.person, (one.levels[n], YES if one.event else NO)) for one in subjects)
        )
        for n, shape in enumerate(shapes(analysis, asked.strata))
    )


def _subjects(asked: Asked, analysis: Regression) -> Iterator[Subject]:
    compared = groups(analysis.target, analysis.comparator)
    members = [set(asked.members(name)) for name in compared]
    both = members[0] & members[1] if analysis.comparator else set()
    for number, name in enumerate(compared):
        told = _levels(asked, analysis, name, ("target", "comparator")[number])
        for one in followed(asked, name, analysis.outcome):
            levels = told.get(one.person, (UNKNOWN,))
            outcome = _outcome(one, analysis)
            if one.person not in both and UNKNOWN not in levels and outcome:
                yield Subject(one.person, levels, *outcome)


def _outcome(one: Followed, analysis: Regression) -> tuple[int, bool] | None:
    """Days at risk and outcome; None for who had it before or, of odds, was not seen to the end."""
    if one.prior:
        return None
    day, event = one.until(analysis.horizon_days)
    if isinstance(analysis, Logistic) and not event and day < analysis.horizon_days:
        return None
    return day, event


def _levels(
    asked: Asked, analysis: Regression, cohort: str, group: str
) -> dict[int, tuple[str, ...]]:
    having = asked.with_features(cohort, analysis.features, analysis.window_days)
    found = {}
    for person, age, gender, _ in asked.rows("strata", asked.entered(cohort)):
        levels = [group] if analysis.comparator else []
        if analysis.age:
            levels.append(band_of(asked.strata.regression_ages, age))
        if analysis.sex:
            levels.append(asked.strata.sex(gender))
        levels += [YES if person in persons else NO for persons in having]
        found[person] = tuple(levels)
    return found
