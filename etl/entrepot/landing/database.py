"""The identifying zone's database: one SQLAlchemy engine, its tables and its key's fingerprint.

SQLite by default, PostgreSQL by URL (`site.yaml`: `database`). Landing and register share
`metadata` and one transaction discipline.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import sqlalchemy as sa

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring
from entrepot.transactions import prepare_sqlite, refusals_told, writing

PRAGMAS = (
    "busy_timeout = 60000",
    "journal_mode = WAL",
    "secure_delete = ON",  # an erased key must not stay readable in a free page
    "foreign_keys = ON",
    "synchronous = FULL",
    "temp_store = MEMORY",  # nothing of the zone in a temporary folder
)
_WHERE = "site.yaml: database"
FINGERPRINT = "key_fingerprint"
VERSION = "key_version"  # of the root key, once it was rotated
ROTATION = "key_rotation"  # set while some rows are of the former root key and some of the next
_SQLITE_TMP = "SQLITE_TMPDIR"

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
    try:
        if file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"the database file cannot be made ({error.strerror})", where=_WHERE
        ) from None
    prepare_sqlite(engine, file, PRAGMAS, _WHERE, "a ledger in memory would lose what was received")
    os.chmod(str(file), 0o600)


@contextmanager
def write_transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes: committed at the end, rolled back by any exception.

    Raises:
        EntrepotError: the database refused (full disk, locked, unreachable); no value is told.
    """
    with database_errors(), writing(engine) as connection:
        yield connection


def database_errors() -> AbstractContextManager[None]:
    """Turns a driver's error into an EntrepotError that holds its code and no value."""
    return refusals_told(
        "the identifying zone's", _WHERE,
        "check that it is reachable, not full and not locked, then repeat the command",
    )  # fmt: skip


def create_tables(engine: sa.Engine) -> None:
    """Creates the tables of `metadata` that are missing, and columns that came to one since.

    Raises:
        EntrepotError: the database cannot be reached or written.
    """
    with write_transaction(engine) as connection:
        inspector = sa.inspect(connection)
        there = set(inspector.get_table_names())
        metadata.create_all(connection)
        # Not in the order of their keys: a command may know a table and not the one it refers to.
        for table in metadata.tables.values():
            if table.name in there:
                _add_columns(connection, table, inspector)


def _add_columns(connection: sa.Connection, table: sa.Table, inspector: sa.Inspector) -> None:
    """Columns of a later version: each may be empty or has a default of the server's."""
    known = {column["name"] for column in inspector.get_columns(table.name)}
    for column in table.columns:
        if column.name not in known:
            stated = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {stated}")


def check_keyring(engine: sa.Engine, keyring: Keyring) -> None:
    """Binds the zone to its root key the first time; refuses another key ever after.

    Raises:
        ConfigurationError: the zone was written under another root key, or a rotation of the key
            has not ended; nothing is changed.
    """
    stored = sa.select(zone_setting.c.key, zone_setting.c.value).where(
        zone_setting.c.key.in_((FINGERPRINT, ROTATION, VERSION))
    )
    with write_transaction(engine) as connection:
        settings: dict[str, str] = {row.key: row.value for row in connection.execute(stored)}
        known = settings.get(FINGERPRINT)
        if ROTATION in settings:
            raise ConfigurationError(
                "a rotation of the root key has not ended",
                where="identifying/keys",
                remedy="wait for it; if it was interrupted: entrepot keys rotate --resume",
            )
        if known is None:
            row = {"key": FINGERPRINT, "value": keyring.fingerprint}
            connection.execute(zone_setting.insert(), row)
        elif known != keyring.fingerprint:
            raise ConfigurationError(
                f"wrong key: this zone was written under key {known}, not {keyring.fingerprint}",
                where="identifying/keys",
                remedy="restore the site's root key from its escrow",
            )
        elif settings.get(VERSION, "1") != str(keyring.version):  # else erased persons come back
            raise ConfigurationError(
                "what is kept of former root keys is missing or of another time",
                where="identifying/keys/former.keys",
                remedy="restore this file from the backup of the identifying zone",
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
    _truncate_journal(engine)


def rebuild(engine: sa.Engine) -> None:
    """Writes the whole database anew: nothing is left of rows that were ever deleted or moved.

    A row that grew, or a page that was split, leaves copies in pages still in use, which
    `secure_delete` does not overwrite. Needs the size of the database again while it works.

    Raises:
        EntrepotError: a reader still needs the former pages; repeat when it has gone.
    """
    if engine.dialect.name != "sqlite":
        forget_deleted(engine, *metadata.tables.values())
        return
    raw = engine.raw_connection()
    try:
        folder = Path(str(engine.url.database)).parent
        with _temporary_files(folder):
            raw.cursor().execute("PRAGMA temp_store = FILE")  # in memory it would have to fit
            raw.cursor().execute("VACUUM")
    except sqlite3.Error as error:
        raise EntrepotError(
            f"erased, but its database was not written anew ({error.sqlite_errorname})",
            remedy="end other processes, free the disk, then repeat the command",
        ) from None
    finally:
        raw.close()
    engine.dispose()  # its connections keep the setting
    _truncate_journal(engine)


@contextmanager
def _temporary_files(folder: Path) -> Iterator[None]:
    """SQLite's temporary files stay in the zone (their names are gone while they are open)."""
    former = os.environ.get(_SQLITE_TMP)
    os.environ[_SQLITE_TMP] = str(folder)
    try:
        yield
    finally:
        if former is None:
            del os.environ[_SQLITE_TMP]
        else:
            os.environ[_SQLITE_TMP] = former


def _truncate_journal(engine: sa.Engine) -> None:
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
