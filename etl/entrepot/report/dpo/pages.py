"""The facts as one HTML page that stands alone: no script, no font, no image from elsewhere."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from entrepot.errors import ConfigurationError
from entrepot.report.dpo import plots
from entrepot.report.dpo.whiskers import whiskers
from entrepot.report.dpo.words import LANGUAGES, Words, words

__all__ = ["LANGUAGES", "render"]

SECTIONS = tuple(str(number) for number in range(1, 14))
REFERENCES = Path("report") / "references.yaml"
MOST = 15  # elements drawn


def render(document: dict[str, Any], language: str, site: Path) -> str:
    """One page.

    Args:
        document: facts and signature, as they are in the JSON.
        site: the site's folder, whose references come before the shipped ones.

    Raises:
        ConfigurationError: the site's references cannot be read.
    """
    said = words(language)
    environment = Environment(
        loader=PackageLoader("entrepot.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(
        n=partial(_number, said), t=partial(_text, said), d=partial(_date, said),
        percent=said.percent, stacked=partial(plots.stacked, said), bars=partial(plots.bars, said),
        series=plots.series, typeset=said.typeset, frequent=_frequent,
        whiskers=partial(whiskers, said), permille=partial(_permille, said),
        plain_date=said.date, sureness=partial(_sureness, said),
        colon=" :" if language == "fr" else ":",
    )  # fmt: skip
    page = environment.get_template("dpo.html.j2").render(
        w=said.texts, language=language, f=document["facts"], signature=document["signature"],
        sections=SECTIONS, references=_references(site), most=MOST,
    )  # fmt: skip
    return page + "\n"


def _number(said: Words, value: int | str) -> Markup:
    """A count; `data-fact` bears what the JSON states, whatever the language makes of it."""
    kind = "n" if isinstance(value, int) else "n hidden"
    return Markup('<span class="{}" data-fact="{}">{}</span>').format(
        kind, value, said.number(value)
    )


def _text(said: Words, value: str) -> Markup:
    """A text of the facts; empty: not stated."""
    if not value:
        return Markup('<span class="muted" data-fact="">{}</span>').format(said.texts["not_stated"])
    return Markup('<span data-fact="{}">{}</span>').format(value, value)


def _permille(said: Words, value: int) -> Markup:
    return Markup('<span class="n" data-fact="{}">{}</span>').format(value, said.permille(value))


def _sureness(said: Words, edges: list[str]) -> dict[str, str]:
    """Labels of the shares from which a diagnosis is sure, uniques first."""
    stated = said.texts["sureness"]
    named = {"100": stated["all"], "0": stated["rest"]}
    return {
        "unique": stated["unique"],
        **{edge: named.get(edge, stated["part"].format(edge)) for edge in edges},
    }


def _date(said: Words, value: str) -> Markup:
    if not value:
        return _text(said, value)
    return Markup('<span class="d" data-fact="{}">{}</span>').format(value, said.date(value))


def _frequent(unread: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """The elements that most messages held, of all sources together."""
    found: Counter[str] = Counter()
    for one in unread:
        found[one["element"]] += one["records"] if isinstance(one["records"], int) else 0
    return found.most_common(MOST)


def _references(site: Path) -> dict[str, list[str]]:
    own = site / REFERENCES
    path = own if own.is_file() else Path(__file__).with_name(REFERENCES.name)
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, list) for one in found.values()):
        raise ConfigurationError(
            "not a list of references by section", where=str(path),
            remedy='write lines such as "7": ["…", "…"]',
        )  # fmt: skip
    return {str(section): [str(one) for one in texts] for section, texts in found.items()}
