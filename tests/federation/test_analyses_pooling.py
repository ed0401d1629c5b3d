"""Pooling on cases done by hand: sums as intervals, shares, differences, life tables."""

from __future__ import annotations

import math

import pytest

from entrepot.federation.analyses import (
    Analysis,
    AnswerTable,
    Attrition,
    Counts,
    CountsAnswer,
    Incidence,
    Stratified,
    shapes,
)  # fmt: skip
from entrepot.federation.analyses.answers import AnswerCell, figure_keys
from entrepot.federation.pooling import Missing, pool
from entrepot.federation.pooling.intervals import Bounds, bounded
from entrepot.federation.pooling.life_table import curve, person_years
from entrepot.federation.pooling.table_one import difference, share, standardised

pytestmark = pytest.mark.core
COHORT = Counts(cohorts=("diabetes",))
SEXES = Stratified(cohort="diabetes", by=("sex",))
Key = tuple[str, ...]


def answer(analysis: Analysis, counts: dict[Key, int], *, exact: bool = False) -> CountsAnswer:
    """An answer with one table; what is not among `counts` is withheld."""
    (shape,) = shapes(analysis)
    cells = tuple(AnswerCell(key=key, count=counts.get(key)) for key in figure_keys(shape))
    table = AnswerTable(name=shape.name, dimensions=shape.dimensions, cells=cells)
    threshold, base = (1, 1) if exact else (11, 5)
    return CountsAnswer.model_validate({
        "kind": analysis.kind, "threshold": threshold, "base": base, "tables": (table,),
    })  # fmt: skip


def read(analysis: Analysis, counts: dict[Key, int]) -> dict[Key, Bounds]:
    (shape,) = shapes(analysis)
    given = answer(analysis, counts)
    return bounded(given, given.tables[0], shape)


def test_a_sum_of_sites_is_an_interval() -> None:
    """150 and 20 shown move by 4 (rounding) and 10 (a repeated count); `<11` is 0 to 10."""
    given = {
        "amiens": answer(COHORT, {(): 150}), "brest": answer(COHORT, {(): 20}),
        "caen": answer(COHORT, {}), "dijon": Missing("late"),
    }  # fmt: skip
    (row,) = pool(given, COHORT).counts
    assert (row.low, row.high) == (136 + 11 + 0, 164 + 34 + 10)
    assert row.least == 136


def test_a_withheld_cell_may_be_large_when_its_margin_is() -> None:
    """Two withheld cells of 60 may hold them all; one of them alone holds what is left."""
    two = read(SEXES, {("*",): 60})
    assert (two[("male",)].low, two[("male",)].high) == (0, 74)
    one = read(SEXES, {("*",): 100, ("female",): 60, ("unknown",): 15})
    assert (one[("male",)].low, one[("male",)].high) == (0, 114 - 46 - 11)
    large = read(SEXES, {("*",): 500, ("female",): 60, ("unknown",): 15})
    assert (large[("male",)].low, large[("male",)].high) == (486 - 74 - 29, 514 - 46 - 11)


def test_a_shown_cell_is_narrowed_by_its_neighbours() -> None:
    """At least 186 in all and at most 89 in the other cell leave 97 of the 86 to 114."""
    analysis = Attrition(cohort="diabetes", rules=1)
    found = read(analysis, {("*",): 200, ("1",): 100, ("kept",): 75})
    assert (found[("1",)].low, found[("1",)].high) == (97, 114)
    assert (found[("*",)].low, found[("*",)].high) == (186, 203)


def test_with_nothing_above_it_a_withheld_cell_is_less_than_the_threshold() -> None:
    found = read(SEXES, {})
    assert {(one.low, one.high) for one in found.values()} == {(0, 10)}


def test_a_withheld_cell_is_estimated_as_a_small_one() -> None:
    """Half of the ten persons that `<11` may be, unless its sums say that it holds more."""
    found = read(SEXES, {("*",): 60})
    assert (found[("male",)].middle, found[("*",)].middle) == (5, 60)
    large = read(SEXES, {("*",): 500, ("female",): 60, ("unknown",): 15})[("male",)]
    assert large.low <= large.middle <= large.high
    assert (large + large).middle == 2 * large.middle


def test_shown_cells_bound_a_withheld_total() -> None:
    found = read(SEXES, {("female",): 60, ("male",): 40, ("unknown",): 15})
    assert (found[("*",)].low, found[("*",)].high) == (46 + 26 + 11, 74 + 54 + 29)


def test_attrition_is_told_rule_by_rule() -> None:
    analysis = Attrition(cohort="diabetes", rules=2)
    counts = {("*",): 200, ("1",): 50, ("2",): 30, ("kept",): 120, ("after:1",): 150}
    pooled = pool({n: answer(analysis, counts, exact=True) for n in "abc"}, analysis)
    assert [(row.low, row.high) for row in pooled.attrition] == [(600,) * 2, (450,) * 2, (360,) * 2]


def test_standardised_differences() -> None:
    """(0.5 - 0.3) / sqrt((0.25 + 0.21) / 2), by Austin 2009, equation 2."""
    assert standardised(0.5, 0.3) == pytest.approx(0.2 / math.sqrt(0.23))
    assert standardised(0.4, 0.4) == standardised(0.0, 0.0) == 0.0
    assert standardised(1.0, 0.0) is None
    bounds = difference((0.4, 0.6), (0.2, 0.4))
    assert bounds is not None
    grid = [
        standardised(0.4 + 0.02 * i, 0.2 + 0.02 * j) or 0.0 for i in range(11) for j in range(11)
    ]
    assert bounds == pytest.approx((min(grid), max(grid)))


def test_a_share_lies_between_its_extremes() -> None:
    """Every split that the bounds allow gives a share within the answer, and two reach its ends."""
    table = {("yes",): Bounds(10, 20), ("no",): Bounds(30, 50), ("*",): Bounds(45, 60)}
    low, high = share(table, ("yes",)) or (0.0, 0.0)
    every = [
        yes / (yes + no) for yes in range(10, 21) for no in range(30, 51) if 45 <= yes + no <= 60
    ]
    assert low <= min(every)
    assert max(every) <= high
    assert (min(every), max(every)) == pytest.approx((low, high))


def test_a_life_table_by_hand() -> None:
    """100 persons, two years of 365 days: 10 events and 20 censored, then 14 events, 56 to the end.

    Actuarial estimate: (1 - 10/90) x (1 - 14/70); nobody is censored in the second year.
    """
    analysis = Incidence(target="diabetes", outcome="stroke", interval_days=365, intervals=2)
    counts = {
        ("*",): 100, ("event:1",): 10, ("censored:1",): 20, ("event:2",): 14, ("completed",): 56,
        ("at_risk:2",): 70, ("event:1-2",): 24,
    }  # fmt: skip
    (shape,) = shapes(analysis)
    given = answer(analysis, counts, exact=True)
    exits = bounded(given, given.tables[0], shape)
    last = curve("diabetes", exits, analysis).points[-1]
    assert last.estimate == pytest.approx((80 / 90) * (56 / 70))
    assert last.low == pytest.approx((70 / 80) * (56 / 70))
    assert last.high == pytest.approx((90 / 100) * (56 / 70))
    spread = 10 / (90 * 80) + 14 / (70 * 56)
    assert last.error == pytest.approx(last.estimate * math.sqrt(spread))
    low, high, middle = person_years(exits, analysis)
    year = 365 / 365.25
    assert low == pytest.approx(year * (70 + 56))
    assert high == pytest.approx(year * (100 + 70))
    assert middle == pytest.approx(year * (85 + 63))


def test_a_site_that_shows_too_little_has_no_part_in_the_summary() -> None:
    analysis = Incidence(target="diabetes", outcome="stroke", interval_days=365, intervals=1)
    full = answer(analysis, {("*",): 500, ("event:1",): 50, ("completed",): 450})
    given = {"amiens": full, "brest": full, "caen": answer(analysis, {("*",): 300})}
    (forest,) = pool(given, analysis).forests
    assert [(one.site, one.estimate is None, one.weight) for one in forest.effects] == [
        ("amiens", False, 0.5), ("brest", False, 0.5), ("caen", True, 0.0),
    ]  # fmt: skip
    assert forest.random is not None
    assert forest.random.estimate == pytest.approx(forest.effects[0].estimate or 0)
    nothing = pool({"amiens": given["caen"]}, analysis).forests[0]
    assert (nothing.fixed, nothing.random) == (None, None)
