"""study: spaces of a cohort, made, refreshed and closed by the data protection officer's side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table

if TYPE_CHECKING:
    from entrepot.study.space import Facts

Definition = Annotated[
    Path, typer.Argument(help="The study's definition (YAML).", exists=True, dir_okay=False)
]
Study = Annotated[str, typer.Argument(metavar="STUDY", help="The study's id.")]
_COLUMNS = ["study", "status", "target", "persons", "rows", "refreshed", "expires", "approved by"]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="Study spaces: a cohort, its own ids, shifted dates, nothing beyond what was granted.",
        no_args_is_help=True,
    )
    group.command(
        "create",
        help="Make the space of an approved definition."
        "\n\nExample: [bold]entrepot study create avc_2026.yaml[/]",
    )(create)
    group.command(
        "refresh",
        help="Build an open space anew from the release in place, under the same keys."
        "\n\nExample: [bold]entrepot study refresh avc_2026[/]",
    )(refresh)
    group.command(
        "close",
        help="Remove a space physically; its facts stay as evidence."
        "\n\nExample: [bold]entrepot study close avc_2026 --by c.moreau --reason published[/]",
    )(close)
    group.command(
        "expire",
        help="Close every space whose day has passed; each run does it too."
        "\n\nExample: [bold]entrepot study expire[/]",
    )(expire)
    group.command(
        "list", help="All studies, closed ones too.\n\nExample: [bold]entrepot study list[/]"
    )(list_)
    group.command(
        "sign",
        help="Print the signature of a definition, for its approval.signature."
        "\n\nExample: [bold]entrepot study sign avc_2026.yaml --key ~/moreau.pem[/]",
    )(sign)
    app.add_typer(group, name="study")


def create(definition: Definition, site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Nothing is made unless the space passes the gate's checks."""
    from entrepot.config import Site
    from entrepot.study.life import create as create_space

    _tell(create_space(Site.open(site), definition), json_)


def refresh(
    study: Study,
    definition: Annotated[
        Path | None,
        typer.Option("--definition", help="A newer definition of this id, approved again."),
    ] = None,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Readers of the former file keep it until they close it."""
    from entrepot.config import Site
    from entrepot.study.life import refresh as refresh_space

    _tell(refresh_space(Site.open(site), study, definition), json_)


def close(
    study: Study,
    by: Annotated[str, typer.Option("--by", help="Who decided it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """A closed id is never used again."""
    from entrepot.config import Site
    from entrepot.study.life import close as close_space

    _tell(close_space(Site.open(site), study, by, reason), json_)


def expire(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """By the clock: an expiry is a date of law."""
    from entrepot.config import Site
    from entrepot.keys import site_keyring
    from entrepot.lock import site_lock
    from entrepot.study.life import expire as expire_spaces

    opened = Site.open(site)
    with site_lock(opened):
        closed = expire_spaces(opened, site_keyring(opened))
    if json_:
        print_json({"closed": closed})
    else:
        console.print(escape(f"closed: {', '.join(closed) or 'none'}"))


def list_(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Reads `study.json` of each, no row of a space."""
    from entrepot.config import Site
    from entrepot.study import facts

    found = facts(Site.open(site))
    if json_:
        for one in found:
            print_json(one)
        return
    rows = [
        [one["id"], one["status"], one["target"], one["persons"], sum(one["tables"].values()),
         one["refreshed"], one["expires"], one["approved_by"]]
        for one in found
    ]  # fmt: skip
    print_table("Study spaces", _COLUMNS, rows)


def sign(
    definition: Definition,
    key: Annotated[Path, typer.Option("--key", help="The approver's key file.")],
    json_: JsonOption = False,
) -> None:
    """The signature covers everything but itself."""
    from entrepot.people import sign as sign_payload
    from entrepot.study.definition import read_definition

    signature = sign_payload(key, read_definition(definition).payload)
    if json_:
        print_json({"signature": signature})
    else:
        typer.echo(signature)


def _tell(facts: Facts, json_: bool) -> None:
    if json_:
        print_json(facts)
        return
    console.print(
        escape(
            f"{facts['id']}: {facts['status']}, {facts['persons']} persons,"
            f" {sum(facts['tables'].values())} rows, expires {facts['expires']}"
        ),
        highlight=False,
    )
    shown = facts["linkability"]
    console.print(
        f"persons told apart by their concepts {shown['unique_by_concepts']:.1%}, with the days"
        f" between {shown['unique_by_concepts_and_intervals']:.1%}; alone of their sex and year"
        f" of birth {shown['unique_by_sex_and_birth_year']:.1%}",
        highlight=False,
    )
