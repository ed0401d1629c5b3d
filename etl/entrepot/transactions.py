"""One discipline of transactions for the databases of a site and of a coordinator."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from entrepot.errors import ConfigurationError, EntrepotError

_WRITES = "entrepot_writes"


def prepare_sqlite(
    engine: sa.Engine, file: str | None, pragmas: Sequence[str], where: str, lost: str
) -> None:
    """Makes the file for its owner alone; every connection gets `pragmas`.

    Args:
        where: of the setting, for errors.
        lost: what a database in memory would do.

    Raises:
        ConfigurationError: no file is named, or it cannot be made.
    """
    if not file or file == ":memory:":
        raise ConfigurationError(lost, where=where, remedy="give the path of a file")
    try:
        # SQLite gives its journal the mode of the database file
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"the database file cannot be made ({error.strerror})", where=where
        ) from None

    def set_pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late: see _begin
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", set_pragmas)
    event.listen(engine, "begin", _begin)


def _begin(connection: sa.Connection) -> None:
    # A reader that turns writer fails at once when another wrote meanwhile: ask at the start.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes: committed at the end, rolled back by any exception."""
    with (
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def refusals_told(whose: str, where: str, remedy: str) -> Iterator[None]:
    """Turns a driver's error into an EntrepotError that holds its code and no value."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        cause: Any = error.orig
        code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
        raise EntrepotError(
            f"{whose} database refused ({code or type(cause).__name__})", where=where, remedy=remedy
        ) from None
