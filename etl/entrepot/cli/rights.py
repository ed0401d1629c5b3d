"""oppose: the opposition register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from entrepot.config import Site
    from entrepot.keys import Keyring

Ipp = Annotated[str, typer.Option("--ipp", prompt=True, help="The patient's number (IPP).")]
Authority = Annotated[str, typer.Option("--authority", help="Assigning authority (PID-3.4).")]
Day = Annotated[str | None, typer.Option("--on", help="Date, YYYY-MM-DD; default today.")]
DESK = "desk"  # the channel of what is typed here


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="The register of oppositions to reuse; applied at the next run.", no_args_is_help=True
    )
    group.command(
        "add",
        help="Record an opposition.\n\nExample: [bold]entrepot oppose add"
        " --authority 1.2.250.1.999.1 --ipp 00012345[/]",
    )(add)
    group.command(
        "withdraw",
        help="Withdraw a person's oppositions.\n\nExample: [bold]entrepot"
        " oppose withdraw --authority 1.2.250.1.999.1 --ipp 00012345[/]",
    )(withdraw)
    group.command(
        "list", help="All oppositions, without numbers.\n\nExample: [bold]entrepot oppose list[/]"
    )(list_)
    group.command(
        "import",
        help="Read authority,ipp,opposed_on,withdrawn_on from a CSV file."
        "\n\nExample: [bold]entrepot oppose import oppositions.csv[/]",
    )(import_)
    group.command(
        "confirm",
        help="Say that the register is up to date as of now."
        "\n\nExample: [bold]entrepot oppose confirm[/]",
    )(confirm)
    app.add_typer(group, name="oppose")  # fmt: skip


def add(
    ipp: Ipp, authority: Authority, on: Day = None, site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Idempotent."""
    from entrepot.audit import Action, AuditLog
    from entrepot.register import oppositions
    from entrepot.register.person import Identifier

    with _register(site) as (opened, keyring, connection):
        alias = opened.config.register_.authority_alias
        identifier = Identifier(alias.get(authority, authority), ipp, "")
        day = _day(on)
        person = oppositions.fingerprint(keyring, identifier.hmac(keyring))
        facts = {"person": person, "channel": DESK}
        AuditLog(opened, keyring).append(Action.OPPOSITION_ADDED, facts, connection)
        new = oppositions.add(connection, keyring, identifier, day, DESK)
    _say(json_, {"added": int(new)}, "Recorded; entrepot run applies it.")


def withdraw(
    ipp: Ipp, authority: Authority, on: Day = None, site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Withdraws what stands."""
    from entrepot.audit import Action, AuditLog
    from entrepot.register import oppositions
    from entrepot.register.person import Identifier

    with _register(site) as (opened, keyring, connection):
        alias = opened.config.register_.authority_alias
        identifier = Identifier(alias.get(authority, authority), ipp, "")
        day = _day(on)
        person = oppositions.fingerprint(keyring, identifier.hmac(keyring))
        facts = {"person": person, "channel": DESK}
        AuditLog(opened, keyring).append(Action.OPPOSITION_WITHDRAWN, facts, connection)
        count = oppositions.withdraw(connection, keyring, identifier, day)
    _say(json_, {"withdrawn": count}, f"{count} withdrawn; entrepot run applies it.")


def list_(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """A person shows as a fingerprint."""
    from entrepot.register import oppositions

    with _register(site) as (_, keyring, connection):
        lines = oppositions.listing(connection, keyring)
    rows = [[o.opposition_id, o.opposed_on, o.withdrawn_on, o.channel, o.fingerprint]
            for o in lines]  # fmt: skip
    columns = ["id", "opposed_on", "withdrawn_on", "channel", "person"]
    if json_:
        for row in rows:
            print_json(dict(zip(columns, row, strict=True)))
    else:
        print_table("Oppositions", columns, rows)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV file.", exists=True, dir_okay=False)],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """All lines or none."""
    from entrepot.register import oppositions

    with _register(site) as (opened, keyring, connection):
        count = oppositions.import_csv(connection, keyring, file, opened)
    _say(json_, {"read": count}, f"{count} lines read; entrepot run applies them.")


def confirm(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Freshness is checked by every run (oppositions.max_age_days)."""
    from entrepot.audit import Action, AuditLog
    from entrepot.register import oppositions

    with _register(site) as (opened, keyring, connection):
        log = AuditLog(opened, keyring)
        log.append(Action.OPPOSITIONS_CONFIRMED, connection=connection)
        oppositions.confirm(connection)
    _say(json_, {"confirmed": True}, "Confirmed.")


@contextmanager
def _register(folder: Path) -> Iterator[tuple[Site, Keyring, Connection]]:
    from entrepot.config import Site
    from entrepot.keys import load_keyring
    from entrepot.landing.database import (
        check_keyring,
        create_tables,
        write_transaction,
        zone_engine,
    )
    from entrepot.register import tables

    assert tables.opposition is not None  # noqa: S101 - importing adds its tables to the zone
    site = Site.open(folder)
    keyring = load_keyring(site.root_key, site.config.key_command)
    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        with write_transaction(engine) as connection:
            yield site, keyring, connection
    finally:
        engine.dispose()


def _day(text: str | None) -> dt.date:
    from entrepot.errors import ConfigurationError

    if text is None:
        return dt.datetime.now().astimezone().date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("not a date", where="--on", remedy="YYYY-MM-DD") from None


def _say(json_: bool, value: dict[str, int], text: str) -> None:
    if json_:
        print_json(value)
    else:
        console.print(escape(text))
