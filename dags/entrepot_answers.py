"""The gate's task, and the two questions that only a named person may answer.

A question acts on its answer itself, in the moment that Airflow hands it over with the name of who
gave it. Nothing is passed on by XCom: whoever may write one could answer in another's name.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseOperator, BaseOperatorLink, Context, Param, TriggerRule
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

from entrepot_wiring import SETTINGS, SITE, keyring, patiently, progress, told

if TYPE_CHECKING:
    from entrepot.quality.gate import Verdict

PAGES = "/entrepot"  # where the plugin serves the site's pages
MAX_REASON = 500
BLOCKED = "blocked"  # XCom of a gate that judged and refused: an upstream failure leaves none
WAIVER_BODY = """\
The gate blocked this load; the published release is untouched.

{checks}

[Every check]({pages}/quality/data_docs/index.html), [the run]({pages}/reports/run.html).

**Approve** lets it pass as far as these checks fail now; **Reject** keeps the release in place.
Write nothing about a patient."""
SIGN_OFF_BODY = """\
The audit report of a release, [en français]({pages}/dpo.fr.html) and
[in English]({pages}/dpo.en.html): what was kept and how it is protected, what was dropped,
oppositions, quarantine, leak scan.

**Approve** or **Reject**: either goes to the audit log under your name, with the report's hash."""


class PageLink(BaseOperatorLink):
    """A button of the task that opens a page of the site."""

    page = ""

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """The page on this API server."""
        base = str(conf.get("api", "base_url", fallback="")).rstrip("/")
        return f"{base}{PAGES}/{self.page}"


class DataDocsLink(PageLink):
    """Every check of the gate, with what it found."""

    name = "Data Docs"
    page = "quality/data_docs/index.html"


class RunReportLink(PageLink):
    """Both equations, quarantine, and the gate's answer."""

    name = "Run report"
    page = "reports/run.html"


class GateOperator(BaseOperator):
    """Judges the candidate; red when the load is blocked, with the checks and two pages to read.

    Args:
        engine: what builds the candidate anew when a killed gate left half of one.
    """

    operator_extra_links = (DataDocsLink(), RunReportLink())

    def __init__(self, *, engine: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.engine = engine

    def execute(self, context: Context) -> dict[str, Any]:
        """Counts and check ids; `due` is False when the release in place has these inputs."""
        from entrepot import stages

        verdict = told(lambda: stages.gate(SITE, self.engine, progress()))
        if verdict is None:
            return {"due": False}
        if not verdict.passed:
            self._block(context, verdict)
        return {
            "due": True,
            "warnings": [failure.check_id for failure in verdict.warnings],
            "waived": [failure.check_id for failure in verdict.waived],
            "quarantined": sum(verdict.quarantined.values()),
        }

    def _block(self, context: Context, verdict: Verdict) -> NoReturn:
        """Red, with what a person looks for first in the log: which checks, and where to read."""
        for failure in verdict.failures:
            self.log.error(
                "failing: %s, %s of %s rows", failure.check_id, failure.violated,
                failure.denominator,
            )  # fmt: skip
        for link in (DataDocsLink(), RunReportLink()):
            self.log.error("%s: %s", link.name, link.get_link(self, ti_key=None))
        failing = [failure.check_id for failure in verdict.failures]
        context["ti"].xcom_push(BLOCKED, failing)
        raise AirflowFailException(
            f"the gate blocked the load: {', '.join(failing)}. The published release is untouched."
        )


class AnsweredOperator(ApprovalOperator):
    """A question with a reason to give; `answered` acts on the answer.

    A retry asks again: nothing that was answered before counts then.

    Args:
        users: who may answer, as the auth manager knows them; anyone else is refused (403).
        reason: what the form asks to write.
    """

    def __init__(self, *, users: list[str], reason: str, **kwargs: Any) -> None:
        super().__init__(
            assigned_users=[{"id": user, "name": user} for user in users],
            defaults=self.REJECT,
            response_timeout=timedelta(hours=SETTINGS.answer_hours),
            params={"reason": Param("", type="string", maxLength=MAX_REASON, description=reason)},
            **kwargs,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Acts, then lets Airflow skip what follows a rejection; the reason is not passed on.

        Airflow tells a rejection by an exception: whatever is to be done comes before.
        """
        if "error" in event:
            self.process_trigger_event_error(event)
        reason = str((event["params_input"] or {}).get("reason") or "")[:MAX_REASON]
        self.validate_chosen_options(event["chosen_options"])
        approved = event["chosen_options"][0] == self.APPROVE
        if approved and not reason.strip():
            raise AirflowException("an approval needs a reason; the question is asked again")
        responder = (event["responded_by_user"] or {}).get("name", "")
        told(lambda: patiently(lambda: self.answered(approved, responder, reason)))
        super().execute_complete(context, event)
        return {"approved": approved, "by": responder}

    def answered(self, approved: bool, by: str, reason: str) -> None:
        """What the answer changes; `by` is empty when nobody answered in time."""
        raise NotImplementedError

    def log_answer(self, what: str, approved: bool, facts: dict[str, Any]) -> None:
        """Into the audit log, before anything follows from it."""
        from entrepot.audit import Action, AuditLog

        action = Action.APPROVED if approved else Action.REFUSED
        AuditLog(SITE, keyring()).append(action, {"what": what, **facts})


class WaiverOperator(AnsweredOperator):
    """May this blocked load pass? Approved: its failing checks are waived as far as they fail.

    Skipped when the gate did not block the load, or when no one may waive what it found.
    """

    def __init__(self, *, gate: str, **kwargs: Any) -> None:
        super().__init__(trigger_rule=TriggerRule.ALL_FAILED, **kwargs)
        self.gate = gate

    def execute(self, context: Context) -> Any:
        """Asks, with the table of the failing checks: counts alone."""
        from entrepot.questions import ask_waiver

        if not context["ti"].xcom_pull(task_ids=self.gate, key=BLOCKED):
            raise AirflowSkipException("the gate did not judge this load")
        self.body = WAIVER_BODY.format(checks=told(blocked_checks), pages=PAGES)
        told(lambda: ask_waiver(SITE))
        return super().execute(context)

    def answered(self, approved: bool, by: str, reason: str) -> None:
        """A rejection changes nothing: the release in place stays."""
        from entrepot import stages
        from entrepot.questions import require_same_verdict

        if not approved:
            self.log_answer("waiver", False, {"by": by, "reason": reason})
            return
        require_same_verdict(SITE)
        stages.waive(SITE, by, reason)


class SignOffOperator(AnsweredOperator):
    """Does the DPO accept this report? Either answer goes to the audit log.

    Skipped while an earlier question stands.
    """

    def execute(self, context: Context) -> Any:
        """Asks about a copy that no later report replaces."""
        from entrepot.questions import ask_sign_off

        folder = told(lambda: ask_sign_off(SITE, SETTINGS.answer_hours))
        if folder is None:
            raise AirflowSkipException("the DPO was asked already and has not answered yet")
        self.body = SIGN_OFF_BODY.format(pages=f"{PAGES}/reports/{folder}")
        return super().execute(context)

    def answered(self, approved: bool, by: str, reason: str) -> None:
        """Also that nobody answered in time."""
        from entrepot.questions import end_sign_off, read_sign_off

        asked = read_sign_off(SITE)
        facts = {"by": by, "reason": reason, "release": asked["release"]}
        self.log_answer(f"dpo_report {asked['sha256']}", approved, facts)
        end_sign_off(SITE)


def blocked_checks() -> str:
    """What the steward is asked to look at, as Markdown: check, table, violating rows, rows.

    Raises:
        AirflowSkipException: one of the checks may be waived by no one, so nobody is asked.
    """
    from entrepot.quality.gate import read_verdict, waivable
    from entrepot.quality.plan import build_plan

    verdict = read_verdict(SITE.quality)
    if verdict is None or verdict.passed:
        raise AirflowSkipException("no load is blocked any more")
    plan = build_plan(SITE.overlays)
    fixed = [one.check_id for one in verdict.failures if not waivable(plan, one.check_id)]
    if fixed:
        raise AirflowSkipException(f"no one may waive {', '.join(fixed)}: mend what they found")
    lines = [
        f"| {one.check_id} | {one.table} | {one.violated} | {one.denominator} |"
        for one in verdict.failures
    ]
    return "\n".join(("| check | table | violating rows | rows |\n|---|---|---:|---:|", *lines))
