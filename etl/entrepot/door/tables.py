"""What the door keeps in the ledger's database: each record's disposition and its digest."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from entrepot.landing.database import metadata
from entrepot.landing.keyed import Rederived, Unkeyed, keyed

_NAMES = Unkeyed("a plain hash of names of elements")

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
    info=keyed(Rederived()),
)

# What the door saw in a record besides its rows: names and counts, for the DPO's report.
reading = Table(
    "reading",
    metadata,
    Column("record_id", ForeignKey("record.record_id"), primary_key=True),
    Column("shape_id", LargeBinary(16), nullable=False, info=keyed(_NAMES)),
    Column("attachments", Integer, nullable=False),  # read and scrubbed
    Column("masked", Text, nullable=False),  # JSON: LABEL:layer -> maskings, of short texts
)

# Records of one sender have few shapes: each list of names is kept once (some 100 bytes a record
# less than a list in each).
shape = Table(
    "shape",
    metadata,
    Column("shape_id", LargeBinary(16), primary_key=True, info=keyed(_NAMES)),
    Column("elements", Text, nullable=False),  # names of elements that no mapping reads, by line
)
