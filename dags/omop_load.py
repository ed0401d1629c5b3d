"""From landing to a published release: register → door → map → gate → publish.

Starts when something new was landed, a vocabulary was loaded or an opposition came; one load at a
time. A blocked load leaves the release in place; a steward may let it pass, and it is made again.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetAny, TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from entrepot_answers import GateOperator, WaiverOperator
from entrepot_wiring import (
    DEFAULTS,
    OPPOSITIONS,
    SETTINGS,
    SITE,
    VOCABULARY,
    WAREHOUSE,
    landed,
    progress,
    told,
)

ENGINE = SETTINGS.engine


@task
def register() -> dict[str, Any]:
    """Identities and links of the new records."""
    from entrepot import stages

    return told(lambda: stages.register(SITE, progress()).as_dict())


@task
def door() -> dict[str, Any]:
    """Parses and pseudonymises what changed, and writes the load's order."""
    from entrepot import stages

    return told(lambda: stages.door(SITE, ENGINE, progress()).as_dict())


@task
def map_() -> dict[str, Any]:
    """Builds the candidate release."""
    from entrepot import stages

    return told(lambda: stages.map_(SITE, ENGINE, progress()).as_dict())


@task
def publish(judged: dict[str, Any]) -> dict[str, Any]:
    """Puts the candidate in the release's place and writes the run report."""
    from entrepot import stages

    result = told(lambda: stages.publish(SITE, progress()).as_dict())
    if not judged["due"]:
        raise AirflowSkipException("the release in place was made from these inputs")
    return result


@task(trigger_rule=TriggerRule.ONE_SUCCESS, outlets=[WAREHOUSE])
def released() -> None:
    """A new release is there, judged or waived."""


@dag(
    description="Register, door, map, gate, publish",
    schedule=AssetAny(*[landed(name) for name in SITE.config.sources], VOCABULARY, OPPOSITIONS),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["entrepot", "load"],
    doc_md=__doc__,
)
def omop_load() -> None:
    """The second branch runs only for a load that the gate blocked."""
    gate = GateOperator(task_id="gate", engine=ENGINE)
    judged = publish(gate.output)
    register() >> door() >> map_.override(task_id="map")() >> gate

    waiver = WaiverOperator(
        task_id="waiver",
        gate="gate",
        users=SETTINGS.stewards,
        subject="May this blocked load be published?",
        reason="Why it may pass; kept in the audit log under your name",
    )
    gate_again = GateOperator(task_id="gate_waived", engine=ENGINE)
    waived = publish.override(task_id="publish_waived")(gate_again.output)
    gate >> waiver >> map_.override(task_id="map_waived")() >> gate_again

    [judged, waived] >> released()


omop_load()
