"""The pages of the report: both languages, in a browser, on paper, and the manual's images."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import browser
from report.dpo_hospital import GROUP, Hospital, leaves

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group(GROUP)]


def test_both_languages_tell_the_same_facts(hospital: Hospital) -> None:
    told = {
        language: re.findall(r'data-fact="([^"]*)"', page.read_text(encoding="utf-8"))
        for language, page in hospital.report.pages.items()
    }
    assert set(told) == {"fr", "en"}
    assert told["fr"] == told["en"]
    assert len(told["fr"]) > 500
    texts = [re.sub(r"<style>.*?</style>|<[^>]+>", "", p.read_text(encoding="utf-8"), flags=re.S)
             for p in hospital.report.pages.values()]  # fmt: skip
    assert "Périmètre du chargement" in texts[0]
    assert "Scope of the load" in texts[1]
    for word in ("Rapport", "Chargement", " le ", " des "):
        assert word not in texts[1].replace("Hôpital", ""), word


def test_every_count_of_the_facts_is_printed(hospital: Hospital) -> None:
    page = hospital.report.pages["fr"].read_text(encoding="utf-8")
    printed = set(re.findall(r'data-fact="([^"]*)"', page))
    aside = re.compile(
        r"schema|by_source|scope.tables|treatments|bands|control$"
    )  # drawn, or not for people
    for path, value in leaves(hospital.facts):
        if type(value) is int and not aside.search(path):
            assert str(value) in printed, path


def test_the_page_stands_alone_in_a_browser(hospital: Hospital) -> None:
    for page_file in hospital.report.pages.values():
        seen = browser.Seen()
        with browser.page(seen) as page:
            page.goto(page_file.as_uri())
            numbers = page.locator("section h2 .number").all_inner_texts()
            assert [int(number) for number in numbers] == list(range(1, 14))
            assert page.locator("section .proves").count() == 13
            assert page.locator("figure svg").count() >= 11
            for plot in page.locator("figure svg").all():
                assert len(plot.get_attribute("aria-label") or "") > 40, "said in words too"
            for plot in (found for found in page.locator("figure svg").all() if found.is_visible()):
                boxes = [bar.bounding_box() for bar in plot.locator("rect, circle").all()]
                assert boxes
                assert all(box is not None and box["width"] > 0.5 for box in boxes)
            overflow = "document.documentElement.scrollWidth > window.innerWidth"
            assert not page.evaluate(overflow)
        assert seen == browser.Seen(), "no error, no request"


def test_print_shows_what_the_screen_folds(hospital: Hospital, tmp_path: Path) -> None:
    from pypdf import PdfReader

    with browser.page() as page:
        page.goto(hospital.report.pages["fr"].as_uri())
        assert not page.locator("details code", has_text="PID-8").first.is_visible()
        page.pdf(path=str(tmp_path / "dpo.pdf"), prefer_css_page_size=True)
    reader = PdfReader(tmp_path / "dpo.pdf")
    width, height = float(reader.pages[0].mediabox.width), float(reader.pages[0].mediabox.height)
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)
    text = "".join(found.extract_text() for found in reader.pages)
    assert "PID-8" in text
    assert "gender_code" in text


@pytest.mark.skipif(not browser.wanted_screenshots(), reason="made with ENTREPOT_SCREENSHOTS=1")
def test_images_of_the_manual(hospital: Hospital) -> None:
    images = Path(__file__).parents[2] / "docs" / "images"
    places = {
        "fr": {"": "", "_list": "s3", "_texts": "s5", "_risk": "s7"},
        "en": {"_en": "", "_quality": "s6", "_rights": "s8", "_security": "s11", "_plan": "s13"},
    }
    for language, shown in places.items():
        with browser.page(height=1250) as page:
            for name, anchor in shown.items():
                address = hospital.report.pages[language].as_uri()
                page.goto(address + (f"#{anchor}" if anchor else ""))
                if anchor == "s3":
                    opened = page.locator("details", has_text="PID-8").first
                    opened.evaluate("found => { found.open = true; }")
                    page.locator("h3", has_text="HL7 v2").evaluate(
                        "found => found.scrollIntoView()"
                    )
                browser.screenshot(page, images / f"dpo_report{name}.png", whole=False)
    with browser.page(height=1250) as page:
        page.goto((hospital.site.reports / "run.html").as_uri())
        browser.screenshot(page, images / "run_report.png", whole=False)
