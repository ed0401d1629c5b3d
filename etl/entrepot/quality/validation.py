"""The road's verdict: Great Expectations validates the metrics table and nothing else.

GX passes on an empty or partial table, so the suite first demands exactly the planned checks, no
null, and the thresholds of the files. Only the gate imports this module: it imports GX.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from entrepot.quality.checks import Action, Check
from entrepot.quality.plan import Plan, PlannedCheck
from entrepot.quality.suites import (
    COUNTS,
    Answer,
    Group,
    ask,
    by_group,
    expected,
    none_left,
    within,
)

GATE = "gate"
OBSERVATIONS = "observations"
LEFT = "remaining of quarantined"


@dataclass(frozen=True)
class Outcome:
    """What the two suites answered.

    Args:
        passed: the checkpoint's success; checks of action `warn` have no part in it.
        failing: check ids, or for a fault of the metrics table itself the expectation's name.
        warned: check ids of action `warn` above their threshold.
    """

    passed: bool
    failing: tuple[str, ...]
    warned: tuple[str, ...]


def validate(metrics: pd.DataFrame, plan: Plan, pages: Path | None = None) -> Outcome:
    """Judges the table `etl.metric`; GX's pages go to the folder `pages` when it is given."""
    groups = _groups(plan)
    answers = ask(by_group(_with_stated(metrics, plan), groups), {
        GATE: [
            *expected([item.check_id for item in plan.checks], (*COUNTS, "remaining")),
            none_left(LEFT),
            *(within(group) for group in groups if group.blocking),
        ],
        OBSERVATIONS: [within(group) for group in groups if not group.blocking],
    }, pages)  # fmt: skip
    observed = answers.get(OBSERVATIONS, Answer(True, ()))
    return Outcome(answers[GATE].success, answers[GATE].failing, observed.failing)


def _groups(plan: Plan) -> list[Group]:
    """Families of one Kahn category and action."""
    families: dict[str, dict[str, Check]] = {}
    for item in plan.checks:
        families.setdefault(_group(item), {})[item.check.id] = item.check
    return [
        Group(name, _described(checks.values()),
              any(check.action is not Action.WARN for check in checks.values()))
        for name, checks in families.items()
    ]  # fmt: skip


def _described(checks: Iterable[Check]) -> str:
    return "; ".join(f"{one.id}: {one.meaning_fr} / {one.meaning_en}" for one in checks)


def _group(item: PlannedCheck) -> str:
    return f"{item.check.category.value}: {item.check.action.value}"


def _with_stated(metrics: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """The metrics beside what checks and thresholds state, so that a loosened metric shows."""
    frame = metrics.copy()
    items = [plan.by_id.get(check_id) for check_id in frame["check_id"]]
    frame["group"] = [_group(item) if item else "" for item in items]
    quarantines = [item and item.check.action is Action.QUARANTINE for item in items]
    frame[LEFT] = frame["remaining"].where(pd.Series(quarantines, frame.index, dtype=bool))
    frame["stated"] = [_stated(item) if item else "" for item in items]
    frame["written"] = [
        "|".join(_plain(value) for value in row)
        for row in frame[
            ["cdm_table", "cdm_field", "threshold_percent", "threshold_rows", "severity", "action"]
        ].itertuples(index=False)
    ]
    frame["allowed"] = [
        item.threshold.allowed(int(rows)) if item and not pd.isna(rows) else None
        for item, rows in zip(items, frame["denominator"], strict=True)
    ]
    return frame


def _stated(item: PlannedCheck) -> str:
    return "|".join((
        item.table, item.field, _plain(item.threshold.percent), _plain(item.threshold.rows),
        item.check.severity.value, item.check.action.value,
    ))  # fmt: skip


def _plain(value: object) -> str:
    """Numbers alike whether they are decimals, floats or integers; a null is no text."""
    if isinstance(value, str):
        return value
    return "NULL" if value is None or value != value else f"{float(str(value)):g}"  # noqa: PLR0124
