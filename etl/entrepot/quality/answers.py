"""Great Expectations' verdict on what the checks say of any database.

The suite first demands that every check that the database has the columns for was answered, once,
with numbers. A check that the database could not answer is judged like one that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.checks import Action
from entrepot.quality.dqd.verdicts import Result
from entrepot.quality.suites import Answer, Group, ask, by_group, expected, within
from entrepot.quality.validation import GATE, OBSERVATIONS, Outcome


def validate_findings(
    findings: Sequence[Finding], asked: Iterable[str], pages: Path | None = None
) -> Outcome:
    """Judges findings by GX; its pages go to the folder `pages` when it is given.

    Args:
        asked: ids, in the plan, of the checks that had to be answered. Findings without such an id
            (presence, data types, drift) cannot be foreseen: they are only counted once each.
    """
    frame = _table(findings)
    groups = _groups(findings)
    ids = [*asked, *(one.check_id for one in findings if not one.key)]
    answers = ask(by_group(frame, groups), {
        GATE: [*expected(ids), *(within(group) for group in groups if group.blocking)],
        OBSERVATIONS: [within(group) for group in groups if not group.blocking],
    }, pages)  # fmt: skip
    observed = answers.get(OBSERVATIONS, Answer(True, ()))
    return Outcome(answers[GATE].success, answers[GATE].failing, observed.failing)


def dqd_findings(results: Iterable[Result]) -> list[Finding]:
    """DQD's verdicts as findings, limits included; what fails and is not fatal only warns."""
    return [
        Finding(
            one.check.check_id, one.check.table, one.check.field,
            one.check.type.category.lower(), one.check.type.severity,
            Action.BLOCK if one.check.type.severity == "fatal" else Action.WARN,
            one.violated, one.denominator, float(one.check.threshold or 0), one.failed, one.error,
            one.check.check_id,
        )
        for one in results
    ]  # fmt: skip


def _table(findings: Iterable[Finding]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "check_id": one.key or one.check_id,
            "group": _group(one),
            # What the database could not answer is a violation that nothing allows.
            "violated": 1 if one.error else one.violated,
            "denominator": one.denominator,
            "allowed": _allowed(one),
        }
        for one in findings
    )
    # Limits of a database that is only read come from the same files as the verdict on it.
    frame["written"] = frame["stated"] = ""
    return frame


def _allowed(one: Finding) -> float:
    """Where more than one number decides, the finding's own verdict: drift."""
    if one.error:
        return 0.0
    if one.allowed is not None:
        return one.allowed
    return one.violated - 1 if one.failed else one.violated


def _group(one: Finding) -> str:
    return f"{one.category}: {one.action.value}"


def _groups(findings: Iterable[Finding]) -> list[Group]:
    meanings: dict[str, dict[str, None]] = {}
    for one in findings:
        meanings.setdefault(_group(one), {})[f"{one.meaning_fr} / {one.meaning_en}"] = None
    warn = f": {Action.WARN.value}"
    return [
        Group(name, "; ".join(told), not name.endswith(warn)) for name, told in meanings.items()
    ]
