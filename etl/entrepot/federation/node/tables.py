"""The node's own database: a file of its private folder, for its owner alone.

It holds questions, decisions, protected answers and papers; no row of a person. The disclosure
ledger is another file, of `entrepot.federation.disclosure`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from entrepot.errors import EntrepotError

_PRAGMAS = ("busy_timeout = 60000", "journal_mode = WAL", "synchronous = FULL")

metadata = sa.MetaData()

# Times are UTC in ISO 8601 to the second: they compare as texts.
request = sa.Table(
    "request",
    metadata,
    sa.Column("query", sa.String(64), primary_key=True),  # hash of the body
    sa.Column("study", sa.String(40), nullable=False),
    sa.Column("card", sa.String(64), nullable=False),
    sa.Column("researcher", sa.String(80), nullable=False),
    sa.Column("question", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("envelope", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("code", sa.String(40)),
    sa.Column("received_at", sa.String(20), nullable=False),
    sa.Column("not_after", sa.String(20), nullable=False),
    sa.Column("decided_by", sa.String(80)),  # empty: nobody, the study's mode
    sa.Column("decided_at", sa.String(20)),
    sa.Column("signature", sa.String(128)),  # of the decision
    sa.Column("rounds", sa.Text),  # transcript of an analysis in rounds
)

ARRIVAL: sa.ColumnElement[int] = sa.literal_column(
    "request.rowid", sa.Integer
)  # SQLite's own: in the order of their coming

nonce = sa.Table(
    "nonce",
    metadata,
    sa.Column("nonce", sa.String(32), primary_key=True),
    sa.Column("not_after", sa.String(20), nullable=False),  # kept until then and a day more
)

# A coordinator that brings one message again and again fills neither log nor outbox.
refusal = sa.Table(
    "refusal",
    metadata,
    sa.Column("query", sa.String(64), primary_key=True),
    sa.Column("code", sa.String(40), primary_key=True),
    sa.Column("day", sa.String(10), nullable=False),  # last told
)

card = sa.Table(
    "card",
    metadata,
    sa.Column("card", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(40), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("mode", sa.String(20), nullable=False),
    sa.Column("release", sa.String(64), nullable=False),
    sa.Column("root", sa.String(16), nullable=False),  # fingerprint of the key of its person ids
    sa.Column("accepted_by", sa.String(80), nullable=False),
    sa.Column("accepted_at", sa.String(20), nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
    sa.Column("ended_at", sa.String(20)),
)

revocation = sa.Table(
    "revocation",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("at", sa.String(20), nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
)

policy = sa.Table(
    "policy",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("proposed_by", sa.String(80), nullable=False),
    sa.Column("proposed_signature", sa.String(128), nullable=False),
    sa.Column("approved_by", sa.String(80)),
    sa.Column("approved_signature", sa.String(128)),
    sa.Column("approved_at", sa.String(26)),  # the last one approved is in force
)

answer = sa.Table(
    "answer",
    metadata,
    sa.Column("answer_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("query", sa.ForeignKey("request.query"), nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),  # protected: what the steward may look at
    sa.Column("stated", sa.Text, nullable=False),  # release, register, policy… at that moment
    sa.Column("slot_at", sa.String(20), nullable=False),  # not before
    sa.Column("envelope", sa.Text),  # signed when it leaves
    sa.UniqueConstraint("query", "round"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("outbox_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("path", sa.String(20), nullable=False),  # of the wire
    sa.Column("envelope", sa.Text, nullable=False),
    sa.Column("due_at", sa.String(20), nullable=False),
    sa.Column("sent_at", sa.String(20)),
    sa.Column("fault", sa.String(20)),  # why the coordinator will never take it
)

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)


def open_engine(file: Path) -> sa.Engine:
    """The engine of the node's database; the file is made for its owner alone.

    Raises:
        EntrepotError: it cannot be opened.
    """
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise EntrepotError(
            f"the node's database cannot be opened ({error.strerror})", where=file.name,
            remedy="entrepot node init",
        ) from None  # fmt: skip
    engine = sa.create_engine(f"sqlite:///{file}", hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    metadata.create_all(engine)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    """At once for writing: two processes that read first and write then would refuse each other."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """All or nothing; whoever comes second waits.

    Raises:
        EntrepotError: the disk refuses; no value of a row is told.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.OperationalError as error:
        code = getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)
        raise EntrepotError(
            f"the node's database cannot be written ({code})",
            remedy="free space on its disk, then repeat the command",
        ) from None
