"""The coordinator's database: what was asked of whom, and what came back. No health data.

SQLite by default, PostgreSQL by URL. Moments are text to the second in UTC
(`2026-11-22T09:30:00Z`), which both databases order alike.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import sqlalchemy as sa

from entrepot import transactions
from entrepot.errors import ConfigurationError
from entrepot.transactions import prepare_sqlite, refusals_told

_WHERE = "coordinator.yaml: database"
_PRAGMAS = (
    "busy_timeout = 60000", "journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL",
)  # fmt: skip
metadata = sa.MetaData()
_MOMENT, _HASH, _NAME, _CODE = sa.String(20), sa.String(64), sa.String(40), sa.String(40)

node = sa.Table(
    "node",
    metadata,
    sa.Column("name", _NAME, primary_key=True),
    sa.Column("key", _HASH, nullable=False, unique=True),  # Ed25519, signs its answers
    sa.Column("certificate", _HASH, nullable=False, unique=True),  # SHA-256 of the DER form
    sa.Column("enrolled", _MOMENT, nullable=False),
    sa.Column("revoked", _MOMENT),
    sa.Column("seen", _MOMENT),  # last request that proved to be its own
)

revocation = sa.Table(  # signed, handed to every node; a key never becomes good again
    "revocation",
    metadata,
    sa.Column("key", _HASH, primary_key=True),
    sa.Column("envelope", sa.Text, nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
)

card = sa.Table(
    "card",
    metadata,
    sa.Column("hash", _HASH, primary_key=True),
    sa.Column("study", _NAME, nullable=False, index=True),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("added", _MOMENT, nullable=False),
    sa.Column("closed", _MOMENT),  # earlier than the card says
)

query = sa.Table(
    "query",
    metadata,
    sa.Column("id", _HASH, primary_key=True),  # hash of its body
    sa.Column("card", _HASH, sa.ForeignKey("card.hash"), nullable=False, index=True),
    sa.Column("researcher", sa.String(80), nullable=False),
    sa.Column("analysis", _CODE, nullable=False),
    sa.Column("delivery", _CODE, nullable=False),
    sa.Column("submitted", _MOMENT, nullable=False),
    sa.Column("expires", _MOMENT, nullable=False),
    sa.Column("envelope", sa.Text, nullable=False),  # with both signatures
)

task = sa.Table(
    "task",
    metadata,
    sa.Column("query", _HASH, sa.ForeignKey("query.id"), primary_key=True),
    sa.Column("node", _NAME, sa.ForeignKey("node.name"), primary_key=True, index=True),
    sa.Column("round", sa.Integer, nullable=False),  # of a regression; 0 of anything else
    sa.Column("state", _CODE, nullable=False),
    sa.Column("code", _CODE),  # why it was refused
    sa.Column("changed", _MOMENT, nullable=False),
    sa.Column("given", _MOMENT),  # last handed to the node
)

answer = sa.Table(
    "answer",
    metadata,
    sa.Column("query", _HASH, sa.ForeignKey("query.id"), primary_key=True),
    sa.Column("node", _NAME, sa.ForeignKey("node.name"), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("envelope", sa.Text, nullable=False),
    sa.Column("sha256", _HASH, nullable=False),
    sa.Column("received", _MOMENT, nullable=False),
    sa.Column("fault", _CODE),  # why it is not added to the others
)

head = sa.Table(  # of the nodes' logs, kept where a thief at the node cannot reach (T12, T14)
    "head",
    metadata,
    sa.Column("node", _NAME, sa.ForeignKey("node.name"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("mac", _HASH, nullable=False),
    sa.Column("envelope", sa.Text, nullable=False),
    sa.Column("received", _MOMENT, nullable=False),
)

nonce = sa.Table(
    "nonce",
    metadata,
    sa.Column("owner", sa.String(80), primary_key=True),
    sa.Column("nonce", sa.String(32), primary_key=True),
    sa.Column("until", _MOMENT, nullable=False, index=True),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token", _HASH, primary_key=True),  # SHA-256 of what the browser holds
    sa.Column("key", _HASH, nullable=False),  # the researcher's, who signed in with it
    sa.Column("until", _MOMENT, nullable=False),
)

log = sa.Table(  # append-only, chained: what happened here, refusals too
    "log",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.Text, nullable=False),
    sa.Column("hash", _HASH, nullable=False, unique=True),
)


def open_database(url: str) -> sa.Engine:
    """The engine, with every table there.

    Raises:
        ConfigurationError: a URL that cannot be used.
        EntrepotError: the database cannot be reached or written.
    """
    try:
        parsed = sa.make_url(url)
        # hide_parameters: an error must not print the row that caused it
        engine = sa.create_engine(parsed, hide_parameters=True)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"the database URL cannot be used ({type(error).__name__})",
            where=_WHERE,
            remedy="give sqlite:///… or postgresql+psycopg://… and install its driver",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        lost = "a database in memory would lose the studies"
        prepare_sqlite(engine, parsed.database, _PRAGMAS, _WHERE, lost)
    with writing(engine) as connection:
        metadata.create_all(connection)
    return engine


def sqlite_url(path: Path) -> str:
    """The URL of a database file."""
    return f"sqlite:///{path}"


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes: committed at the end, rolled back by any exception.

    Raises:
        EntrepotError: the database refused; no value is told.
    """
    with _told(), transactions.writing(engine) as connection:
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One view of the database.

    Raises:
        EntrepotError: the database refused; no value is told.
    """
    with _told(), engine.connect() as connection, connection.begin():
        yield connection


def written(moment: dt.datetime) -> str:
    """A moment as the database keeps it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told() -> AbstractContextManager[None]:
    return refusals_told(
        "the coordinator's", _WHERE, "check that it is reachable, not full and not locked"
    )
