"""Requests, decisions and executions, in the identifying zone's database.

Each row carries the signature of who made it over all that it says: a changed row is worth nothing.
"""

from __future__ import annotations

import sqlalchemy as sa

from entrepot.landing.database import metadata
from entrepot.landing.keyed import Sealed, keyed

LABEL = "reidentification/v1"

request = sa.Table(
    "reidentification_request",
    metadata,
    sa.Column("request_id", sa.String(16), primary_key=True),
    sa.Column("motive", sa.String(40), nullable=False),
    sa.Column("requester", sa.String(80), nullable=False),
    sa.Column("study", sa.String(40), nullable=False),  # whose pseudonyms were given; else empty
    sa.Column("persons", sa.Integer, nullable=False),
    # Person ids, as given, and the reason; after a rotation they are ids of their time.
    sa.Column(
        "sealed", sa.LargeBinary, nullable=False,
        info=keyed(Sealed(LABEL, ("request_id",))),
    ),
    sa.Column("requested_at", sa.DateTime, nullable=False),  # UTC, as every time here
    sa.Column("until", sa.DateTime, nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
)  # fmt: skip

decision = sa.Table(
    "reidentification_decision",
    metadata,
    sa.Column("request_id", sa.ForeignKey("reidentification_request.request_id"), primary_key=True),
    sa.Column("decided_by", sa.String(80), primary_key=True),
    sa.Column("approved", sa.Boolean, nullable=False),
    sa.Column("profiles", sa.String(80), nullable=False),  # held when they decided
    sa.Column("public_key", sa.String(64), nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
)

execution = sa.Table(
    "reidentification_execution",
    metadata,
    sa.Column("request_id", sa.ForeignKey("reidentification_request.request_id"), primary_key=True),
    sa.Column("executed_at", sa.DateTime, primary_key=True),
    sa.Column("persons", sa.Integer, nullable=False),  # found; the others have no data here
    sa.Column("signature", sa.String(128), nullable=False),
)
