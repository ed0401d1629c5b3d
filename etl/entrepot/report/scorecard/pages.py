"""The facts as one HTML page that stands alone: no script, no font, no image from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from entrepot.errors import EntrepotError
from entrepot.report.dpo import plots as bars
from entrepot.report.dpo.words import LANGUAGES, Words
from entrepot.report.dpo.words import words as written
from entrepot.report.scorecard import plots
from entrepot.report.scorecard.facts import CATEGORIES

__all__ = ["LANGUAGES", "render", "write"]

MOST = 100
"""Lines of a list; the rest stands in the results."""
LOADS = 24
# Green and red alone cannot be told apart by one man in twelve: dark and light as well.
_COLOURS = {
    "passed": "#009e73", "warned": "#f0e442", "waived": "#e69f00", "failed": "#d55e00",
    "error": "#1d2733",
}  # fmt: skip


def render(facts: Mapping[str, Any], language: str) -> str:
    """One page in `fr` or `en`."""
    texts, said = words(language), written(language)
    environment = Environment(
        loader=PackageLoader("entrepot.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(
        number=said.number,
        permille=said.permille,
        date=said.date,
        spark=plots.spark,
        shares=partial(_shares, said),
        stacked=partial(_stacked, said, texts),
        rates=partial(_rates, said, texts),
    )
    page = environment.get_template("scorecard.html.j2").render(
        f=facts, w=texts, language=language, most=MOST, shown_loads=LOADS, categories=CATEGORIES
    )
    return page + "\n"


def write(path: Path, facts: Mapping[str, Any], language: str) -> Path:
    """Writes the page.

    Raises:
        EntrepotError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(facts, language), encoding="utf-8")
    except OSError as error:
        raise EntrepotError(
            f"the scorecard cannot be written ({error.strerror})", where=str(path),
            remedy="free space or mend its folder's rights, then repeat the command",
        ) from None  # fmt: skip
    return path


@lru_cache(maxsize=len(LANGUAGES))
def words(language: str) -> dict[str, Any]:
    """The scorecard's own words, typeset as the language wants."""
    path = Path(__file__).with_name("words") / f"{language}.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    said = written(language)
    return {
        key: said.typeset(value) if isinstance(value, str)
        else {name: said.typeset(text) for name, text in value.items()}
        for key, value in raw.items()
    }  # fmt: skip


def _stacked(
    said: Words, texts: Mapping[str, Any], title: str, lines: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
) -> Markup:  # fmt: skip
    """Applicable checks of each line by what they said; 100 % is each line's own."""
    shown = [status for status in _COLOURS if any(line[status] for line in lines)]
    parts = [bars.Series(one, texts["statuses"][one], _COLOURS[one]) for one in shown]
    rows = [
        (names.get(line["name"], line["name"]), {one: line[one] for one in shown},
         line["applicable"])
        for line in lines
    ]  # fmt: skip
    return bars.stacked(said, title, parts, rows, share=True)


def _rates(
    said: Words, texts: Mapping[str, Any], title: str, loads: Sequence[Mapping[str, Any]]
) -> Markup:
    newest = loads[-LOADS:]
    curves = [
        plots.Curve(texts["categories"][name], [load["rates"][name] for load in newest])
        for name in CATEGORIES
    ]
    named = [f"{load['number']} · {said.date(load['as_of'])}" for load in newest]
    return plots.rates(said, title, named, curves)


def _shares(said: Words, trend: Sequence[float | None]) -> str:
    return ", ".join("–" if one is None else said.permille(round(1000 * one)) for one in trend)
