"""Counts of every check, one fused query per table, and `etl.metric`, which the gate judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.errors import ConfigurationError
from entrepot.quality.checks import Scope
from entrepot.quality.plan import Plan, fill
from entrepot.quality.sql import Compiled

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.quality.inputs import GateInputs
    from entrepot.quality.rows import QuarantineReport

METRIC_COLUMNS = {
    "check_id": "VARCHAR",
    "cdm_table": "VARCHAR",
    "cdm_field": "VARCHAR",
    "violated": "BIGINT",
    "remaining": "BIGINT",
    "denominator": "BIGINT",
    "threshold_percent": "DECIMAL(9, 6)",
    "threshold_rows": "BIGINT",
    "severity": "VARCHAR",
    "action": "VARCHAR",
}


@dataclass(frozen=True)
class Count:
    """Violations of one check among the rows it applies to.

    A NULL of an aggregate query stays one: the gate fails on it.
    """

    violated: int
    denominator: int


def count_rows(connection: DuckDBPyConnection, compiled: Compiled) -> dict[str, Count]:
    """Every row check by `check_id`; empty tables are not read.

    Raises:
        ConfigurationError: the candidate lacks a table or a column of the CDM.
    """
    import duckdb

    counts: dict[str, Count] = {}
    try:
        filled = _filled_tables(connection, compiled)
        for statement in compiled.relations:
            connection.execute(statement)
        for name, checks in compiled.tables.items():
            numbers = [0] * (2 * len(checks.conditions))
            if name in filled:
                numbers = list(connection.execute(checks.counts()).fetchall()[0])
            for n, condition in enumerate(checks.conditions):
                counts[condition.check_id] = Count(numbers[2 * n], numbers[2 * n + 1])
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        # The message names tables and columns of the specification, never a value.
        raise ConfigurationError(
            "the candidate lacks a table or a column of the CDM",
            where=str(error).splitlines()[0],
            remedy="build it with omop_ddl/duckdb",
        ) from None
    return counts


def _filled_tables(connection: DuckDBPyConnection, compiled: Compiled) -> set[str]:
    if not compiled.tables:
        return set()
    query = " UNION ALL ".join(
        f"SELECT '{name}', count(*) FROM {checks.place.table(name)}"
        for name, checks in compiled.tables.items()
    )
    return {name for name, rows in connection.execute(query).fetchall() if rows}


def count_aggregates(
    connection: DuckDBPyConnection, plan: Plan, placeholders: Mapping[str, str]
) -> dict[str, Count]:
    """Every aggregate check by `check_id`."""
    counts: dict[str, Count] = {}
    for item in plan.checks:
        if item.check.scope is Scope.AGGREGATE:
            query = fill(item.check.query, {**item.values, **placeholders})
            select = f"SELECT violated, denominator FROM ({query}) q"
            counts[item.check_id] = Count(*connection.execute(select).fetchall()[0])
    return counts


def write_metrics(
    connection: DuckDBPyConnection, plan: Plan, inputs: GateInputs, report: QuarantineReport
) -> None:
    """Fills `etl.metric`: one line per check of the plan.

    `violated` counts rows before they were quarantined, `remaining` those still in the warehouse.
    """
    import pyarrow as pa

    aggregates = count_aggregates(connection, plan, inputs.placeholders)
    found = {**report.found, **aggregates}
    left = {**report.left, **aggregates}
    lines = [
        {
            "check_id": item.check_id,
            "cdm_table": item.table,
            "cdm_field": item.field,
            "violated": found[item.check_id].violated,
            "remaining": left[item.check_id].violated,
            "denominator": found[item.check_id].denominator,
            "threshold_percent": item.threshold.percent,
            "threshold_rows": item.threshold.rows,
            "severity": item.check.severity.value,
            "action": item.check.action.value,
        }
        for item in plan.checks
    ]
    columns = ", ".join(f"{name} {kind}" for name, kind in METRIC_COLUMNS.items())
    connection.execute(f"CREATE OR REPLACE TABLE etl.metric ({columns})")
    connection.register("gate_input", pa.Table.from_pylist(lines))
    connection.execute(f"INSERT INTO etl.metric SELECT {', '.join(METRIC_COLUMNS)} FROM gate_input")
    connection.unregister("gate_input")
