"""Airflow itself, started as `make airflow` starts it: one story of two loads of one site.

The first load meets a busy site, loses its door to a kill, and is published by assets alone. The
second is blocked by the gate, put to the steward, waived and published.
"""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from airflow_client import call, wait
from airflow_pictures import Pictures
from airflow_story import (
    BRANCH,
    LOAD,
    NAME,
    RANDOM,
    REASON,
    SOURCES,
    Load,
    Scene,
    asked,
    files_of,
    green,
)

from entrepot.audit import read_entries
from entrepot.config import CONFIG_NAME
from entrepot.report.scan import scan
from entrepot.report.second_scan import second_scan
from roads import keyring

pytestmark = pytest.mark.integration


def test_a_load_is_published_by_assets_without_a_click(scene: Scene, published: Load) -> None:
    assert published.states == {
        **dict.fromkeys(("register", "door", "map", "gate", "publish", "released"), "success"),
        **dict.fromkeys(BRANCH, "skipped"),
    }
    assert published.run.startswith("asset_triggered__")
    assert scene.engineer.get("/importErrors")["total_entries"] == 0


def test_its_tables_are_those_of_the_command_line(
    published: Load, reference: Future[dict[str, str]]
) -> None:
    assert published.hashes == reference.result(120)


def test_a_busy_site_and_a_killed_door_are_tried_again(scene: Scene, published: Load) -> None:
    tries = {
        name: task["try_number"] for name, task in scene.engineer.tasks(LOAD, published.run).items()
    }
    assert tries["register"] >= 2
    assert tries["door"] == 2
    assert tries["map"] == tries["gate"] == tries["publish"] == 1
    log = scene.engineer.get(
        f"/dags/{LOAD}/dagRuns/{quote(published.run)}/taskInstances/register/logs/1"
    )
    assert "another run works on this site" in json.dumps(log)


def test_nothing_new_skips_and_starts_no_load(scene: Scene, published: Load) -> None:
    for dag, task in (("ingest_fhir", "land"), ("vocabulary_refresh", "refresh")):
        run = scene.engineer.runs(dag)[0]["dag_run_id"]
        assert scene.engineer.states(dag, run) == {task: "skipped"}


def test_the_inboxes_are_put_away_and_oppositions_applied(scene: Scene, published: Load) -> None:
    names = {
        path.relative_to(scene.demo.inboxes).parts[:2] for path in files_of(scene.demo.inboxes)
    }
    assert names == {(name, "done") for name in (*SOURCES, "oppositions")}


def test_a_blocked_load_is_red_and_leaves_the_release(published: Load, blocked: Load) -> None:
    assert blocked.states["gate"] == "failed"
    assert blocked.states["publish"] == "upstream_failed"
    assert blocked.states["waiver"] == "awaiting_input"
    assert blocked.hashes == published.hashes


def test_the_red_task_names_the_checks_and_leads_to_the_pages(scene: Scene, blocked: Load) -> None:
    place = f"/dags/{LOAD}/dagRuns/{quote(blocked.run)}/taskInstances/gate"
    log = json.dumps(scene.engineer.get(f"{place}/logs/1"))
    assert "the gate blocked the load" in log
    assert "order" in log
    assert scene.engineer.tasks(LOAD, blocked.run)["gate"]["try_number"] == 1
    links = scene.engineer.get(f"{place}/links")["extra_links"]
    assert set(links) == {"Data Docs", "Run report"}
    status, text = call("GET", links["Data Docs"], token=scene.engineer.token)
    assert (status, "Charge refusée" in text) == (200, True)
    assert call("GET", links["Run report"], token=scene.researcher.token)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "quality/../../identifying/keys/root.key", "quality/%2e%2e/%2e%2e/site.yaml",
        "quality/..%2f..%2fidentifying%2fkeys%2froot.key", "reports/%2fetc%2fpasswd",
        "quality/quarantine.csv", "quality", "staging/x.html", "warehouse.duckdb",
        "quality/data_docs", "reports/link.html", "quality/%00.html",
    ],
)  # fmt: skip
def test_pages_are_for_users_and_nothing_else_is_a_page(
    scene: Scene, blocked: Load, path: str
) -> None:
    link = scene.site.reports / "link.html"
    if not link.is_symlink():
        link.symlink_to(scene.site.root / CONFIG_NAME)
    assert call("GET", f"{scene.airflow.url}/entrepot/{path}", token=scene.dpo.token)[0] in (
        404, 422,
    )  # fmt: skip
    index = f"{scene.airflow.url}/entrepot/quality/data_docs/index.html"
    assert call("GET", index)[0] == 401
    assert call("GET", index, token="x.y.z")[0] in (401, 403)


def test_the_engineer_cannot_answer_for_the_steward(
    scene: Scene, blocked: Load, refused: dict[str, int]
) -> None:
    assert refused == {"engineer": 403, "researcher": 403}


def test_the_researcher_reads_and_starts_nothing(scene: Scene, blocked: Load) -> None:
    assert scene.researcher.ask("GET", "/dags")[0] == 200
    body = {"logical_date": None}
    assert scene.researcher.ask("POST", f"/dags/{LOAD}/dagRuns", body)[0] == 403
    assert scene.researcher.ask("PATCH", f"/dags/{LOAD}", {"is_paused": True})[0] == 403


def test_a_rejected_waiver_leaves_the_release(
    scene: Scene, published: Load, rejected: Load
) -> None:
    assert rejected.states["waiver"] == "success"
    assert {rejected.states[task] for task in BRANCH[1:]} == {"skipped"}
    assert rejected.states["released"] == "upstream_failed"
    assert (rejected.release, rejected.hashes) == (published.release, published.hashes)
    entries = read_entries(scene.site, keyring(scene.site))
    facts = [entry.facts for entry in entries if entry.action == "refused"]
    assert [(one["what"], one["by"], one["reason"]) for one in facts] == [("waiver", "dpo", REASON)]


def test_a_waived_load_is_published_under_the_stewards_name(
    scene: Scene, rejected: Load, waived: Load
) -> None:
    assert waived.states["gate"] == "failed"
    assert {waived.states[task] for task in (*BRANCH, "released")} == {"success"}
    wait("a green run", lambda: green(scene, waived.run), 20)
    assert waived.release != rejected.release
    verdict = json.loads((scene.site.quality / "verdict.json").read_text())
    assert verdict["passed"]
    given = [e for e in read_entries(scene.site, keyring(scene.site)) if e.action == "waived"]
    assert [(one.facts["by"], one.facts["reason"]) for one in given] == [("dpo", REASON)]
    assert given[0].facts["checks"] == [one["check_id"] for one in verdict["waived"]]


def test_the_dpo_signs_the_report_of_a_release(scene: Scene, waived: Load) -> None:
    run = str(scene.engineer.runs("dpo_report")[0]["dag_run_id"])
    wait("the DPO's question", lambda: asked(scene, "dpo_report", run, "sign_off"), 60)
    assert scene.answer(scene.engineer, "dpo_report", run, "sign_off", "Approve") == 403
    assert scene.answer(scene.dpo, "dpo_report", run, "sign_off", "Approve") == 200

    def signed() -> bool | None:
        return scene.engineer.states("dpo_report", run)["sign_off"] == "success" or None

    wait("the signature", signed, 30)
    entries = list(read_entries(scene.site, keyring(scene.site)))
    answer = next(entry for entry in entries if entry.action == "approved")
    reports = {
        e.facts["sha256"]: e.facts["release"] for e in entries if e.action == "report_signed"
    }
    what, _, sha256 = str(answer.facts["what"]).partition(" ")
    assert (what, answer.facts["by"], answer.facts["reason"]) == ("dpo_report", "dpo", REASON)
    assert answer.facts["release"] == reports[sha256]


def test_screenshots_show_something(pictures: Pictures) -> None:
    assert {path.stem for path in pictures.files} == {
        "airflow_home", "airflow_dag", "airflow_blocked", "airflow_approval",
    }  # fmt: skip
    for path in pictures.files:
        assert path.stat().st_size > 20_000, path.name  # an empty page of this size has 6 kB
    assert pictures.errors == []


def test_no_identifier_is_in_airflows_logs_or_database(
    scene: Scene, waived: Load, refused: dict[str, int], tmp_path: Path
) -> None:
    """Logs of tasks and of every component; XCom, rendered fields and all else of the database."""
    home, said = scene.airflow.home, tmp_path / "said"
    said.mkdir()
    logs = sorted(home.rglob("*.log"))
    for number, path in enumerate(logs):
        (said / f"log-{number}.txt").write_text(RANDOM.sub("", path.read_text(errors="replace")))
    with closing(sqlite3.connect(home / "airflow.db")) as database:
        rows = "\n".join(database.iterdump())
    (said / "database.txt").write_text(RANDOM.sub("", rows))
    truth, public = scene.demo.hospital / "truth", [scene.site.config.timezone]
    report = scan(said, truth, public=public)
    assert report.clean, (report.leaks[:5], report.undecoded)
    public.append((home / "airflow.cfg").read_text())  # Airflow's own words
    again = second_scan(home, truth, public)  # the database's free pages and log of writes too
    assert again.clean, (again.findings[:5], again.unread)
    assert report.files == len(logs) + 1 > 30
    assert rows.count('INSERT INTO "xcom"') > 20
    text = "".join(path.read_text() for path in said.iterdir())
    names = [path.name for path in files_of(scene.demo.inboxes / "adt")]
    assert [name for name in (NAME, "BERNARDIN", *names) if name in text] == []
