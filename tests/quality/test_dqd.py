"""Our counts against DataQualityDashboard 2.8.4 on Synthea27Nj, a result nobody here made."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import duckdb
import pytest
from synthea27nj import load_synthea

from entrepot.quality.inputs import GateInputs, stage_inputs
from entrepot.quality.metrics import count_rows
from entrepot.quality.plan import Plan
from entrepot.quality.sql import compile_plan

pytestmark = pytest.mark.core

LEDGER = """
    CREATE SCHEMA etl;
    CREATE TABLE etl.row_disposition (record_key VARCHAR, row_key VARCHAR, disposition VARCHAR);
    CREATE TABLE etl.lineage (cdm_table VARCHAR, cdm_id BIGINT, record_key VARCHAR, row_key VARCHAR)
"""


def test_counts_are_those_of_dqd(plan: Plan, dqd_reference: Path) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA cdm;" + LEDGER)
    load_synthea(connection, dqd_reference, "cdm")
    with (dqd_reference / "dqd_2.8.4_expected.csv").open(encoding="utf-8") as stream:
        expected = {
            row["checkId"]: (int(row["numViolatedRows"]), int(row["numDenominatorRows"]))
            for row in csv.DictReader(stream)
        }
    inputs = GateInputs(dt.datetime(2023, 1, 1))
    stage_inputs(connection, inputs, plan.tables)
    ours = count_rows(connection, compile_plan(plan, inputs.placeholders))
    compared = {}
    for check_id, count in ours.items():
        item = plan.by_id[check_id]
        dqd = f"field_{item.check.dqd}_{item.table}_{item.field}".lower()
        if item.check.dqd and dqd in expected:
            compared[dqd] = (count.violated, count.denominator)
    assert compared == {dqd: expected[dqd] for dqd in compared}
    # The comparison must not become empty: 447 checks have an equivalent, 37 find something.
    assert len(compared) >= 440
    assert sum(violated > 0 for violated, _ in compared.values()) >= 37
