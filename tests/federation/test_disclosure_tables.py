"""No solver narrows what an answer withholds: random tables against integer programs."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from attacks.tables import TableAttacker, sizes, sums
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.errors import EntrepotError
from entrepot.federation.disclosure import (
    Asker,
    Cell,
    CountTable,
    Ledger,
    PersonSet,
    ProtectedCell,
    ProtectedTable,
    Union,
    person_set,
    protect,
    read_policy,
)  # fmt: skip
from entrepot.federation.disclosure.rounding import rounded

pytestmark = pytest.mark.integration
POLICY = read_policy()
ASKER = Asker("study", "researcher", "r1", dt.date(2026, 11, 22))
KEY = bytes(32)
WIDTHS = {"a": 4, "b": 2, "c": 3, "d": 2, "x": 10, "z": 20}
SHAPES = [("a",), ("bc",), ("bcd",), ("a", "bd"), ("bc", "cd"), ("bc", "cd", "bd")]


def made(dimensions: str, persons: PersonSet, values: dict[str, np.ndarray]) -> CountTable:
    """A table of these dimensions; person n has the n-th of each dimension's values."""
    cells = []
    for key in itertools.product(*(range(WIDTHS[one]) for one in dimensions)):
        within = np.ones(len(persons), dtype=bool)
        for dimension, value in zip(dimensions, key, strict=True):
            within &= values[dimension] == value
        cells.append(Cell(tuple(map(str, key)), persons[within]))
    return CountTable(f"by {dimensions}", tuple(dimensions), tuple(cells), "cohort")


def spread(
    rng: np.random.Generator, dimensions: str, size: int, even: float
) -> dict[str, np.ndarray]:
    """Values of `size` persons, jointly uneven: many combinations are rare."""
    widths = [WIDTHS[one] for one in dimensions]
    weights = rng.dirichlet(np.full(int(np.prod(widths)), even))
    drawn = np.unravel_index(rng.choice(len(weights), size, p=weights), widths)
    return dict(zip(dimensions, drawn, strict=True))


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[CountTable], PersonSet]:
    """One or two tables of a cohort, some cells nearly empty, and a population around."""
    shapes = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    total = draw(st.integers(0, 160))
    extra = max(0, 2 * POLICY.threshold - total)  # of fewer, everybody knows too much
    outside = draw(st.sampled_from([0, 3, 12, 5000]))
    population = person_set(rng.integers(1, 2**53, total + outside + extra))
    cohort = np.sort(rng.choice(population, min(total, len(population)), replace=False))
    dimensions = "".join(sorted(set("".join(shapes))))
    values = spread(rng, dimensions, len(cohort), draw(st.sampled_from([0.2, 1.0])))
    return [made(one, cohort, values) for one in shapes], population


def narrowed(
    tables: Sequence[CountTable], told: Sequence[ProtectedTable], population: int
) -> list[str]:
    """What an attacker learns of sums that hold fewer persons than the threshold."""
    attacker, found = TableAttacker(tables, told, population, POLICY), []
    k = POLICY.threshold
    rest = population - sum(len(cell.persons) for cell in tables[0].cells)
    rows = [(attacker.outside(), rest)]
    rows += [pair for table in tables for pair in sums(attacker, table)]
    for row, size in rows:
        low, high = attacker.span(row) if size < k else (0, k - 1)
        if low > 0 or high < k - 1:
            found.append(f"{size} within {low} to {high}")
    for table, protected in zip(tables, told, strict=True):
        for cell in protected.cells:
            if cell.count is None:
                low, high = attacker.span(attacker.row(table.dimensions, cell.key))
                if high - low < k - 1:
                    found.append(f"withheld within {low} to {high}")
    return found


def plainly(table: CountTable) -> ProtectedTable:
    """Primary suppression and rounding alone: the weakened guard."""
    of = {cell.key: cell.persons for cell in table.cells}
    told = []
    for key in sizes(table):
        inner = [
            persons
            for one, persons in of.items()
            if all(wide in ("*", value) for value, wide in zip(one, key, strict=True))
        ]
        persons = person_set(np.concatenate(inner))
        small = len(persons) < POLICY.threshold
        told.append(ProtectedCell(key, None if small else rounded(persons, POLICY, b"secret")))
    return ProtectedTable(table.name, table.dimensions, tuple(told))


def fresh(
    folder: Path, tables: Sequence[CountTable], population: PersonSet, secret: bytes
) -> tuple[ProtectedTable, ...]:
    """A first answer of a node."""
    path = folder / "ledger.sqlite"
    path.unlink(missing_ok=True)
    with Ledger(path, KEY) as ledger:
        return protect(tables, population, POLICY, secret, ledger, ASKER)


@given(answers(), st.binary(min_size=16, max_size=16))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_no_solver_narrows_what_is_withheld(
    tmp_path_factory: pytest.TempPathFactory, answer: tuple[list[CountTable], PersonSet],
    secret: bytes,
) -> None:  # fmt: skip
    """Target 5 of the reference, with a stronger solver than the guard's own."""
    tables, population = answer
    told = fresh(tmp_path_factory.mktemp("l"), tables, population, secret)
    assert narrowed(tables, told, len(population)) == []
    for table, protected in zip(tables, told, strict=True):
        true = sizes(table)
        for cell in protected.cells:
            if cell.count is not None:
                assert true[cell.key] >= POLICY.threshold
                assert cell.count % POLICY.rounding_base == 0


def test_plain_suppression_is_narrowed(tmp_path: Path) -> None:
    """The solver is real: primary suppression and rounding alone do not withstand it."""
    rng = np.random.default_rng(5)
    population = person_set(rng.integers(1, 2**53, 5000))
    broken = 0
    for _ in range(10):
        drawn = rng.choice(4, 120, p=[0.6, 0.3, 0.06, 0.04])
        table = made("bd", population[:120], {"b": drawn // 2, "d": drawn % 2})
        broken += bool(narrowed([table], [plainly(table)], len(population)))
        told = fresh(tmp_path, [table], population, b"secret")
        assert narrowed([table], told, len(population)) == []
    assert broken >= 5


def test_some_hundred_cells_take_seconds(tmp_path: Path) -> None:
    """400 inner cells in three dimensions, 693 figures, most of them small: 1 s of CPU time."""
    rng = np.random.default_rng(1)
    population = person_set(rng.integers(1, 2**53, 20_000))
    table = made("xbz", population[:6000], spread(rng, "xbz", 6000, 0.4))
    before = time.process_time()
    (told,) = fresh(tmp_path, [table], population, b"secret")
    assert time.process_time() - before < 8
    counts = [cell.count for cell in told.cells]
    assert 200 < sum(count is not None for count in counts) < len(counts) == 11 * 3 * 21


def cohort_table(name: str, **cells: PersonSet) -> CountTable:
    """A table of one dimension."""
    return CountTable(name, ("d",), tuple(Cell((key,), one) for key, one in cells.items()))


PEOPLE = person_set(range(1000, 9000))


@pytest.mark.parametrize("size", [0, 1, 10])
def test_small_and_zero_are_withheld_alike(tmp_path: Path, size: int) -> None:
    """0 < n < k and zero: section 4.1; the neighbour that would tell them goes too (4.3)."""
    table = cohort_table("t", most=PEOPLE[:300], few=PEOPLE[300 : 300 + size])
    (told,) = fresh(tmp_path, [table], PEOPLE, b"secret")
    assert told.count("few") is None
    assert told.count("most") is None  # prevalence near 100 %
    assert abs((told.count("*") or 0) - 300 - size) < POLICY.rounding_base


def test_eleven_persons_are_told_and_the_population_s_rest_is_not(tmp_path: Path) -> None:
    """The threshold is the first number that is told; all but ten persons are not."""
    plain = [CountTable(str(n), (), (Cell((), PEOPLE[:n]),)) for n in (10, 11, 7990)]
    told = [fresh(tmp_path, [one], PEOPLE, b"secret")[0].count() for one in plain]
    assert told == [None, 15, None]


def test_unions_give_away_nothing_between_them(tmp_path: Path) -> None:
    """Cumulative counts of which two differ by three persons: the narrower one is withheld."""
    cells = {"a": PEOPLE[:200], "b": PEOPLE[200:203], "c": PEOPLE[203:400], "d": PEOPLE[400:600]}
    unions = tuple(Union((f"to {last}",), tuple((key,) for key in "abcd" if key <= last))
                   for last in "bc")  # fmt: skip
    table = cohort_table("t", **cells)
    table = CountTable("t", ("d",), table.cells, unions=unions)
    (told,) = fresh(tmp_path, [table], PEOPLE, b"secret")
    assert told.count("b") is None
    assert (told.count("a"), told.count("to b")).count(None) >= 1
    assert told.count("to c") is not None


def test_tables_of_one_cohort_have_to_agree(tmp_path: Path) -> None:
    """Else their common margin would be two numbers under one name."""
    cells = {"x": PEOPLE[:50], "y": PEOPLE[50:90]}
    one = cohort_table("one", **cells)
    for other in ({"x": PEOPLE[:49], "y": PEOPLE[49:90]}, {"x": PEOPLE[:50], "y": PEOPLE[50:91]}):
        both = [replace(table, cohort="c") for table in (one, cohort_table("two", **other))]
        with pytest.raises(EntrepotError, match="other persons"):
            fresh(tmp_path, both, PEOPLE, b"secret")


@pytest.mark.parametrize(
    "table",
    [
        CountTable("t", ("d",), (Cell(("a",), PEOPLE[:5]), Cell(("b",), PEOPLE[4:9]))),
        CountTable("t", ("d",), (Cell(("a",), PEOPLE[:5]), Cell(("a",), PEOPLE[5:9]))),
        CountTable("t", ("d",), (Cell(("*",), PEOPLE[:5]),)),
        CountTable("t", ("d",), (Cell(("a", "b"), PEOPLE[:5]),)),
        CountTable("t", ("d",), (Cell(("a",), PEOPLE[[1, 1]]),)),
        CountTable("t", ("d",), (Cell(("a",), PEOPLE[:5]),), unions=(Union(("u",), (("b",),)),)),
        CountTable("t", ("d",), ()),
    ],
    ids=["overlap", "twice", "star", "width", "repeated", "union", "empty"],
)
def test_tables_that_contradict_themselves_are_refused(tmp_path: Path, table: CountTable) -> None:
    """A person in two cells would make every sum wrong."""
    with pytest.raises(EntrepotError):
        fresh(tmp_path, [table], PEOPLE, b"secret")
