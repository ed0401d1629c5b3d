"""The pages' HTML, from templates of this package; nothing on them comes from elsewhere."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from entrepot.federation.pages.wording import LANGUAGES, wording

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FILES = {"style.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}


def render(name: str, language: str, root: str, **facts: Any) -> str:
    """One page.

    Args:
        name: of a template, without `.html.j2`.
        root: where the pages' own addresses start.
        facts: what the template names; one that is missing is a fault.
    """
    known = {"where": "", "signed": "", **facts}
    template = _environment().get_template(f"{name}.html.j2")
    return template.render(w=wording(language), languages=LANGUAGES, root=root, **known) + "\n"


def examples() -> dict[str, Any]:
    """Parameters that the form proposes, by kind of analysis."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "examples.yaml").read_text(encoding="utf-8"))
    return found


def chosen_language(asked: str, kept: str, accepted: str) -> str:
    """The page's language: what the address asks, what was chosen before, what the browser likes.

    Args:
        accepted: the header Accept-Language.
    """
    for one in (asked, kept, *(part.strip()[:2].lower() for part in accepted.split(","))):
        if one in LANGUAGES:
            return one
    return LANGUAGES[0]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("entrepot.federation.pages"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
