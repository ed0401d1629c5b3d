"""Bounds of measured shares, against scipy and against values one can work out by hand."""

from __future__ import annotations

from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.report.dpo.intervals import NONE, Share, exact, wilson

pytestmark = pytest.mark.core


def test_no_miss_in_300_documents_leaves_1_2_percent() -> None:
    """(1 - p) ** 300 = 0.025 gives p = 1.222 %: 13 per mille when rounded outwards."""
    assert exact(0, 300) == Share(0, 0, 13)
    assert exact(300, 300) == Share(1000, 987, 1000)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_both_intervals_are_those_of_scipy(counts: tuple[int, int]) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy comes with great-expectations")
    hits, trials = counts
    for method, found in (("exact", exact(hits, trials)), ("wilson", wilson(hits, trials))):
        wanted = stats.binomtest(hits, trials).proportion_ci(0.95, method=method)
        assert found.low == pytest.approx(floor(1000 * wanted.low + 1e-6), abs=1e-9)
        assert found.high == pytest.approx(ceil(1000 * wanted.high - 1e-6), abs=1e-9)
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize("interval", [exact, wilson])
def test_nothing_counted_tells_nothing(interval: object) -> None:
    assert callable(interval)
    assert interval(0, 0) == NONE
    with pytest.raises(ValueError, match="some of the trials"):
        interval(3, 2)
