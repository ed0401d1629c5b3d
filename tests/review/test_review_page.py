"""The reader's page in a real browser."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from entrepot.config import Site
from entrepot.keys import site_keyring
from entrepot.review import results
from entrepot.review.drawing import draw
from entrepot.review.report import report
from entrepot.review.sample import Sample, folder, load_reading
from review.letters import LETTERS, MISSED, PATIENT, READERS, SHOWN
from review.reading import notes, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("reidentification")]


def _select(page: Page, words: str) -> None:
    """Selects these words as a mouse would leave them selected."""
    page.evaluate(
        """words => {
          const text = document.getElementById("text");
          const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const node = walker.currentNode, at = node.data.indexOf(words);
            if (at < 0) continue;
            window.getSelection().setBaseAndExtent(node, at, node, at + words.length);
            return;
          }
          throw new Error("not in the text");
        }""",
        words,
    )


def _number(site: Site, sample: Sample) -> int:
    """The place of the letter that holds the phrase."""
    texts = notes(site)
    return next(n for n, d in enumerate(sample.documents) if MISSED in texts[d.note_id])


def _wait(page: Page, progress: str) -> None:
    """Until the line above the text says so (the page forbids scripts made of strings)."""
    page.locator("#progress", has_text=progress).wait_for()


def _go(page: Page, number: int) -> None:
    """From the first document to this one, by the keyboard."""
    for place in range(number + 1):
        _wait(page, f"Document {place + 1} ")
        if place < number:
            page.keyboard.press("Alt+ArrowRight")


def _read_all(page: Page, site: Site, sample: Sample, *, over: bool) -> None:
    """Reads every document; in the one with the phrase, marks it and perhaps a tag."""
    page.wait_for_selector("#labels button")
    number = _number(site, sample)
    for place in range(len(sample.documents)):
        _wait(page, f"Document {place + 1} sur ")
        if place != number:
            page.locator("#nothing").click()
            continue
        _select(page, MISSED)
        page.keyboard.press("a")
        if over:
            page.locator("#text .tag").first.click()
            page.wait_for_selector("#text .tag.over")
        page.locator("#save").click()
    _wait(page, f", {len(sample.documents)} relus")


def _check_what_is_kept(site: Site, sample: Sample) -> None:
    """Offsets of characters (a sign before the phrase counts twice in a browser), and no text."""
    place = folder(site, sample.review)
    note = sample.documents[_number(site, sample)].note_id
    (mark,) = load_reading(place, sample.review, READERS[1]).documents[note].marks
    assert notes(site)[note][mark.start : mark.end] == MISSED
    for path in (one for one in place.rglob("*") if one.is_file()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "sonneur" not in path.read_text()
        assert PATIENT not in path.read_text()


def test_two_readers_mark_a_miss_and_an_over_masked_tag(site: Site) -> None:
    sample, seen = draw(site, LETTERS), browser.Seen()
    for reader, over in zip(READERS, (True, False), strict=True):
        with served(site, sample, reader) as server, browser.page(seen) as page:
            page.goto(server.url)
            _read_all(page, site, sample, over=over)
            page.reload()
            page.wait_for_selector("#labels button")
            _go(page, _number(site, sample))
            assert page.locator("#text .miss").inner_text() == MISSED
            assert page.locator("#text .tag.over").count() == int(over)
    assert seen == browser.Seen(), "no error, nothing from elsewhere"
    _check_what_is_kept(site, sample)
    result, paths = report(site, site_keyring(site), sample.review)
    assert result.complete
    assert (result.read, result.leaking_documents, dict(result.misses)) == (
        LETTERS,
        1,
        {"ADRESSE": 1},
    )
    assert result.overall.over == 1
    assert result.agreement[0].positive == 1
    assert result.agreement[0].disagreements == 1
    assert results(site) == [result]
    with browser.page(seen) as page:
        page.goto(paths[1].as_uri())
        text = page.locator("body").inner_text()
        assert f"1 sur {LETTERS}" in text
        assert "adresse" in text
        assert page.locator("svg circle").count() >= 2
    assert seen == browser.Seen()


def test_the_page_is_read_and_marked_without_a_mouse(site: Site) -> None:
    sample = draw(site, LETTERS)
    with served(site, sample, READERS[0]) as server, browser.page(locale="en-GB") as page:
        page.goto(server.url)
        page.wait_for_selector("#labels button")
        assert page.locator("#save").inner_text() == "Save and go on"
        _go(page, _number(site, sample))
        before = page.locator("#text").inner_text()
        page.locator("#text").focus()
        page.keyboard.press("Control+Home")
        page.keyboard.press("Q")  # types nothing: the text cannot be changed
        for _ in range(6):
            page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("n")
        assert page.locator("#text .miss").inner_text() == before[:6]
        assert page.locator("#text").inner_text() == before
        page.locator("#tags button").first.focus()
        page.keyboard.press("Space")
        assert page.locator("#text .tag.over").count() == 1
        page.locator("#text").focus()
        page.keyboard.press("Enter")
        _wait(page, ", 1 read")
        unnamed = "button:not([aria-label])"
        assert all(
            page.locator(unnamed).nth(n).inner_text() for n in range(page.locator(unnamed).count())
        )


def test_a_document_that_left_the_release_shows_no_text(site: Site) -> None:
    sample = draw(site, LETTERS)
    place = folder(site, sample.review) / "sample.json"
    stated = json.loads(place.read_text())
    stated["documents"][0]["sha256"] = "0" * 64
    place.write_text(json.dumps(stated))
    with served(site, sample, READERS[0]) as server, browser.page() as page:
        page.goto(server.url)
        _wait(page, f"Document 1 sur {LETTERS}")
        assert page.locator("#text").inner_text() == ""
        assert "n'est plus dans la livraison" in page.locator("#message").inner_text()
        assert page.locator("#save").is_disabled()


@pytest.mark.skipif(not browser.wanted_screenshots(), reason="made with ENTREPOT_SCREENSHOTS=1")
def test_image_of_the_manual(site: Site) -> None:
    image = Path(__file__).parents[2] / "docs" / "images" / "review.png"
    sample = draw(site, LETTERS)
    with served(site, sample, READERS[0]) as server, browser.page(height=960) as page:
        page.goto(server.url)
        page.wait_for_selector("#labels button")
        texts = notes(site)
        _go(page, next(n for n, d in enumerate(sample.documents) if SHOWN in texts[d.note_id]))
        _select(page, SHOWN)
        page.keyboard.press("x")
        browser.screenshot(page, image, whole=False)
