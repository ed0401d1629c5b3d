"""`quality check`: Great Expectations' verdict on its metrics, its history and its scorecard."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from omop_hospital import Traits, write_hospital
from typer.testing import CliRunner

import browser
from entrepot.cli.main import app
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.judging import Judging
from entrepot.quality.checks import Action
from entrepot.quality.database import DuckDatabase
from entrepot.quality.inputs import GateInputs

pytestmark = pytest.mark.integration

IMAGE = Path(__file__).parents[2] / "docs" / "images" / "scorecard.png"
BACKWARDS = """UPDATE cdm.visit_occurrence SET visit_end_date = visit_start_date - 40
    WHERE visit_occurrence_id % 5 = 0"""
Findings = list[Finding]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "clean.duckdb"
    write_hospital(path, Traits(persons=60))
    return path


@pytest.fixture(scope="module")
def judged(clean: Path) -> tuple[Findings, list[str]]:
    """What the checks say of it, and the ids that had to be answered."""
    database = DuckDatabase(clean)
    judging = Judging(database, GateInputs(dt.datetime(2025, 12, 31)))
    findings = list(judging.judge().findings)
    database.close()
    return findings, [one.check_id for one in judging.asked]


def _changed(findings: Findings, **change: object) -> Findings:
    """One blocking check of the plan that has something to check, changed."""
    place = next(
        n for n, one in enumerate(findings)
        if one.key and one.denominator and one.action is Action.BLOCK
    )  # fmt: skip
    return [replace(one, **change) if n == place else one for n, one in enumerate(findings)]  # type: ignore[arg-type]


def test_gx_agrees_with_a_sound_table(judged: tuple[Findings, list[str]]) -> None:
    from entrepot.quality.answers import validate_findings

    findings, asked = judged
    assert validate_findings(findings, asked).passed


WEAKENED: dict[str, Callable[[Findings], Findings]] = {
    "a check is not answered": lambda found: [
        one for one in found if one.key != "source_described"
    ],
    "a check is answered twice": lambda found: [*found, next(one for one in found if one.key)],
    "a check that nobody asked": lambda found: [*found, replace(found[-1], key="invented")],
    "no check at all": lambda found: [one for one in found if not one.key],
    "a negative count": lambda found: _changed(found, violated=-1),
    "no count": lambda found: _changed(found, violated=None),
    "no denominator": lambda found: _changed(found, denominator=None),
    "above its limit, called passed": lambda found: _changed(found, violated=10, allowed=3.0),
    "no answer, called passed": lambda found: _changed(found, error=True, failed=False),
}


@pytest.mark.parametrize("weakening", WEAKENED)
def test_gx_refuses_a_table_that_is_not_whole(
    weakening: str, judged: tuple[Findings, list[str]]
) -> None:
    from entrepot.quality.answers import validate_findings

    findings, asked = judged
    weakened = WEAKENED[weakening](findings)
    assert weakened != findings
    assert not validate_findings(weakened, asked).passed


def test_history_scorecard_and_data_docs(clean: Path, tmp_path: Path) -> None:
    """A sound database, then the same with stays that end before they begin."""
    history, out = tmp_path / "history.parquet", tmp_path / "out"
    assert check(clean, out, "--history", str(history)) == 0
    first = (out / "scorecard.html").read_text(encoding="utf-8")
    assert "Aucune charge précédente" in first
    spoilt = tmp_path / "spoilt.duckdb"
    spoilt.write_bytes(clean.read_bytes())
    with duckdb.connect(str(spoilt)) as connection:
        connection.execute(BACKWARDS)
    options = ("--history", str(history), "--data-docs", "--lang", "en")
    assert check(spoilt, out, *options) == 3
    verdict = json.loads((out / "verdict.json").read_text())
    assert verdict["metrics_faults"] == []
    blocking = {one["check_id"] for one in verdict["blocking"]}
    _look(out / "scorecard.html", verdict, blocking)
    pages = list((out / "data_docs").rglob("*.html"))
    assert len(pages) > 2
    for page in pages:
        assert not re.search(r"<script|(?:src|href)=[\"']https?:", page.read_text())


def _look(path: Path, verdict: dict[str, int], blocking: set[str]) -> None:
    seen = browser.Seen()
    with browser.page(seen, height=1250) as page:
        page.goto(path.as_uri())
        assert page.locator("#verdict").inner_text() == "Refused: at least one check blocks"
        worse = set(page.locator("#worse tbody th").all_inner_texts())
        assert blocking
        assert blocking <= worse
        tiles = page.locator(".tile b").all_inner_texts()
        assert tiles[1] == f"{verdict['applicable']:,}"
        assert tiles[2] == str(len(blocking))
        rows = page.locator("#category tbody tr td[data-of=passed]").all_inner_texts()
        assert sum(int(text.replace(",", "")) for text in rows) == verdict["passed_checks"]
        assert page.locator("#time tbody tr").count() == 2
        assert page.locator("#time svg circle").count() >= 2
        assert page.locator("table").count() == page.locator("table > caption").count()
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        if browser.wanted_screenshots():
            browser.screenshot(page, IMAGE, whole=False)
    assert seen == browser.Seen(), "no error, no request"


def test_dqds_verdicts_have_a_scorecard_too(clean: Path, tmp_path: Path) -> None:
    check(clean, tmp_path, "--compat", "dqd", "--lang", "en")
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    page = (tmp_path / "scorecard.html").read_text(encoding="utf-8")
    assert f"{verdict['applicable']:,}</b>" in page


def check(database: Path, out: Path, *options: str) -> int:
    called = CliRunner().invoke(
        app, ["quality", "check", "--database", str(database), "--out", str(out), *options]
    )
    if called.exception is not None and not isinstance(called.exception, SystemExit):
        raise called.exception
    return called.exit_code
