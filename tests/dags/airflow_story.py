"""The story of one Airflow: who is in it, and how it is watched (conftest.py plays it)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from airflow_client import User, wait

from entrepot.airflow_demo import Demo, Standalone
from entrepot.config import Site
from entrepot.publish.release import read_release
from roads import hashes

PATIENTS, SEED = 24, 5
SOURCES = ("adt", "lab", "pmsi", "pharma", "letters")
NAME = "BERNARDIN_Clotilde_0095.hl7"  # as senders name files: an identifier
REASON = "Known fault of one department, mended in its next delivery"
ONCE = "0 0 1 1 *"  # a DAG that is switched on looks at once; then the test decides
SWIFT = {"AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2"}
QUIET = 1.1  # a little more than the demonstration's `quiet_seconds`
# UUIDs, hashes, ends of run ids: of millions of random letters some spell a short name.
RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|(?<=:00)_\w{8}", re.I)
FINAL = {"success", "failed", "skipped", "upstream_failed"}
LOAD, BRANCH = "omop_load", ("waiver", "map_waived", "gate_waived", "publish_waived")


@dataclass(frozen=True)
class Scene:
    """Airflow at work, and its users."""

    demo: Demo
    airflow: Standalone
    engineer: User
    dpo: User
    researcher: User

    @property
    def site(self) -> Site:
        return self.demo.site

    def states(self, run: str) -> dict[str, str]:
        return self.engineer.states(LOAD, run)

    def answer(self, user: User, dag: str, run: str, task: str, option: str) -> int:
        """Status of a user's answer to a question."""
        path = f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/-1/hitlDetails"
        body = {"chosen_options": [option], "params_input": {"reason": REASON}}
        return user.ask("PATCH", path, body)[0]


@dataclass(frozen=True)
class Load:
    """One load, as it stood when the story reached it."""

    run: str
    states: dict[str, str]
    hashes: dict[str, str]
    release: str


def retried(scene: Scene, task: str) -> bool | None:
    runs = scene.engineer.runs(LOAD)
    waits = bool(runs) and scene.states(runs[0]["dag_run_id"])[task] == "up_for_retry"
    return waits or None


def workers_of(process: int) -> list[int] | None:
    """Both worker processes of a door."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    found = [
        int(child) for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]  # fmt: skip
    return found if len(found) == 2 else None


def gone(processes: list[int]) -> bool | None:
    return not any(Path(f"/proc/{one}").exists() for one in processes) or None


def process_of(scene: Scene, run: str, task: str) -> int | None:
    found = scene.engineer.tasks(LOAD, run)[task]
    return found["pid"] if found["state"] == "running" else None


def played(scene: Scene, run: str, *last: str) -> Load:
    def done() -> bool | None:
        states = scene.states(run)
        return {states[task] for task in last} <= FINAL or None

    wait(f"the end of {', '.join(last)}", done, 240)
    release = read_release(scene.site.warehouse)
    assert release is not None, scene.states(run)
    return Load(run, scene.states(run), hashes(scene.site), release.release_id)


def idle_after(scene: Scene) -> int | None:
    """Number of loads when none runs: what arrived during the first makes a second one."""
    runs = scene.engineer.runs(LOAD)
    return None if any(run["state"] in ("queued", "running") for run in runs) else len(runs)


def triggered(scene: Scene) -> int:
    return scene.engineer.ask("POST", "/dags/ingest_adt/dagRuns", {"logical_date": None})[0]


def load_after(scene: Scene, count: int) -> str | None:
    runs = scene.engineer.runs(LOAD)
    return runs[count]["dag_run_id"] if len(runs) > count else None


def asked(scene: Scene, dag: str, run: str, task: str) -> bool | None:
    state = scene.engineer.states(dag, run)[task]
    assert state not in ("failed", "skipped", "upstream_failed"), scene.engineer.states(dag, run)
    return state == "awaiting_input" or None


def green(scene: Scene, run: str) -> bool | None:
    found = scene.engineer.get(f"/dags/{LOAD}/dagRuns/{quote(run)}")
    return found["state"] == "success" or None


def noticed(scene: Scene, run: str) -> bool | None:
    """Airflow 3.3.2 fails a task whose answer comes before the scheduler saw it wait: a tenth of a
    second that no person hits."""
    event = f"state success for task instance TaskInstanceKey(dag_id='{LOAD}', task_id='waiver'"
    event += f", run_id='{run}', try_number=2"
    return event in (scene.airflow.home / "standalone.log").read_text(errors="replace") or None


def asked_again(scene: Scene, run: str) -> bool | None:
    return scene.states(run)["waiver"] == "awaiting_input" or None


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != NAME]
