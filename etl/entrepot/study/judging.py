"""The gate's checks over a space: its verdict is that of the release it was cut from."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.quality.checks import Action
from entrepot.quality.inputs import GateInputs, stage_inputs
from entrepot.quality.metrics import count_aggregates, count_rows
from entrepot.quality.plan import Plan, build_plan
from entrepot.quality.sql import compile_plan
from entrepot.resources import data_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNCHECKED = "mappings/study/unchecked.csv"


@dataclass(frozen=True)
class Judged:
    """What the gate's checks say of a database that is already published.

    Args:
        failing: checks above their threshold; of rows that the gate would quarantine none is left.
        warned: checks of action `warn` above their threshold.
        checks: how many were asked.
    """

    failing: tuple[str, ...]
    warned: tuple[str, ...]
    checks: int

    @property
    def passed(self) -> bool:
        """Whether it may be shown."""
        return not self.failing


def unchecked(site: Site) -> dict[str, str]:
    """Checks that cannot be asked of a space, with the reason."""
    path = data_file(UNCHECKED, site.overlays)
    with path.open(encoding="utf-8", newline="") as file:
        return {line["check"]: line["reason"] for line in csv.DictReader(file)}


def applicable(site: Site) -> Plan:
    """The gate's plan without the checks that cannot be asked of a space."""
    plan, left_out = build_plan(site.overlays), unchecked(site)
    checks = tuple(item for item in plan.checks if item.check.id not in left_out)
    return dataclasses.replace(plan, checks=checks)


def judge(connection: DuckDBPyConnection, site: Site, file: Path, as_of: dt.date) -> Judged:
    """Counts every applicable check over `file`, a release or a space.

    Args:
        as_of: no event of it is later.
    """
    from entrepot.publish.warehouse import literal

    plan = applicable(site)
    inputs = GateInputs(dt.datetime.combine(as_of, dt.time()))
    connection.execute(f"ATTACH {literal(file)} AS judged (READ_ONLY)")
    connection.execute("USE judged.cdm")
    try:
        stage_inputs(connection, inputs, plan.tables)
        counts = count_rows(connection, compile_plan(plan, inputs.placeholders))
        counts.update(count_aggregates(connection, plan, inputs.placeholders))
    finally:
        connection.execute("USE memory")
        connection.execute("DETACH judged")
    failing: list[str] = []
    warned: list[str] = []
    for item in plan.checks:
        count = counts[item.check_id]
        quarantined = item.check.action is Action.QUARANTINE
        allowed = 0 if quarantined else item.threshold.allowed(count.denominator)
        if count.violated > allowed:
            (warned if item.check.action is Action.WARN else failing).append(item.check_id)
    return Judged(tuple(failing), tuple(warned), len(plan.checks))
