"""Section 6 prints what people of the site read, as their review keeps it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator

import pytest

import roads
from entrepot.config import Site
from entrepot.report.dpo.facts import collect
from entrepot.report.dpo.pages import render
from entrepot.report.dpo.signing import signed
from entrepot.review.bounds import clopper_pearson
from entrepot.review.drawing import lists_version
from entrepot.review.estimates import Recall, Share
from entrepot.review.results import LabelResult, ReviewResult, save
from entrepot.review.sample import root

pytestmark = pytest.mark.integration
NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)


def _review(name: str, day: str, lists: str, leaking: int, read_twice: int) -> ReviewResult:
    """300 documents of which `leaking` hold one missed name each."""
    share = Share(leaking / 300, *clopper_pearson(leaking, 300))
    recall = Share(0.99, 0.981, 0.996)
    found = Recall(900, leaking, leaking / 300, recall, low_clustered=0.975)
    told = LabelResult(found, over_masked=Share(0.02, 0.01, 0.04), over=20)
    return ReviewResult(
        review=name, release="r1", drawn_at=day, ended_at=f"{day}T10:00:00+00:00",
        software="0.1.0", lists=lists, readers=("a", "b"), population=5000, sampled=300, read=300,
        read_twice=read_twice, leaking_documents=leaking, leaking=share,
        misses={"NOM": leaking} if leaking else {}, overall=told, labels={"NOM": told},
        adjudicated=0, agreement=(), strata=(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return roads.new_site(tmp_path_factory.mktemp("kept") / "chu")


@pytest.fixture
def site(made: Site) -> Iterator[Site]:
    """Without any review."""
    yield made
    shutil.rmtree(root(made))


def test_readings_are_told_with_their_exact_bounds(site: Site) -> None:
    keyring = roads.keyring(site)
    for review in (
        _review("old", "2026-01-10", "0" * 16, 12, 300),
        _review("new", "2026-11-01", lists_version(site), 0, 300),
    ):
        (root(site) / review.review).mkdir(parents=True)
        save(root(site) / review.review, review)
    facts = collect(site, keyring, NOW)
    old, new = facts["measured"]["readings"]
    assert (new["documents"], new["readers"], new["complete"], new["current"]) == (
        300,
        2,
        True,
        True,
    )
    # 1 - 0.025 ** (1 / 300) = 1.222 %: at most 1.3 %, as the manual says
    assert new["leaking"] == {"value": 0, "low": 0, "high": 13}
    assert new["misses"] == {}
    assert (old["misses"], old["leaking"]["value"], old["current"]) == ({"NOM": 20}, 40, False)
    # words of one document go together: the wider of both lower bounds
    assert new["recall"] == {"value": 990, "low": 975, "high": 996}
    codes = {one["code"] for one in facts["deviations"]}
    assert not codes & {"review_missing", "review_old", "review_leaks"}
    page = render(signed(facts, keyring), "fr", site.root)
    assert "documents qui fuient" in page
    later = collect(site, keyring, NOW + dt.timedelta(days=400))
    assert "review_old" in {one["code"] for one in later["deviations"]}


def test_an_unfinished_or_leaking_sample_is_a_deviation(site: Site) -> None:
    (root(site) / "one").mkdir(parents=True)
    save(root(site) / "one", _review("one", "2026-11-01", lists_version(site), 9, 120))
    facts = collect(site, roads.keyring(site), NOW)
    (told,) = facts["measured"]["readings"]
    assert (told["complete"], told["misses"]) == (False, {"NOM": "<11"})
    codes = {one["code"] for one in facts["deviations"]}
    assert codes >= {"review_missing", "review_leaks"}
