"""What the identifying zone knows of publication: the release's inputs, the records held back,
the waivers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import (
    Column,
    Connection,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    delete,
    insert,
    select,
)

from entrepot.door.tables import derivation
from entrepot.landing.database import metadata
from entrepot.landing.settings import read_setting, write_setting
from entrepot.order import Waiver

GENERATION = "published_generation"
INPUTS = "published_inputs"

# Records of which nothing reached the CDM because the gate quarantined their rows.
gate_hold = Table(
    "gate_hold",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("check_id", String(120), nullable=False),
)

# What named persons let pass: never changed, never removed.
waiver = Table(
    "waiver",
    metadata,
    Column("waiver_id", Integer, primary_key=True),
    Column("check_id", String(120), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("by", String(120), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("until", Date, nullable=False),
)


def published_generation(connection: Connection) -> int:
    """The staging generation of the published release, -1 before the first."""
    return int(read_setting(connection, GENERATION) or -1)


def published_inputs(connection: Connection) -> str:
    """Fingerprint of the inputs of the published release, empty before the first."""
    return read_setting(connection, INPUTS) or ""


def add_waivers(connection: Connection, waivers: Iterable[Waiver]) -> None:
    """Notes what a named person lets pass."""
    connection.execute(insert(waiver), [asdict(one) for one in waivers])


def waivers(connection: Connection) -> tuple[Waiver, ...]:
    """Every waiver ever given, in their order."""
    rows = connection.execute(select(waiver).order_by(waiver.c.waiver_id))
    return tuple(Waiver(r.check_id, r.rows, r.by, r.reason, r.until) for r in rows)


def disown_publication(connection: Connection) -> None:
    """The release in place is of a former root key: nothing is published under the one in force."""
    write_setting(connection, GENERATION, "-1")
    write_setting(connection, INPUTS, "")
    connection.execute(delete(gate_hold))


def record_publication(
    connection: Connection, generation: int, inputs: str, held: Iterable[tuple[str, str]]
) -> None:
    """Notes the release and (record key, check) of the records that the gate held back."""
    write_setting(connection, GENERATION, str(generation))
    write_setting(connection, INPUTS, inputs)
    connection.execute(delete(gate_hold))
    checks = dict(held)
    if not checks:
        return
    rows = connection.execute(
        select(derivation.c.record_id, derivation.c.record_key).where(
            derivation.c.disposition == "staged"
        )
    )
    lines = [
        {"record_id": row.record_id, "check_id": checks[row.record_key][:120]}
        for row in rows
        if row.record_key in checks
    ]
    if lines:
        connection.execute(insert(gate_hold), lines)
