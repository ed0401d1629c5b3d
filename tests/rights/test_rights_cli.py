"""The verbs of rights: what they print, what they exit with, what they leave where."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from browser import WIDTH, Seen, page, screenshot, wanted_screenshots
from calling import Call, Said
from entrepot.audit import Action, read_entries
from entrepot.config import Site
from entrepot.errors import EXIT_BLOCKED, EXIT_CLEAN, EXIT_USAGE
from properties.told import ipps
from rights.scanned import person_id
from rights.small_hospital import NEWBORN, OTHER, SEED, STUDY, Case, Hospital, number
from roads import keyring, query

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("rights")]

WHO = number(OTHER)
IPP = ("--authority", WHO.authority, "--ipp", WHO.value)
BY = ("--by", "c.moreau", "--why", "demande du 3 mai")


@pytest.fixture
def call_site(call: Call) -> Call:
    """Calls a verb on a site."""

    def command(site: Site, *words: object) -> Said:
        return call(*words, "--site", site.root)

    return command


def test_the_proof_exits_3_when_a_row_is_left(call_site: Call, case: Case) -> None:
    said = call_site(case.site, "oppose", "proof", "--json")
    told = json.loads(said.out)
    assert (said.code, told["clean"], told["rows"]) == (EXIT_CLEAN, True, 0)
    root = case.site.root.with_name("proof")
    shutil.copytree(case.site.root, root)
    site = Site.open(root)
    site.warehouse.unlink()
    shutil.copy(case.before.warehouse, site.warehouse)
    said = call_site(site, "oppose", "proof", "--json")
    told = json.loads(said.out)
    assert (said.code, told["clean"]) == (EXIT_BLOCKED, False)
    left = {one["place"]: one["rows"] for one in told["statements"] if one["rows"]}
    assert left["warehouse cdm.person"] == 1
    assert left["warehouse cdm.visit_occurrence"] > 0
    assert not any(place.startswith("staging") for place in left)


def test_the_registers_by_their_verbs(call_site: Call, published: Hospital) -> None:
    site = published.copy()
    for words in (
        ("oppose", "add", *IPP, "--register", "optout", "--channel", "portal"),
        ("oppose", "add", *IPP, "--scope", "study:s1", "--by-holder", "--born", "2000-01-01"),
        ("inform", "add", *IPP, "--notice", "2026-03", "--to-holder"),
    ):
        assert json.loads(call_site(site, *words, "--json").out) == {"added": 1}
    lines = [json.loads(x) for x in call_site(site, "oppose", "list", "--json").out.splitlines()]
    assert [(x["register"], x["scope"]) for x in lines] == [
        ("optout", "all"), ("opposition", "study:s1"),
    ]  # fmt: skip
    due = call_site(site, "inform", "due", "--json").out
    assert [json.loads(x)["register"] for x in due.splitlines()] == ["opposition", "information"]
    assert WHO.value not in due + call_site(site, "oppose", "list").out
    shown = call_site(site, "inform", "show", "opposition", 2, *BY, "--json")
    assert json.loads(shown.out) == {"authority": WHO.authority, "ipp": WHO.value}
    actions = [entry.action for entry in read_entries(site, keyring(site))]
    assert actions[-4:] == [
        Action.OPPOSITION_ADDED, Action.OPPOSITION_ADDED, Action.INFORMED, Action.NUMBER_READ,
    ]  # fmt: skip
    for words in (
        ("oppose", "add", *IPP, "--register", "optout", "--scope", "study:s1"),
        ("inform", "show", "opposition", 99, *BY),
        ("inform", "show", "opposition", 2, "--by", "p.vigne", "--why", "x"),
        ("erase", *IPP, "--by", "nobody", "--reason", "x"),
        ("erase", *IPP, "--by", "c.moreau", "--reason", " "),
    ):
        said = call_site(site, *words)
        assert said.code == EXIT_USAGE, said
        assert WHO.value not in said.err


def _access(call_site: Call, site: Site) -> tuple[Path, dict[str, object]]:
    made = json.loads(call_site(site, "access-report", *IPP, *BY, "--json").out)
    for name in ("html", "json"):
        path = Path(made[name])
        assert path.is_relative_to(site.identifying)
        assert path.stat().st_mode & 0o777 == 0o600
    told: dict[str, object] = json.loads(Path(made["json"]).read_text())
    return Path(made["html"]), told


def test_a_person_gets_all_of_their_own_data_and_nobody_elses(
    call_site: Call, published: Hospital
) -> None:
    site = published.copy()
    research = {path: path.stat().st_mtime_ns for path in site.research.rglob("*")}
    html, told = _access(call_site, site)
    tables = {t["name"]: len(t["rows"]) for t in told["tables"]}  # type: ignore[attr-defined]
    who = person_id(site, WHO)
    for table in ("person", "visit_occurrence", "measurement", "condition_occurrence", "note"):
        (counted,) = query(site, f"SELECT count(*) FROM {table} WHERE person_id = {who}")
        assert tables.get(table, 0) == counted[0]
    own = sum(told_.patients == {f"P{OTHER:06d}"} for told_ in published.messages)
    assert len(told["records"]) == own  # type: ignore[arg-type]
    text = html.read_text() + json.dumps(told)
    assert all(one in text for one in ipps(SEED, OTHER))
    assert not any(one in text for one in ipps(SEED, NEWBORN))
    assert {path: path.stat().st_mtime_ns for path in site.research.rglob("*")} == research
    (space,) = told["recipients"]  # type: ignore[misc]
    assert (space["study"], space["present"]) == (STUDY, True)  # type: ignore[call-overload]
    last = list(read_entries(site, keyring(site)))[-1]
    assert last.action == Action.ACCESS_REPORTED
    assert last.facts["by"] == "c.moreau"
    seen = Seen()
    with page(seen) as opened:
        opened.goto(html.as_uri())
        shown = opened.inner_text("body")
        assert opened.evaluate("document.documentElement.scrollWidth") <= WIDTH
        if wanted_screenshots():
            screenshot(opened, Path(__file__).parents[2] / "docs" / "images" / "access_report.png")
    assert seen == Seen()
    assert WHO.value in shown
    assert "Consultations de vos données identifiantes" in shown


def test_who_consulted_is_told(call_site: Call, published: Hospital) -> None:
    """A first report is an access like another: the second one tells it."""
    site = published.copy()
    call_site(site, "oppose", "add", *IPP)
    _access(call_site, site)
    _, told = _access(call_site, site)
    acts = [one["action"] for one in told["consultations"]]  # type: ignore[attr-defined]
    assert acts == ["opposition_added", "access_reported", "access_reported"]
