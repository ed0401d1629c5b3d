"""No count from 1 to 10 can be read from a report, nor computed from what it prints.

The attacker is a linear program: what each withheld count may be at least and at most, given all
that is printed and that `<11` stands for 1 to 10.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.report.dpo.disclosure import SMALL, WITHHELD, Cell, Disclosure, plain
from report.attacker import UNPRINTED, bounds

pytestmark = pytest.mark.core
COUNTS = st.one_of(st.integers(0, 14), st.integers(0, 200))
Sums = list[tuple[Cell, list[Cell]]]


def _assert_safe(sums: Sums) -> None:
    cells = list(dict.fromkeys(one for total, parts in sums for one in (total, *parts)))
    for cell in cells:
        if cell.printed:
            assert not isinstance(cell.shown, int) or cell.shown == 0 or cell.shown >= 11
    shown = {id(cell): cell.shown if cell.printed else UNPRINTED for cell in cells}
    named = [(id(total), [id(part) for part in parts]) for total, parts in sums]
    for least, most in bounds(shown, named).values():
        assert most - least > 0.5


@settings(max_examples=150, deadline=None)
@given(st.lists(COUNTS, min_size=1, max_size=7))
def test_a_sum_gives_no_small_count_away(values: list[int]) -> None:
    disclosure = Disclosure()
    parts = [disclosure.count(value) for value in values]
    total = disclosure.sum(parts)
    disclosure.close()
    _assert_safe([(total, parts)])


@settings(max_examples=120, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(COUNTS, min_size=width, max_size=width), min_size=2, max_size=4
        )
    )
)
def test_a_table_with_all_its_totals_gives_none_away(table: list[list[int]]) -> None:
    disclosure = Disclosure()
    cells = [[disclosure.count(value) for value in row] for row in table]
    lines = cells + [list(column) for column in zip(*cells, strict=True)]
    totals = [disclosure.sum(line) for line in lines]
    whole = disclosure.sum(totals[: len(cells)], "all")
    assert disclosure.sum(totals[len(cells) :], "all") is whole
    disclosure.close()
    sums = list(zip(totals, lines, strict=True))
    sums += [(whole, totals[: len(cells)]), (whole, totals[len(cells) :])]
    _assert_safe(sums)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=5))
def test_this_load_and_all_loads_do_not_tell_the_loads_before(pairs: list[tuple[int, int]]) -> None:
    disclosure = Disclosure()
    sums: Sums = []
    load = [disclosure.count(now) for now, _ in pairs]
    every = [disclosure.count(now + before) for now, before in pairs]
    for now, whole in zip(load, every, strict=True):
        disclosure.within(now, whole)
        sums.append((whole, [now, Cell(whole.value - now.value, printed=False)]))
    sums.append((disclosure.sum(every), every))
    disclosure.close()
    _assert_safe(sums)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 0], [0, 0, 0]),
        ([11, 0], [11, 0, 11]),
        ([1, 10], [SMALL, SMALL, 11]),  # two unknown counts that make 11: each may be 1 to 10
        ([10, 10], [SMALL, SMALL, WITHHELD]),  # only twice 10 make 20
        ([1, 11], [SMALL, WITHHELD, WITHHELD]),  # withheld is 11 or more: 12 would tell both
        ([3, 4], [SMALL, SMALL, SMALL]),
        ([3, 40], [SMALL, WITHHELD, 43]),
        ([3, 40, 50], [SMALL, WITHHELD, 50, 93]),
        ([3, 4, 90, 20], [SMALL, SMALL, 90, WITHHELD, 117]),  # 3 + 4 alone would tell 7
        ([3, 0], [SMALL, 0, SMALL]),
    ],
)
def test_what_is_shown(values: list[int], shown: list[int | str]) -> None:
    disclosure = Disclosure()
    parts = [disclosure.count(value) for value in values]
    total = disclosure.sum(parts)
    disclosure.close()
    assert plain([*parts, total]) == shown


def test_one_fact_has_one_count() -> None:
    disclosure = Disclosure()
    assert disclosure.count(12, "persons") is disclosure.count(12, "persons")
    with pytest.raises(ValueError, match="persons"):
        disclosure.count(13, "persons")
    with pytest.raises(ValueError, match="larger"):
        disclosure.within(disclosure.count(13), disclosure.count(12))
