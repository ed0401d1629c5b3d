"""The verdict: Great Expectations validates the metrics table and nothing else.

GX passes on an empty or partial table, so the suite first demands exactly the planned checks, no
null, and the thresholds of the files. Importing GX costs 5-7 s: only the gate imports this module.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

# Both must be set before GX is imported: it reads them then.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
logging.getLogger("great_expectations._docs_decorators").setLevel(logging.CRITICAL)

# GX imports PySpark where it is installed: 0.8 CPU s and a warning, for what the gate has no use
# for. Once Spark runs, only its Connect client is left out: it ends a process whose main module
# has no file (sys.exit), as those of schedulers and test runners have not.
_kept = [name for name in ("pyspark", "pyspark.sql.connect") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_kept))  # type: ignore[arg-type]

import great_expectations as gx  # noqa: E402
import great_expectations.expectations as gxe  # noqa: E402
import pandas as pd  # noqa: E402
from great_expectations.data_context.types.base import (  # noqa: E402
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.row_conditions import Column  # noqa: E402

for _name in _kept:
    del sys.modules[_name]

from entrepot.quality.checks import Action, Check  # noqa: E402
from entrepot.quality.metrics import METRIC_COLUMNS  # noqa: E402
from entrepot.quality.plan import Plan  # noqa: E402

GATE = "gate"
OBSERVATIONS = "observations"
_STATED = {
    "threshold_percent": "stated_percent",
    "threshold_rows": "stated_rows",
    "severity": "stated_severity",
    "action": "stated_action",
}


@dataclass(frozen=True)
class Outcome:
    """What the two suites answered.

    Args:
        passed: the checkpoint's success; checks of action `warn` have no part in it.
        failing: check ids, or for a fault of the metrics table itself the expectation's name.
        warned: check ids of action `warn` above their threshold.
    """

    passed: bool
    failing: tuple[str, ...]
    warned: tuple[str, ...]


def validate(metrics: pd.DataFrame, plan: Plan, pages: Path | None = None) -> Outcome:
    """Judges the table `etl.metric`; GX's pages go to the folder `pages` when it is given."""
    frame = _with_stated(metrics, plan)
    context = gx.get_context(mode="ephemeral", project_config=_configuration(pages))
    asset = context.data_sources.add_pandas("candidate").add_dataframe_asset("metrics")
    batch = asset.add_batch_definition_whole_dataframe("all")
    results = {
        name: _run(context, batch, name, expectations, frame)
        for name, expectations in (
            (GATE, _structure(plan) + _families(plan, blocking=True)),
            (OBSERVATIONS, _families(plan, blocking=False)),
        )
        if expectations
    }
    if pages:
        context.build_data_docs()
    warned = _failing(results[OBSERVATIONS]) if OBSERVATIONS in results else ()
    return Outcome(results[GATE].success, _failing(results[GATE]), warned)


def _with_stated(metrics: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """The metrics beside what checks and thresholds state, so that a loosened metric shows."""
    stated = pd.DataFrame(
        {
            "check_id": item.check_id,
            "family": item.check.id,
            "stated_percent": float(item.threshold.percent),
            "stated_rows": item.threshold.rows,
            "stated_severity": item.check.severity.value,
            "stated_action": item.check.action.value,
        }
        for item in plan.checks
    )
    frame = metrics.merge(stated, on="check_id", how="left")
    frame["allowed"] = [
        _allowed(plan, check_id, denominator)
        for check_id, denominator in zip(frame["check_id"], frame["denominator"], strict=True)
    ]
    frame["threshold_percent"] = frame["threshold_percent"].astype(float)
    return frame


def _allowed(plan: Plan, check_id: str, denominator: float) -> int | None:
    if check_id not in plan.by_id or pd.isna(denominator):
        return None
    return plan.by_id[check_id].threshold.allowed(int(Decimal(denominator)))


def _structure(plan: Plan) -> list[Any]:
    ids = [item.check_id for item in plan.checks]
    meta = {"check": "metrics"}
    expectations: list[Any] = [
        gxe.ExpectTableRowCountToEqual(value=len(ids), meta=meta),
        gxe.ExpectColumnValuesToBeUnique(column="check_id", meta=meta),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="check_id", value_set=ids, meta=meta),
    ]
    for column in METRIC_COLUMNS:
        expectations.append(gxe.ExpectColumnValuesToNotBeNull(column=column, meta=meta))
    for column in ("violated", "remaining", "denominator"):
        expectations.append(
            gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0, meta=meta)
        )
    for column, stated in _STATED.items():
        expectations.append(
            gxe.ExpectColumnPairValuesToBeEqual(column_A=column, column_B=stated, meta=meta)
        )
    expectations.append(
        gxe.ExpectColumnValuesToBeBetween(
            column="remaining",
            max_value=0,
            row_condition=Column("stated_action") == Action.QUARANTINE.value,
            description="Quarantined rows are gone.",
            meta=meta,
        )
    )
    return expectations


def _families(plan: Plan, *, blocking: bool) -> list[Any]:
    checks = {item.check.id: item.check for item in plan.checks}
    return [
        _within_threshold(check)
        for check in checks.values()
        if (check.action is not Action.WARN) == blocking
    ]


def _within_threshold(check: Check) -> Any:
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="allowed",
        column_B="violated",
        or_equal=True,
        ignore_row_if="neither",
        row_condition=Column("family") == check.id,
        description=f"{check.id} – {check.meaning_fr} / {check.meaning_en}",
        severity="critical" if check.action is not Action.WARN else "warning",
        meta={"check": check.id},
    )


def _run(context: Any, batch: Any, name: str, expectations: list[Any], frame: pd.DataFrame) -> Any:
    # The suite takes all expectations at once: adding them one by one is quadratic.
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=name, data=batch, suite=suite)
    )
    checkpoint = gx.Checkpoint(
        name=name,
        validation_definitions=[definition],
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["check_id"],
        },
    )
    return context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})


def _failing(result: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for run in result.run_results.values():
        for answer in run.results:
            if not answer.success:
                found.update(dict.fromkeys(_names(answer)))
    return tuple(found)


def _names(answer: Any) -> Iterable[str]:
    rows = (answer.result or {}).get("unexpected_index_list") or []
    named = [str(row["check_id"]) for row in rows if row.get("check_id")]
    column = answer.expectation_config.kwargs.get("column", "")
    fault = f"metrics:{answer.expectation_config.type}:{column}".rstrip(":")
    return named or [fault]


def _configuration(pages: Path | None) -> DataContextConfig:
    site = {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(pages),
        },
    }
    return DataContextConfig(
        # GX's default is a site in a temporary folder outside the research zone.
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        data_docs_sites={GATE: site} if pages else {},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
