"""What the verbs of the identifying zone share: its registers opened, numbers, dates, answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from entrepot.cli.output import console, print_json

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from entrepot.config import Site
    from entrepot.keys import Keyring
    from entrepot.register.person import Identifier

Ipp = Annotated[str, typer.Option("--ipp", prompt=True, help="The patient's number (IPP).")]
Authority = Annotated[str, typer.Option("--authority", help="Assigning authority (PID-3.4).")]
Day = Annotated[str | None, typer.Option("--on", help="Date, YYYY-MM-DD; default today.")]
By = Annotated[str, typer.Option("--by", help="Who acts (site.yaml: people, profile dpo).")]
Born = Annotated[
    str | None, typer.Option("--born", help="A minor's date of birth, when no record says it.")
]


@contextmanager
def opened_registers(folder: Path) -> Iterator[tuple[Site, Keyring, Connection]]:
    """The site's registers in one transaction, under the site's own key."""
    from entrepot.config import Site
    from entrepot.errors import ConfigurationError
    from entrepot.keys import site_keyring
    from entrepot.landing.database import (
        FINGERPRINT,
        check_keyring,
        create_tables,
        write_transaction,
        zone_engine,
    )
    from entrepot.landing.settings import read_setting
    from entrepot.publication import gate_hold

    assert gate_hold is not None  # noqa: S101 - importing adds all tables of the zone to its metadata
    site = Site.open(folder)
    keyring = site_keyring(site)
    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        with write_transaction(engine) as connection:
            if read_setting(connection, FINGERPRINT) != keyring.fingerprint:
                raise ConfigurationError("the root key changed meanwhile", remedy="repeat it")
            yield site, keyring, connection
    finally:
        engine.dispose()


def number(site: Site, authority: str, ipp: str) -> Identifier:
    """The number that was typed, under the site's spelling of its authority."""
    from entrepot.register.person import Identifier

    alias = site.config.register_.authority_alias
    return Identifier(alias.get(authority, authority), ipp.strip(), "")


def day(text: str | None, option: str = "--on") -> dt.date:
    """A date that was typed; today when there is none."""
    return optional_day(text, option) or dt.datetime.now().astimezone().date()


def optional_day(text: str | None, option: str) -> dt.date | None:
    """A date that was typed, or none."""
    from entrepot.errors import ConfigurationError

    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigurationError("not a date", where=option, remedy="YYYY-MM-DD") from None


def say(json_: bool, value: dict[str, Any], text: str) -> None:
    """One answer, for programs or for people."""
    if json_:
        print_json(value)
    else:
        console.print(escape(text), soft_wrap=True)
