"""DQD's result file, as Ares and DQD's own viewer read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from entrepot.quality.database import Database, QueryError
from entrepot.quality.dqd.verdicts import Result

VERSION = "2.8.4"
_CATEGORIES = ("Plausibility", "Conformance", "Completeness")


def dqd_document(
    results: Sequence[Result], database: Database, started: dt.datetime, ended: dt.datetime
) -> dict[str, Any]:
    """The document of `dq-result.json`.

    Lone values are arrays of one: DQD writes with R's jsonlite, and its viewer reads them so.
    """
    seconds = (ended - started).total_seconds()
    return {
        "startTimestamp": [started.isoformat(sep=" ", timespec="seconds")],
        "endTimestamp": [ended.isoformat(sep=" ", timespec="seconds")],
        "executionTime": [f"{seconds:.0f} secs"],
        "executionTimeSeconds": [round(seconds, 3)],
        "CheckResults": [_line(one) for one in results],
        "Metadata": _metadata(database),
        "Overview": {name: [value] for name, value in _overview(results).items()},
    }


def _line(result: Result) -> dict[str, Any]:
    check, kind = result.check, result.check.type
    line: dict[str, Any] = {
        "numViolatedRows": result.violated,
        "pctViolatedRows": round(result.percent, 6),
        "numDenominatorRows": result.denominator,
        "checkName": kind.name,
        "checkLevel": kind.level.upper(),
        "cdmTableName": check.table.upper(),
        "category": kind.category,
        "context": kind.context,
        "severity": kind.severity,
        "checkId": check.check_id,
        "failed": int(result.failed),
        "passed": int(result.passed),
        "isError": int(result.error),
        "notApplicable": int(result.not_applicable),
    }
    if kind.subcategory:
        line["subcategory"] = kind.subcategory
    if check.field:
        line["cdmFieldName"] = check.field.upper()
    if check.concepts:
        line["conceptId"] = ", ".join(map(str, check.concepts))
    if check.threshold:
        line["thresholdValue"] = float(check.threshold)
    if result.not_applicable:
        line["notApplicableReason"] = "Nothing to check: no table, no field, no row or no value."
    return line


def _metadata(database: Database) -> list[dict[str, Any]]:
    columns = list(database.columns().get("cdm_source", {}))
    rows: list[tuple[Any, ...]] = []
    if columns:
        try:
            rows = database.rows(f"SELECT {', '.join(columns)} FROM cdm.cdm_source")
        except QueryError:
            rows = []
    found = [
        {_camel(name): value if isinstance(value, int) else str(value)
         for name, value in zip(columns, row, strict=True) if value is not None}
        for row in rows
    ] or [{}]  # fmt: skip
    for line in found:
        line["dqdVersion"] = VERSION
    return found


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _overview(results: Sequence[Result]) -> dict[str, float]:
    """DQD's own sums; its `passed` counts what is not applicable as passed, and so does this."""
    total = len(results)
    failed = sum(one.failed for one in results)
    told: dict[str, float] = {
        "countTotal": total,
        "countThresholdFailed": failed,
        "countErrorFailed": sum(one.error for one in results),
        "countOverallFailed": failed,
        "countPassed": total - failed,
    }
    for category in _CATEGORIES:
        of_it = [one for one in results if one.check.type.category == category]
        bad = sum(one.failed for one in of_it)
        told |= {
            f"countTotal{category}": len(of_it),
            f"countFailed{category}": bad,
            f"countPassed{category}": len(of_it) - bad,
            f"percentPassed{category}": _percent(len(of_it) - bad, len(of_it)),
        }
    told["percentPassed"] = _percent(total - failed, total)
    told["percentFailed"] = _percent(failed, total)
    return told


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
