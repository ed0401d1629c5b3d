"""Imports the opposition files that the receiving desk drops; the next load applies them.

A file with a bad line is refused whole and stays: the task is red until somebody mends it.
"""

from __future__ import annotations

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from entrepot_wiring import DEFAULTS, OPPOSITIONS, SETTINGS, SITE, at, keyring, told


@dag(
    description="Imports dropped opposition files",
    schedule=at(SETTINGS.schedule),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["entrepot", "rights"],
    doc_md=__doc__,
)
def oppositions() -> None:
    """An opposed person is nowhere in the release that follows."""

    @task(outlets=[OPPOSITIONS], task_id="import")
    def import_() -> dict[str, int]:
        from entrepot.register.opposition_inbox import import_inbox

        lines = told(lambda: import_inbox(SITE, keyring()))
        if lines is None:
            raise AirflowSkipException("no file was dropped")
        return {"lines": lines}

    import_()


if SITE.config.oppositions.inbox is not None:
    oppositions()
