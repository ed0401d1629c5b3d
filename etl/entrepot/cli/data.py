"""sql, quarantine list: looking at what is there."""

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
    quarantine = typer.Typer(help="What could not go on, and why.", no_args_is_help=True)
    quarantine.command(
        "list",
        help="Records and rows in quarantine: reasons, positions and keys, never content."
        "\n\nExample: [bold]entrepot quarantine list --json[/]",
    )(quarantine_list)
    app.add_typer(quarantine, name="quarantine")


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


def quarantine_list(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Message quarantine, then row quarantine."""
    from entrepot.config import Site
    from entrepot.report.status import read_quarantine

    records, rows = read_quarantine(Site.open(site))
    if json_:
        for line in (*records, *rows):
            print_json(line)
        return
    print_table(
        "Records", ["record", "source", "event", "reason", "position"],
        [[r["record"], r["source"], r["event"], r["reason"], r["position"]] for r in records],
    )  # fmt: skip
    print_table("Rows", ["table", "id", "check"], [[r["table"], r["id"], r["check"]] for r in rows])
