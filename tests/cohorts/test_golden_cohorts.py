"""Every expected result of the shared cohorts on DuckDB, from one SELECT each."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from golden_cohorts import Cdms, fault, goldens, refusal

from entrepot.cohorts import (
    Dialect,
    Outcome,
    compile_batch,
    compile_cohort,
    compile_outcome,
)
from entrepot.errors import ConfigurationError

pytestmark = [pytest.mark.integration, pytest.mark.spread]

# The reference does not run on CDM 5.4 for these of the sweep: a column is missing in the CDM,
# or Circe's own SQL is wrong; only the first kind is refused.
REFUSED = 8
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_phenotype_library(shared: Path, part: int) -> None:
    faults, refused = _judge(shared, "phenotypelibrary", part)
    assert not faults
    assert refused == 0


@pytest.mark.parametrize("part", range(PARTS))
def test_sweep_of_attributes(shared: Path, part: int) -> None:
    faults, refused = _judge(shared, "sweep", part)
    assert not faults
    assert refused <= REFUSED


def _judge(shared: Path, family: str, part: int) -> tuple[list[str], int]:
    cdms, faults, refused = Cdms(shared), [], 0
    for n, golden in enumerate(goldens(shared, family, PARTS, part)):
        cdms.fill(golden)
        expression = golden.expression()
        try:
            sql = compile_outcome(expression, Dialect.DUCKDB)
        except ConfigurationError as error:
            refused += 1
            faults.append(refusal(golden, error))
            continue
        outcome = Outcome.of(_read(cdms.connection, sql))
        if "rows" in golden.record:
            faults.append(fault(shared, golden, outcome))
        if n % 5 == 0:
            alone = _read(cdms.connection, compile_cohort(expression, Dialect.DUCKDB))
            faults.append("" if tuple(sorted(alone)) == outcome.rows else f"{golden.id}: alone")
    return [one for one in faults if one], refused


def _read(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    """One statement, and it is a SELECT."""
    [statement] = connection.extract_statements(sql)
    assert statement.type == duckdb.StatementType.SELECT
    return connection.execute(statement).fetchall()


def test_a_batch_is_its_cohorts(shared: Path) -> None:
    cdms = Cdms(shared)
    found = list(goldens(shared, "phenotypelibrary", 90, 4))
    cdms.fill(found[0])
    expressions = {n: golden.expression() for n, golden in enumerate(found)}
    batch = compile_batch(expressions, Dialect.DUCKDB, outcomes=True)
    answers: dict[int, list[tuple[object, ...]]] = {n: [] for n in expressions}
    for n, *row in _read(cdms.connection, batch):
        answers[int(str(n))].append(tuple(row))
    for n, expression in expressions.items():
        alone = _read(cdms.connection, compile_outcome(expression, Dialect.DUCKDB))
        assert Outcome.of(answers[n]) == Outcome.of(alone)
    assert Outcome.of(answers[0]).rows
