"""What the identifying zone knows of the published release: its inputs, the records held back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Column, Connection, ForeignKey, String, Table, delete, insert, select

from entrepot.door.tables import derivation
from entrepot.landing.database import metadata
from entrepot.landing.settings import read_setting, write_setting

GENERATION = "published_generation"
INPUTS = "published_inputs"

# Records of which nothing reached the CDM because the gate quarantined their rows.
gate_hold = Table(
    "gate_hold",
    metadata,
    Column("record_id", ForeignKey("record.record_id", ondelete="CASCADE"), primary_key=True),
    Column("check_id", String(120), nullable=False),
)


def published_generation(connection: Connection) -> int:
    """The staging generation of the published release, -1 before the first."""
    return int(read_setting(connection, GENERATION) or -1)


def is_published(connection: Connection, generation: int, inputs: str, warehouse: Path) -> bool:
    """Whether the release in place was made from just these inputs."""
    same = published_generation(connection) == generation
    return same and read_setting(connection, INPUTS) == inputs and warehouse.is_file()


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
