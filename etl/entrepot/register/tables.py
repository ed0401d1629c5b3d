"""Tables of the identity register, in the identifying zone's database.

Identifiers are found by HMAC and kept as ciphertext; a plain one is never stored.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from entrepot.landing.database import metadata

registration = Table(
    "registration",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("event", String(64), nullable=False, default=""),
    Column("stated_at", DateTime),  # local civil time of the site
    Column("control", LargeBinary(32)),  # HMAC of source and MSH-10
    Column("subject", LargeBinary(32)),  # HMAC of the person's local number
    Column("ins", LargeBinary(32)),  # HMAC of a validated INS
    Column("identity_digest", LargeBinary(32)),
    Column("referred", Boolean, nullable=False, default=False),  # the subject is a reference
    Column("personal", Boolean, nullable=False, default=True),  # false: a unit, a professional
    Column("secret", Boolean, nullable=False, default=False),  # CACH, ANOM
    Column("disposition", String(12), nullable=False),  # known, quarantined, excluded
    Column("reason", String(40), nullable=False, default=""),
    Column("position", String(40), nullable=False, default=""),
    Index("registration_subject", "subject"),
)

# What a record is a version of (a FHIR resource, a CDA document set); the newest speaks alone.
version = Table(
    "version",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("set", LargeBinary(32), nullable=False),
    Column("order", String(120), nullable=False),
    Index("version_set", "set"),
)

version_name = Table(
    "version_name",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
)

# The names and sets that a record replaces or withdraws.
replacement = Table(
    "replacement",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
)

identifier = Table(
    "identifier",
    metadata,
    Column("hmac", LargeBinary(32), primary_key=True),
    Column("authority", String(120), nullable=False),
    Column("person_key", String(32), nullable=False),
)

# One assigning authority may be stated by name in one message and by OID in another: CX-4 often
# carries both, and then says that they are one. An opposition by either spelling must hold.
spelling = Table(
    "spelling",
    metadata,
    Column("alias", LargeBinary(32), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
)

identity = Table(
    "identity",
    metadata,
    Column("subject", LargeBinary(32), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

link = Table(
    "link",
    metadata,
    Column("link_id", Integer, primary_key=True, autoincrement=True),
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), nullable=False),
    Column("left", LargeBinary(32), nullable=False),
    Column("right", LargeBinary(32), nullable=False),
    Column("relation", String(8), nullable=False),  # link, unlink
    Column("version", String(120), nullable=False),
)

stated_key = Table(
    "stated_key",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
    Column("position", String(40), nullable=False),
)

kin = Table(
    "kin",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("child", LargeBinary(32), nullable=False),
    Column("mother", LargeBinary(32), nullable=False),
    Column("version", String(120), nullable=False),
)

opposition = Table(
    "opposition",
    metadata,
    Column("opposition_id", Integer, primary_key=True, autoincrement=True),
    Column("identifier", LargeBinary(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # authority and number, for the DPO
    Column("opposed_on", Date, nullable=False),
    Column("withdrawn_on", Date),
    Column("channel", String(40), nullable=False),
    Column("recorded_at", DateTime, nullable=False),
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE")),
)
