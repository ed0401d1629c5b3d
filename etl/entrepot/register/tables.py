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
    false,
)

from entrepot.keys import IDENTIFIER, REGISTER
from entrepot.landing.database import metadata
from entrepot.landing.keyed import Carried, Hashed, Rederived, Sealed, keyed

registration = Table(
    "registration",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("event", String(64), nullable=False, default=""),
    Column("stated_at", DateTime),  # local civil time of the site
    Column("control", LargeBinary(32)),  # HMAC of source and MSH-10
    # HMACs of the person's local number, and of a validated INS
    Column("subject", LargeBinary(32), info=keyed(Carried(IDENTIFIER))),
    Column("ins", LargeBinary(32), info=keyed(Carried(IDENTIFIER))),
    Column("identity_digest", LargeBinary(32)),
    Column("referred", Boolean, nullable=False, default=False),  # the subject is a reference
    Column("personal", Boolean, nullable=False, default=True),  # false: a unit, a professional
    Column("secret", Boolean, nullable=False, default=False),  # CACH, ANOM
    Column("disposition", String(12), nullable=False),  # known, quarantined, excluded
    Column("reason", String(40), nullable=False, default=""),
    Column("position", String(40), nullable=False, default=""),
    Index("registration_subject", "subject"),
    info=keyed(Rederived()),
)

# What a record is a version of (a FHIR resource, a CDA document set); the newest speaks alone.
version = Table(
    "version",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("set", LargeBinary(32), nullable=False),
    Column("order", String(120), nullable=False),
    Index("version_set", "set"),
    info=keyed(Rederived()),
)

version_name = Table(
    "version_name",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
    info=keyed(Rederived()),
)

# The names and sets that a record replaces or withdraws.
replacement = Table(
    "replacement",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
    info=keyed(Rederived()),
)

identifier = Table(
    "identifier",
    metadata,
    Column("hmac", LargeBinary(32), primary_key=True),
    Column("authority", String(120), nullable=False),
    Column("person_key", String(32), nullable=False),
    info=keyed(Rederived()),
)

# One assigning authority may be stated by name in one message and by OID in another: CX-4 often
# carries both, and then says that they are one. An opposition by either spelling must hold.
spelling = Table(
    "spelling",
    metadata,
    Column("alias", LargeBinary(32), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
    info=keyed(Rederived()),
)

identity = Table(
    "identity",
    metadata,
    Column("subject", LargeBinary(32), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    info=keyed(Rederived()),
)

link = Table(
    "link",
    metadata,
    Column("link_id", Integer, primary_key=True, autoincrement=True),
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), nullable=False),
    Column("left", LargeBinary(32), nullable=False, info=keyed(Carried(IDENTIFIER))),
    Column("right", LargeBinary(32), nullable=False, info=keyed(Carried(IDENTIFIER))),
    Column("relation", String(8), nullable=False),  # link, unlink
    Column("version", String(120), nullable=False),
    info=keyed(Rederived()),
)

stated_key = Table(
    "stated_key",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("hmac", LargeBinary(32), primary_key=True),
    Column("position", String(40), nullable=False),
    info=keyed(Rederived()),
)

kin = Table(
    "kin",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("child", LargeBinary(32), nullable=False),
    Column("mother", LargeBinary(32), nullable=False),
    Column("version", String(120), nullable=False),
    info=keyed(Rederived()),
)

opposition = Table(
    "opposition",
    metadata,
    Column("opposition_id", Integer, primary_key=True, autoincrement=True),
    Column("identifier", LargeBinary(32), nullable=False, info=keyed(Hashed(IDENTIFIER, "sealed"))),
    # authority and number; empty once erased
    Column("sealed", LargeBinary, nullable=False, info=keyed(Sealed(REGISTER, ("identifier",)))),
    # a minor's date of birth, where it was given with the number
    Column("born", LargeBinary, info=keyed(Sealed(REGISTER, ("identifier",)))),
    Column("opposed_on", Date, nullable=False),
    Column("withdrawn_on", Date),
    Column("channel", String(40), nullable=False),
    Column("recorded_at", DateTime, nullable=False),
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE")),
    Column("register", String(12), nullable=False, server_default="opposition"),
    Column("scope", String(80), nullable=False, server_default="all"),
    Column("until", Date),  # its last day, when it was said for a time
    # said for a minor by a holder of parental authority
    Column("by_holder", Boolean, nullable=False, server_default=false()),
)

# Who was told of the reuse, when, how, and by which text (RGPD 13, 14; LIL 69, 70).
information = Table(
    "information",
    metadata,
    Column("information_id", Integer, primary_key=True, autoincrement=True),
    Column("identifier", LargeBinary(32), nullable=False, info=keyed(Hashed(IDENTIFIER, "sealed"))),
    # both as in `opposition`
    Column("sealed", LargeBinary, nullable=False, info=keyed(Sealed(REGISTER, ("identifier",)))),
    Column("born", LargeBinary, info=keyed(Sealed(REGISTER, ("identifier",)))),
    Column("informed_on", Date, nullable=False),
    Column("channel", String(40), nullable=False),
    Column("notice", String(40), nullable=False),  # version of the text that was given
    Column("to_holder", Boolean, nullable=False),  # given to a minor's holder of authority
    Column("recorded_at", DateTime, nullable=False),
)

# The suppression list, as `erasures.log` has it: keyed hashes of numbers, and nothing else.
erasure = Table(
    "erasure",
    metadata,
    Column("hmac", LargeBinary(32), primary_key=True, info=keyed(Carried(IDENTIFIER))),
    Column("sequence", Integer, nullable=False),  # of the line in the log
    Column("before", DateTime),  # only what was stated earlier; empty: for ever
)

# Ledger lines whose content an erasure took: what `erased` and `retention_ended` stand on.
erased_record = Table(
    "erased_record",
    metadata,
    Column("record_id", ForeignKey("record.record_id"), primary_key=True),
    Column("sequence", Integer, nullable=False),
)
