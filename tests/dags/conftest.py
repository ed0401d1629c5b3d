"""The scenes of the story, each a fixture that plays on from the one before."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import airflow_story as story
import pytest
from airflow_client import login, wait
from airflow_pictures import Pictures
from airflow_story import LOAD, NAME, ONCE, PATIENTS, QUIET, SEED, SOURCES, SWIFT, Load, Scene

from entrepot.airflow_demo import Demo, Standalone, prepare
from entrepot.config import CONFIG_NAME, Site
from entrepot.lock import site_lock
from entrepot.publish.release import read_release
from entrepot.resources import data_file
from faults.hand_made import admission
from roads import feed_hospital, hashes, travel


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A site whose hospital has dropped everything."""
    made = prepare(tmp_path_factory.mktemp("airflow") / "demo", PATIENTS, SEED, "hl7v2")
    path = made.site.root / CONFIG_NAME
    text = path.read_text().replace('"* * * * *"', f'"{ONCE}"')
    path.write_text(text.replace("retry_seconds: 5", "retry_seconds: 1") + "workers: 2\n")
    made.deliver()
    return made


@pytest.fixture(scope="module")
def reference(
    demo: Demo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[dict[str, str]]]:
    """The hashes that `entrepot run` gives of the same hospital, made while Airflow starts."""
    root = tmp_path_factory.mktemp("twin") / "site"
    shutil.copytree(demo.site.root, root)

    def road() -> dict[str, str]:
        twin = Site.open(root)
        feed_hospital(twin, demo.hospital, SOURCES)
        travel(twin)
        return hashes(twin)

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(road)


@pytest.fixture(scope="module")
def scene(demo: Demo, reference: Future[dict[str, str]]) -> Iterator[Scene]:
    """Somebody works on the site until the first load has met them."""
    with site_lock(demo.site):
        airflow = Standalone(demo.site, extra=SWIFT).__enter__()
        names = ("engineer", "dpo", "researcher")
        found = Scene(demo, airflow, *(login(airflow, name) for name in names))
        try:
            wait("a busy register", lambda: story.retried(found, "register"), 120)
        except BaseException:
            airflow.stop()
            raise
    try:
        yield found
    finally:
        airflow.stop()


@pytest.fixture(scope="module")
def published(scene: Scene) -> Load:
    """The first load; its door was killed once."""
    run = str(scene.engineer.runs(LOAD)[0]["dag_run_id"])
    process = wait(
        "the door's process", lambda: story.process_of(scene, run, "door"), 120, every=0.05
    )
    workers = wait("the door's workers", lambda: story.workers_of(process), 60, every=0.05)
    os.kill(process, signal.SIGKILL)
    wait("the end of the workers, who hold the key", lambda: story.gone(workers), 30)
    return story.played(scene, run, "released")


@pytest.fixture(scope="module")
def blocked(scene: Scene, published: Load) -> Load:
    """A load that the gate refuses: a stay ends before it starts, and here none may."""
    idle = wait("an idle site", lambda: story.idle_after(scene), 120)
    shipped = data_file("quality/thresholds/gate.csv").read_text()
    overlay = scene.site.root / "quality" / "thresholds" / "gate.csv"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(shipped.replace("order,,,5,20,", "order,,,0,0,"))
    backwards = admission("95", "0095", "9095", "20240310080000", end="20240301080000")
    backwards += admission("91", "0091", "9091", end="20240305080000")
    file = scene.demo.inboxes / "adt" / NAME
    file.write_bytes(backwards)
    wait("a quiet file", lambda: time.time() - file.stat().st_ctime > QUIET or None, 10)
    assert story.triggered(scene) == 200
    run = wait("a second load", lambda: story.load_after(scene, idle), 60)
    wait("the steward's question", lambda: story.asked(scene, LOAD, run, "waiver"), 180)
    release = read_release(scene.site.warehouse)
    assert release is not None
    return Load(run, scene.states(run), hashes(scene.site), release.release_id)


@pytest.fixture(scope="module")
def pictures(scene: Scene, blocked: Load, tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    """What the users see while the question stands."""
    folder = tmp_path_factory.mktemp("pictures")
    return Pictures.take(scene.airflow, folder, LOAD, blocked.run)


@pytest.fixture(scope="module")
def refused(scene: Scene, blocked: Load, pictures: Pictures) -> dict[str, int]:
    """Status of what others than the steward try."""
    others = (scene.engineer, scene.researcher)
    return {
        user.name: scene.answer(user, LOAD, blocked.run, "waiver", "Approve") for user in others
    }


@pytest.fixture(scope="module")
def rejected(scene: Scene, blocked: Load, refused: dict[str, int]) -> Load:
    """The steward says no."""
    assert scene.answer(scene.dpo, LOAD, blocked.run, "waiver", "Reject") == 200
    return story.played(scene, blocked.run, "released")


@pytest.fixture(scope="module")
def waived(scene: Scene, rejected: Load) -> Load:
    """The steward comes round: the engineer clears the question, and it is asked again."""
    again = {
        "dry_run": False, "dag_run_id": rejected.run, "task_ids": ["waiver"],
        "include_downstream": True, "only_failed": False, "reset_dag_runs": True,
    }  # fmt: skip
    assert scene.engineer.ask("POST", f"/dags/{LOAD}/clearTaskInstances", again)[0] == 200
    wait("the question again", lambda: story.asked_again(scene, rejected.run), 60)
    wait("the scheduler's notice", lambda: story.noticed(scene, rejected.run), 60)
    assert scene.answer(scene.dpo, LOAD, rejected.run, "waiver", "Approve") == 200
    return story.played(scene, rejected.run, "publish_waived", "released")
