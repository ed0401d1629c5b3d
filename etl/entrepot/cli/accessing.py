"""access-report: a person's own data, for that person."""

from __future__ import annotations

from typing import Annotated

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption
from entrepot.cli.zone import Authority, By, Ipp, number, say

Why = Annotated[str, typer.Option("--why", help="What it is made for; kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Adds this verb."""
    app.command(
        "access-report",
        help="Write what the site holds of a person (RGPD 15) into the identifying zone."
        "\n\nExample: [bold]entrepot access-report --authority 1.2.250.1.999.1 --ipp 00012345"
        ' --by c.moreau --why "demande du 3 mai"[/]',
    )(access_report)


def access_report(
    ipp: Ipp, authority: Authority, by: By, why: Why, site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """The files are readable by their owner alone; retention purge removes them."""
    from entrepot.config import Site
    from entrepot.rights.access import access_report as write

    opened = Site.open(site)
    made = write(opened, number(opened, authority, ipp), by, why)
    value = {"person": made.person, "records": made.records, "rows": made.rows,
             "html": str(made.page), "json": str(made.facts)}  # fmt: skip
    say(json_, value, f"{made.records} records, {made.rows} rows: {made.page}")
