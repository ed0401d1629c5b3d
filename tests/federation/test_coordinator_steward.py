"""The steward's page at a node, in a real browser: what is asked, approved and refused there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

import browser
from entrepot.federation.cards import StudyCard
from entrepot.federation.coordinator.transport import Listener
from entrepot.federation.node.approving import find
from entrepot.federation.node.intake import receive
from entrepot.federation.node.states import State
from entrepot.federation.pages.steward import ADDRESS, steward_app
from federation.node_hospital import (
    STEWARD,
    Hospital,
    accepted,
    new_hospital,
    query_for,
    sent,
)

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("federation_pages")]
TOKEN = "t0ken-of-the-steward"


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return new_hospital(tmp_path_factory.mktemp("steward"))


@pytest.fixture(scope="module")
def url(hospital: Hospital) -> Iterator[str]:
    listener = Listener(steward_app(hospital.site, TOKEN), ADDRESS, 0)
    thread = threading.Thread(target=_run, args=(listener,), daemon=True)
    thread.start()
    yield f"http://{ADDRESS}:{listener.port}/{TOKEN}/"
    listener.should_exit = True
    thread.join(timeout=20)


def _run(listener: uvicorn.Server) -> None:
    import asyncio

    asyncio.run(listener.listen())  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def card(hospital: Hospital) -> StudyCard:
    return accepted(hospital, "manual")


@pytest.fixture(scope="module")
def questions(hospital: Hospital, card: StudyCard) -> tuple[str, str]:
    """Two questions that wait for the steward."""
    return _waiting(hospital, card, 1), _waiting(hospital, card, 2)


def _waiting(hospital: Hospital, card: StudyCard, number: int) -> str:
    taken = receive(hospital.node, sent(hospital, query_for(hospital, card, number)).text())
    assert taken.state is State.AWAITING_STEWARD, taken
    return taken.query


def test_the_steward_approves_one_and_refuses_the_other(
    hospital: Hospital, url: str, questions: tuple[str, str]
) -> None:
    seen, key = browser.Seen(), hospital.keys / f"{STEWARD}.pem"
    with browser.page(seen) as page:
        page.goto(url)
        assert page.locator("article").count() == 2
        text = page.locator(f"article[data-query='{questions[0]}']").inner_text()
        assert "201826" in text, "the definition is there to be read"
        if browser.wanted_screenshots():
            images = Path(__file__).parents[2] / "docs" / "images"
            browser.screenshot(page, images / "federation_steward.png", whole=False)
        for hash_, button in zip(questions, ("approve", "refuse"), strict=True):
            form = page.locator(f"form[data-query='{hash_}']")
            form.locator("input[name=by]").fill(STEWARD)
            form.locator("input[type=file]").set_input_files(key)
            form.locator("select").select_option("not_feasible")
            form.locator(f"button[value={button}]").click()
            form.wait_for(state="detached")
            page.wait_for_load_state()  # the page comes anew; its buttons work once its script has
        assert page.locator("#none").count() == 1
        assert page.locator("#past tbody tr").count() == 2
    assert seen == browser.Seen(), "no error, nothing from elsewhere"
    approved, refused = (find(hospital.node, one) for one in questions)
    assert approved.state in State.allowed()
    assert approved.decided_by == STEWARD
    assert (refused.state, refused.code) == (State.REFUSED, "not_feasible")


def test_a_decision_needs_the_stewards_own_key(
    hospital: Hospital, url: str, card: StudyCard
) -> None:
    waiting = _waiting(hospital, card, 3)
    body = {"query": waiting, "by": STEWARD, "approved": True, "code": "",
            "signature": "0" * 128}  # fmt: skip
    found = httpx.post(f"{url}decisions", json=body)
    assert found.status_code == 422
    assert find(hospital.node, waiting).state is State.AWAITING_STEWARD


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/", {}), ("/other/", {}), (f"/{TOKEN}/", {"Host": "elsewhere.example"})],
)
def test_nobody_else_finds_the_page(url: str, path: str, headers: dict[str, str]) -> None:
    base = url.removesuffix(f"/{TOKEN}/")
    assert httpx.get(base + path, headers=headers).status_code == 404


def test_another_page_can_decide_nothing(url: str) -> None:
    found = httpx.post(f"{url}decisions", json={}, headers={"Origin": "http://elsewhere.example"})
    assert found.status_code == 403


def test_the_folder_of_templates_ships() -> None:
    from entrepot.federation.pages.rendering import FOLDER

    assert {path.suffix for path in Path(FOLDER / "templates").iterdir()} == {".j2"}
