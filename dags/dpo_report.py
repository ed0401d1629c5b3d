"""The audit report of every new release, and the DPO's answer to it in the audit log."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from entrepot_answers import SignOffOperator
from entrepot_wiring import DEFAULTS, SETTINGS, SITE, WAREHOUSE, told


@dag(
    description="Makes the DPO's report and asks for a signature",
    schedule=[WAREHOUSE],
    catchup=False,
    max_active_runs=2,  # one may wait for its answer while the next makes its report
    default_args=DEFAULTS,
    tags=["entrepot", "rights"],
    doc_md=__doc__,
)
def dpo_report() -> None:
    """Nothing waits for the answer: the release is published already."""

    @task
    def report() -> dict[str, Any]:
        from entrepot.report.dpo.report import write_dpo_report

        written = told(lambda: write_dpo_report(SITE))
        return {"document": written.document.name, "sha256": written.sha256}

    sign_off = SignOffOperator(
        task_id="sign_off",
        users=SETTINGS.dpos,
        subject="Do you accept this report?",
        reason="What you want to keep beside your answer",
    )
    report() >> sign_off


dpo_report()
