"""Answers of several nodes as one result; what is missing stays missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from entrepot.federation.analyses.answers import CountsAnswer
from entrepot.federation.analyses.parameters import (
    Analysis,
    Attrition,
    Characterisation,
    Cox,
    Incidence,
    Logistic,
    Prevalence,
    Survival,
)
from entrepot.federation.analyses.shapes import Key, TableShape, shapes
from entrepot.federation.pooling import life_table, table_one
from entrepot.federation.pooling.figures import CountRow, Curve, Forest, Pooled, Rate
from entrepot.federation.pooling.forests import Options, incidence_forest, prevalence_forest
from entrepot.federation.pooling.intervals import Bounds, bounded, summed
from entrepot.federation.pooling.regressed import Rounds, regressed
from entrepot.federation.pooling.sites import Answers, hides_names, labelled, sites

Tables: TypeAlias = dict[str, dict[Key, Bounds]]
Named: TypeAlias = list[tuple[str, Tables]]


def pool(
    answers: Answers, analysis: Analysis, *, rounds: Rounds = (), options: Options | None = None
) -> Pooled:
    """What the nodes' answers make together.

    Args:
        answers: by node, as `read_answer` gave them, or why there is none.
        rounds: of a regression, the shares of each round so far.
        options: of the summary over sites.
    """
    shaped = {shape.name: shape for shape in shapes(analysis)}
    named = [
        (label, _tables(answer, shaped))
        for label, answer in labelled(answers) if isinstance(answer, CountsAnswer)
    ]  # fmt: skip
    total: Tables = {name: summed(tables[name] for _, tables in named) for name in shaped}
    head = (analysis.kind, sites(answers), hides_names(answers))
    if isinstance(analysis, Logistic | Cox):
        return Pooled(*head, regression=regressed(analysis, rounds))
    if not named:
        return Pooled(*head)
    found = Pooled(*head, tuple(_rows(shaped, total, [tables for _, tables in named])))
    return _read(found, analysis, named, total, options or Options())


def _read(
    found: Pooled, analysis: Analysis, named: Named, total: Tables, options: Options
) -> Pooled:
    """With what the kind of analysis makes of its counts."""
    match analysis:
        case Attrition():
            return replace(found, attrition=_funnel(analysis, found.counts))
        case Characterisation():
            shaped = {shape.name: shape for shape in shapes(analysis)}
            return replace(found, table_one=tuple(table_one.rows(analysis, shaped, total)))
        case Incidence() | Survival():
            curves, rates = _followed(analysis, total)
            forest = incidence_forest(named, analysis, options)
            return replace(found, curves=curves, rates=rates, forests=(forest,))
        case Prevalence():
            return replace(found, forests=_yearly(named, analysis, options))
    return found


def _tables(answer: CountsAnswer, shaped: Mapping[str, TableShape]) -> Tables:
    return {
        table.name: bounded(answer, table, shaped[table.name]) for table in answer.tables
    }  # fmt: skip


def _rows(
    shaped: Mapping[str, TableShape], total: Tables, each: Sequence[Tables]
) -> list[CountRow]:
    return [
        CountRow(
            name, shape.dimensions, key, total[name][key].low, total[name][key].high,
            max(tables[name][key].low for tables in each),
        )
        for name, shape in shaped.items() for key in total[name]
    ]  # fmt: skip


def _funnel(analysis: Attrition, counts: Sequence[CountRow]) -> tuple[CountRow, ...]:
    """Everybody, then who is left after each rule."""
    by_key = {row.key: row for row in counts}
    middle = [by_key[(f"after:{n}",)] for n in range(1, analysis.rules)]
    kept = [by_key[("kept",)]] if analysis.rules else []
    return (by_key[("*",)], *middle, *kept)


def _followed(
    analysis: Incidence | Survival, total: Tables
) -> tuple[tuple[Curve, ...], tuple[Rate, ...]]:
    curves = tuple(life_table.curve(group, exits, analysis) for group, exits in total.items())
    rates = tuple(life_table.rate(group, exits, analysis) for group, exits in total.items())
    return curves, rates


def _yearly(
    named: Sequence[tuple[str, Tables]], analysis: Prevalence, options: Options
) -> tuple[Forest, ...]:
    return tuple(
        prevalence_forest(named, analysis, year, options) for year in analysis.years.each()
    )
