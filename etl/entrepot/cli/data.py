"""sql: looking at what is there."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption, print_json, print_table


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command(
        help="A researcher's SQL on the published warehouse, read-only."
        '\n\nExample: [bold]entrepot sql "SELECT count(*) FROM person"[/]'
    )(sql)


def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT; tables of the CDM by name.")],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """With --json one object a line."""
    from entrepot.config import Site
    from entrepot.publish.warehouse import query

    columns, rows = query(Site.open(site).warehouse, statement)
    if json_:
        for row in rows:
            print_json(dict(zip(columns, row, strict=True)))
    elif sys.stdout.isatty():
        print_table("", columns, [list(row) for row in rows])
    else:
        for row in [tuple(columns), *rows]:
            typer.echo("\t".join("" if cell is None else str(cell) for cell in row))
