"""The log's last entry, noted apart from it in the zone's database: a log cut short is found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.schema import CreateTable

from entrepot.audit.entry import GENESIS
from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError

# Not the journal's mode: two processes that change it at the same moment fail without waiting.
_PRAGMAS = ("busy_timeout = 60000", "synchronous = FULL")
_ROW = 1

_metadata = sa.MetaData()
_head = sa.Table(
    "audit_head",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
)
# Two processes may be the first: SQLite and PostgreSQL both take these words.
_FIRST = sa.text(
    "INSERT INTO audit_head (id, sequence, mac) VALUES (:id, :sequence, :mac)"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class Head:
    """The end of the chain: `12:9f…`; sequence 0 is a log that holds nothing."""

    sequence: int = 0
    mac: str = GENESIS

    def __str__(self) -> str:
        return f"{self.sequence}:{self.mac}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """What `entrepot audit head` printed.

        Raises:
            ConfigurationError: it is none.
        """
        sequence, _, mac = text.strip().partition(":")
        mac = mac.lower()
        digits = set(mac) <= set("0123456789abcdef") and len(mac) == len(GENESIS)
        if sequence.isascii() and sequence.isdigit() and digits:
            return cls(int(sequence), mac)
        raise ConfigurationError(
            "not a head of the audit log", where="--head", remedy="N:MAC, as entrepot audit head"
        )


class HeadRecord:
    """The row that holds the head.

    Args:
        connection: of a caller who is in the middle of a transaction of the zone: the head then
            changes with the act that it stands for.
    """

    def __init__(self, site: Site, connection: sa.Connection | None = None) -> None:
        self._site, self._given = site, connection

    def prepare(self) -> None:
        """Makes the row when it is missing; before the file is locked, because it writes."""
        with self._connection() as connection:
            if sa.inspect(connection).has_table(_head.name) and self._stored(connection):
                return
            self._create(connection)
            connection.execute(_FIRST, {"id": _ROW, "sequence": 0, "mac": GENESIS})

    def _create(self, connection: sa.Connection) -> None:
        """IF NOT EXISTS does not help against another who creates it at the same moment."""
        try:
            with nullcontext() if self._given is None else connection.begin_nested():
                connection.execute(CreateTable(_head, if_not_exists=True))
        except sa.exc.DBAPIError:
            if not sa.inspect(connection).has_table(_head.name):
                raise

    def read(self) -> Head | None:
        """The head as noted; None when nothing was ever noted."""
        with self._connection() as connection:
            if not sa.inspect(connection).has_table(_head.name):
                return None
            return self._stored(connection)

    def advance(self, head: Head) -> None:
        """Notes a head; a later one that another process noted meanwhile stays."""
        with self._connection() as connection:
            connection.execute(
                sa.update(_head)
                .where(_head.c.id == _ROW, _head.c.sequence < head.sequence)
                .values(sequence=head.sequence, mac=head.mac)
            )

    def _stored(self, connection: sa.Connection) -> Head | None:
        row = connection.execute(sa.select(_head).where(_head.c.id == _ROW)).one_or_none()
        return None if row is None else Head(row.sequence, row.mac)

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        with _database_errors():
            if self._given is not None:
                yield self._given
                return
            engine = _engine(self._site)
            try:
                with engine.connect() as connection:
                    yield connection
            finally:
                engine.dispose()


def _engine(site: Site) -> sa.Engine:
    """The zone's database, each statement a transaction of its own."""
    try:
        url = sa.make_url(site.database_url)
        engine = sa.create_engine(url, hide_parameters=True, isolation_level="AUTOCOMMIT")
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"the database URL cannot be used ({type(error).__name__})",
            where="site.yaml: database",
            remedy="give sqlite:///… or postgresql://… and install its driver",
        ) from None
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database))
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise _refused(error.strerror or "error") from None
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _database_errors() -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        cause: Any = error.orig
        code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
        raise _refused(code or type(cause).__name__) from None


def _refused(code: str) -> EntrepotError:
    return EntrepotError(
        f"the head of the audit log cannot be noted ({code}): the act is refused",
        where="site.yaml: database",
        remedy="check that it is reachable, not full and not locked, then repeat the command",
    )
