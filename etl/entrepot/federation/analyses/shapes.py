"""The tables of an answer, known before anybody is counted.

A shape follows from the parameters alone: the node fills it, or leaves all of it empty when it
refuses, and a reader turns away whatever has another shape.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses.parameters import (
    MAX_CELLS,
    MAX_CUBE,
    Analysis,
    Attrition,
    Characterisation,
    Counts,
    Cox,
    Incidence,
    Logistic,
    Prevalence,
    Stratified,
    Survival,
)
from entrepot.federation.analyses.strata import Strata, bands, load_strata

YES, NO, KEPT = "yes", "no", "kept"
Key = tuple[str, ...]


@dataclass(frozen=True)
class TableShape:
    """One table of counts: persons of one cohort, each in one cell.

    Args:
        name: what the table is of, its parts joined by `:` (`target:sex`).
        dimensions: names; none for a plain count.
        values: per dimension its values, all of them.
        cohort: tables of one cohort divide the same persons.
        unions: further figures, each with the inner cells that it sums.
    """

    name: str
    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    cohort: str
    unions: tuple[tuple[Key, tuple[Key, ...]], ...] = ()

    def inner(self) -> Iterator[tuple[str, ...]]:
        """Key of every inner cell, in order; `()` of a plain count."""
        return itertools.product(*self.values)

    @property
    def size(self) -> int:
        """How many inner cells there are."""
        return math.prod(map(len, self.values))


def shapes(analysis: Analysis, strata: Strata | None = None) -> tuple[TableShape, ...]:
    """Every table of an answer, in order.

    Raises:
        ConfigurationError: the answer would have more than `MAX_CELLS` cells, or with three strata
            more than `MAX_CUBE`.
    """
    found = tuple(_shapes(analysis, strata or load_strata()))
    most = MAX_CUBE if any(len(shape.dimensions) > 2 for shape in found) else MAX_CELLS
    if sum(shape.size for shape in found) > most:
        raise ConfigurationError(
            f"the answer would have more than {most} cells", where=f"analysis {analysis.kind}",
            remedy="ask for fewer strata, years, features or intervals",
        )  # fmt: skip
    return found


def _shapes(analysis: Analysis, strata: Strata) -> Iterator[TableShape]:
    match analysis:
        case Counts():
            for name in analysis.cohorts:
                yield TableShape(name, (), (), name)
        case Stratified():
            values = tuple(strata.keys(one, analysis.years) for one in analysis.by)
            yield TableShape(analysis.cohort, tuple(analysis.by), values, analysis.cohort)
        case Attrition():
            rules = tuple(str(n + 1) for n in range(analysis.rules))
            unions = _remaining((*rules, KEPT), [f"after:{rule}" for rule in rules[:-1]])
            yield TableShape(
                analysis.cohort, ("lost_at",), ((*rules, KEPT),), analysis.cohort, unions
            )
        case Characterisation():
            for group in groups(analysis.target, analysis.comparator):
                yield from _table_one(group, analysis, strata)
        case Incidence() | Survival():
            for group in groups(analysis.target, analysis.comparator):
                yield _exits(group, analysis.intervals)
        case Prevalence():
            for year in analysis.years.each():
                yield TableShape(str(year), ("prevalent",), ((YES, NO),), str(year))
        case Logistic() | Cox():
            yield from _levels(analysis, strata)


def groups(target: str, comparator: str | None) -> Sequence[str]:
    """The cohorts that are compared, or the only one."""
    return (target, comparator) if comparator else (target,)


def exits(intervals: int) -> tuple[str, ...]:
    """How follow-up can end: `event:1`, `censored:1`, …, `completed`; intervals count from 1.

    One dimension: an event after the last interval cannot be, and a cell that everybody knows to be
    empty would not hide its neighbour.
    """
    ends = (f"{how}:{n + 1}" for n in range(intervals) for how in ("event", "censored"))
    return (*ends, "completed")


def _exits(group: str, intervals: int) -> TableShape:
    """With who is still at risk when an interval begins, and events of two, four… intervals.

    Where few have the outcome single intervals are withheld; longer ones still tell a curve.
    """
    every = exits(intervals)
    later = [f"at_risk:{n + 1}" for n in range(1, intervals)]
    # Two ends (event, censored) per interval: who is at risk leaves in it or later.
    at_risk = _remaining(every, later, step=2)
    spans = [
        (first, first + width - 1)
        for width in (2, 4, 8, 16)
        for first in range(1, intervals - width + 2, width)
    ]
    if (1, intervals) not in spans and intervals > 1:
        spans.append((1, intervals))
    events = tuple(
        ((f"event:{first}-{last}",), tuple((f"event:{n}",) for n in range(first, last + 1)))
        for first, last in spans
    )
    return TableShape(group, ("exit",), (every,), group, (*at_risk, *events))


def _remaining(
    cells: Sequence[str], names: Sequence[str], step: int = 1
) -> tuple[tuple[Key, tuple[Key, ...]], ...]:
    """Each name with the cells after the first `step`, twice `step`…"""
    return tuple(
        ((name,), tuple((cell,) for cell in cells[step * (n + 1) :]))
        for n, name in enumerate(names)
    )


def _table_one(group: str, analysis: Characterisation, strata: Strata) -> Iterator[TableShape]:
    ages, sexes = strata.keys("age_band"), strata.keys("sex")
    yield TableShape(f"{group}:age_band", ("age_band",), (ages,), group)
    yield TableShape(f"{group}:sex", ("sex",), (sexes,), group)
    for feature in analysis.features:
        name = f"{group}:feature:{feature.name}"
        yield TableShape(name, (f"feature:{feature.name}",), ((YES, NO),), group)


def _levels(analysis: Logistic | Cox, strata: Strata) -> Iterator[TableShape]:
    """Each covariate's levels by outcome: what the guard sees before any sum is released."""
    levels: list[tuple[str, tuple[str, ...]]] = []
    if analysis.comparator:
        levels.append(("group", ("target", "comparator")))
    if analysis.age:
        levels.append(("age", bands(strata.regression_ages)))
    if analysis.sex:
        levels.append(("sex", tuple(strata.sexes)))
    levels += [(f"feature:{feature.name}", (YES, NO)) for feature in analysis.features]
    for name, values in levels:
        yield TableShape(name, (name, "outcome"), (values, (YES, NO)), analysis.kind)
