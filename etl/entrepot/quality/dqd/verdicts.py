"""DQD's verdict on its counts: failed, passed, not applicable or in error.

Source: DataQualityDashboard 2.8.4, evaluateThresholds and calculateNotApplicableStatus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from entrepot.quality.dqd.counts import Columns, Count
from entrepot.quality.dqd.types import Catalogue, DqdCheck

_ALWAYS = {"cdmTable"}
_WHERE_TABLE = {"cdmField", "measurePersonCompleteness"}


@dataclass(frozen=True)
class Result:
    """One check's counts and verdict; exactly one of the four flags is set."""

    check: DqdCheck
    violated: int
    denominator: int
    failed: bool
    not_applicable: bool
    error: bool

    @property
    def passed(self) -> bool:
        """Neither failed, nor in error, nor without anything to check."""
        return not (self.failed or self.not_applicable or self.error)

    @property
    def percent(self) -> float:
        """Violated rows of the denominator, 0 to 1 as DQD writes it."""
        return self.violated / self.denominator if self.denominator else 0.0


def judge(catalogue: Catalogue, counts: Mapping[str, Count], columns: Columns) -> list[Result]:
    """One result per check of the catalogue, in its order."""
    empty = _EmptyPlaces(catalogue, counts)
    return [_result(check, counts.get(check.check_id), columns, empty)
            for check in catalogue.checks]  # fmt: skip


class _EmptyPlaces:
    """Tables without a row and fields without a value, from the counts of completeness."""

    def __init__(self, catalogue: Catalogue, counts: Mapping[str, Count]) -> None:
        self.tables: set[str] = set()
        self.fields: set[tuple[str, str]] = set()
        for check in catalogue.checks:
            count = counts.get(check.check_id)
            if check.type.name != "measureValueCompleteness" or count is None or count.error:
                continue
            if not count.denominator:
                self.tables.add(check.table)
            if count.violated == count.denominator:
                self.fields.add((check.table, check.field))


def _result(check: DqdCheck, count: Count | None, columns: Columns, empty: _EmptyPlaces) -> Result:
    counted = count or Count()
    name = check.type.name
    missing = check.table not in columns or (
        bool(check.field) and check.field not in columns[check.table]
    )
    if name in _ALWAYS:
        not_applicable = False
    elif name in _WHERE_TABLE:
        not_applicable = check.table not in columns
    elif name == "measureConditionEraCompleteness":
        not_applicable = "condition_occurrence" in empty.tables or (
            "condition_occurrence" not in columns
        )
    else:
        not_applicable = missing or (not counted.error and _nothing(check, counted, empty))
    error = counted.error and not not_applicable
    failed = not not_applicable and not error and _exceeds(check.threshold, counted)
    return Result(check, counted.violated, counted.denominator, failed, not_applicable, error)


def _nothing(check: DqdCheck, count: Count, empty: _EmptyPlaces) -> bool:
    if check.table in empty.tables:
        return True
    if check.type.name == "measureValueCompleteness":
        return False
    if check.type.level == "concept" and not count.denominator:
        return True
    return bool(check.field) and (check.table, check.field) in empty.fields


def _exceeds(threshold: str, count: Count) -> bool:
    if not threshold or float(threshold) == 0:
        return count.violated > 0
    return bool(count.denominator) and count.violated / count.denominator * 100 > float(threshold)
