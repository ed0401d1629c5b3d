"""Screenshots of Airflow as its users see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from browser import Seen, page, screenshot, wanted_screenshots
from entrepot.airflow_demo import Standalone

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PATIENCE = 30_000  # ms


@dataclass(frozen=True)
class Pictures:
    """PNG files, and what the pages complained about."""

    files: tuple[Path, ...]
    errors: list[str]

    @classmethod
    def take(cls, airflow: Standalone, folder: Path, dag: str, run: str) -> Pictures:
        """What engineer and steward see of a run whose gate is red."""
        target = IMAGES if wanted_screenshots() else folder
        where = f"{airflow.url}/dags/{dag}/runs/{quote(run, safe='')}"
        seen = Seen()
        with page(seen, width=1400, height=860, locale="en-GB") as opened:
            _login(opened, airflow, "engineer", seen)
            files = [
                _shot(opened, f"{airflow.url}/", "Dag Processor", target / "airflow_home.png"),
                _log(opened, f"{where}/tasks/gate", target / "airflow_blocked.png"),
                _graph(opened, where, target / "airflow_dag.png"),
            ]  # fmt: skip
            _login(opened, airflow, "dpo", seen)
            question = f"{where}/tasks/waiver/required_actions"
            files.append(_shot(opened, question, "violating rows", target / "airflow_approval.png"))
        return cls(tuple(files), seen.errors)


def _login(opened: Page, airflow: Standalone, name: str, seen: Seen) -> None:
    opened.context.clear_cookies()
    opened.goto(f"{airflow.url}/")
    opened.fill("input[name=username]", name)
    opened.fill("input[name=password]", json.loads(airflow.passwords.read_text())[name])
    opened.click("button[type=submit]")
    opened.wait_for_selector("text=Dags")
    seen.errors.clear()  # the page behind the login was refused before it


def _shot(opened: Page, address: str, text: str, path: Path) -> Path:
    opened.goto(address)
    opened.get_by_text(text).first.wait_for(timeout=PATIENCE)
    opened.wait_for_load_state("networkidle")
    screenshot(opened, path, whole=False)
    return path


def _log(opened: Page, address: str, path: Path) -> Path:
    opened.goto(address)
    fault = opened.get_by_text("AirflowFailException").first
    fault.click(timeout=PATIENCE)  # folds the lines of Airflow's own code
    opened.get_by_text("task_runner.py").first.wait_for(state="hidden", timeout=PATIENCE)
    opened.evaluate("document.querySelectorAll('*').forEach(one => one.scrollLeft = 0)")
    screenshot(opened, path, whole=False)
    return path


def _graph(opened: Page, address: str, path: Path) -> Path:
    opened.set_viewport_size({"width": 1400, "height": 620})
    opened.goto(address)
    opened.get_by_label("Show Graph (Press g)").click(timeout=PATIENCE)
    opened.get_by_text("publish_waived").first.wait_for(timeout=PATIENCE)
    opened.get_by_label("Collapse Details Panel").click()
    opened.wait_for_timeout(500)
    opened.get_by_label("Fit View").click()
    opened.wait_for_timeout(1000)  # it moves slowly
    screenshot(opened, path, whole=False)
    opened.get_by_label("Show Grid (Press g)").click()
    opened.set_viewport_size({"width": 1400, "height": 860})
    return path
