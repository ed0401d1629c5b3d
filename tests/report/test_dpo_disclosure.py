"""No count from 1 to 10 can be read from a report, nor computed from what reports print.

The attacker is a linear program: what each count may be at least and at most, given all that is
printed, in one report or in two of the same site.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from entrepot.report.dpo.disclosure import SMALL, WITHHELD, Cell, Disclosure, plain
from report.attacker import LATE, UNPRINTED, bounds

pytestmark = pytest.mark.core
COUNTS = st.one_of(st.integers(0, 14), st.integers(0, 200))
WIDE = 2 - 1e-6  # three values at least
Sums = list[tuple[Cell, list[Cell]]]


def _sign(cell: Cell) -> int | str:
    if not cell.printed:
        return UNPRINTED
    return LATE if cell.late and cell.shown == SMALL else cell.shown


def _assert_safe(sums: Sums) -> None:
    cells = list(dict.fromkeys(one for total, parts in sums for one in (total, *parts)))
    for cell in cells:
        if cell.printed:
            assert not isinstance(cell.shown, int) or cell.shown == 0 or cell.shown >= 20
    shown = {id(cell): _sign(cell) for cell in cells}
    named = [(id(total), [id(part) for part in parts]) for total, parts in sums]
    wanted = [id(cell) for cell in cells if cell.value]
    for least, most in bounds(shown, named, wanted).values() if wanted else ():
        assert most - least > WIDE


@example([1] * 10)
@settings(max_examples=80, deadline=None)
@given(st.lists(COUNTS, min_size=1, max_size=12))
def test_a_sum_gives_no_small_count_away(values: list[int]) -> None:
    disclosure = Disclosure()
    parts = [disclosure.count(value) for value in values]
    total = disclosure.sum(parts)
    disclosure.close()
    _assert_safe([(total, parts)])


@settings(max_examples=50, deadline=None)
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


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=5))
def test_this_load_and_all_loads_do_not_tell_the_loads_before(pairs: list[tuple[int, int]]) -> None:
    disclosure = Disclosure()
    sums: Sums = []
    every = [disclosure.count(now + before) for now, before in pairs]
    for whole, (now, _) in zip(every, pairs, strict=True):
        load = disclosure.load(now, whole)
        sums.append((whole, [load, Cell(whole.value - now, printed=False)]))
    sums.append((disclosure.sum(every), every))
    disclosure.close()
    _assert_safe([(whole, parts) for whole, parts in sums if whole not in parts])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(COUNTS, min_size=1, max_size=4),
    st.lists(st.lists(st.integers(0, 12), min_size=4, max_size=4), min_size=1, max_size=9),
)
def test_reports_one_after_the_other_do_not_tell_what_came_between(
    start: list[int], loads: list[list[int]]
) -> None:
    """Every report prints its totals and its load; each total is the one before and the load."""
    shown: dict[object, int | str] = {}
    sums: list[tuple[object, list[object]]] = []
    values = start
    wanted: list[object] = []
    for number, load in enumerate([None, *loads]):
        disclosure = Disclosure()
        if load is not None:
            values = [value + more for value, more in zip(values, load, strict=False)]
        cells = [disclosure.count(value) for value in values]
        news = [] if load is None else [disclosure.load(n, c) for c, n in zip(cells, load)]  # noqa: B905
        total = disclosure.sum(cells)
        disclosure.close()
        shown[number, "total"] = _sign(total)
        for n, cell in enumerate(cells):
            shown[number, n] = _sign(cell)
        sums.append(((number, "total"), [(number, n) for n in range(len(cells))]))
        for n, cell in enumerate(news):
            shown[number, n, "load"] = _sign(cell)
            wanted += [(number, n, "load")] if cell.value else []
            sums.append(((number, n), [(number - 1, n), (number, n, "load")]))
    for least, most in bounds(shown, sums, wanted[:6]).values() if wanted else ():
        assert most - least > WIDE


def test_ten_reports_of_one_record_each_do_not_tell_each_load() -> None:
    """The totals 91 to 100 print alike: nine loads of one or more would be one each."""
    shown: dict[object, int | str] = {}
    sums: list[tuple[object, list[object]]] = []
    for number in range(10):
        disclosure = Disclosure()
        total = disclosure.count(91 + number)
        load = disclosure.load(1, total)
        disclosure.close()
        assert total.shown == 100
        shown |= {("total", number): _sign(total), ("load", number): _sign(load)}
        if number:
            sums.append((("total", number), [("total", number - 1), ("load", number)]))
    for name, (least, most) in bounds(shown, sums, [("load", n) for n in range(1, 10)]).items():
        assert most - least > WIDE, name


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 0], [0, 0, 0]),
        ([11, 0], [20, 0, 20]),
        ([1, 10], [SMALL, SMALL, 20]),
        ([10, 10], [SMALL, SMALL, 20]),
        ([3, 4], [SMALL, SMALL, SMALL]),
        ([3, 40], [SMALL, 40, 50]),
        ([3, 4, 90, 21], [SMALL, SMALL, 90, 30, 120]),
        ([3, 0], [SMALL, 0, SMALL]),
        ([1] * 9, [SMALL] * 9 + [WITHHELD]),  # nine of at least 1 in a total of at most 10
    ],
)
def test_what_is_shown(values: list[int], shown: list[int | str]) -> None:
    disclosure = Disclosure()
    parts = [disclosure.count(value) for value in values]
    total = disclosure.sum(parts)
    disclosure.close()
    assert plain([*parts, total]) == shown


def test_a_load_of_nothing_reads_like_a_small_one() -> None:
    disclosure = Disclosure()
    every = disclosure.count(70)
    assert [disclosure.load(value, every).shown for value in (0, 10, 11, 70)] == [
        SMALL, SMALL, 20, 70,
    ]  # fmt: skip


def test_one_fact_has_one_count() -> None:
    disclosure = Disclosure()
    assert disclosure.count(12, "persons") is disclosure.count(12, "persons")
    with pytest.raises(ValueError, match="persons"):
        disclosure.count(13, "persons")
    with pytest.raises(ValueError, match="larger"):
        disclosure.within(disclosure.count(13), disclosure.count(12))
