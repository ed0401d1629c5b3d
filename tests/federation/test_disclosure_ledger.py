"""What a node remembers of its answers: near sets repeat them, budgets end, nothing is readable."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from entrepot.errors import ConfigurationError
from entrepot.federation.disclosure import (
    Asker,
    Budget,
    Cell,
    CountTable,
    Guard,
    Ledger,
    PersonSet,
    person_set,
    protect,
    read_policy,
)  # fmt: skip
from entrepot.federation.disclosure.sealing import Seal, packed, unpacked

pytestmark = pytest.mark.core
POLICY, SECRET, KEY = read_policy(), b"of this node", bytes(range(32))
DAY = dt.date(2026, 11, 22)
PEOPLE = person_set(np.random.default_rng(3).integers(1, 2**53, 4000))
COHORT = PEOPLE[500:903]


def asker(study: str = "one", release: str = "r1", day: dt.date = DAY) -> Asker:
    return Asker(study, "researcher", release, day)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite", KEY) as opened:
        yield opened


def count(
    ledger: Ledger, persons: PersonSet, who: Asker | None = None, people: PersonSet = PEOPLE
) -> int | None:
    table = CountTable("cohort", (), (Cell((), persons),))
    (told,) = protect([table], people, POLICY, SECRET, ledger, who or asker())
    return told.count()


@pytest.mark.parametrize("apart", [1, 5, 10])
def test_a_near_set_repeats_the_answer(ledger: Ledger, apart: int) -> None:
    """A symmetric difference of 1 to k-1 persons looks exactly like none at all."""
    told = count(ledger, COHORT)
    assert count(ledger, COHORT[apart:]) == told
    half = apart // 2
    assert count(ledger, np.union1d(COHORT[half:], PEOPLE[: apart - half])) == told
    assert count(ledger, np.setdiff1d(PEOPLE, COHORT)) == count(
        ledger, np.setdiff1d(PEOPLE, COHORT[apart:])
    )


def test_the_complement_of_an_answered_set_is_answered_too(tmp_path: Path) -> None:
    """Negation: everybody else, with or without some of the cohort, reads the same."""
    sets = [PEOPLE[n : n + 303 + n % 5] for n in range(0, 3000, 150)]
    seen = []
    for apart in (0, 6):
        with Ledger(tmp_path / str(apart), KEY) as ledger:
            for one in sets:
                count(ledger, one)
            rests = [np.setdiff1d(PEOPLE, one[apart:]) for one in sets]
            seen.append([count(ledger, rest) for rest in rests])
    assert seen[0] == seen[1]


def test_a_small_set_repeats_nothing(ledger: Ledger) -> None:
    """The threshold is hard: ten persons beside an answered thirteen get no number."""
    assert count(ledger, COHORT[:13]) == 15
    assert count(ledger, COHORT[:11]) == 15
    assert [count(ledger, COHORT[:size]) for size in (10, 8, 3)] == [None] * 3


def test_far_sets_are_counted_by_themselves(ledger: Ledger) -> None:
    """k persons away is another figure."""
    assert count(ledger, COHORT) in (400, 405)
    assert count(ledger, COHORT[11:]) in (390, 395)
    assert count(ledger, COHORT[200:]) in (200, 205)


@pytest.mark.parametrize("who", [asker("two"), asker(release="r2"), asker(day=dt.date(2027, 1, 1))])
def test_other_studies_releases_and_days_repeat_it_too(ledger: Ledger, who: Asker) -> None:
    """Section 5: the ledger is per node, over all requesters, studies and releases."""
    sets = [PEOPLE[n : n + 303] for n in range(0, 3000, 100)]
    told = [count(ledger, one) for one in sets]
    grown = person_set([*PEOPLE, *range(20)])
    near = [np.union1d(one[4:], np.arange(5)) for one in sets]
    assert [count(ledger, one, who, grown) for one in near] == told


def test_a_cohort_that_grows_by_little_is_counted_anew_in_the_end(ledger: Ledger) -> None:
    """Each release brings four persons: the count follows once it is k persons behind."""
    told = []
    for week in range(12):
        people = np.union1d(PEOPLE, np.arange(4 * week))
        told.append(count(ledger, np.union1d(COHORT, np.arange(4 * week)), asker(release=str(week)),
                          people))  # fmt: skip
    assert told[0] == told[2]
    assert told[-1] is not None
    assert abs(told[-1] - 447) <= 14
    assert told[-1] > (told[0] or 0)


def test_what_was_withheld_with_a_small_cell_stays_withheld(ledger: Ledger) -> None:
    """Else the next question would ask for the neighbour alone and subtract it."""
    cells = {"a": COHORT[:200], "b": COHORT[200:204]}
    table = CountTable("t", ("d",), tuple(Cell((key,), one) for key, one in cells.items()))
    (told,) = protect([table], PEOPLE, POLICY, SECRET, ledger, asker())
    assert told.count("a") is None
    assert count(ledger, COHORT[:200]) == told.count("*")  # as near to the total as the total
    assert count(ledger, COHORT[200:204]) is None


def test_budgets_end_by_day_and_for_good(ledger: Ledger) -> None:
    """Section 4.5: questions per study, those that fail as well, over all its requesters."""
    policy = POLICY.raised(budget=Budget(day=2, total=5))
    days = [DAY + dt.timedelta(days=n) for n in range(4)]
    spent = [[ledger.spend(asker(day=day), policy) for _ in range(2 + (n == 0))]
             for n, day in enumerate(days)]  # fmt: skip
    assert spent == [[True, True, False], [True, True], [False, False], [False, False]]
    assert ledger.spend(asker("two"), policy)
    assert ledger.spend(Asker("two", "another", "r1", DAY), policy)
    assert not ledger.spend(asker("two"), policy)


def test_refused_suppressed_and_nobody_look_alike(ledger: Ledger) -> None:
    """A refusal has the shape and the bytes of a suppression (section 5)."""

    def answer(persons: PersonSet, *, refused: bool) -> str:
        table = CountTable("t", ("d",), (Cell(("a",), persons), Cell(("b",), persons[:0])))
        guard = Guard(POLICY, SECRET, ledger, PEOPLE, asker(), refused=refused)
        return repr([asdict(one) for one in guard.protect([table])])

    nobody = answer(COHORT[:0], refused=False)
    assert nobody == answer(COHORT[:7], refused=False) == answer(COHORT, refused=True)
    assert nobody != answer(COHORT, refused=False)


def test_answers_depend_on_the_persons_alone(tmp_path: Path) -> None:
    """Same persons, same output: the order of cells and of questions' words changes nothing."""
    parts = [COHORT[:90], COHORT[90:200], COHORT[200:]]
    seen = []
    for number, order in enumerate(([0, 1, 2], [2, 0, 1])):
        cells = tuple(Cell((f"c{n}",), parts[n]) for n in order)
        with Ledger(tmp_path / str(number), KEY) as ledger:
            table = CountTable(f"name {number}", ("d",), cells)
            (told,) = protect([table], PEOPLE, POLICY, SECRET, ledger, asker())
            seen.append({cell.key: cell.count for cell in told.cells})
            again = protect([table], PEOPLE, POLICY, SECRET, ledger, asker("two", "r9"))
            assert {cell.key: cell.count for cell in again[0].cells} == seen[-1]
    assert seen[0] == seen[1]


def test_two_processes_share_one_memory(tmp_path: Path) -> None:
    """What one has told the other one repeats."""
    path = tmp_path / "ledger.sqlite"
    with Ledger(path, KEY) as one, Ledger(path, KEY) as other:
        assert count(one, COHORT) == count(other, COHORT[3:])
        assert count(other, PEOPLE[:303]) == count(one, PEOPLE[3:303])


def test_the_file_says_nothing_without_the_key(tmp_path: Path) -> None:
    """Sealed at rest: neither a person's id nor a count nor a bitmap stands in it."""
    path = tmp_path / "ledger.sqlite"
    with Ledger(path, KEY) as ledger:
        told = count(ledger, COHORT)
    content = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert told is not None
    assert not any(int(one).to_bytes(8, "little")[:7] in content for one in PEOPLE)
    assert packed(COHORT, PEOPLE) not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigurationError, match="key"):
        Ledger(path, bytes(32))


def test_a_changed_ledger_is_refused(tmp_path: Path) -> None:
    """No database, or not ours."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database" * 200)
    with pytest.raises(ConfigurationError, match="ledger"):
        Ledger(path, KEY)
    with pytest.raises(ConfigurationError, match="bytes"):
        Ledger(tmp_path / "other", b"short")


def test_another_process_may_forget(tmp_path: Path) -> None:
    """What was erased elsewhere is neither looked for nor taken for something newer."""
    path = tmp_path / "ledger.sqlite"
    with Ledger(path, KEY) as one, Ledger(path, KEY) as other:
        count(one, COHORT)
        count(other, PEOPLE[:303], asker(release="r2"))
        assert other.forget(frozenset({"r1"})) == 1
        told = count(other, PEOPLE[1000:1303], asker(release="r2"))
        assert count(one, PEOPLE[1003:1303], asker(release="r2")) == told
        assert count(one, COHORT[3:]) is not None


def test_near_questions_are_counted_for_the_steward(ledger: Ledger) -> None:
    """Who sounds out the rule of repeated answers is seen; the asker sees nothing."""
    for apart in (0, 0, 2, 4):
        count(ledger, COHORT[apart:], asker("two"))
    count(ledger, PEOPLE[:303])
    assert ledger.repeats() == {"one": 0, "two": 2}


def test_closed_releases_are_forgotten(ledger: Ledger) -> None:
    """Deleted when no study can ask the release any more; the rest stays."""
    told = count(ledger, COHORT, asker(release="r1"))
    count(ledger, PEOPLE[:303], asker(release="r2"))
    assert ledger.forget(frozenset({"r1"})) == 1
    assert ledger.forget(frozenset({"r1"})) == 0
    assert count(ledger, COHORT) == told  # rounding needs no memory


def test_a_bitmap_is_its_set() -> None:
    """Packed and unpacked; sketches bound the distance from below."""
    rng, seal = np.random.default_rng(1), Seal(KEY)
    for size in (0, 1, 700, 4000):
        persons = np.sort(rng.choice(PEOPLE, min(size, len(PEOPLE)), replace=False))
        assert np.array_equal(unpacked(packed(persons, PEOPLE), PEOPLE), persons)
        other = np.sort(rng.choice(PEOPLE, 900, replace=False))
        apart = np.abs(seal.sketch(persons) - seal.sketch(other)).sum()
        assert apart <= len(np.setxor1d(persons, other))
        assert seal.sketch(persons).sum() == len(persons)
