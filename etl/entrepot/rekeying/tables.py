"""What the zone's database keeps of its root keys: rotations, splits, former pseudonyms."""

from __future__ import annotations

import importlib

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from entrepot.landing.database import metadata
from entrepot.landing.keyed import REKEY, Hashed, Rederived, Sealed, keyed

FORMER_ID = "former_id/v1"

# Every module that adds tables to the zone: by name, as some lie above this one.
_MODULES = (
    "entrepot.landing.tables", "entrepot.register.tables", "entrepot.door.tables",
    "entrepot.publication", "entrepot.reidentification.tables",
)  # fmt: skip
# Tables that are not of the zone's metadata: the audit log's head, which no key made.
APART = frozenset({"audit_head", "sqlite_sequence"})

rotation = Table(
    "key_rotation",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),  # of the new root key
    Column("old", String(16), nullable=False),  # fingerprints
    Column("new", String(16), nullable=False),
    Column("by", String(80), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("state", String(12), nullable=False),  # as in `rotation.State`
    Column("last_segment", Integer, nullable=False),  # of landing, sealed under the old root
    Column("started_at", DateTime, nullable=False),  # UTC, as every time here
    Column("ended_at", DateTime),
    Column("persons", Integer, nullable=False),
    Column("records", Integer, nullable=False),
)

escrow = Table(
    "key_escrow",
    metadata,
    Column("split", String(8), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("shares", Integer, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("by", String(80), nullable=False),
    Column("split_at", DateTime, nullable=False),
)

# The re-keying map: a person_id of a release made under a former root, and a record of that person.
# Whose the record is today the register says, also after a merge or another rotation.
former_id = Table(
    "former_id",
    metadata,
    Column(
        "former_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True,
        autoincrement=True,
    ),
    Column("version", Integer, nullable=False),  # of the root key that made the id
    Column("hmac", LargeBinary(32), nullable=False, info=keyed(Hashed(FORMER_ID, "sealed"))),
    Column("sealed", LargeBinary, nullable=False, info=keyed(Sealed(FORMER_ID, ("hmac",)))),
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), nullable=False),
    Index("former_id_hmac", "hmac"),
    Index("former_id_record", "record_id"),
)  # fmt: skip


def zone_tables() -> MetaData:
    """The zone's metadata with every table in it, also those of modules above this one."""
    for name in _MODULES:
        importlib.import_module(name)
    return metadata


def undeclared(tables: MetaData) -> list[str]:
    """Binary columns that state no rule for a rotation, as `table.column`."""
    return [
        f"{table.name}.{column.name}"
        for table in tables.sorted_tables
        if not isinstance(table.info.get(REKEY), Rederived)
        for column in table.columns
        if isinstance(column.type, LargeBinary) and REKEY not in column.info
    ]
