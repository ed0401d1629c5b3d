"""Definitions drawn at random on dense data: the same rows and masks as OHDSI's own SQL.

The other compiler is `duckcdm` (its texts are Circe's); it is part of the `bench` extra.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from dense_cohorts import Draw, dense_cdm

from entrepot.cohorts import Dialect, Outcome, compile_cohort, compile_outcome, read_definition

pytestmark = [pytest.mark.integration, pytest.mark.spread]

DEFINITIONS = 20
RESULTS = """CREATE SCHEMA results;
CREATE TABLE results.cohort (cohort_definition_id BIGINT, subject_id BIGINT,
  cohort_start_date DATE, cohort_end_date DATE);
CREATE TABLE results.cohort_inclusion_result (cohort_definition_id BIGINT,
  inclusion_rule_mask BIGINT, person_count BIGINT, mode_id INT);
CREATE TABLE results.cohort_inclusion_stats (cohort_definition_id BIGINT, rule_sequence INT,
  person_count BIGINT, gain_count BIGINT, person_total BIGINT, mode_id INT);
CREATE TABLE results.cohort_summary_stats (cohort_definition_id BIGINT, base_count BIGINT,
  final_count BIGINT, mode_id INT);
CREATE TABLE results.cohort_censor_stats (cohort_definition_id BIGINT, lost_count BIGINT);"""


@pytest.mark.parametrize("seed", range(3))
def test_as_circe(seed: int) -> None:
    pytest.importorskip("duckcdm")
    rng = random.Random(seed)
    database = dense_cdm(rng, 150)
    database.execute(RESULTS)
    compared = 0
    for definition in (Draw(rng).definition() for _ in range(DEFINITIONS)):
        expression = read_definition(json.dumps(definition), "drawn")
        sql = compile_outcome(expression, Dialect.DUCKDB)
        outcome = Outcome.of(database.execute(sql).fetchall())
        alone = database.execute(compile_cohort(expression, Dialect.DUCKDB)).fetchall()
        assert tuple(sorted(alone)) == outcome.rows
        answer = circe(database, definition)
        if answer is None:
            continue
        assert (list(outcome.rows), outcome.events, outcome.persons) == answer, definition
        compared += bool(outcome.rows)
    assert compared >= DEFINITIONS // 10


def circe(database: duckdb.DuckDBPyConnection, definition: dict[str, Any]) -> Any:
    """Rows and masks of the reference; None where its SQL is wrong."""
    from duckcdm import sqlrender
    from duckcdm.circe import BuildExpressionQueryOptions, build_cohort_query

    options = BuildExpressionQueryOptions(
        cohort_id=1, cdm_schema="cdm", target_table="results.cohort", result_schema="results",
        generate_stats=True,
    )  # fmt: skip
    text = build_cohort_query(json.dumps(definition), options)
    try:
        for statement in sqlrender.split_sql(sqlrender.translate(sqlrender.render(text), "duckdb")):
            if statement.strip():
                database.execute(statement)
    except duckdb.BinderException:
        clean(database)
        return None
    rows = database.execute(
        "SELECT subject_id, cohort_start_date, cohort_end_date FROM results.cohort ORDER BY ALL"
    ).fetchall()
    masks: tuple[dict[int, int], dict[int, int]] = ({}, {})
    if definition["InclusionRules"]:
        for mode, mask, count in counts(database):
            masks[mode][mask] = count
    return rows, *masks


def counts(database: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int, int]]:
    yield from database.execute(
        "SELECT mode_id, inclusion_rule_mask, person_count FROM results.cohort_inclusion_result"
    ).fetchall()


def clean(database: duckdb.DuckDBPyConnection) -> None:
    """The tables that Circe's statements would have dropped at their end."""
    names = database.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    for (name,) in names:
        database.execute(f'DROP TABLE temp."{name}"')
