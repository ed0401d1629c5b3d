"""Great Expectations over a metrics table: suites in one call each, one checkpoint per suite.

Importing GX costs 4-6 s of CPU: only a gate imports this module. One expectation costs 12 ms
whatever the table's size, so that checks share one per group and are named by their row.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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

for _name in _kept:
    del sys.modules[_name]

SITE = "gate"
COUNTS = ("violated", "denominator", "allowed")
_TABLE = {"of": "table"}


@dataclass(frozen=True)
class Group:
    """Checks that one expectation judges.

    Args:
        name: what stands in the column `group` of their rows.
        description: of its checks, as the Data Docs show it.
    """

    name: str
    description: str
    blocking: bool


@dataclass(frozen=True)
class Answer:
    """What one suite answered.

    Args:
        failing: check ids, or `metrics:<expectation>` for a fault of the table itself.
    """

    success: bool
    failing: tuple[str, ...]


def expected(ids: Sequence[str], counts: Iterable[str] = COUNTS) -> list[Any]:
    """Exactly these checks are there, no count is null or negative, and no limit was changed.

    GX passes on an empty or partial table otherwise. The table has the columns `written` and
    `stated`: limits and effect of each check as the metrics and as the files have them.
    """
    found: list[Any] = [
        gxe.ExpectTableRowCountToEqual(value=len(ids), meta=_TABLE),
        gxe.ExpectColumnValuesToBeUnique(column="check_id", meta=_TABLE),
        gxe.ExpectColumnDistinctValuesToEqualSet(
            column="check_id", value_set=list(ids), meta=_TABLE
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="written", column_B="stated", meta=_TABLE,
            description="Limits and effect of each check are those of its files.",
        ),
    ]  # fmt: skip
    for column in counts:
        found.append(gxe.ExpectColumnValuesToNotBeNull(column=column, meta=_TABLE))
        found.append(gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0, meta=_TABLE))
    return found


def none_left(column: str) -> Any:
    """What was quarantined is gone: `column` is 0, or null for a check that quarantines nothing."""
    return gxe.ExpectColumnValuesToBeBetween(
        column=column, max_value=0, description="Quarantined rows are gone.", meta={"of": column}
    )


def within(group: Group) -> Any:
    """No check of the group has more violations than `allowed`; see `by_group`."""
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="allowed", column_B=group.name, or_equal=True,
        ignore_row_if="either_value_is_missing", description=group.description,
        severity="critical" if group.blocking else "warning", meta={"of": group.name},
    )  # fmt: skip


def by_group(frame: pd.DataFrame, groups: Iterable[Group]) -> pd.DataFrame:
    """`violated` in one column per group: a row condition costs GX seven passes over the table.

    A count or a limit that is missing is skipped there; `expected` demands both.
    """
    for group in groups:
        frame[group.name] = frame["violated"].where(frame["group"] == group.name)
    return frame


def ask(
    frame: pd.DataFrame, suites: Mapping[str, list[Any]], pages: Path | None = None
) -> dict[str, Answer]:
    """The answer of each suite that expects something; GX's pages go to the folder `pages`."""
    context = gx.get_context(mode="ephemeral", project_config=_configuration(pages))
    asset = context.data_sources.add_pandas("candidate").add_dataframe_asset("metrics")
    batch = asset.add_batch_definition_whole_dataframe("all")
    answers = {
        name: _run(context, batch, name, expectations, frame)
        for name, expectations in suites.items() if expectations
    }  # fmt: skip
    if pages:
        context.build_data_docs()
    return answers


def _run(
    context: Any, batch: Any, name: str, expectations: list[Any], frame: pd.DataFrame
) -> Answer:
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
    result = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
    return Answer(result.success, _failing(result))


def _failing(result: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for run in result.run_results.values():
        for answer in run.results:
            if not answer.success:
                found.update(dict.fromkeys(_names(answer)))
    return tuple(found)


def _names(answer: Any) -> Iterable[str]:
    """A fault of the table is never told as a check's: who waives the check did not waive it."""
    config = answer.expectation_config
    rows = (answer.result or {}).get("unexpected_index_list") or []
    named = [str(row["check_id"]) for row in rows if row.get("check_id")]
    column = config.kwargs.get("column") or config.kwargs.get("column_A", "")
    if named and config.meta != _TABLE:
        return named
    return [f"metrics:{config.type}:{column}".rstrip(":")]


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
        data_docs_sites={SITE: site} if pages else {},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
