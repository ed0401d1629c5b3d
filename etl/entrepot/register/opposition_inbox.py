"""The folder where the desk drops its opposition files: each read whole, then put away."""

from __future__ import annotations

from pathlib import Path

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.landing.database import check_keyring, create_tables, write_transaction, zone_engine
from entrepot.landing.inbox import DropFolder
from entrepot.register.oppositions import import_csv

_WHERE = "site.yaml: oppositions.inbox"


def require_inbox(site: Site) -> None:
    """Refuses a run while the desk's folder cannot be reached: what lies there would be missed.

    Raises:
        ConfigurationError: the folder that site.yaml names is not there or not writable.
    """
    if site.config.oppositions.inbox is not None:
        DropFolder(site, site.config.oppositions.inbox, _WHERE)


def import_inbox(site: Site, keyring: Keyring) -> int | None:
    """Imports every whole CSV file of the inbox; the lines read, None when there was no file.

    Raises:
        ConfigurationError: no inbox is named, or a file is wrong; it stays and so do those after
            it, told by their ordinal as a name may hold an identifier.
    """
    inbox = site.config.oppositions.inbox
    if inbox is None:
        raise ConfigurationError("there is no inbox", where=_WHERE, remedy="name a folder")
    folder = DropFolder(site, inbox, _WHERE)
    files = folder.ready()
    if not files:
        return None
    lines = 0
    for number, file in enumerate(files, 1):
        lines += _import(site, keyring, file.path, f"file {number} of {len(files)}, by name")
        folder.put_away([file])
    return lines


def _import(site: Site, keyring: Keyring, path: Path, place: str) -> int:
    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        with write_transaction(engine) as connection:
            return import_csv(connection, keyring, path, site)
    except ConfigurationError as error:
        line = error.where.rpartition(":")[2]
        where = f"{place}, line {line}" if line.isdigit() else place
        raise ConfigurationError(error.what, where=where, remedy="mend it and drop it") from None
    except UnicodeDecodeError:
        raise ConfigurationError("not UTF-8", where=place, remedy="save it so") from None
    finally:
        engine.dispose()
