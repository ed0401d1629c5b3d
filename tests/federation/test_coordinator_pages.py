"""The researcher's pages in a real browser: signing there, states, results, both languages."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

import browser
from entrepot.federation.canonical import canonical
from entrepot.federation.coordinator.questions import questions, submit
from entrepot.federation.envelopes import open_signed, read_envelope
from entrepot.people import create_key
from federation.hub import COUNTS, DEFINITION, NODES, Hub, make_hub, payload
from federation.served import Serving, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("federation_pages")]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    folder = tmp_path_factory.mktemp("pages")
    made = make_hub(folder, dt.datetime.now(dt.UTC), ports=(0, 0))
    with (made.coordinator.folder / "coordinator.yaml").open("a") as settings:
        settings.write("pages_tls: false\n")
    (folder / "cases.json").write_text(json.dumps(DEFINITION))
    return made


@pytest.fixture(scope="module")
def served(hub: Hub) -> Iterator[Serving]:
    with serving(hub.coordinator.folder) as running:
        yield running


def _sign_in(page: Page, served: Serving, key: Path) -> None:
    page.goto(served.pages)
    page.set_input_files("#key", key)
    page.locator("#enter").click()


def _ask(page: Page, hub: Hub) -> None:
    """From the list of studies to a signed question."""
    page.locator("td a").first.click()
    page.locator("a.button").click()
    page.set_input_files("#definitions", hub.keys.parent / "cases.json")
    page.locator("#cohorts li", has_text="cases").wait_for()
    assert json.loads(page.locator("#parameters").input_value()) == {"cohorts": ["cases"]}
    with page.expect_download() as downloaded:
        page.locator("#new_key").click()
    downloaded.value.save_as(hub.keys / "browser.pem")
    page.locator("button[type=submit]").click()
    page.locator("#review").wait_for()


def _image(page: Page, name: str) -> None:
    """An image of the manual, when they are wanted."""
    if browser.wanted_screenshots():
        images = Path(__file__).parents[2] / "docs" / "images"
        browser.screenshot(page, images / f"{name}.png", whole=name != "federation_ask")


def test_a_question_is_signed_in_the_browser_and_its_results_are_seen(
    hub: Hub, served: Serving
) -> None:
    seen = browser.Seen()
    with browser.page(seen) as page:
        _sign_in(page, served, hub.keys / "researcher.pem")
        page.locator("h1", has_text="Vos études").wait_for()
        assert hub.card.title in page.locator("table").inner_text()
        _ask(page, hub)
        body = json.loads(page.locator("#body").inner_text())
        assert body["cohorts"] == {"cases": DEFINITION}
        assert body["analysis"] == {**COUNTS}
        assert page.locator("#sha").inner_text() == hashlib.sha256(canonical(body)).hexdigest()
        page.set_input_files("#key", hub.keys / "researcher.pem")
        _image(page, "federation_ask")
        page.locator("#sign").click()
        page.wait_for_url("**/queries/*")
        (asked,) = questions(hub.coordinator)
        envelope = read_envelope(hub.tasks("chu-nord")[0]["envelope"])
        assert open_signed(envelope, "researcher", hub.card.researchers[0].key)
        assert page.locator("tr[data-state=queued]").count() == 3
        for node, count in zip(NODES, (40, 55, None), strict=True):
            given = payload(asked.query.analysis, count)
            hub.send_answer(node, hub.answer(node, asked.query, asked.id, payload=given))
        page.locator("tr[data-state=answered]").nth(2).wait_for()
        page.wait_for_load_state()
        assert page.locator("figure svg").count() == 2
        by_site = page.locator("section.result").nth(1).locator("svg").text_content() or ""
        assert "hopital-sud <\u00a011" in by_site, "withheld: an interval, not a zero"
        _image(page, "federation_question")
        page.goto(page.url + "?lang=en")
        page.locator("h2", has_text="How it stands at each site").wait_for()
        overflow = "document.documentElement.scrollWidth > window.innerWidth"
        assert not page.evaluate(overflow)
    assert seen == browser.Seen(), "no error, nothing from elsewhere"


def test_a_file_chosen_before_the_script_of_the_page_has_come_is_read(
    hub: Hub, served: Serving
) -> None:
    """On a slow line the form is there seconds before what listens to it."""
    held: list[Route] = []
    with browser.page() as page:
        _sign_in(page, served, hub.keys / "researcher.pem")
        page.locator("td a").first.click()
        page.locator("a.button").wait_for()
        page.route("**/page.js", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks it)
        page.locator("a.button").click()
        page.set_input_files("#definitions", hub.keys.parent / "cases.json")
        assert page.locator("#cohorts li.muted").count() == 1, "nothing listens yet"
        assert len(held) == 1
        held[0].continue_()
        page.locator("#cohorts li", has_text="cases").wait_for()
        assert page.locator("#cohorts li").count() == 1
        assert json.loads(page.locator("#parameters").input_value()) == {"cohorts": ["cases"]}


def test_a_strangers_key_enters_nowhere(hub: Hub, served: Serving) -> None:
    stranger = hub.keys / "stranger.pem"
    create_key(stranger)
    with browser.page() as page:
        _sign_in(page, served, stranger)
        page.locator("#message", has_text="Refusé").wait_for()
        page.set_input_files("#key", hub.keys / "answers.pem")  # X25519: cannot sign
        page.locator("#enter").click()
        page.locator("#message", has_text="pas une clé Ed25519").wait_for()
        page.goto(f"{served.pages}/studies")
        assert page.url.endswith("/sign-in")


def test_whoever_is_not_signed_in_reads_nothing(hub: Hub, served: Serving) -> None:
    query = hub.query()
    id_ = submit(hub.coordinator, hub.signed(query).text(), dt.datetime.now(dt.UTC))
    for path in (
        "/studies", f"/queries/{id_}", f"/queries/{id_}/states",
        f"/queries/{id_}/answers", f"/studies/{query.card}", "/cards",
    ):  # fmt: skip
        found = httpx.get(served.pages + path, headers={"Accept": "application/json"})
        assert found.status_code == 401, path
        assert query.study not in found.text


def test_another_page_of_the_browser_can_send_nothing(hub: Hub, served: Serving) -> None:
    envelope = {"envelope": hub.signed(hub.query()).text()}
    for headers in ({"Origin": "http://elsewhere.example"}, {"Content-Type": "text/plain"}):
        found = httpx.post(f"{served.pages}/queries", json=envelope, headers=headers)
        assert found.status_code == 403
    found = httpx.get(f"{served.pages}/sign-in")
    assert "frame-ancestors 'none'" in found.headers["Content-Security-Policy"]
    assert found.headers["Cache-Control"] == "no-store"


def test_a_challenge_is_good_once_and_for_this_coordinator(hub: Hub, served: Serving) -> None:
    from entrepot.federation.coordinator.client import signed_challenge

    key = hub.keys / "researcher.pem"
    text = httpx.get(f"{served.pages}/sign-in/challenge").json()["challenge"]
    answer = signed_challenge(text, key)
    assert httpx.post(f"{served.pages}/sign-in", json=answer).status_code == 200
    assert httpx.post(f"{served.pages}/sign-in", json=answer).status_code == 403
    stated = {**json.loads(text), "nonce": "0" * 32}
    made_up = signed_challenge(canonical(stated).decode(), key)
    assert httpx.post(f"{served.pages}/sign-in", json=made_up).status_code == 403
    other = {**json.loads(text), "coordinator": "0" * 64}
    assert (
        httpx.post(
            f"{served.pages}/sign-in", json=signed_challenge(canonical(other).decode(), key)
        ).status_code
        == 403
    )
