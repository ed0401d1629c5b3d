"""cohort sql and cohort run: files by suffix, several cohorts at once, a database only read."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from calling import Call

pytestmark = pytest.mark.core

TABLES = """CREATE SCHEMA omop; CREATE SCHEMA words;
CREATE TABLE words.concept (concept_id BIGINT, invalid_reason VARCHAR);
CREATE TABLE words.concept_ancestor (ancestor_concept_id BIGINT, descendant_concept_id BIGINT);
INSERT INTO words.concept VALUES (10, NULL), (11, NULL), (12, 'D');
INSERT INTO words.concept_ancestor VALUES (10, 10), (10, 11), (10, 12);
CREATE TABLE omop.person (person_id BIGINT, gender_concept_id BIGINT, year_of_birth BIGINT);
INSERT INTO omop.person VALUES (1, 8507, 1950), (2, 8532, 2001), (3, 8532, 1990);
CREATE TABLE omop.observation_period AS SELECT person_id,
  DATE '2019-01-01' AS observation_period_start_date,
  DATE '2021-12-31' AS observation_period_end_date FROM omop.person;
CREATE TABLE omop.condition_occurrence AS SELECT * FROM (VALUES
  (1, 1, 11, DATE '2020-02-01', NULL::DATE, NULL::BIGINT),
  (2, 2, 10, DATE '2020-03-01', NULL, NULL), (3, 3, 12, DATE '2020-04-01', NULL, NULL))
  t (condition_occurrence_id, person_id, condition_concept_id, condition_start_date,
     condition_end_date, visit_occurrence_id);
"""
ADULTS = {
    "name": "adults",
    "expression": {
        "Type": "ALL", "DemographicCriteriaList": [{"Age": {"Value": 18, "Op": "gt"}}]
    },
}  # fmt: skip
DEFINITION: dict[str, Any] = {
    "ConceptSets": [
        {
            "id": 5,
            "expression": {"items": [{"concept": {"CONCEPT_ID": 10}, "includeDescendants": True}]},
        }
    ],
    "PrimaryCriteria": {"CriteriaList": [{"ConditionOccurrence": {"CodesetId": 5}}]},
    "InclusionRules": [ADULTS],
    "EndStrategy": {"DateOffset": {"DateField": "StartDate", "Offset": 9}},
}
SCHEMAS = ("--schema", "omop", "--vocabulary-schema", "words")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "release.duckdb"
    with duckdb.connect(str(path)) as opened:
        opened.execute(TABLES)
    return path


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    path = tmp_path / "avc.json"
    path.write_text(json.dumps(DEFINITION), encoding="utf-8")
    return path


def test_run_writes_csv(call: Call, database: Path, definition: Path, tmp_path: Path) -> None:
    before = hashlib.sha256(database.read_bytes()).digest()
    out = tmp_path / "avc.csv"
    said = call("cohort", "run", "--definition", definition, "--database", database,
                "--out", out, *SCHEMAS)  # fmt: skip
    assert said.code == 0, said.err
    with out.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines == [
        ["subject_id", "cohort_start_date", "cohort_end_date"],
        ["1", "2020-02-01", "2020-02-10"],
        ["2", "2020-03-01", "2020-03-10"],
    ]
    assert "avc: 2 persons, 2 periods" in said.out
    assert hashlib.sha256(database.read_bytes()).digest() == before


def test_run_writes_json(call: Call, database: Path, definition: Path, tmp_path: Path) -> None:
    out = tmp_path / "avc.json.out"
    young = json.loads(definition.read_text(encoding="utf-8"))
    young["InclusionRules"][0]["expression"]["DemographicCriteriaList"] = [
        {"Age": {"Value": 30, "Op": "gt"}}
    ]
    definition.write_text(json.dumps(young), encoding="utf-8")
    said = call("cohort", "run", "--definition", definition, "--database", database,
                "--out", out, "--json", *SCHEMAS)  # fmt: skip
    assert json.loads(said.out) == {"avc": {"rows": 1, "persons": 1}}
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["rows"] == [[1, "2020-02-01", "2020-02-10"]]
    assert told["inclusion_result"] == [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert told["attrition"] == [{"name": "adults", "satisfying": 1, "remaining": 1, "gain": 1}]


def test_several_cohorts_share_their_concept_sets(
    call: Call, database: Path, definition: Path, tmp_path: Path
) -> None:
    other = tmp_path / "women.json"
    women = json.loads(definition.read_text(encoding="utf-8"))
    women["ConceptSets"][0]["id"] = 7
    women["PrimaryCriteria"]["CriteriaList"][0]["ConditionOccurrence"] = {
        "CodesetId": 7, "Gender": [{"CONCEPT_ID": 8532}]
    }  # fmt: skip
    other.write_text(json.dumps(women), encoding="utf-8")
    out = tmp_path / "both"
    said = call("cohort", "run", "--definition", definition, "--definition", other,
                "--database", database, "--out", out, *SCHEMAS)  # fmt: skip
    assert said.code == 0, said.err
    assert sorted(path.name for path in out.iterdir()) == [
        "avc.csv", "avc.json", "women.csv", "women.json"
    ]  # fmt: skip
    rows = json.loads((out / "women.json").read_text(encoding="utf-8"))["rows"]
    assert rows == [[2, "2020-03-01", "2020-03-10"]]


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
def test_sql_is_one_select(call: Call, definition: Path, dialect: str) -> None:
    import sqlglot

    said = call("cohort", "sql", "--definition", definition, "--dialect", dialect, *SCHEMAS)
    assert said.code == 0, said.err
    [statement] = sqlglot.parse(said.out, read=dialect)
    assert statement.key == "select"
    assert statement.named_selects == ["subject_id", "cohort_start_date", "cohort_end_date"]
    schemas = {table.db for table in statement.find_all(sqlglot.exp.Table)}
    assert schemas == {"", "omop", "words"}


def test_what_the_cdm_lacks_is_named(
    call: Call, database: Path, definition: Path, tmp_path: Path
) -> None:
    dose = {"DrugExposure": {"EffectiveDrugDose": {"Value": 1, "Op": "gt"}}}
    told = DEFINITION | {"PrimaryCriteria": {"CriteriaList": [dose]}}
    definition.write_text(json.dumps(told), encoding="utf-8")
    out = tmp_path / "o.csv"
    said = call("cohort", "run", "--definition", definition, "--database", database,
                "--out", out, *SCHEMAS)  # fmt: skip
    assert said.code == 2
    assert "CDM 5.4 has no column drug_exposure.effective_drug_dose" in said.err
    assert "DrugExposure.EffectiveDrugDose" in said.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("missing.duckdb", "no such database"),
        ("sqlite:///x.db", "DuckDB, PostgreSQL and Spark"),
        ("postgresql+nodriver://x", "no database can be reached"),
    ],
)
def test_databases_that_are_none(
    call: Call, definition: Path, tmp_path: Path, database: str, said: str
) -> None:
    answer = call("cohort", "run", "--definition", definition, "--database", database,
                  "--out", tmp_path / "o.csv")  # fmt: skip
    assert answer.code == 2
    assert said in answer.err


def test_a_wrong_schema_is_said_without_values(
    call: Call, database: Path, definition: Path, tmp_path: Path
) -> None:
    said = call("cohort", "run", "--definition", definition, "--database", database,
                "--out", tmp_path / "o.csv", "--schema", "nowhere")  # fmt: skip
    assert said.code == 2
    assert "refused the cohort's SELECT (CatalogException)" in said.err
