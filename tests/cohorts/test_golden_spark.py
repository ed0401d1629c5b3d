"""A few of the shared cohorts on open-source Spark, over Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from golden_cohorts import Cdms, fault, goldens

from entrepot.cohorts import Dialect, Outcome, compile_outcome

if TYPE_CHECKING:
    from sparks import Running

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("spark")]

# Positions of definitions: rules and nested criteria; limits, counts and end strategies.
PICKED = {"phenotypelibrary": (18, 150, 401), "sweep": (371, 420, 630)}


@pytest.mark.parametrize("family", PICKED)
def test_a_few(shared: Path, sparks: Running, tmp_path: Path, family: str) -> None:
    cdms, spark = Cdms(shared), sparks.session
    for position in PICKED[family]:
        [golden] = list(goldens(shared, family, 1000, position))
        cdms.fill(golden)
        for table in cdms.columns:
            path = tmp_path / str(position) / f"{table}.parquet"
            path.parent.mkdir(exist_ok=True)
            cdms.connection.execute(f"COPY cdm.{table} TO '{path}' (FORMAT parquet)")
            spark.read.parquet(str(path)).createOrReplaceTempView(table)
        sql = compile_outcome(golden.expression(), Dialect.SPARK, schema="")
        outcome = Outcome.of([tuple(row) for row in spark.sql(sql).collect()])
        assert fault(shared, golden, outcome) == ""
