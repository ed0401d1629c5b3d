"""What `entrepot quality check` writes: results, rows, verdict."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from entrepot.errors import ConfigurationError
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.judging import Judgement
from entrepot.quality.checks import Action
from entrepot.quality.dqd.verdicts import Result

RESULT_COLUMNS = (
    "checkId", "cdmTableName", "cdmFieldName", "category", "severity", "action",
    "numViolatedRows", "numDenominatorRows", "pctViolatedRows", "thresholdValue", "failed",
    "passed", "notApplicable", "isError", "meaning", "reason",
)  # fmt: skip
QUARANTINE_COLUMNS = ("table", "pk", "check_id", "reason")
FATAL = "fatal"


def write_strict(
    out: Path, judgement: Judgement, told: Mapping[str, Any], faults: Sequence[str] = ()
) -> dict[str, Any]:
    """The files of a strict judgement; gives the verdict.

    Args:
        told: what was judged: database, baseline, as_of.
        faults: of the metrics table itself, which block whatever the checks say.
    """
    lines = [_finding_line(one) for one in judgement.findings]
    rows = [
        {"table": one.table, "pk": one.key, "check_id": one.check_id, "reason": one.reason}
        for one in judgement.quarantine
    ]
    verdict = {
        **told, "compat": "strict", "passed": judgement.passed and not faults,
        **_sums(lines), "metrics_faults": list(faults),
        "quarantined_rows": len({(one.table, one.key) for one in judgement.quarantine}),
        "blocking": [_shown(one) for one in judgement.findings if one.blocks],
        "warnings": [
            _shown(one) for one in judgement.findings if one.failed and not one.blocks
        ],
        "not_compared": list(judgement.not_compared),
    }  # fmt: skip
    _write(out, lines, rows, verdict)
    return verdict


def write_dqd(out: Path, results: Sequence[Result], told: Mapping[str, Any]) -> dict[str, Any]:
    """The files of DQD's verdicts; what fails with severity fatal blocks."""
    lines = [_dqd_line(one) for one in results]
    blocking = [line["checkId"] for line in lines if line["failed"] and line["severity"] == FATAL]
    verdict = {
        **told, "compat": "dqd", "passed": not blocking, **_sums(lines), "quarantined_rows": 0,
        "blocking": blocking,
        "warnings": [
            line["checkId"] for line in lines if line["failed"] and line["severity"] != FATAL
        ],
    }  # fmt: skip
    _write(out, lines, [], verdict)
    return verdict


def _finding_line(one: Finding) -> dict[str, Any]:
    return {
        "checkId": one.check_id, "cdmTableName": one.table, "cdmFieldName": one.field,
        "category": one.category, "severity": one.severity, "action": one.action.value,
        "numViolatedRows": one.violated, "numDenominatorRows": one.denominator,
        "pctViolatedRows": _share(one.violated, one.denominator),
        "thresholdValue": one.threshold, "failed": int(one.failed), "passed": int(one.passed),
        "notApplicable": int(one.not_applicable), "isError": int(one.error),
        "meaning": one.meaning_en, "reason": one.reason,
    }  # fmt: skip


def _dqd_line(one: Result) -> dict[str, Any]:
    kind = one.check.type
    fatal = kind.severity == FATAL
    return {
        "checkId": one.check.check_id, "cdmTableName": one.check.table,
        "cdmFieldName": one.check.field, "category": kind.category.lower(),
        "severity": kind.severity, "action": (Action.BLOCK if fatal else Action.WARN).value,
        "numViolatedRows": one.violated, "numDenominatorRows": one.denominator,
        "pctViolatedRows": round(one.percent, 6), "thresholdValue": one.check.threshold,
        "failed": int(one.failed), "passed": int(one.passed),
        "notApplicable": int(one.not_applicable), "isError": int(one.error),
        "meaning": "", "reason": "",
    }  # fmt: skip


def _share(violated: int, rows: int) -> float:
    return round(violated / rows, 6) if rows else 0.0


def _sums(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Passes are counted over what could be checked, not over what could not."""
    every = list(lines)
    names = {"failed": "failed", "passed_checks": "passed", "not_applicable": "notApplicable",
             "errors": "isError"}  # fmt: skip
    sums = {name: sum(int(line[column]) for line in every) for name, column in names.items()}
    return {"checks": len(every), **sums, "applicable": len(every) - sums["not_applicable"]}


def _shown(one: Finding) -> dict[str, Any]:
    return {
        "check_id": one.check_id, "violated": one.violated, "denominator": one.denominator,
        "threshold_percent": one.threshold, "error": one.error, "reason": one.reason,
    }  # fmt: skip


def _write(
    out: Path, lines: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]],
    verdict: Mapping[str, Any],
) -> None:  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"no folder can be made there ({type(error).__name__})", where="--out",
            remedy="name a folder that you may write",
        ) from None  # fmt: skip
    for name, columns, content in (
        ("results.csv", RESULT_COLUMNS, lines), ("quarantine.csv", QUARANTINE_COLUMNS, rows),
    ):  # fmt: skip
        with (out / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(content)
    text = json.dumps(verdict, ensure_ascii=False, indent=2, default=str) + "\n"
    (out / "verdict.json").write_text(text, encoding="utf-8")
