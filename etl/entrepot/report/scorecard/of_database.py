"""The scorecard of any database that `entrepot quality check` judged."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.dqd.verdicts import Result
from entrepot.quality.history import JudgedLoad, carry_file, load_kept
from entrepot.quality.past import history_of_file
from entrepot.quality.results import ResultLine, Status
from entrepot.report.scorecard.facts import Judged, facts
from entrepot.report.scorecard.pages import write

NAME = "scorecard.html"


def write_scorecard(
    out: Path, lines: Sequence[ResultLine], verdict: Mapping[str, Any],
    history: Path | None = None, language: str = "fr", overlays: Iterable[Path] = (),
) -> Path:  # fmt: skip
    """Writes `scorecard.html` into `out`; gives its path.

    Args:
        verdict: as `verdict.json` has it.
        history: file of the judgements before, to which this one is added.

    Raises:
        ConfigurationError: the history cannot be read or written.
        EntrepotError: the page cannot be written.
    """
    suite, as_of = str(verdict["compat"]), str(verdict["as_of"])
    load = JudgedLoad(_named(lines, as_of), dt.datetime.fromisoformat(as_of), tuple(lines), suite)
    past = []
    if history is not None:
        carry_file(history, load, load_kept(overlays))
        past = history_of_file(history, suite)[:-1]
    docs = out / "data_docs" / "index.html"
    judged = Judged(
        str(verdict["database"]), as_of, bool(verdict["passed"]), lines,
        release=None, details="data_docs/index.html" if docs.is_file() else "",
    )  # fmt: skip
    return write(out / NAME, facts(judged, past), language)


def lines_of_findings(findings: Iterable[Finding]) -> list[ResultLine]:
    """What a strict judgement says, check by check."""
    return [
        ResultLine(
            one.check_id, one.table, one.field, one.category, one.severity, one.action.value,
            None if one.error else one.violated, None if one.error else one.denominator,
            _status(one.error, one.failed, one.not_applicable, one.blocks), "",
            f"{one.threshold:g} %", one.meaning_fr, one.meaning_en,
        )
        for one in findings
    ]  # fmt: skip


def lines_of_dqd(results: Iterable[Result]) -> list[ResultLine]:
    """What DQD's verdicts say; what fails and is not fatal is only told, as DQD's own tools do."""
    return [
        ResultLine(
            one.check.check_id, one.check.table, one.check.field, one.check.type.category.lower(),
            one.check.type.severity, "block" if one.check.type.severity == "fatal" else "warn",
            None if one.error else one.violated, None if one.error else one.denominator,
            _status(
                one.error, one.failed, one.not_applicable, one.check.type.severity == "fatal"
            ), "",
            f"{one.check.threshold} %" if one.check.threshold else "",
            one.check.type.name, one.check.type.name,
        )
        for one in results
    ]  # fmt: skip


def _status(error: bool, failed: bool, not_applicable: bool, blocks: bool) -> Status:
    if error:
        return Status.ERROR
    if failed:
        return Status.FAILED if blocks else Status.WARNED
    return Status.NOT_APPLICABLE if not_applicable else Status.PASSED


def _named(lines: Iterable[ResultLine], as_of: str) -> str:
    """A database that did not change is one load, however often it is judged."""
    digest = hashlib.sha256(as_of.encode())
    for one in lines:
        text = f"{one.check_id}|{one.violated}|{one.denominator}|{one.status.value}\n"
        digest.update(text.encode())
    return digest.hexdigest()[:16]
