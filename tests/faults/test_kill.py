"""kill -9 at 20 random points of `run`: the same command ends in the same warehouse.

The run that is killed has everything to do: new records, persons to derive again for a merge, an
opposition, and a published release to replace.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from entrepot.config import Site
from entrepot.landing.database import zone_engine
from entrepot.lock import site_lock
from entrepot.order import FILE as ORDER
from entrepot.report.accounting import records, rows
from properties.stages import Sites, land, oppose
from properties.told import hospital, ipps
from roads import hashes, travel

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("kill_trials.py")
SEED, TRIALS, POINTS = 7, 20, 2026
OPPOSED = 18


@dataclass(frozen=True)
class Trials:
    """Where the copies lie, and the release that stood before."""

    folder: Path
    former: dict[str, str]
    lines: list[dict[str, object]]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    sites = Sites(tmp_path_factory.mktemp("kill"))
    site = sites.new("workers: 1\n")
    messages = hospital(SEED, (11, 18), ("hl7v2",), twice=0)
    first = [told for told in messages if told.event != "ADT^A40^ADT_A39"][::2]
    land(site, first)
    assert travel(site).published
    land(site, messages)
    oppose(site, ipps(SEED, OPPOSED))
    folder = tmp_path_factory.mktemp("trials")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(site.root), str(folder), str(TRIALS), str(POINTS)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return Trials(folder, hashes(site), lines)


def _tree(site: Site) -> list[str]:
    """Every file of the site but the database's journal; names from history or clock are even."""
    names = (str(path.relative_to(site.root)) for path in site.root.rglob("*") if path.is_file())
    plain = {re.sub(r"(?<=staging/)\d{8}|\d{8}T\d{6}\.\d+Z", "N", name) for name in names}
    return sorted(name for name in plain if not name.endswith(("-wal", "-shm")))


def _release_at_kill(research: Path) -> dict[str, str]:
    """The release as a reader found it just after the kill."""
    site = Site.open(research.parent / "reference")
    alone = research.parent / f"{research.name}-site"
    alone.mkdir()
    (alone / "site.yaml").write_bytes((site.root / "site.yaml").read_bytes())
    research.rename(alone / "research")
    return hashes(Site.open(alone))


def test_the_undisturbed_run_replaced_the_release(trials: Trials) -> None:
    assert trials.lines[0]["exit"] in (0, 4)
    expected = hashes(Site.open(trials.folder / "reference"))
    assert expected
    assert expected != trials.former


def test_points_are_spread_over_the_whole_run(trials: Trials) -> None:
    """Most of the kills struck: some before the new generation was whole, some in map or gate."""
    struck = [line for line in trials.lines[1:] if line["killed"]]
    assert len(trials.lines) == TRIALS + 1
    assert len(struck) >= TRIALS - 4, trials.lines
    assert {line["generation"] for line in struck} == {1, 2}
    assert {line["candidate"] for line in struck} == {False, True}


@pytest.mark.parametrize("number", range(TRIALS))
def test_a_killed_run_is_repeated_to_the_same_warehouse(trials: Trials, number: int) -> None:
    reference = Site.open(trials.folder / "reference")
    site = Site.open(trials.folder / f"trial-{number:02d}")
    expected = hashes(reference)
    assert _release_at_kill(trials.folder / f"killed-{number:02d}") in (trials.former, expected)
    line = trials.lines[number + 1]
    assert line["exit"] == trials.lines[0]["exit"], line
    assert hashes(site) == expected
    assert _tree(site) == _tree(reference)
    assert len(list(site.staging.glob("[0-9]*"))) == 1
    assert [path.name for path in site.work.rglob("*") if path.is_file()] == [ORDER]
    with site_lock(site):
        pass
    engine = zone_engine(site)
    with engine.connect() as connection:
        counted = records(connection)
    engine.dispose()
    assert counted.balanced
    assert sum(source.pending for source in counted.sources.values()) == 0
    assert rows(site.warehouse).balanced
