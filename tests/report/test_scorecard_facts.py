"""What the scorecard counts, against numbers counted by hand."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter

import pytest

from entrepot.quality.past import PastLoad
from entrepot.quality.results import ResultLine, Status
from entrepot.report.scorecard.facts import Judged, facts
from entrepot.report.scorecard.pages import render, words

pytestmark = pytest.mark.core

P, F, W, N, E = (Status.PASSED, Status.FAILED, Status.WARNED, Status.NOT_APPLICABLE, Status.ERROR)


def line(
    check_id: str, status: Status, violated: int = 0, table: str = "person",
    category: str = "conformance", denominator: int = 10, source: str = "",
) -> ResultLine:  # fmt: skip
    return ResultLine(
        check_id, table, "", category, "fatal", "block", violated,
        0 if status is N else denominator, status, source, "1 %", f"sens {check_id}",
        f"meaning {check_id}",
    )  # fmt: skip


def past(number: int, *lines: ResultLine) -> PastLoad:
    counts = Counter((one.category, one.status) for one in lines if not one.source)
    day = dt.datetime(2024, 1, number)
    return PastLoad(number, f"load{number}", f"release{number}", day, counts, list(lines))


def told(lines: list[ResultLine], *before: PastLoad) -> dict[str, object]:
    return facts(Judged("Hôpital", "2024-02-01", True, lines, "r"), before)


def test_passes_are_counted_over_applicable_checks_alone() -> None:
    """3 passed, 1 failed, 6 not applicable: DQD would say 90 %, the scorecard 75 %."""
    lines = [line(f"p{n}", P) for n in range(3)] + [line("f", F, 5)]
    lines += [line(f"n{n}", N) for n in range(6)]
    totals = told(lines)["totals"]
    assert (totals["checks"], totals["applicable"], totals["rate"]) == (10, 4, 750)  # type: ignore[index]
    assert "75 %" in re.sub(r"\s", " ", render(told(lines), "fr"))
    assert "75%" in render(told(lines), "en")


def test_one_failure_among_thousands_is_not_a_hundred_percent() -> None:
    lines = [line(f"p{n}", P) for n in range(4999)] + [line("f", F, 5)]
    assert told(lines)["totals"]["rate"] == 999  # type: ignore[index]


def test_nothing_to_check_has_no_rate() -> None:
    assert told([line("n", N)])["totals"]["rate"] == -1  # type: ignore[index]
    page = render(told([line("n", N)]), "en").split("<main>")[1]
    assert "100" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)


def test_by_category_by_table_and_by_source() -> None:
    lines = [
        line("a", P, table="person"), line("b", F, 1, table="note"),
        line("c", W, 1, table="note", category="plausibility"),
        line("rows", P, 2, denominator=50, source="adt"),
        line("rows", P, 3, table="note", denominator=30, source="adt"),
        line("rows", P, 0, denominator=9, source="lab"),
    ]  # fmt: skip
    found = told(lines)
    assert [(c["name"], c["applicable"], c["passed"]) for c in found["categories"]] == [  # type: ignore[attr-defined]
        ("conformance", 2, 1), ("plausibility", 1, 0),
    ]  # fmt: skip
    assert [(c["name"], c["failed"], c["warned"]) for c in found["tables"]] == [  # type: ignore[attr-defined]
        ("note", 1, 1), ("person", 0, 0),
    ]  # fmt: skip
    assert found["sources"] == [
        {"name": "adt", "rows": 80, "quarantined": 5}, {"name": "lab", "rows": 9, "quarantined": 0},
    ]  # fmt: skip


CHANGES = {
    "begins to fail": (P, F, "worse"),
    "warns and then fails": (W, F, "worse"),
    "fails where there was nothing to check": (N, F, "worse"),
    "has no answer": (P, E, "worse"),
    "ends to fail": (F, P, "better"),
    "only warns now": (F, W, "better"),
    "begins to apply": (N, P, ""),
    "has nothing to check any more": (P, N, ""),
    "stays": (P, P, ""),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_new_since_the_load_before(case: str) -> None:
    before, now, where = CHANGES[case]
    news = told([line("a", now, 1)], past(1, line("a", before, 1)))["news"]
    for name in ("worse", "better"):
        assert [one["check_id"] for one in news[name]] == (["a"] if name == where else [])  # type: ignore[index]


def test_what_grows_is_new_too_and_lists_of_checks_are_compared() -> None:
    now = [line("same", F, 2), line("more", W, 5), line("new", F, 1), line("fresh", P)]
    before = [line("same", F, 2), line("more", W, 4), line("old", P)]
    news = told(now, past(1, *before))["news"]
    assert [one["check_id"] for one in news["more"]] == ["more"]  # type: ignore[index]
    assert [one["check_id"] for one in news["added_above"]] == ["new"]  # type: ignore[index]
    assert (news["added"], news["gone"]) == (2, 1)  # type: ignore[index]


def test_over_time() -> None:
    loads = [past(1, line("a", F, 5)), past(4, line("a", P), line("b", N))]
    found = told([line("a", W, 2), line("b", P)], *loads)
    assert [(one["number"], one["rate"]) for one in found["loads"]] == [(1, 0), (4, 1000), (5, 500)]  # type: ignore[attr-defined]
    assert found["above"][0]["trend"] == [0.5, 0.0, 0.2]  # type: ignore[index]


def test_a_first_load_says_that_there_is_nothing_to_compare_with() -> None:
    page = render(told([line("a", F, 1)]), "en")
    assert words("en")["no_past"] in page
    assert 'id="worse"' not in page


def test_worst_first_and_nothing_of_the_data_is_markup() -> None:
    lines = [line("w", W, 9), line("few", F, 1), line("<b>many", F, 8)]
    found = told(lines)
    assert [one["check_id"] for one in found["above"]] == ["<b>many", "few", "w"]  # type: ignore[attr-defined]
    assert "<b>many" not in render(found, "fr")


def test_both_languages_have_the_same_words() -> None:
    french, english = words("fr"), words("en")
    assert french.keys() == english.keys()
    nested = [key for key, value in french.items() if isinstance(value, dict)]
    assert all(french[key].keys() == english[key].keys() for key in nested)


def test_every_bar_and_curve_is_said_in_words() -> None:
    """What whoever does not see the plots is read: the numbers of the tables."""
    page = render(told([line("a", F, 5), line("b", P)], past(1, line("a", P))), "en")
    labels = re.findall(r'role="img" aria-label="([^"]*)"', page)
    assert any("Conformance" in one and "100%" in one and "50%" in one for one in labels)
    assert all(len(one) > 12 for one in labels)
    assert page.count("<caption>") == page.count("<table")
    assert "<th>" not in page
