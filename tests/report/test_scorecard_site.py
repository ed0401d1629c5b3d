"""The scorecard of a site over its loads: published, refused, an opposition, a lost history."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import browser
from entrepot.cli.main import app
from entrepot.config import Site
from entrepot.quality.past import history_of_release
from faults.hand_made import admission, diagnosis
from roads import feed, hashes, new_site, oppose, query, travel

pytestmark = pytest.mark.integration

FAULT = "\nUPDATE cdm.person SET gender_source_value = 'jean.dupont@example.org';\n"
SQL = Path(__file__).parents[2] / "mappings" / "omop"
FIRST = admission("1", "0081", "9081") + diagnosis("2", "0081", "9081", "I10")
SECOND = admission("3", "0082", "9082", name="PETIT") + diagnosis("4", "0082", "9082", "E119")
OPPOSITIONS = "authority,ipp,opposed_on,withdrawn_on\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Two loads published, the second with more data."""
    made = new_site(tmp_path_factory.mktemp("scorecard") / "site")
    feed(made, "first.hl7", FIRST)
    assert travel(made).published
    feed(made, "second.hl7", SECOND)
    assert travel(made).published
    return made


def copied(site: Site, folder: Path) -> Site:
    shutil.copytree(site.root, folder / "site")
    return Site.open(folder / "site")


def test_every_release_remembers_the_loads_before_it(site: Site) -> None:
    first, second = history_of_release(site.warehouse)
    (release,) = query(site, "SELECT DISTINCT release_id FROM etl.release")[0]
    assert (first.number, second.number, second.release_id) == (1, 2, release)
    assert first.release_id
    assert first.release_id != release
    metrics = query(site, "SELECT check_id, violated, denominator FROM etl.metric ORDER BY ALL")
    kept = sorted((o.check_id, o.violated, o.denominator) for o in second.lines if not o.source)
    assert kept == metrics
    persons = {o.denominator for o in second.lines if o.source == "adt" and o.table == "person"}
    assert persons == {query(site, "SELECT count(*) FROM cdm.person")[0][0]}


def test_a_site_that_forgot_gives_the_same_tables(site: Site, tmp_path: Path) -> None:
    """The history is an input of nothing but itself."""
    again = copied(site, tmp_path)
    again.warehouse.unlink()
    assert travel(again).published
    assert hashes(again) == hashes(site)
    assert len(history_of_release(again.warehouse)) == 1


def test_a_refused_load_is_shown_beside_the_release_in_place(site: Site, tmp_path: Path) -> None:
    again = copied(site, tmp_path)
    overlay = again.root / "mappings" / "omop" / "person.sql"
    overlay.parent.mkdir(parents=True, exist_ok=True)
    overlay.write_text((SQL / "person.sql").read_text() + FAULT)
    assert travel(again).exit_code == 3
    told = facts(again)
    assert (told["passed"], told["release"], len(told["loads"])) == (False, "", 3)
    blocking = {one["check_id"] for one in told["above"] if one["status"] == "failed"}
    verdict = json.loads((again.quality / "verdict.json").read_text())
    assert blocking == {one["check_id"] for one in verdict["failures"]}
    assert {one["check_id"] for one in told["news"]["worse"]} >= blocking
    assert len(history_of_release(again.warehouse)) == 2
    assert 'href="scorecard.html"' in (again.reports / "run.html").read_text()


def test_an_opposition_rewrites_the_file_and_keeps_the_history(site: Site, tmp_path: Path) -> None:
    again = copied(site, tmp_path)
    file = tmp_path / "oppositions.csv"
    file.write_text(OPPOSITIONS + "1.2.250.1.999.1,0082,2024-03-01,\n")
    before = query(again, "SELECT count(*) FROM cdm.person")[0][0]
    oppose(again, file)
    assert travel(again).published
    assert query(again, "SELECT count(*) FROM cdm.person")[0][0] == before - 1
    loads = history_of_release(again.warehouse)
    assert [one.number for one in loads] == [1, 2, 3]
    assert loads[:2] == history_of_release(site.warehouse)


def test_the_page_stands_alone_in_both_languages(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "card.html"
    called = CliRunner().invoke(
        app, ["report", "scorecard", "--site", str(site.root), "--lang", "fr,en",
              "--out", str(out)],
    )  # fmt: skip
    assert called.exit_code == 0, called.output
    titles = {"fr": "Tableau de bord de la qualité", "en": "Quality scorecard"}
    for language, title in titles.items():
        seen = browser.Seen()
        with browser.page(seen) as page:
            page.goto((tmp_path / f"card.{language}.html").as_uri())
            assert page.locator("h1").inner_text() == title
            assert page.locator("#source tbody tr").count() == 1
            assert page.locator("#time tbody tr").count() == 2
        assert seen == browser.Seen()


def facts(site: Site) -> dict[str, object]:
    called = CliRunner().invoke(app, ["report", "scorecard", "--site", str(site.root), "--json"])
    assert called.exit_code == 0, called.output
    return json.loads(called.output)  # type: ignore[no-any-return]
