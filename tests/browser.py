"""A headless Chromium for tests: the system's own, cut off from any network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

CHROMIUM = Path("/usr/bin/chromium")  # Playwright's own browser would have to be downloaded
LOCAL_HOSTS = ("127.0.0.1", "localhost")
# Inside a container there is no sandbox to nest and /dev/shm is small.
_ARGUMENTS = (
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
    "--disable-background-networking", "--no-first-run",
)  # fmt: skip
WIDTH, HEIGHT = 1280, 900


@dataclass
class Seen:
    """What a page did while it was open.

    Args:
        errors: console errors and uncaught exceptions.
        requests: addresses asked for beyond the page's own file or this machine; all refused.
    """

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def require_browser() -> None:
    """Skips the test on a machine without Chromium or Playwright."""
    if not CHROMIUM.exists():
        pytest.skip("no /usr/bin/chromium on this machine (apt-get install chromium)")
    pytest.importorskip("playwright", reason="playwright is not installed (extra dev)")


@contextmanager
def page(
    seen: Seen | None = None, *, width: int = WIDTH, height: int = HEIGHT, locale: str = "fr-FR"
) -> Iterator[Page]:
    """A page of a fresh browser; nothing beyond this machine can be reached from it.

    Args:
        seen: filled with what the page does.
    """
    require_browser()
    from playwright.sync_api import sync_playwright

    told = Seen() if seen is None else seen
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), headless=True, args=list(_ARGUMENTS)
        )
        try:
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale=locale
            )
            context.route(
                _is_outside, lambda route: (told.requests.append(route.request.url), route.abort())
            )
            opened = context.new_page()
            opened.on("console", lambda message: _note(told, message.type, message.text))
            opened.on("pageerror", lambda error: told.errors.append(str(error)))
            opened.on("request", lambda request: _asked(told, request))
            yield opened
        finally:
            browser.close()


def screenshot(opened: Page, path: Path, *, whole: bool = True) -> None:
    """Writes a PNG of the page; `whole`: down to its end, not only what a screen shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=str(path), full_page=whole, animations="disabled")


def wanted_screenshots() -> bool:
    """Whether images of the documentation are to be made anew (`ENTREPOT_SCREENSHOTS=1`)."""
    return os.environ.get("ENTREPOT_SCREENSHOTS") == "1"


def _is_outside(address: str) -> bool:
    scheme, _, rest = address.partition(":")
    if scheme in {"file", "data", "about", "blob"}:
        return False
    host = rest.removeprefix("//").partition("/")[0].rpartition("@")[2].partition(":")[0]
    return host not in LOCAL_HOSTS


def _asked(told: Seen, request: Request) -> None:
    """A second file beside the page is a request too: the page does not stand alone."""
    if request.url.startswith("file:") and not request.is_navigation_request():
        told.requests.append(request.url)


def _note(told: Seen, kind: str, text: str) -> None:
    if kind == "error":
        told.errors.append(text)
