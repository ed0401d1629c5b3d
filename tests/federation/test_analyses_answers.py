"""What a reader refuses: answers of another shape, or with counts that no sound node gives."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses import (
    ANALYSIS,
    Analysis,
    AnswerError,
    Characterisation,
    Counts,
    CountsAnswer,
    Feature,
    Logistic,
    Stratified,
    Survival,
    Years,
    answered,
    read_answer,
    shapes,
)
from entrepot.federation.analyses.asked import Asked
from entrepot.federation.analyses.strata import load_strata
from entrepot.resources import data_file
from federation.analysis_rows import COHORTS, METFORMIN, DuckCdm, draw
from federation.exact_guard import ExactGuard

pytestmark = pytest.mark.core
STRATA = Stratified(cohort="diabetes", by=("sex", "care_site_group"))
CURVE = Survival(target="diabetes", outcome="stroke", interval_days=182, intervals=4)
TABLE_ONE = Characterisation(
    target="diabetes", comparator="asthma",
    features=(Feature(name="metformin", domain="drug", concept_id=METFORMIN),),
)  # fmt: skip
Payload = dict[str, Any]


@pytest.fixture(scope="module")
def given() -> Callable[[Analysis], Payload]:
    asked = Asked(DuckCdm(draw(300, seed=3)), COHORTS)
    return lambda analysis: answered(asked, analysis, ExactGuard()).model_dump(mode="json")


def read(payload: Payload, analysis: Analysis) -> CountsAnswer:
    answer = read_answer(payload, analysis, minimum=1)
    assert isinstance(answer, CountsAnswer)
    return answer


@pytest.mark.parametrize("analysis", [STRATA, CURVE, TABLE_ONE], ids=lambda one: one.kind)
def test_a_sound_answer_is_read(given: Callable[[Analysis], Payload], analysis: Analysis) -> None:
    payload = given(analysis)
    assert read(payload, analysis).model_dump(mode="json") == payload


class Poison:
    """One change to an answer, by its name in `CHANGES`."""

    def __init__(self, payload: Payload) -> None:
        self.made = copy.deepcopy(payload)
        self.cells: list[Payload] = self.made["tables"][0]["cells"]
        self.shown = next(
            cell for cell in self.cells if cell["count"] is not None and "*" not in cell["key"]
        )
        self.total = next(cell for cell in self.cells if set(cell["key"]) == {"*"})


def count(number: Any) -> Callable[[Poison], object]:
    return lambda poison: poison.shown.update(count=number)


CHANGES: dict[str, Callable[[Poison], object]] = {
    "unknown field": lambda poison: poison.made.update({"rows 12": [[1, 2, 3]]}),
    "unknown field of a cell": lambda poison: poison.shown.update(persons=[1, 2]),
    "number as text": count("12"),
    "negative": count(-1),
    "fraction": count(1.5),
    "yes": count(True),
    "more than France": count(10**9),
    "another key": lambda poison: poison.shown.update(key=["someone"]),
    "cell left out": lambda poison: poison.cells.remove(poison.shown),
    "cell twice": lambda poison: poison.cells.append(poison.shown),
    "table left out": lambda poison: poison.made["tables"].pop(),
    "another table": lambda poison: poison.made["tables"][0].update(name="other"),
    "cell above its margin": lambda p: p.shown.update(count=p.total["count"] + 1),
    "another kind": lambda poison: poison.made.update(kind="counts"),
    "another kind of answer": lambda poison: poison.made.update(kind="cox"),
    "no answer": lambda poison: poison.made.clear(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("analysis", [STRATA, CURVE, TABLE_ONE], ids=lambda one: one.kind)
def test_a_poisoned_answer_is_refused(
    given: Callable[[Analysis], Payload], analysis: Analysis, change: str
) -> None:
    poison = Poison(given(analysis))
    CHANGES[change](poison)
    with pytest.raises(AnswerError) as refused:
        read(poison.made, analysis)
    assert "12" not in str(refused.value)


def test_a_margin_beyond_its_cells_is_refused_when_all_are_shown() -> None:
    analysis = Stratified(cohort="diabetes", by=("sex",))
    payload = _counts(analysis, [("female",), ("male",), ("unknown",), ("*",)], [20, 30, 15, 65])
    assert read_answer(payload, analysis)
    for total, sound in ((65, True), (120, True), (125, False), (25, True), (20, False)):
        payload["tables"][0]["cells"][-1]["count"] = total
        if sound:
            assert read_answer(payload, analysis)
        else:
            with pytest.raises(AnswerError):
                read_answer(payload, analysis)


def _counts(analysis: Analysis, keys: list[tuple[str, ...]], counts: list[int]) -> Payload:
    cells = [{"key": list(key), "count": n} for key, n in zip(keys, counts, strict=True)]
    table = {"name": "diabetes", "dimensions": ["sex"], "cells": cells}
    return {"kind": analysis.kind, "threshold": 11, "base": 5, "tables": [table]}


@pytest.mark.parametrize("count", [5, 10, 12, 0])
def test_a_count_that_the_policy_does_not_show_is_refused(count: int) -> None:
    analysis = Counts(cohorts=("diabetes",))
    table = {"name": "diabetes", "dimensions": [], "cells": [{"key": [], "count": count}]}
    payload = {"kind": "counts", "threshold": 11, "base": 5, "tables": [table]}
    with pytest.raises(AnswerError):
        read_answer(payload, analysis)


def test_a_lowered_threshold_is_refused() -> None:
    analysis = Counts(cohorts=("diabetes",))
    table = {"name": "diabetes", "dimensions": [], "cells": [{"key": [], "count": 15}]}
    payload: Payload = {"kind": "counts", "threshold": 5, "base": 5, "tables": [table]}
    with pytest.raises(AnswerError, match="threshold"):
        read_answer(payload, analysis)
    payload["threshold"] = 11
    assert read_answer(payload, analysis)
    with pytest.raises(AnswerError, match="threshold"):
        read_answer(payload, analysis, minimum=20)


def test_two_sizes_of_one_cohort_are_refused(given: Callable[[Analysis], Payload]) -> None:
    payload = given(TABLE_ONE)
    for cell in payload["tables"][1]["cells"]:
        if cell["count"] is not None:
            cell["count"] *= 2
    with pytest.raises(AnswerError, match="two sizes"):
        read(payload, TABLE_ONE)


def test_a_question_with_too_many_cells_is_refused() -> None:
    analysis = Stratified(
        cohort="a", by=("age_band", "sex", "year"), years=Years(first=2000, last=2019)
    )
    with pytest.raises(ConfigurationError, match="300 cells"):
        shapes(analysis)
    features = tuple(Feature(name=f"f{n}", domain="drug", concept_id=n) for n in range(1, 41))
    assert len(shapes(Characterisation(target="a", comparator="b", features=features))) == 84


def test_tables_of_a_regression_are_seen_by_the_guard_alone() -> None:
    analysis = Logistic(target="diabetes", outcome="stroke")
    assert [shape.name for shape in shapes(analysis)] == ["age", "sex"]


def test_ages_and_years_fall_in_one_band_each() -> None:
    strata = load_strata()
    assert strata.keys("age_band")[:2] == ("0-9", "10-19")
    found = [strata.age_band(age) for age in (0, 9, 10, 89, 90, 120, -1, None)]
    assert found == ["0-9", "0-9", "10-19", "80-89", "90+", "90+", "unknown", "unknown"]
    assert strata.sex(8521) == strata.sex(None) == "unknown"
    assert strata.care_site_group(9203, None) == "emergency"
    assert strata.care_site_group(9201, "SMR") == "rehabilitation"
    assert strata.care_site_group(0, "nowhere") == "other"


def test_a_site_adds_codes_and_no_group(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "federation"
    folder.mkdir(parents=True)
    text = data_file("mappings/federation/strata.yaml").read_text(encoding="utf-8")
    (folder / "strata.yaml").write_text(text.replace("[PSY]", "[PSY, P4]"))
    assert load_strata((tmp_path,)).care_site_group(None, "P4") == "psychiatry"
    other = tmp_path / "other"
    (other / "mappings" / "federation").mkdir(parents=True)
    for old, new in (("psychiatry:", "pavilion_4:"), ("visit_home", "visit_nowhere")):
        (other / "mappings" / "federation" / "strata.yaml").write_text(text.replace(old, new))
        with pytest.raises(ConfigurationError):
            load_strata((other,))


@pytest.mark.parametrize(
    "stated",
    [
        {"kind": "counts", "cohorts": ["a'; DROP TABLE x"]},
        {"kind": "counts", "cohorts": ["a", "a"]},
        {"kind": "counts", "cohorts": ["a"], "sql": "SELECT 1"},
        {"kind": "stratified", "cohort": "a", "by": ["person_id"]},
        {"kind": "stratified", "cohort": "a", "by": ["year"]},
        {"kind": "stratified", "cohort": "a", "by": ["year"],
         "years": {"first": 2000, "last": 2090}},
        {"kind": "characterisation", "target": "a", "features": [], "window_days": 364},
        {"kind": "characterisation", "target": "a",
         "features": [{"name": "x", "domain": "drug", "concept_id": "1"}]},
        {"kind": "characterisation", "target": "a",
         "features": [{"name": "x", "domain": "note", "concept_id": 1}]},
        {"kind": "survival", "target": "a", "outcome": "a"},
        {"kind": "survival", "target": "a", "outcome": "b", "interval_days": 1},
        {"kind": "logistic", "target": "a", "outcome": "b", "age": False, "sex": False},
        {"kind": "linear", "target": "a"},
    ],
)  # fmt: skip
def test_a_question_outside_the_closed_list_is_refused(stated: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ANALYSIS.validate_python(stated)
