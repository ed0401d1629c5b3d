"""The gate: quarantine, count, judge, and write what people read about it.

Write, audit, publish: the candidate is judged before any reader sees it, and a blocked load leaves
the published release untouched.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from entrepot.quality import checks as check_files
from entrepot.quality.carried import keep_counts
from entrepot.quality.checks import Action, Severity
from entrepot.quality.inputs import GateInputs
from entrepot.quality.metrics import write_metrics
from entrepot.quality.pages import index_page, write_index
from entrepot.quality.plan import Plan, build_plan
from entrepot.quality.profile import comparable
from entrepot.quality.rows import PARENT, QuarantineReport, Rederive, quarantine_rows
from entrepot.resources import data_files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATA_DOCS = "data_docs"
QUARANTINE_COLUMNS = ("table", "key", "check_id", "reason")
RESULT_COLUMNS = (
    "check_id",
    "family",
    "table",
    "field",
    "category",
    "severity",
    "action",
    "violated",
    "remaining",
    "denominator",
    "threshold_percent",
    "threshold_rows",
    "status",
    "meaning_fr",
    "meaning_en",
    "reason_of_threshold",
    "author_role",
)


@dataclass(frozen=True)
class Failure:
    """One check above its threshold; counts are None for a fault of the metrics table itself."""

    check_id: str
    table: str
    violated: int | None
    denominator: int | None


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one load.

    Args:
        failures: checks that block the load.
        waived: checks above their threshold that a named person lets pass.
        warnings: checks of action `warn` above their threshold.
        quarantined: rows removed, by table, dependants included.
        cleared: pointers set to NULL, by `table.field`.
        data_docs: the entry page, self-contained HTML.
    """

    passed: bool
    failures: list[Failure]
    warnings: list[Failure]
    quarantined: Mapping[str, int]
    cleared: Mapping[str, int]
    data_docs: Path
    waived: list[Failure] = field(default_factory=list)


def run_gate(
    connection: DuckDBPyConnection,
    inputs: GateInputs,
    out: Path,
    overlays: Iterable[Path] = (),
    rederive: Rederive | None = None,
    waived: Mapping[str, int] | None = None,
) -> Verdict:
    """Quarantines failing rows of the candidate, judges the rest, writes the results to `out`.

    Args:
        connection: the candidate (schemas `cdm` and `etl`); it loses its failing rows and gains
            `etl.metric` and, for the next load's gate, `etl.row_metric` and the profiles
            `etl.profile_…`.
        out: folder for `verdict.json`, `results.csv`, `quarantine.csv` and the Data Docs.
        overlays: site folders whose `quality/` files come first.
        rederive: makes the derived tables anew after rows were removed.
        waived: check id → violating rows up to which a named person lets it pass; what no one
            may waive blocks all the same.

    Returns:
        The verdict; publishing on `passed` alone is the caller's part.

    Raises:
        ConfigurationError: a check or threshold file is wrong, or the candidate is no CDM.
    """
    roots = tuple(overlays)
    plan = build_plan(roots)
    report = quarantine_rows(connection, plan, inputs, rederive)
    keep_counts(connection, plan, inputs, report.left)
    with comparable(connection, plan.cdm, inputs, roots):
        write_metrics(connection, plan, inputs, report)
    return judge(connection, plan, inputs, report, out, rules_hash(roots), waived)


def judge(
    connection: DuckDBPyConnection,
    plan: Plan,
    inputs: GateInputs,
    report: QuarantineReport,
    out: Path,
    rules: str = "",
    waived: Mapping[str, int] | None = None,
) -> Verdict:
    """The verdict on `etl.metric` as it stands, and its files; `rules` is the rules' hash."""
    from entrepot.quality.validation import validate

    pages = out / DATA_DOCS
    shutil.rmtree(pages, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    metrics = connection.execute("SELECT * FROM etl.metric").df()
    outcome = validate(metrics, plan, pages)
    lines = cast(list[dict[str, Any]], metrics.to_dict("records"))
    counts: dict[str, dict[str, Any]] = {line["check_id"]: line for line in lines}
    passing = {
        one for one in outcome.failing if waivable(plan, one)
        and int(counts[one]["violated"]) <= (waived or {}).get(one, -1)
    }  # fmt: skip
    failing = [check_id for check_id in outcome.failing if check_id not in passing]
    passed = outcome.passed or not failing
    statuses = {
        **dict.fromkeys(outcome.warned, "warned"), **dict.fromkeys(failing, "failed"),
        **dict.fromkeys(passing, "waived"),
    }  # fmt: skip
    results = [_result(plan, line, statuses) for line in counts.values()]
    index = write_index(pages, passed, results, dict(report.removed))
    verdict = Verdict(
        passed,
        [_failure(check_id, counts) for check_id in failing],
        [_failure(check_id, counts) for check_id in outcome.warned],
        report.removed, report.cleared, index,
        [_failure(check_id, counts) for check_id in sorted(passing)],
    )  # fmt: skip
    _write_csv(out / "results.csv", RESULT_COLUMNS, results)
    _write_csv(out / "quarantine.csv", QUARANTINE_COLUMNS, _quarantined(connection, plan))
    about = {"checks": len(plan.checks), "persons_asked": report.persons, "rules_sha256": rules}
    _write_verdict(out / "verdict.json", verdict, inputs, about)
    return verdict


def waivable(plan: Plan, check_id: str) -> bool:
    """Whether a named person may let a load pass that fails this check.

    A threshold of quarantined rows may be waived: the rows are gone all the same. What blocks a
    load because identifiers, opposed persons or missing rows were found may not, and neither may
    a fault of the metrics table itself.
    """
    item = plan.by_id.get(check_id)
    return item is not None and not (
        item.check.action is Action.BLOCK and item.check.severity is Severity.FATAL
    )


def read_verdict(out: Path) -> Verdict | None:
    """The verdict that `judge` wrote to `out`; None before the first."""
    path = out / "verdict.json"
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    failures, warnings, waived = (
        [Failure(**one) for one in content[name]] for name in ("failures", "warnings", "waived")
    )
    return Verdict(
        content["passed"], failures, warnings, content["quarantined"], content["cleared"],
        index_page(out / DATA_DOCS), waived,
    )  # fmt: skip


def rules_hash(overlays: Iterable[Path] = ()) -> str:
    """SHA-256 over every file of rules in force."""
    roots = tuple(overlays)
    digest = hashlib.sha256()
    for folder, pattern in check_files.RULES:
        for path in data_files(folder, pattern, roots):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _number(value: Any) -> int | None:
    # A nulled metric comes back as NaN, which is unequal to itself.
    return None if value is None or value != value else int(value)  # noqa: PLR0124


def _failure(check_id: str, counts: Mapping[str, Mapping[str, Any]]) -> Failure:
    line = counts.get(check_id, {})
    return Failure(
        check_id,
        str(line.get("cdm_table", "")),
        _number(line.get("violated")),
        _number(line.get("denominator")),
    )


def _result(plan: Plan, line: Mapping[str, Any], statuses: Mapping[str, str]) -> dict[str, Any]:
    item = plan.by_id.get(line["check_id"])
    status = "passed" if _number(line["denominator"]) else "not_applicable"
    status = statuses.get(line["check_id"], status)
    return {
        "check_id": line["check_id"],
        "family": item.check.id if item else "",
        "table": line["cdm_table"],
        "field": line["cdm_field"],
        "category": item.check.category.value if item else "",
        "severity": line["severity"],
        "action": line["action"],
        "violated": _number(line["violated"]),
        "remaining": _number(line["remaining"]),
        "denominator": _number(line["denominator"]),
        "threshold_percent": line["threshold_percent"],
        "threshold_rows": _number(line["threshold_rows"]),
        "status": status,
        "meaning_fr": item.check.meaning_fr if item else "",
        "meaning_en": item.check.meaning_en if item else "",
        "reason_of_threshold": item.threshold.reason if item else "",
        "author_role": item.threshold.author_role if item else "",
    }


def _quarantined(connection: DuckDBPyConnection, plan: Plan) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT cdm_table, cdm_id, check_id FROM etl.quarantine ORDER BY 1, 2, 3"
    ).fetchall()
    lines: list[dict[str, Any]] = []
    for table, key, check_id in rows:
        cause = plan.by_id.get(check_id.removeprefix(PARENT))
        name = cause.check.name if cause else ""
        hangs = "Hangs on a quarantined row: " if check_id.startswith(PARENT) else ""
        lines.append({"table": table, "key": key, "check_id": check_id, "reason": hangs + name})
    return lines


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def _write_verdict(
    path: Path, verdict: Verdict, inputs: GateInputs, about: Mapping[str, int | str | None]
) -> None:
    content = {
        "passed": verdict.passed,
        "as_of": inputs.as_of.isoformat(),
        **about,
        "failures": [asdict(failure) for failure in verdict.failures],
        "warnings": [asdict(warning) for warning in verdict.warnings],
        "waived": [asdict(waived) for waived in verdict.waived],
        "quarantined": dict(verdict.quarantined),
        "cleared": dict(verdict.cleared),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
