"""Makes a coordinator's folder: its settings, its authority, the key that counter-signs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from entrepot.durable import create_private
from entrepot.errors import ConfigurationError
from entrepot.federation.coordinator.authority import create_authority, create_server
from entrepot.federation.coordinator.settings import FILE, Coordinator, Settings
from entrepot.people import create_key

_TEMPLATE = """\
# A coordinator of federated studies: it holds questions, study cards and suppressed answers, and
# no health data. docs/how-to/federation.md
name: {name}
names: {names}            # host names and addresses in its certificate
address: {address}        # where it listens; 0.0.0.0 for every interface
port: {port}              # nodes: a certificate on both sides
pages_port: {pages_port}  # researchers
# pages_tls: true         # false only behind a proxy of this machine that ends TLS
database: {database}      # or postgresql+psycopg://…; empty: SQLite in this folder
# minimum_sites: 3        # fewer answers are never shown by site
# quiet_hours: 24         # a node silent for so long is shown as such
"""


def make(
    folder: Path, name: str, names: Sequence[str], now: dt.datetime, *,
    address: str = "127.0.0.1", ports: tuple[int, int] = (8443, 8444), database: str = "",
) -> Coordinator:  # fmt: skip
    """A new folder; nothing is ever overwritten.

    Args:
        ports: of nodes and of researchers; 0 takes any free one.
        database: a URL; empty: SQLite in the folder.

    Raises:
        ConfigurationError: something is there already, or a setting is wrong.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            "there is something in this folder already", where=str(folder),
            remedy="give a folder that is empty or not there yet",
        )  # fmt: skip
    stated: dict[str, Any] = {
        "name": name, "names": list(names), "address": address, "port": ports[0],
        "pages_port": ports[1], "database": database,
    }  # fmt: skip
    try:
        Settings.model_validate(stated)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}", where=FILE) from None
    (folder / "keys").mkdir(parents=True, mode=0o700)
    (folder / "keys").chmod(0o700)
    create_authority(folder, name, now)
    create_server(folder, names, now)
    create_key(folder / "keys" / "coordinator.pem")
    spelt = {key: yaml.safe_dump(value, default_flow_style=True).split("\n")[0]
             for key, value in stated.items()}  # fmt: skip
    create_private(folder / FILE, _TEMPLATE.format(**spelt))  # a URL may hold a password
    return Coordinator.open(folder)
