"""Persons counted: of cohorts, by strata, by inclusion rule, with features, prevalent in years."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses.asked import Asked, Row
from entrepot.federation.analyses.cells import count_table
from entrepot.federation.analyses.parameters import (
    Attrition,
    Characterisation,
    Counts,
    Prevalence,
    Stratified,
)
from entrepot.federation.analyses.relations import periods
from entrepot.federation.analyses.shapes import KEPT, NO, YES, TableShape, groups, shapes
from entrepot.federation.analyses.strata import OTHER, UNKNOWN, year_key
from entrepot.federation.disclosure import CountTable

Placed = Iterator[tuple[int, tuple[str, ...]]]


def counts(asked: Asked, analysis: Counts) -> tuple[CountTable, ...]:
    """Persons of each cohort, however often they entered it."""
    return tuple(
        count_table(shape, ((person, ()) for person in asked.members(shape.name)))
        for shape in shapes(analysis, asked.strata)
    )


def stratified(asked: Asked, analysis: Stratified) -> tuple[CountTable, ...]:
    """Persons of a cohort by what they were at their first entry."""
    (shape,) = shapes(analysis, asked.strata)
    return (count_table(shape, _by_strata(asked, analysis)),)


def _by_strata(asked: Asked, analysis: Stratified) -> Placed:
    relations = asked.entered(analysis.cohort)
    sites: dict[int, str] = {}
    if "care_site_group" in analysis.by:
        sites = {
            person: asked.strata.care_site_group(concept, code)
            for person, concept, code in asked.rows("care_sites", relations)
        }
    for row in asked.rows("strata", relations):
        told = _told(asked, row, analysis, sites)
        yield row[0], tuple(told[name] for name in analysis.by)


def _told(
    asked: Asked, row: Row, analysis: Stratified, sites: Mapping[int, str]
) -> dict[str, str]:  # fmt: skip
    person, age, gender, year = row
    return {
        "age_band": asked.strata.age_band(age),
        "sex": asked.strata.sex(gender),
        "year": year_key(analysis.years, int(year)) if analysis.years else UNKNOWN,
        "care_site_group": sites.get(person, OTHER),
    }


def attrition(asked: Asked, analysis: Attrition) -> tuple[CountTable, ...]:
    """Persons by the first inclusion rule that their best event fails.

    Raises:
        ConfigurationError: the definition has another number of rules, so that no mask fits.
    """
    (shape,) = shapes(analysis, asked.strata)
    select = asked.masks[analysis.cohort]
    rows = asked.database.rows(select, asked.database.dialect)
    return (count_table(shape, ((p, (lost_at(int(m), analysis.rules),)) for p, m in rows)),)


def lost_at(mask: int, rules: int) -> str:
    """The first rule, from 1, whose bit a mask lacks; `kept` when it has all."""
    if mask >> rules:
        raise ConfigurationError("the definition has more inclusion rules than were stated")
    return next((str(n + 1) for n in range(rules) if not mask >> n & 1), KEPT)


def characterisation(asked: Asked, analysis: Characterisation) -> tuple[CountTable, ...]:
    """Age, sex and each feature of the persons of one cohort or of two."""
    named = {shape.name: shape for shape in shapes(analysis, asked.strata)}
    tables: list[CountTable] = []
    for group in groups(analysis.target, analysis.comparator):
        rows = asked.rows("strata", asked.entered(group))
        ages = [(row[0], (asked.strata.age_band(row[1]),)) for row in rows]
        sexes = [(row[0], (asked.strata.sex(row[2]),)) for row in rows]
        tables.append(count_table(named[f"{group}:age_band"], ages))
        tables.append(count_table(named[f"{group}:sex"], sexes))
        tables += _with_features(asked, analysis, group, named, [row[0] for row in rows])
    return tuple(tables)


def _with_features(
    asked: Asked, analysis: Characterisation, group: str, named: Mapping[str, TableShape],
    persons: Sequence[int],
) -> Iterator[CountTable]:  # fmt: skip
    found = asked.with_features(group, analysis.features, analysis.window_days)
    for feature, having in zip(analysis.features, found, strict=True):
        yield count_table(
            named[f"{group}:feature:{feature.name}"],
            ((person, (YES if person in having else NO,)) for person in persons),
        )


def prevalence(asked: Asked, analysis: Prevalence) -> tuple[CountTable, ...]:
    """Persons of the population in each year, with the condition or without."""
    relations = {
        "periods": periods(analysis), "population": asked.cohort(analysis.population),
        "prevalent": asked.cohort(analysis.condition),
    }  # fmt: skip
    placed: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for year, person, prevalent in asked.rows("prevalence", relations):
        placed.setdefault(str(year), []).append((person, (YES if prevalent else NO,)))
    return tuple(
        count_table(shape, placed.get(shape.name, ())) for shape in shapes(analysis, asked.strata)
    )
