"""quality waive: a steward lets a blocked load pass."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json


def register(group: typer.Typer) -> None:
    """Adds this verb."""
    group.command(
        "waive",
        help="Let the checks pass that block the load, as far as they fail now."
        "\n\nExample: [bold]entrepot quality waive --as marc.roy --key marc.pem"
        " --reason 'the laboratory moved to other units on Monday'[/]",
    )(waive)


def waive(
    as_: Annotated[str, typer.Option("--as", help="Your name in site.yaml: people (a steward).")],
    key: Annotated[Path, typer.Option("--key", help="Your private key's file.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence: it is logged.")],
    until: Annotated[
        str, typer.Option("--until", help="Last state that it holds for; default 30 days on.")
    ] = "",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Identifiers, opposed persons and lost rows are waived by nobody. Then: entrepot run."""
    from entrepot.config import Site
    from entrepot.errors import ConfigurationError
    from entrepot.stages import waive_signed

    try:
        last = dt.date.fromisoformat(until) if until else None
    except ValueError:
        raise ConfigurationError("this is no day", where="--until", remedy="YYYY-MM-DD") from None
    checks = waive_signed(Site.open(site), as_, key, reason, last)
    if json_:
        print_json({"waived": checks})
        return
    for check in checks:
        console.print(f"waived: {escape(check)}")
    console.print("Next: entrepot run")
