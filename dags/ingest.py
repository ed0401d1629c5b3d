"""One DAG per source that has an inbox: what is new there is landed, encrypted.

Nothing new: the task is skipped and no load starts. File names are told nowhere.
"""

from __future__ import annotations

from airflow.sdk import DAG, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from entrepot_wiring import DEFAULTS, SETTINGS, SITE, at, keyring, landed, told


def ingest_dag(source: str) -> DAG:
    """The DAG `ingest_<source>`."""

    @dag(
        dag_id=f"ingest_{source}",
        description=f"Lands what {source} dropped in its inbox",
        schedule=at(SETTINGS.schedule),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["entrepot", "landing"],
        doc_md=__doc__,
    )
    def ingest() -> None:
        @task(outlets=[landed(source)])
        def land() -> dict[str, int]:
            from entrepot.landing.inbox import land_inbox

            report = told(lambda: land_inbox(SITE, keyring(), source))
            if not report.new:
                raise AirflowSkipException("nothing new in the inbox")
            return report.as_dict()

        land()

    return ingest()


for _name, _source in SITE.config.sources.items():
    if _source.inbox is not None:
        ingest_dag(_name)
