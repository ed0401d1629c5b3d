"""What the door keeps in the ledger's database: each record's disposition and its digest."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from entrepot.landing.database import metadata

derivation = Table(
    "derivation",
    metadata,
    Column("record_id", ForeignKey("record.record_id"), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("record_key", String(32), nullable=False),
    Column("person_key", String(32), nullable=False),
    Column("disposition", String(12), nullable=False),  # staged, quarantined, excluded
    Column("reason", String(40), nullable=False),
    Column("position", String(64), nullable=False),
    Column("kinds", String(200), nullable=False),  # JSON: rows staged by kind
    Column("generation", Integer, nullable=False),
)
