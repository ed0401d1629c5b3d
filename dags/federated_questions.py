"""Asks the steward about the questions of federated studies, one at a time.

`entrepot node run` takes and answers them; where a study's mode wants a person, the person may
decide here instead of on the command line. A question that nobody answers in time waits on.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context, dag
from airflow.sdk.exceptions import AirflowSkipException

from entrepot_answers import AnsweredOperator
from entrepot_wiring import DEFAULTS, SETTINGS, SITE, at, told


class QuestionOperator(AnsweredOperator):
    """May this node answer? Either way the answer is in the audit log under the person's name."""

    def execute(self, context: Context) -> Any:
        """Asks about the oldest question; skipped when none waits."""
        from entrepot.federation.node.orchestrated import show

        shown = told(lambda: show(SITE))
        if shown is None:
            raise AirflowSkipException("no question waits for its steward")
        self.body = shown
        return super().execute(context)

    def answered(self, approved: bool, by: str, reason: str) -> None:
        """The reason stays here: the researcher is told a code."""
        from entrepot.federation.node.orchestrated import answer

        query = answer(SITE, approved, by)
        self.log_answer(f"federated question {query[:16]}", approved, {"by": by, "reason": reason})


@dag(
    description="Asks the steward about questions of federated studies",
    schedule=at(SETTINGS.schedule),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["entrepot", "federation"],
    doc_md=__doc__,
)
def federated_questions() -> None:
    """One question a run."""
    QuestionOperator(
        task_id="steward",
        users=SETTINGS.stewards,
        subject="May this node answer a federated question?",
        reason="Why; kept in the audit log under your name",
    )


if SITE.config.federation.node:
    federated_questions()
