"""people key, list: who decides here, and their keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table

KeyFile = Annotated[Path, typer.Argument(help="The private key's file, on your own medium.")]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="Who works here under which profile (site.yaml: people).", no_args_is_help=True
    )
    group.command(
        "key",
        help="Make a personal key and print its public half for site.yaml."
        "\n\nExample: [bold]entrepot people key /media/stick/vigne.pem[/]",
    )(key)
    group.command(
        "list",
        help="Names, profiles, and who has a key.\n\nExample: [bold]entrepot people list[/]",
    )(list_)
    app.add_typer(group, name="people")


def key(file: KeyFile, json_: JsonOption = False) -> None:
    """Needs no site: the key is the person's own."""
    from entrepot.people import create_key

    public = create_key(file)
    if json_:
        print_json({"public_key": public})
    else:
        typer.echo(public)


def list_(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Public halves show by their first 16 characters, as one reads them out to compare."""
    from entrepot.config import Site
    from entrepot.people import people

    found = people(Site.open(site))
    if json_:
        for one in found:
            print_json(
                {"name": one.name, "profiles": sorted(one.profiles), "key": bool(one.public_key)}
            )
    elif not found:
        console.print("Nobody yet: add people to site.yaml (entrepot people key FILE).")
    else:
        rows = [[p.name, ", ".join(sorted(p.profiles)), p.public_key[:16] or "-"] for p in found]
        print_table("People", ["name", "profiles", "key"], rows)
