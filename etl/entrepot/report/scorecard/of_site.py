"""A site's scorecard: the release in place and its history, or the load that was refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.quality.gate import DATA_DOCS, read_verdict
from entrepot.quality.pages import index_page
from entrepot.quality.past import history_of_release
from entrepot.quality.results import ResultLine, read_gate_results
from entrepot.report.scorecard.facts import Judged, facts, moment
from entrepot.report.scorecard.pages import write

NAME = "scorecard"


def write_scorecard(
    site: Site, languages: Sequence[str] = ("fr",), out: Path | None = None
) -> dict[str, Path]:
    """Writes one page per language; gives them by language.

    Args:
        out: the page's file (of several languages, `.<language>` is put before its ending); by
            default `reports/scorecard.html` for the first language.

    Raises:
        ConfigurationError: no load was judged yet.
        EntrepotError: a file cannot be written.
    """
    told = site_facts(site)
    first = out or site.reports / f"{NAME}.html"
    pages = {
        language: first if not n and (out is None or len(languages) == 1)
        else first.with_name(f"{first.stem}.{language}.html")
        for n, language in enumerate(languages)
    }  # fmt: skip
    for language, page in pages.items():
        details = "../quality/" + index_page(Path(DATA_DOCS)).as_posix()
        beside = page.parent.resolve() == site.reports.resolve()
        write(page, {**told, "details": details if beside else ""}, language)
    return pages


def site_facts(site: Site) -> dict[str, Any]:
    """What the page shows.

    Raises:
        ConfigurationError: no load was judged yet.
    """
    verdict, past = read_verdict(site.quality), history_of_release(site.warehouse)
    results = read_gate_results(site.quality / "results.csv")
    if verdict is None or not results:
        raise ConfigurationError(
            "no load was judged yet", where=str(site.quality), remedy="entrepot run"
        )
    if not verdict.passed or not past:
        as_of = _stated_as_of(site)
        return facts(Judged(site.config.title, as_of, verdict.passed, results), past)
    newest = past[-1]
    judged = Judged(
        site.config.title, moment(newest.as_of), True,
        _explained(newest.lines, results), newest.release_id,
    )  # fmt: skip
    return facts(judged, past[:-1])


def _explained(lines: Iterable[ResultLine], results: Iterable[ResultLine]) -> list[ResultLine]:
    """A history keeps numbers; words and thresholds are those of the last judgement."""
    known = {one.check_id: one for one in results}
    return [
        replace(
            line, threshold=known[line.check_id].threshold,
            meaning_fr=known[line.check_id].meaning_fr, meaning_en=known[line.check_id].meaning_en,
        ) if line.check_id in known else line
        for line in lines
    ]  # fmt: skip


def _stated_as_of(site: Site) -> str:
    content = json.loads((site.quality / "verdict.json").read_text(encoding="utf-8"))
    return moment(dt.datetime.fromisoformat(content["as_of"]))
