"""The identifying zone's database: one SQLAlchemy engine, its tables and its key's fingerprint.

SQLite by default, PostgreSQL by URL (`site.yaml`: `database`). Landing and register share
`metadata` and one transaction discipline.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring

PRAGMAS = (
    "busy_timeout = 60000",
    "journal_mode = WAL",
    "secure_delete = ON",  # an erased key must not stay readable in a free page
    "foreign_keys = ON",
    "synchronous = FULL",
    "temp_store = MEMORY",  # nothing of the zone in a temporary folder
)
_WRITES = "zone_writes"
_FINGERPRINT = "key_fingerprint"

metadata = sa.MetaData()

zone_setting = sa.Table(
    "zone_setting",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(255), nullable=False),
)


def zone_engine(site: Site) -> sa.Engine:
    """The engine of the identifying zone; a SQLite file is created for its owner alone.

    Raises:
        ConfigurationError: a URL that SQLAlchemy does not know, or whose driver is missing.
    """
    private_folder(site.identifying)
    try:
        url = sa.make_url(site.database_url)
        # hide_parameters: an error must not print the row that caused it
        engine = sa.create_engine(url, hide_parameters=True)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"the database URL cannot be used ({type(error).__name__})",
            where="site.yaml: database",
            remedy="give sqlite:///… or postgresql://… and install its driver",
        ) from None
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite(engine, url.database)
    return engine


def private_folder(folder: Path) -> None:
    """Makes `folder` and its parents, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


def _prepare_sqlite(engine: sa.Engine, file: str | None) -> None:
    if not file or file == ":memory:":
        raise ConfigurationError(
            "a ledger in memory would lose what was received",
            where="site.yaml: database",
            remedy="give the path of a file",
        )
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its journal the mode of the database file
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"the database file cannot be made ({error.strerror})", where="site.yaml: database"
        ) from None
    os.chmod(file, 0o600)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late: see _begin
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A reader that turns writer fails at once when another wrote meanwhile: ask at the start.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def write_transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes: committed at the end, rolled back by any exception.

    Raises:
        EntrepotError: the database refused (full disk, locked, unreachable); no value is told.
    """
    with (
        database_errors(),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns a driver's error into an EntrepotError that holds its code and no value."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        cause: Any = error.orig
        code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
        raise EntrepotError(
            f"the identifying zone's database refused ({code or type(cause).__name__})",
            where="site.yaml: database",
            remedy="check that it is reachable, not full and not locked, then repeat the command",
        ) from None


def create_tables(engine: sa.Engine) -> None:
    """Creates the tables of `metadata` that are missing.

    Raises:
        EntrepotError: the database cannot be reached or written.
    """
    with write_transaction(engine) as connection:
        metadata.create_all(connection)


def check_keyring(engine: sa.Engine, keyring: Keyring) -> None:
    """Binds the zone to its root key the first time; refuses another key ever after.

    Raises:
        ConfigurationError: the zone was written under another root key; nothing is changed.
    """
    stored = sa.select(zone_setting.c.value).where(zone_setting.c.key == _FINGERPRINT)
    with write_transaction(engine) as connection:
        known = connection.scalar(stored)
        if known is None:
            row = {"key": _FINGERPRINT, "value": keyring.fingerprint}
            connection.execute(zone_setting.insert(), row)
        elif known != keyring.fingerprint:
            raise ConfigurationError(
                f"wrong key: this zone was written under key {known}, not {keyring.fingerprint}",
                where="identifying/keys",
                remedy="restore the site's root key from its escrow",
            )


def forget_deleted(engine: sa.Engine, *tables: sa.Table) -> None:
    """Removes from the database's files what `tables` no longer say.

    SQLite keeps former pages in its journal until it is emptied; PostgreSQL keeps former row
    versions until the table is written anew (its archived journals are the operator's to expire).

    Raises:
        EntrepotError: a reader still needs the journal; repeat when it has gone.
    """
    if engine.dialect.name != "sqlite":
        with database_errors(), engine.connect() as connection:
            commands = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                commands.exec_driver_sql(f"VACUUM (FULL) {table.name}")
        return
    raw = engine.raw_connection()  # outside any transaction, where alone a checkpoint works
    try:
        busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        raw.close()
    if busy:
        raise EntrepotError(
            "erased, but another process still reads the former state",
            remedy="end it, then repeat the command",
        )
