"""A coordinator's folder: `coordinator.yaml`, its keys, its certificates, its database.

```
coordinator.yaml   what follows
ca.pem server.pem  certificates (public)
keys/              ca.key.pem, server.key.pem, coordinator.pem (Ed25519, counter-signs)
coordinator.sqlite unless `database` names another
```
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field

from entrepot.errors import ConfigurationError
from entrepot.federation.coordinator.database import open_database, sqlite_url
from entrepot.people import public_half
from entrepot.sections import Name, Section
from entrepot.yaml_files import read_yaml

FILE = "coordinator.yaml"
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(Section):
    """The whole of `coordinator.yaml`.

    Args:
        names: host names and addresses that nodes and browsers know it by.
        port: nodes, with certificates on both sides.
        pages_port: researchers.
        pages_tls: false only behind a proxy of the same machine that ends TLS.
        database: SQLAlchemy URL; empty: SQLite in the folder.
        minimum_sites: fewer answers than these are shown together, never by site (at least 3).
        quiet_hours: a node that has not called for so long is shown as silent.
        again_seconds: a query of which a node said nothing is handed to it again after so long; at
            once, a node that cannot take it would be called round and round.
    """

    name: Name
    names: Annotated[list[str], Field(min_length=1)]
    address: str = "127.0.0.1"
    port: Port = 8443
    pages_port: Port = 8444
    pages_tls: bool = True
    database: str = ""
    minimum_sites: Annotated[int, Field(ge=3)] = 3
    quiet_hours: Annotated[int, Field(ge=1)] = 24
    again_seconds: Annotated[int, Field(ge=0, le=3600)] = 15


@dataclass(frozen=True)
class Coordinator:
    """One opened folder."""

    folder: Path
    settings: Settings
    engine: sa.Engine

    @classmethod
    def open(cls, folder: Path) -> Coordinator:
        """Reads the settings and opens the database.

        Raises:
            ConfigurationError: no coordinator's folder, or a setting is wrong.
            EntrepotError: the database cannot be reached.
        """
        path = folder / FILE
        if not path.is_file():
            raise ConfigurationError(
                "not a coordinator's folder", where=str(folder),
                remedy="entrepot coordinator init DIR makes one",
            )  # fmt: skip
        settings = read_yaml(path, Settings)
        url = settings.database or sqlite_url(folder / "coordinator.sqlite")
        return cls(folder, settings, open_database(url))

    @property
    def key(self) -> Path:
        """The key that counter-signs."""
        return self.folder / "keys" / "coordinator.pem"

    @property
    def public_key(self) -> str:
        """What nodes pin."""
        return public_half(self.key)
