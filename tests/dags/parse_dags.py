"""Parses every DAG file in one process, as Airflow's processor does, and says what came of it.

    python parse_dags.py FOLDER

Prints JSON: the DAGs, what parsing imported, its time beside that of Airflow's own
SDK, and how the tasks' wrapper tells a fault.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

SECRET = "DUPONT 1790328"


def parse(folder: Path) -> dict[str, object]:
    """See the module."""
    start = time.perf_counter()
    import airflow.sdk

    assert airflow.sdk.DAG
    sdk = time.perf_counter() - start
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.standard.operators import hitl

    assert hitl.ApprovalOperator
    sys.path.insert(0, str(folder))
    before, start = set(sys.modules), time.perf_counter()
    bag = DagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags", load_op_links=False)
    return {
        "dags": {dag.dag_id: _told(dag) for dag in bag.dags.values()},
        "errors": list(bag.import_errors.values()),
        "imported": sorted(set(sys.modules) - before),
        "seconds": {"sdk": sdk, "files": time.perf_counter() - start},
        "faults": _faults() if not bag.import_errors else {},
    }


def _told(dag: Any) -> dict[str, object]:
    return {
        "file": Path(dag.fileloc).name,
        "tasks": {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks},
        "outlets": sorted(asset.uri for task in dag.tasks for asset in task.outlets),
        "schedule": _schedule(dag),
        "runs": dag.max_active_runs,
        "catchup": dag.catchup,
    }


def _schedule(dag: Any) -> list[str]:
    condition = getattr(dag.timetable, "asset_condition", None)
    return sorted(asset.uri for asset in condition.objects) if condition else []


def _faults() -> dict[str, object]:
    """Class and whole text of what a task raises for each kind of fault."""
    from entrepot.errors import ConfigurationError, EntrepotError, SiteBusyError
    from entrepot_wiring import told

    def bug() -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise KeyError(SECRET) from error

    def raiser(error: Exception) -> object:
        def work() -> None:
            raise error

        return work

    works = {
        "bug": bug,
        "configuration": raiser(ConfigurationError("wrong", where="here", remedy="mend")),
        "busy": raiser(SiteBusyError("busy")),
        "disk": raiser(EntrepotError("disk full")),
    }
    found = {}
    for name, work in works.items():
        try:
            told(work)  # type: ignore[arg-type]
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            found[name] = {"class": type(error).__name__, "text": text}
    return found


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW_HOME", str(Path(sys.argv[1])))
    sys.stdout.write(json.dumps(parse(Path(sys.argv[1]))))
