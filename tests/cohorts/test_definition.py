"""Reading definitions: what is refused and where, and one text for one definition."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from golden_cohorts import goldens

from entrepot.cohorts import Dialect, compile_cohort, definition_hash, read_definition
from entrepot.cohorts.definition import OneCriterion, reading
from entrepot.errors import ConfigurationError

pytestmark = pytest.mark.core

PLAIN: dict[str, Any] = {
    "ConceptSets": [
        {"id": 0, "name": "n", "expression": {"items": [{"concept": {"CONCEPT_ID": 201820}}]}}
    ],
    "PrimaryCriteria": {"CriteriaList": [{"ConditionOccurrence": {"CodesetId": 0}}]},
}


def plain(**criterion: object) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(PLAIN))
    copied["PrimaryCriteria"]["CriteriaList"][0]["ConditionOccurrence"].update(criterion)
    return copied


def read(told: object) -> Any:
    return read_definition(json.dumps(told), "cohort.json")


def test_all_shared_definitions_and_back(shared: Path) -> None:
    count = 0
    for family in ("phenotypelibrary", "sweep"):
        for golden in goldens(shared, family):
            expression = golden.expression()
            again = read_definition(expression.json(), golden.id)
            assert again == expression
            assert definition_hash(again) == definition_hash(expression)
            count += 1
    assert count == 550 + 643


IN_CRITERION = "$.PrimaryCriteria.CriteriaList[0].ConditionOccurrence"


@pytest.mark.parametrize(
    ("told", "said", "path"),
    [
        (plain(Colour="red"), "unknown field `Colour`", IN_CRITERION),
        (plain(CodesetId="0"), "Expected `int | null`, got `str`", f"{IN_CRITERION}.CodesetId"),
        (plain(CodesetId=1.5), "got `float`", f"{IN_CRITERION}.CodesetId"),
        (plain(First="yes"), "Expected `bool`, got `str`", f"{IN_CRITERION}.First"),
        (plain(CodesetId=2**70), "<= 9223372036854775807", f"{IN_CRITERION}.CodesetId"),
        (plain(Age={"Value": 18, "Op": "over"}), "is not one of", f"{IN_CRITERION}.Age.Op"),
        (plain(Age={"Value": 18, "Op": "bt"}), "needs an Extent", f"{IN_CRITERION}.Age"),
        (plain(Age={"Value": "18", "Op": "gt"}), "got `str`", f"{IN_CRITERION}.Age.Value"),
        (
            plain(OccurrenceStartDate={"Value": "2020-02-30", "Op": "gt"}),
            "Invalid RFC3339",
            f"{IN_CRITERION}.OccurrenceStartDate.Value",
        ),
        (PLAIN | {"Colour": 1}, "unknown field `Colour`", "$"),
        (PLAIN | {"ExpressionLimit": {"Type": "Some"}}, "is not one of", "$.ExpressionLimit.Type"),
        (PLAIN | {"EndStrategy": {}}, "either a DateOffset", "$.EndStrategy"),
        (PLAIN | {"PrimaryCriteria": {"CriteriaList": []}}, "at least one", "$.PrimaryCriteria"),
        (PLAIN | {"ConceptSets": PLAIN["ConceptSets"] * 2}, "the same id", "$"),
        (
            PLAIN | {"PrimaryCriteria": {"CriteriaList": [{"Death": {}, "Specimen": {}}]}},
            "exactly one criterion",
            "$.PrimaryCriteria.CriteriaList[0]",
        ),
        (
            PLAIN | {"InclusionRules": [{"expression": {"Type": "AT_LEAST"}}]},
            "needs a Count",
            "$.InclusionRules[0].expression",
        ),
        ([], "Expected `object`, got `array`", "$"),
        ({}, "missing required field `PrimaryCriteria`", "$"),
    ],
)
def test_refused_with_its_path(told: object, said: str, path: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(told)
    assert said in refused.value.what
    assert refused.value.what.endswith(f" at {path}")
    assert refused.value.where == "cohort.json"


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", '{"a": NaN}', b"\xff\xfe{}"])
def test_no_json(text: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="no valid JSON"):
        read_definition(text, "it")


def test_too_deep() -> None:
    for bomb in ("[" * 200_000, '{"a":' * 200_000, '["' + "\\" * 3 + '"' + "[" * 300):
        with pytest.raises(ConfigurationError, match=r"deeper than 100|no valid JSON"):
            read_definition(bomb, "it")


def test_brackets_in_texts_do_not_count() -> None:
    assert read(PLAIN | {"Title": "[{" * 300 + '"\\'})


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    with pytest.raises(ConfigurationError, match="larger than 100"):
        read(PLAIN)


def test_too_many_concepts() -> None:
    items = [{"concept": {"CONCEPT_ID": n}} for n in range(reading.MAX_CONCEPTS + 1)]
    with pytest.raises(ConfigurationError, match="more than 50000 concepts"):
        read(PLAIN | {"ConceptSets": [{"id": 0, "expression": {"items": items}}]})


def test_a_value_is_never_quoted() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(PLAIN | {"ExpressionLimit": {"Type": "MARTIN Jeanne"}})
    assert "MARTIN" not in str(refused.value)


def test_null_is_absent_and_order_does_not_count() -> None:
    told = PLAIN | {"EndStrategy": None, "CensoringCriteria": None, "AdditionalCriteria": None}
    turned = json.loads(json.dumps(told, sort_keys=True))
    assert (
        definition_hash(read(told)) == definition_hash(read(turned)) == definition_hash(read(PLAIN))
    )
    other = json.loads(json.dumps(PLAIN).replace("201820", "201821"))
    assert definition_hash(read(other)) != definition_hash(read(PLAIN))


def test_a_criterion_with_its_name() -> None:
    criterion = read(plain(First=True)).primary_criteria.criteria_list[0].criterion
    assert OneCriterion.of(criterion).condition_occurrence == criterion


@pytest.mark.parametrize("schema", ['c"; DROP TABLE x; --', "a.b.c", "é", "a'b"])
def test_a_schema_is_a_name(schema: str) -> None:
    with pytest.raises(ConfigurationError, match="schema"):
        compile_cohort(read(PLAIN), Dialect.DUCKDB, schema)
