"""Loads the vocabulary folder named in site.yaml when what it holds changed."""

from __future__ import annotations

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from entrepot_wiring import DEFAULTS, SETTINGS, SITE, VOCABULARY, at, told


@dag(
    description="Loads a new release of the OHDSI vocabularies",
    schedule=at(SETTINGS.daily),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["entrepot", "vocabulary"],
    doc_md=__doc__,
)
def vocabulary_refresh() -> None:
    """A load maps everything anew after it."""

    @task(outlets=[VOCABULARY])
    def refresh() -> dict[str, str | int]:
        from entrepot.vocabulary import refresh as vocabulary

        release = told(lambda: vocabulary.refresh(SITE))
        if release is None:
            raise AirflowSkipException("the loaded release is what the folder holds")
        return {"release": release.name, "concepts": release.concepts}

    refresh()


if SETTINGS.vocabulary is not None:
    vocabulary_refresh()
