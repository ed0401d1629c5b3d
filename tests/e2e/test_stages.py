"""The stages called one by one, each as a task would: the same release, and nothing in between.

A waiver is a named person's word for what was seen: it reaches no further, and never to what may
not be waived.
"""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from calling import Call, Said
from entrepot import stages
from entrepot.audit import read_entries
from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import ConfigurationError, GateBlockedError, SiteBusyError
from entrepot.load import JUDGING, Load
from entrepot.lock import site_lock
from entrepot.order import LoadOrder, Waiver, read_order
from entrepot.people import create_key
from faults.hand_made import admission, diagnosis
from roads import feed, hashes, keyring, new_site, query, travel

pytestmark = pytest.mark.integration

UNTIL = dt.date(2024, 12, 31)


def stay(number: int, *, backwards: bool = False) -> bytes:
    """A stay with a diagnosis; a backwards one ends before it begins."""
    ipp, nda = f"{number:04d}", f"9{number:03d}"
    end = "20240228080000" if backwards else "20240302110000"
    return admission(f"A{number}", ipp, nda, end=end) + diagnosis(f"D{number}", ipp, nda, "I10")


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with three good stays that wait."""
    site = new_site(tmp_path_factory.mktemp("stages") / "site")
    feed(site, "good.hl7", b"".join(stay(number) for number in range(1, 4)))
    return site


@pytest.fixture
def site(landed: Site, tmp_path: Path) -> Site:
    shutil.copytree(landed.root, tmp_path / "site")
    return Site.open(tmp_path / "site")


def in_a_process(act: Callable[[Site], object], site: Site) -> int:
    """Exit code of the stage in a process of its own, as a task has."""
    child = multiprocessing.get_context("spawn").Process(target=act, args=(site,))
    child.start()
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def test_each_stage_in_its_own_process_publishes_what_a_run_does(
    site: Site, tmp_path: Path
) -> None:
    shutil.copytree(site.root, tmp_path / "run")
    whole = Site.open(tmp_path / "run")
    assert travel(whole).published
    for act in (stages.register, stages.door, stages.map_, stages.gate, stages.publish):
        assert in_a_process(act, site) == 0
    assert hashes(site) == hashes(whole)
    assert [path.name for path in site.work.iterdir() if path.is_file()] == ["order.json"]


def test_what_is_up_to_date_is_not_done_again(site: Site) -> None:
    assert travel(site).published
    before = site.warehouse.stat()
    assert not stages.door(site).due
    assert not stages.map_(site).due
    assert stages.gate(site) is None
    assert stages.publish(site).passed
    assert site.warehouse.stat().st_ino == before.st_ino


def test_stages_refuse_what_does_not_belong_together(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="no order"):
        stages.map_(site)
    stages.register(site)
    stages.door(site)
    with pytest.raises(ConfigurationError, match="no passed candidate"):
        stages.publish(site)
    stages.map_(site)
    with pytest.raises(ConfigurationError, match="no passed candidate"):
        stages.publish(site)  # mapped, and judged by nobody
    assert stages.gate(site) is not None
    feed(site, "more.hl7", stay(4))
    stages.register(site)
    stages.door(site)
    with pytest.raises(ConfigurationError, match="no passed candidate"):
        stages.publish(site)  # the candidate was made from other inputs
    assert stages.gate(site) is not None  # which the gate has made anew
    assert stages.publish(site).published
    assert query(site, "SELECT count(*) FROM person") == [(4,)]


def test_a_stage_waits_for_no_other(site: Site) -> None:
    with site_lock(site), pytest.raises(SiteBusyError):
        stages.register(site)


def _die_in_the_gate(site: Site) -> None:
    import entrepot.load

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    entrepot.load.run_gate = die  # type: ignore[assignment]
    stages.gate(site)


def test_a_gate_that_was_killed_judges_a_new_candidate(site: Site) -> None:
    stages.register(site)
    stages.door(site)
    stages.map_(site)
    assert in_a_process(_die_in_the_gate, site) == -signal.SIGKILL
    assert Load(site, read_order(site)).state == JUDGING
    verdict = stages.gate(site)
    assert verdict is not None
    assert verdict.passed
    assert stages.publish(site).published


def test_an_order_that_was_cut_short_is_told(site: Site) -> None:
    stages.register(site)
    stages.door(site)
    path = site.work / "order.json"
    path.write_text(path.read_text(encoding="utf-8")[:50], encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no order"):
        stages.map_(site)
    assert stages.door(site).due


@pytest.fixture
def blocked(site: Site) -> Site:
    """More stays end before they begin than the threshold lets pass: 25 of 28, 5 % and 20 rows."""
    feed(site, "bad.hl7", b"".join(stay(n, backwards=True) for n in range(10, 35)))
    assert not travel(site).passed
    return site


def _failing(site: Site) -> set[str]:
    verdict = json.loads((site.quality / "verdict.json").read_text(encoding="utf-8"))
    return {one["check_id"] for one in verdict["failures"]}


def test_a_named_person_lets_a_load_pass_and_the_rows_stay_out(blocked: Site) -> None:
    failing = _failing(blocked)
    assert any(check.startswith("order.visit_occurrence") for check in failing)
    assert set(stages.waive(blocked, "C. Intendante", "clock of unit 3001", UNTIL)) == failing
    assert travel(blocked).published
    assert query(blocked, "SELECT count(*) FROM visit_occurrence") == [(3,)]
    verdict = json.loads((blocked.quality / "verdict.json").read_text(encoding="utf-8"))
    assert {one["check_id"] for one in verdict["waived"]} == failing
    report = (blocked.reports / "run.html").read_text(encoding="utf-8")
    assert "C. Intendante" in report
    assert "clock of unit 3001" in report
    waived = [one for one in read_entries(blocked, keyring(blocked)) if one.action == "waived"]
    assert [one.facts["by"] for one in waived] == ["C. Intendante"]


def test_a_steward_waives_at_the_command_line_with_their_key(
    blocked: Site, tmp_path: Path, call: Call
) -> None:
    failing = _failing(blocked)
    keys = {name: create_key(tmp_path / f"{name}.pem") for name in ("marc.roy", "lea.nguyen")}
    with (blocked.root / CONFIG_NAME).open("a", encoding="utf-8") as settings:
        settings.write("people:\n")
        for name, profile in (("marc.roy", "steward"), ("lea.nguyen", "engineer")):
            settings.write(f"  {name}: {{profiles: [{profile}], public_key: {keys[name]}}}\n")

    def waive(name: str, key: str, *more: str) -> Said:
        return call("quality", "waive", "--site", blocked.root, "--as", name, "--key",
                    tmp_path / f"{key}.pem", "--reason", "clock of unit 3001", *more)  # fmt: skip

    assert "has not the profile steward" in waive("lea.nguyen", "lea.nguyen").err
    assert "not signed by marc.roy's key" in waive("marc.roy", "lea.nguyen").err
    assert "this is no day" in waive("marc.roy", "marc.roy", "--until", "tomorrow").err
    assert not travel(blocked).passed
    said = waive("marc.roy", "marc.roy", "--until", UNTIL.isoformat(), "--json")
    assert set(json.loads(said.out)["waived"]) == failing
    assert travel(blocked).published
    assert waive("marc.roy", "marc.roy").code != 0  # nothing is blocked any more


def test_a_waiver_reaches_no_further_than_what_was_seen(blocked: Site) -> None:
    stages.waive(blocked, "C. Intendante", "clock of unit 3001", UNTIL)
    feed(blocked, "worse.hl7", stay(40, backwards=True))
    assert not travel(blocked).passed


def test_a_waiver_ends(blocked: Site) -> None:
    stages.waive(blocked, "C. Intendante", "clock of unit 3001", dt.date(2024, 3, 1))
    assert not travel(blocked).passed


def test_waivers_hold_by_the_state_of_the_warehouse_and_add_up() -> None:
    def told(day: int) -> LoadOrder:
        waivers = (
            Waiver("order", 25, "a", "b", dt.date(2024, 3, 9)),
            Waiver("order", 30, "a", "b", dt.date(2024, 3, 8)),
        )
        return LoadOrder(1, dt.datetime(2024, 3, day), waivers=waivers)

    assert [told(day).waived for day in (8, 9, 10)] == [{"order": 30}, {"order": 25}, {}]


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("who", ""), ("who", "x" * 501)])
def test_a_waiver_needs_a_name_and_a_reason(blocked: Site, by: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match="a name and a reason"):
        stages.waive(blocked, by, reason)


def test_what_passed_needs_no_waiver(site: Site) -> None:
    assert travel(site).published
    with pytest.raises(ConfigurationError, match="no load is blocked"):
        stages.waive(site, "C. Intendante", "to be sure")


def test_no_one_may_waive_a_found_identifier(site: Site) -> None:
    """A mapping that writes an address into a published column blocks, whoever excuses it."""
    overlay = site.root / "mappings" / "omop" / "care_site.sql"
    overlay.parent.mkdir(parents=True)
    shipped = Path(stages.__file__).parents[2] / "mappings" / "omop" / "care_site.sql"
    overlay.write_text(
        shipped.read_text(encoding="utf-8").replace("s.label AS", "'jean.dupont@example.org' AS"),
        encoding="utf-8",
    )
    assert not travel(site).passed
    assert any(check.startswith("email.care_site") for check in _failing(site))
    with pytest.raises(GateBlockedError, match="no one may waive"):
        stages.waive(site, "C. Intendante", "a known address", UNTIL)
    assert not travel(site).passed
