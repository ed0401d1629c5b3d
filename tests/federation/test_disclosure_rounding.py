"""Rounding that is unbiased, keyed on the persons alone, and never below the threshold."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.federation.disclosure import (
    Asker,
    Budget,
    Cell,
    CountTable,
    Guard,
    Ledger,
    interval,
    keyed_noise,
    person_set,
    read_policy,
    wait_seconds,
)  # fmt: skip
from entrepot.federation.disclosure.rounding import rounded, told_range
from entrepot.federation.disclosure.sums import protected_sum

pytestmark = pytest.mark.core
POLICY = read_policy()
SECRET = b"of this node"
ASKER = Asker("study", "researcher", "r1", dt.date(2026, 11, 22))


@given(st.sets(st.integers(1, 2**53), min_size=11, max_size=80), st.randoms())
@settings(max_examples=60, deadline=None, database=None)
def test_the_same_persons_are_rounded_alike(persons: set[int], random: object) -> None:
    """Section 4.4: keyed on the set; whatever order or repetition a query gives them in."""
    shuffled = sorted(persons, key=lambda one: hash((one, id(random))))
    once = rounded(person_set(persons), POLICY, SECRET)
    assert rounded(person_set([*shuffled, *shuffled]), POLICY, SECRET) == once
    low, high = told_range(once, POLICY)
    assert once % 5 == 0
    assert low <= len(persons) <= high
    assert interval(once, POLICY)[0] <= len(persons) <= interval(once, POLICY)[1]


@pytest.mark.parametrize("size", [15, 17, 101, 102, 103, 104, 300])
def test_rounding_is_right_on_average(size: int) -> None:
    """Not the banker's: 4,000 sets of one size average to it within 4 standard errors."""
    rng = np.random.default_rng(size)
    counts = [rounded(person_set(rng.integers(1, 2**53, size)), POLICY, SECRET)
              for _ in range(4000)]  # fmt: skip
    assert abs(np.mean(counts) - size) < 4 * 2.5 / 4000**0.5
    assert len(set(counts)) == (1 if size % 5 == 0 else 2)


def test_another_secret_rounds_otherwise() -> None:
    """Without the secret nobody can repeat the rounding."""
    sets = [person_set(range(n, n + 102)) for n in range(60)]
    mine, theirs = ([rounded(one, POLICY, key) for one in sets] for key in (b"a", b"b"))
    assert mine != theirs


def test_eleven_to_fourteen_read_fifteen() -> None:
    """No number below the threshold is ever told."""
    assert {rounded(person_set(range(n)), POLICY, SECRET) for n in range(11, 16)} == {15}


def test_noise_is_keyed_and_uniform() -> None:
    """The same persons, label and secret give the same numbers in [-1, 1)."""
    persons = person_set(range(50))
    noise = keyed_noise("cox", persons, 4000, SECRET)
    assert np.array_equal(noise, keyed_noise("cox", person_set(range(50)), 4000, SECRET))
    assert not np.array_equal(noise[:9], keyed_noise("cox", person_set(range(51)), 9, SECRET))
    assert not np.array_equal(noise[:9], keyed_noise("logistic", persons, 9, SECRET))
    assert noise.min() >= -1
    assert noise.max() < 1
    assert abs(noise.mean()) < 4 / (3 * 4000) ** 0.5
    assert abs(noise.std() - 3**-0.5) < 0.02


def test_a_study_can_only_be_stricter() -> None:
    """Section 3.1: the node's minimum wins."""
    assert POLICY.threshold == 11
    assert POLICY.raised(threshold=5).threshold == 11
    assert POLICY.raised(threshold=20).threshold == 20
    assert POLICY.raised(budget=Budget(day=10**9, total=3)).budget == Budget(day=20, total=3)
    assert POLICY.raised(analyses=["counts"]).analyses == ("counts",)
    assert POLICY.raised(threshold=20).sha256 != POLICY.sha256


def test_a_policy_that_protects_nobody_is_refused(tmp_path: Path) -> None:
    """Rounding coarser than the threshold, or an unknown key, is named with its line."""
    folder = tmp_path / "quality" / "federation"
    folder.mkdir(parents=True)
    shipped = Path(read_policy.__code__.co_filename).parents[4] / "quality/federation/policy.yaml"
    text = shipped.read_text(encoding="utf-8")
    for wrong in (text.replace("rounding_base: 5", "rounding_base: 20"), text + "extra: 1\n",
                  text.replace("threshold: 11", "threshold: 2")):  # fmt: skip
        (folder / "policy.yaml").write_text(wrong, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"policy\.yaml"):
            read_policy([tmp_path])


def test_a_sum_needs_persons_and_no_one_person_s_weight() -> None:
    """dsBase: one person at most 85 % of a sum; values beyond the cap are cut."""
    persons = person_set(range(30))
    even = np.full(30, 100.0)
    told = protected_sum("time", persons, even, 365, POLICY, SECRET)
    assert told is not None
    assert told % (5 * 365) == 0
    assert abs(told - 3000) < 5 * 365
    one = np.r_[np.full(29, 1.0), 300.0]
    assert protected_sum("time", persons, one, 365, POLICY, SECRET) is None
    assert protected_sum("time", persons, one, 10, POLICY, SECRET) is not None
    few = np.r_[np.zeros(20), np.full(10, 50.0)]
    assert protected_sum("time", persons, few, 365, POLICY, SECRET) is None
    with pytest.raises(EntrepotError):
        protected_sum("time", persons, -even, 365, POLICY, SECRET)


def test_sums_are_right_on_average() -> None:
    """3,000 sets of one sum average to it within 4 standard errors."""
    values = np.full(40, 77.0)
    told = [protected_sum("time", person_set(range(n, n + 40)), values, 100, POLICY, SECRET)
            for n in range(3000)]  # fmt: skip
    assert abs(np.mean([one or 0 for one in told]) - 40 * 77) < 4 * 250 / 3000**0.5


def test_a_sum_over_nearly_the_same_persons_is_repeated(tmp_path: Path) -> None:
    """The difference of two sums would be one person's value."""
    people = person_set(range(1, 3001))
    cohort, values = people[:200], np.arange(200.0)
    with Ledger(tmp_path / "l", bytes(32)) as ledger:
        guard = Guard(POLICY, SECRET, ledger, people, ASKER)
        assert guard.sum("time", cohort, values, 200) is None  # its count was never told
        guard.protect([CountTable("c", (), (Cell((), cohort),))])
        told = guard.sum("time", cohort, values, 200)
        assert told is not None
        assert guard.sum("time", cohort[1:], np.full(199, 199.0), 200) == told
        assert Guard(POLICY, SECRET, ledger, people, ASKER, refused=True).sum(
            "time", cohort, values, 200) is None  # fmt: skip


@pytest.mark.parametrize(("now", "wait"), [(0.0, 60), (0.2, 59.8), (59.0, 1), (60, 0), (61, 59)])
def test_answers_leave_in_slots(now: float, wait: float) -> None:
    """Threat 7: the time taken says nothing but in whole slots."""
    assert wait_seconds(100.0, 100.0 + now, POLICY) == pytest.approx(wait)
