"""report dpo, sign, run, scorecard: what a load did, for officer and engineer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json

Language = Annotated[str, typer.Option("--lang", help="fr, en, or both by a comma.")]
Out = Annotated[Path | None, typer.Option("--out", help="HTML file; the JSON lies beside it.")]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(help="Reports: HTML that stands alone, and JSON.", no_args_is_help=True)
    group.command(
        "dpo",
        help="The data protection officer's audit report, with signed facts."
        "\n\nExample: [bold]entrepot report dpo --lang fr --out audit.html[/]",
    )(dpo)
    group.command(
        "sign",
        help="Put the officer's own signature under a report; audit verify --report tells of it."
        "\n\nExample: [bold]entrepot report sign dpo.json --as c.moreau --key c.moreau.pem[/]",
    )(sign)
    group.command(
        "run", help="The last run's report.\n\nExample: [bold]entrepot report run --json[/]"
    )(run)
    group.command(
        "scorecard",
        help="What the checks say of the last load and of those before it."
        "\n\nExample: [bold]entrepot report scorecard --lang en[/]",
    )(scorecard)
    app.add_typer(group, name="report")


def dpo(
    lang: Language = "fr", out: Out = None, site: SiteOption = HERE, json_: JsonOption = False
) -> None:
    """No identifier and no count of patients under 11 in it."""
    from entrepot.config import Site
    from entrepot.report.dpo.report import write_dpo_report

    languages = _languages(lang)
    report = write_dpo_report(Site.open(site), languages=languages, out=out)
    pages = {language: str(page) for language, page in report.pages.items()}
    if json_:
        print_json(
            {
                "pages": pages, "document": str(report.document), "sha256": report.sha256,
                "public_key": report.public_key,
            }
        )  # fmt: skip
        return
    for page in pages.values():
        console.print(f"Report: {escape(page)}", soft_wrap=True)
    console.print(f"Signed facts: {escape(str(report.document))}", soft_wrap=True)
    console.print(f"Public key: {report.public_key}", soft_wrap=True, highlight=False)
    console.print("Check it: entrepot audit verify --report FILE.json")


def sign(
    report: Annotated[Path, typer.Argument(metavar="FILE.json", help="The signed facts.")],
    name: Annotated[str, typer.Option("--as", help="Who signs, as site.yaml names them.")],
    key: Annotated[Path, typer.Option("--key", help="Their key file (entrepot people key FILE).")],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """The officer's word that they have read it."""
    from entrepot.config import Site
    from entrepot.keys import site_keyring
    from entrepot.report.dpo.endorsing import endorse

    opened = Site.open(site)
    made = endorse(opened, site_keyring(opened), report, name, key)
    if json_:
        print_json({"by": made.by, "at": made.at, "signature": made.signature})
    else:
        console.print(f"Signed by {escape(made.by)}: {escape(str(report))}", soft_wrap=True)


def run(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """With --json its facts."""
    from entrepot.config import Site
    from entrepot.errors import ConfigurationError

    page = Site.open(site).reports / "run.html"
    facts = page.with_suffix(".json")
    if not facts.is_file():
        raise ConfigurationError("no run has ended yet", where=str(facts), remedy="entrepot run")
    if json_:
        print_json(json.loads(facts.read_text(encoding="utf-8")))
    else:
        console.print(f"Report: {escape(str(page))}", soft_wrap=True)


def scorecard(
    lang: Language = "fr",
    out: Annotated[Path | None, typer.Option("--out", help="HTML file.")] = None,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """With --json its facts."""
    from entrepot.config import Site
    from entrepot.report.scorecard.of_site import site_facts, write_scorecard

    opened = Site.open(site)
    pages = write_scorecard(opened, _languages(lang), out)
    if json_:
        print_json({"pages": {one: str(page) for one, page in pages.items()}, **site_facts(opened)})
        return
    for page in pages.values():
        console.print(f"Scorecard: {escape(str(page))}", soft_wrap=True)


def _languages(lang: str) -> tuple[str, ...]:
    from entrepot.errors import ConfigurationError
    from entrepot.report.dpo.words import LANGUAGES

    languages = tuple(dict.fromkeys(part.strip() for part in lang.split(",")))
    if not set(languages) <= set(LANGUAGES):
        raise ConfigurationError(f"unknown language {lang}", remedy="--lang fr|en|fr,en")
    return languages
