"""Bounds against the binomial law itself, and against populations whose leaks are known."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction

import pytest

from entrepot.review.agreement import agreements, cohen, disputed, judged, united
from entrepot.review.bounds import clopper_pearson
from entrepot.review.drawing import allocation
from entrepot.review.estimates import Estimator, Judged
from entrepot.review.sample import Drawn, Mark, Read, Reading, Stratum

pytestmark = pytest.mark.core


def _at_most(x: int, n: int, p: float) -> float:
    """P(X <= x) for X binomial, summed exactly."""
    share = Fraction(p)
    return float(sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(x + 1)))


@pytest.mark.parametrize(("x", "n"), [(0, 300), (1, 300), (3, 20), (7, 150), (149, 150), (20, 20)])
def test_each_end_leaves_a_fortieth_of_the_binomial_law(x: int, n: int) -> None:
    low, high = clopper_pearson(x, n)
    if x < n:
        assert _at_most(x, n, high) == pytest.approx(0.025, rel=1e-6)
    if x > 0:
        assert 1 - _at_most(x - 1, n, low) == pytest.approx(0.025, rel=1e-6)
    assert (low == 0) == (x == 0)
    assert (high == 1) == (x == n)


def test_no_miss_in_300_documents_is_at_most_1_0_to_1_3_percent() -> None:
    """The reference on pseudonymisation, section 5; one-sided and two-sided at 95 %."""
    assert clopper_pearson(0, 300)[1] == pytest.approx(1 - 0.025 ** (1 / 300))
    assert 0.0095 < clopper_pearson(0, 300, level=0.90)[1] < clopper_pearson(0, 300)[1] < 0.013


def test_published_intervals() -> None:
    """3 of 20 and 10 of 100: R's binom.test prints 0.0321-0.3789 and 0.0490-0.1762."""
    assert clopper_pearson(3, 20) == pytest.approx((0.03207094, 0.37892683), abs=1e-7)
    assert clopper_pearson(10, 100) == pytest.approx((0.04900469, 0.17622260), abs=1e-7)


def _stratum(population: int, sampled: int, **detected: int) -> Stratum:
    return Stratum(
        detection="some", format="hl7v2", type="a", length="short", population=population,
        sampled=sampled, detected=detected,
    )  # fmt: skip


def _read(stratum: int, missed: int, tags: int) -> Judged:
    drawn = Drawn(note_id=1, stratum=stratum, sha256="", detected={"NOM": tags})
    return Judged(drawn, Counter({"NOM": missed} if missed else {}), Counter())


def test_a_stratified_sample_of_300_without_a_miss_is_bounded_as_the_reference_says() -> None:
    populations = [40_000, 9_000, 800, 150, 50]
    sizes = allocation(populations, 300)
    assert all(size >= 300 * held / 50_000 for size, held in zip(sizes, populations, strict=True))
    strata = [_stratum(p, s, NOM=8 * p) for p, s in zip(populations, sizes, strict=True)]
    read = [_read(number, 0, 8) for number, size in enumerate(sizes) for _ in range(size)]
    estimator = Estimator(strata, read)
    leaking, recall = estimator.leaking(), estimator.recall()
    assert (leaking.estimate, leaking.low) == (0, 0)
    assert leaking.high is not None
    assert 0.010 < leaking.high < 0.013
    assert recall.recall.low is not None
    assert recall.low_clustered is not None
    # 8 tags a document: about one entity in 2,400 may be missed; 1 in 300 if they come together
    assert recall.recall.low > 0.998
    assert 0.985 < recall.low_clustered < recall.recall.low
    assert recall.recall.estimate == 1


@pytest.mark.parametrize(
    ("populations", "sizes", "risks"),
    [
        ([3000, 900, 100], allocation([3000, 900, 100], 200), [0.004, 0.02, 0.3]),
        ([900, 100], [20, 80], [0.2, 0.0]),  # as far as somebody has read
        ([900, 100], [20, 80], [0.0, 0.3]),
    ],
)
def test_the_bounds_hold_the_truth_whatever_the_strata(
    populations: list[int], sizes: list[int], risks: list[float]
) -> None:
    """100 samples of populations in which one stratum leaks far more than the rest."""
    chance = random.Random(5)
    strata = [_stratum(p, s, NOM=4 * p) for p, s in zip(populations, sizes, strict=True)]
    missed = sum(p * r for p, r in zip(populations, risks, strict=True))
    tags = 4 * sum(populations)
    truth, recall_truth = missed / sum(populations), tags / (tags + missed)
    held = recall_held = 0
    for _ in range(100):
        read = [
            _read(number, int(chance.random() < risks[number]), 4)
            for number, size in enumerate(sizes)
            for _ in range(size)
        ]
        estimator = Estimator(strata, read)
        leaking, recall = estimator.leaking(), estimator.recall().recall
        assert leaking.low is not None
        assert leaking.high is not None
        assert recall.low is not None
        assert recall.high is not None
        held += leaking.low <= truth <= leaking.high
        recall_held += recall.low <= recall_truth <= recall.high
    assert held >= 95, "at least 95 % of the intervals"
    assert recall_held >= 95


def test_a_stratum_that_nobody_read_counts_as_leaking() -> None:
    strata = [_stratum(900, 90, NOM=900), _stratum(100, 10, NOM=100)]
    estimator = Estimator(strata, [_read(0, 0, 1) for _ in range(90)])
    leaking = estimator.leaking()
    assert leaking.high is not None
    assert leaking.high > 0.1
    assert estimator.recall().recall.low is None


def test_estimates_weigh_the_strata() -> None:
    """Worked by hand: 2 of 10 leak in 900 documents, 5 of 10 in 100: 0.9 x 0.2 + 0.1 x 0.5."""
    strata = [_stratum(900, 10, NOM=1800), _stratum(100, 10, NOM=200)]
    read = [_read(0, int(n < 2), 2) for n in range(10)] + [
        _read(1, int(n < 5), 2) for n in range(10)
    ]
    estimator = Estimator(strata, read)
    assert estimator.leaking().estimate == pytest.approx(0.23)
    # 180 + 50 estimated misses beside 2,000 tags that were counted
    assert estimator.recall().recall.estimate == pytest.approx(2000 / 2230)


def _mark(start: int, end: int, label: str = "NOM", kind: str = "missed") -> Mark:
    return Mark.model_validate({"kind": kind, "start": start, "end": end, "label": label})


def test_marks_of_two_readers_that_overlap_are_one_miss() -> None:
    marks = [_mark(10, 18), _mark(14, 25, "PRENOM"), _mark(25, 30), _mark(0, 4, kind="over")]
    assert [(m.start, m.end, m.label) for m in united(marks)] == [(10, 25, "NOM"), (25, 30, "NOM")]


def test_agreement_worked_by_hand() -> None:
    drawn = [Drawn(note_id=n, stratum=0, sha256="", detected={"NOM": 2}) for n in range(4)]
    first = {0: [_mark(1, 5), _mark(8, 12)], 1: [_mark(1, 5)], 2: [_mark(0, 7, kind="over")], 3: []}
    second = {0: [_mark(2, 6)], 1: [], 2: [_mark(0, 7, kind="over")], 3: []}
    readings = [
        Reading(review="r", reader=name, documents={
            number: Read(sha256="", at="", marks=marks) for number, marks in told.items()
        })
        for name, told in (("a", first), ("b", second))
    ]  # fmt: skip
    (found,) = agreements(drawn, readings)
    assert found.positive == pytest.approx(2 / 4)  # one pair matched of 3 + 1 marks
    assert found.kappa == pytest.approx((3 / 4 - 1 / 2) / (1 / 2))  # yes: 2 of 4 and 1 of 4
    assert found.over_kappa == 1
    assert (found.documents, found.disagreements) == (4, 2)
    union = judged(drawn, readings, {})
    assert [one.missed.total() for one in union] == [2, 1, 0, 0]
    assert [one.over.total() for one in union] == [0, 0, 1, 0]
    decided = judged(drawn, readings, {1: Read(sha256="", at="", marks=[])})
    assert [one.missed.total() for one in decided] == [2, 0, 0, 0]
    assert [one.note_id for one in disputed(drawn, readings)] == [0, 1]


def test_kappa_of_chance_and_of_no_difference() -> None:
    assert cohen([(True, True), (True, False), (False, True), (False, False)]) == 0
    assert cohen([(False, False)] * 9) is None
    assert cohen([]) is None
