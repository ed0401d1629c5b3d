"""Results as blocks of a page: a figure, and the table that says the same in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from entrepot.federation.coordinator.outcome import Outcome
from entrepot.federation.pages import plots
from entrepot.federation.pages.wording import Wording, wording
from entrepot.federation.pooling import CountRow, Curve, Effect, Forest, Pooled, Rate, Regressed

ALL = "*"
_NO_PAGE = ("characterisation", "incidence", "survival", "prevalence", "logistic", "cox")


@dataclass(frozen=True)
class Block:
    """One result.

    Args:
        rows: the first cell of each is text, the others are numbers or intervals.
        note: a line below.
    """

    title: str
    figure: Markup
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    note: str = ""


def figures(found: Outcome, language: str) -> list[Block]:
    """The blocks of a question's results; none while there is nothing to show."""
    if found.pooled is None:
        return []
    said = wording(language)
    return list(_blocks(said, found, found.pooled))


def _blocks(said: Wording, found: Outcome, pooled: Pooled) -> Iterator[Block]:
    if pooled.kind == "attrition":
        yield _funnel(said, pooled.attrition)
    elif pooled.kind not in _NO_PAGE:
        yield from _counts(said, found, pooled)
    if pooled.table_one:
        yield _table_one(said, pooled)
    if pooled.curves:
        yield _curves(said, pooled.curves)
    if pooled.rates:
        yield _rates(said, pooled.rates)
    for one in pooled.forests:
        yield _forest(said, one, by_site=found.by_site)
    if pooled.regression is not None:
        yield _regression(said, pooled.regression)


def _counts(said: Wording, found: Outcome, pooled: Pooled) -> Iterator[Block]:
    rows = [(_label(said, row), row) for row in pooled.counts]
    inner = [plots.Bounded(label, row.low, row.high) for label, row in rows if ALL not in row.key]
    table = tuple((label, said.count(row.low, row.high), str(row.least)) for label, row in rows)
    yield Block(
        said("figures.total"), plots.interval_bars(said, said("figures.total"), inner),
        (said("figures.cohort"), said("figures.persons"), said("figures.least")), table,
        said("question.overlap"),
    )  # fmt: skip
    if pooled.kind == "counts" and found.each:
        yield from _by_site(said, found, pooled)


def _by_site(said: Wording, found: Outcome, pooled: Pooled) -> Iterator[Block]:
    """One figure per cohort: a bar per site, sites without an answer too."""
    for number, row in enumerate(pooled.counts):
        bars = [
            plots.Bounded(site, one.counts[number].low, one.counts[number].high)
            for site, one in found.each
        ] + [plots.Bounded(site, None, None) for site in found.missing]
        title = f"{said('figures.by_site')} · {row.table}"
        table = tuple((one.name, said.count(one.low, one.high)) for one in bars)
        yield Block(
            title, plots.interval_bars(said, title, bars),
            (said("figures.site"), said("figures.persons")), table,
        )  # fmt: skip


def _funnel(said: Wording, steps: Sequence[CountRow]) -> Block:
    names = [said("figures.entered")]
    names += [said("figures.left").format(n=n) for n in range(1, len(steps))]
    bars = [plots.Bounded(name, row.low, row.high) for name, row in zip(names, steps, strict=True)]
    table = tuple((one.name, said.count(one.low, one.high)) for one in bars)
    title = said("kinds.attrition")
    columns = (said("figures.rule"), said("figures.persons"))
    return Block(title, plots.funnel(said, title, bars), columns, table)


def _table_one(said: Wording, pooled: Pooled) -> Block:
    def share(bounds: tuple[float, float] | None) -> str:
        return "–" if bounds is None else f"{said.share(bounds[0])} – {said.share(bounds[1])}"

    rows = [(said.key(row.name), row) for row in pooled.table_one]
    drawn = [(name, *(row.difference or (None, None))) for name, row in rows]
    both = any(row.comparator for _, row in rows)
    table = tuple(
        (
            name,
            share(row.target),
            *((share(row.comparator), _between(said, row.difference)) if both else ()),
        )
        for name, row in rows
    )
    columns = (said("figures.variable"), said("figures.target"))
    more = (said("figures.comparator"), said("figures.difference")) if both else ()
    figure = plots.balance(said, said("figures.differences"), drawn)
    return Block(said("kinds.characterisation"), figure, (*columns, *more), table)


def _curves(said: Wording, found: Sequence[Curve]) -> Block:
    drawn = [
        plots.Curve(one.group, tuple((p.day, p.low, p.high, p.estimate) for p in one.points))
        for one in found
    ]
    table = tuple(
        (one.group, said.decimal(point.day, 0), said.share(point.estimate),
         f"{said.share(point.low)} – {said.share(point.high)}")
        for one in found for point in one.points
    )  # fmt: skip
    title = said("figures.curve")
    columns = tuple(said(f"figures.{one}") for one in ("group", "days", "curve_short", "interval"))
    return Block(title, plots.curves(said, title, drawn, said("figures.days")), columns, table)


def _rates(said: Wording, found: Sequence[Rate]) -> Block:
    table = tuple(
        (one.group, said.count(*one.events),
         f"{said.decimal(one.person_years[0], 0)}–{said.decimal(one.person_years[1], 0)}",
         said.effect(one.estimate, one.low, one.high) if one.estimate is not None
         else _between(said, None if one.high is None else (one.low, one.high)))
        for one in found
    )  # fmt: skip
    columns = tuple(said(f"figures.{one}") for one in ("group", "events", "time", "rate"))
    return Block(said("kinds.incidence"), Markup(""), columns, table)


def _forest(said: Wording, one: Forest, *, by_site: bool) -> Block:
    sites = [_effect(effect) for effect in one.effects] if by_site else []
    models = [(said("figures.fixed"), one.fixed), (said("figures.random"), one.random)]
    pooled = [_effect(effect, name) for name, effect in models if effect is not None]
    title = f"{said('measures.' + one.measure)} · {one.subject}"
    drawn = plots.forest(said, title, [*sites, *pooled], log=one.measure == "rate_ratio")
    table = tuple(
        (
            line.name,
            said.effect(line.estimate, line.low, line.high),
            said.share(line.weight) if line.weight else "",
        )
        for line in [*sites, *pooled]
    )
    note = ""
    if one.analysis is not None and len(one.effects) > 1:
        i2, tau2 = said.share(one.analysis.i2), said.decimal(one.analysis.tau2, 3)
        note = said("figures.heterogeneity").format(i2=i2, tau2=tau2)
    columns = tuple(said(f"figures.{name}") for name in ("site", "effect", "weight"))
    return Block(title, drawn, columns, table, note)


def _regression(said: Wording, found: Regressed) -> Block:
    lines = [
        plots.Effect(said.key(one.name), one.ratio, one.low, one.high)
        for one in found.coefficients if one.name != "intercept"
    ]  # fmt: skip
    table = tuple((one.name, said.effect(one.estimate, one.low, one.high)) for one in lines)
    columns = (said("figures.term"), said("figures.effect"))
    note = said(f"regression.{found.state}").format(n=found.rounds)
    return Block(
        said("figures.ratios"),
        plots.forest(said, said("figures.ratios"), lines),
        columns,
        table,
        note,
    )


def _effect(one: Effect, name: str = "") -> plots.Effect:
    return plots.Effect(
        name or one.site, one.estimate, one.low, one.high, one.weight, pooled=bool(name)
    )


def _label(said: Wording, row: CountRow) -> str:
    parts = [said.key(part) for part in row.key]
    return " · ".join([row.table, *parts]) if parts else row.table


def _between(said: Wording, bounds: tuple[float, float] | None) -> str:
    return "–" if bounds is None else said.between(*bounds)
