"""vocabulary load: the OHDSI vocabularies of a site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, stages


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(help="The OHDSI vocabularies.", no_args_is_help=True)
    group.command("load", help="Load an Athena export.\n\nExample: [bold]entrepot vocabulary load"
                  " athena/[/]")(load)  # fmt: skip
    group.callback()(_group)
    app.add_typer(group, name="vocabulary")


def _group() -> None:
    """Verbs about vocabularies."""


def load(
    folder: Annotated[Path, typer.Argument(help="Folder of CONCEPT.csv and its siblings.")],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Replaces the loaded release; the next run maps everything anew."""
    from entrepot.config import Site
    from entrepot.vocabulary.load import load_vocabulary

    opened = Site.open(site)
    with stages(json_):
        release = load_vocabulary(
            folder, opened.vocabulary, memory_limit=opened.config.memory_limit
        )
    if json_:
        print_json({"release": release.name, "concepts": release.concepts, "sha": release.sha})
    else:
        console.print(f"Vocabulary {escape(release.name)}: {release.concepts} concepts.")
