"""What quarantine and counting answer on a warehouse, judged by the plain rule without GX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import duckdb
from gate_faults import Fault
from gate_hospital import inputs, warehouse

from entrepot.quality.checks import Action
from entrepot.quality.metrics import Count, count_aggregates
from entrepot.quality.plan import Plan
from entrepot.quality.profile import comparable
from entrepot.quality.rows import QuarantineReport, quarantine_rows

OF_THE_ROAD = frozenset({"accounting.yaml", "drift.yaml", "freshness.yaml", "ledger.yaml"})
"""Files whose checks ask the profiles, the release before and the ledger."""


@dataclass(frozen=True)
class Answer:
    """Checks that count a violation, rows removed by table, why, checks that block the load."""

    violated: dict[str, int]
    removed: dict[str, int]
    reasons: tuple[tuple[str, int, str], ...]
    blocking: frozenset[str]

    def without(self, family: str) -> dict[str, int]:
        """`violated` without the checks of one rule."""
        return {
            check: n for check, n in self.violated.items() if not check.startswith(f"{family}.")
        }


def spoilt(fault: Fault) -> duckdb.DuckDBPyConnection:
    """The small warehouse with its fault."""
    connection = warehouse()
    connection.execute(fault.sql)
    return connection


def answer(plan: Plan, fault: Fault) -> Answer:
    """The answer of `plan` to the fault."""
    connection = spoilt(fault)
    report = quarantine_rows(connection, plan, inputs(fault.opposed))
    found = counts(connection, plan, report)
    violated = {check: count.violated for check, count in found.items() if count.violated}
    reasons = connection.execute("SELECT * FROM etl.quarantine ORDER BY ALL").fetchall()
    return Answer(violated, dict(report.removed), tuple(reasons), blocking(plan, found))


def counts(
    connection: duckdb.DuckDBPyConnection, plan: Plan, report: QuarantineReport
) -> dict[str, Count]:
    """Every check of the plan."""
    told = inputs()
    if not any(item.check.file in OF_THE_ROAD for item in plan.checks):
        return {**report.found, **count_aggregates(connection, plan, told.placeholders)}
    with comparable(connection, plan.cdm, told):
        return {**report.found, **count_aggregates(connection, plan, told.placeholders)}


def blocking(plan: Plan, found: Mapping[str, Count]) -> frozenset[str]:
    """Above the threshold blocks, unless the check only warns."""
    return frozenset(
        check
        for check, count in found.items()
        if count.violated > plan.by_id[check].threshold.allowed(count.denominator)
        and plan.by_id[check].check.action is not Action.WARN
    )


def restricted(plan: Plan, families: Iterable[str]) -> Plan:
    """The plan with the checks of these rules alone: quicker where the others have no part."""
    kept = set(families)
    return replace(plan, checks=tuple(item for item in plan.checks if item.check.id in kept))
