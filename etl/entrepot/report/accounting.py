"""The two accounting equations: every record and every staged row, each in exactly one place.

received = duplicates + pending + published + quarantined + excluded
staged = superseded + duplicate_of + deleted + excluded(rule) + quarantined(check) + mapped
CDM rows = mapped + fan-out + derived(table)
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from entrepot.door.tables import derivation
from entrepot.landing.tables import notice, record
from entrepot.publication import gate_hold, published_generation
from entrepot.register import tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAPPED_TABLES = (
    "person", "visit_occurrence", "visit_detail", "condition_occurrence", "procedure_occurrence",
    "drug_exposure", "device_exposure", "measurement", "observation", "specimen", "note", "death",
)  # fmt: skip
DERIVED_TABLES = (
    "observation_period", "condition_era", "drug_era", "location", "care_site", "provider",
    "fact_relationship", "cdm_source",
)  # fmt: skip
STAGED_KINDS = ("patient", "stay", "movement", "event", "document", "structure")


# CDM rows beyond the first of each staged row; lineage of rows that the gate took counts nothing.
_FAN_OUT = (
    "SELECT count(*) - count(DISTINCT (l.record_key, l.row_key)) FROM etl.lineage l JOIN ("
    + " UNION ALL ".join(
        f"SELECT '{table}' AS cdm_table, {key} AS cdm_id FROM cdm.{table}"
        for table in MAPPED_TABLES
        for key in ("person_id" if table == "death" else f"{table}_id",)
    )
    + ") c USING (cdm_table, cdm_id) WHERE l.role = 'source'"
)


@dataclass
class SourceCounts:
    """The record equation of one source."""

    received: int = 0
    duplicates: int = 0
    pending: int = 0
    published: int = 0
    quarantined: int = 0
    excluded: int = 0

    @property
    def balanced(self) -> bool:
        """Whether the equation holds."""
        parts = self.duplicates + self.pending + self.published + self.quarantined + self.excluded
        return self.received == parts

    def as_dict(self) -> dict[str, int]:
        """The contract's form (`status --json`)."""
        return asdict(self)


@dataclass
class Records:
    """Record equations by source, with their reasons."""

    sources: dict[str, SourceCounts] = field(default_factory=dict)
    quarantined: Counter[tuple[str, str]] = field(default_factory=Counter)  # (source, reason)
    excluded: Counter[tuple[str, str]] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    oppositions: int = 0
    oppositions_without_person: int = 0  # the number is unknown: told, never taken as applied

    @property
    def balanced(self) -> bool:
        """Whether every source's equation holds."""
        return all(counts.balanced for counts in self.sources.values())


@dataclass
class Rows:
    """The row equations of the published warehouse."""

    staged: dict[str, Counter[str]] = field(default_factory=dict)  # kind -> disposition -> rows
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    tables: dict[str, int] = field(default_factory=dict)
    mapped: int = 0
    fan_out: int = 0
    derived: dict[str, int] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        """CDM rows = mapped + fan-out + derived, table by table."""
        total = sum(self.tables[t] for t in (*MAPPED_TABLES, *DERIVED_TABLES))
        return total == self.mapped + self.fan_out + sum(self.derived.values())


def staged_counts(connection: Connection) -> dict[str, int]:
    """Rows staged by kind, and under `records` the records that yielded them: for the gate."""
    counts: Counter[str] = Counter(dict.fromkeys(STAGED_KINDS, 0))
    query = select(derivation.c.kinds).where(derivation.c.disposition == "staged")
    for kinds in connection.scalars(query):
        counts.update(json.loads(kinds))
        counts["records"] += 1
    return dict(counts)


def records(connection: Connection) -> Records:
    """The record equation, from the ledger, the door's dispositions and what is published."""
    published = published_generation(connection)
    result = Records()
    query = select(
        record.c.source, record.c.deliveries, derivation.c.disposition, derivation.c.reason,
        derivation.c.generation, gate_hold.c.check_id,
    ).select_from(
        record.outerjoin(derivation, derivation.c.record_id == record.c.record_id)
        .outerjoin(gate_hold, gate_hold.c.record_id == record.c.record_id)
    )  # fmt: skip
    for row in connection.execute(query):
        counts = result.sources.setdefault(row.source, SourceCounts())
        counts.received += row.deliveries
        counts.duplicates += row.deliveries - 1
        if row.disposition is None or (row.disposition == "staged" and row.generation > published):
            counts.pending += 1
        elif row.disposition == "quarantined" or row.check_id is not None:
            counts.quarantined += 1
            result.quarantined[row.source, row.check_id or row.reason] += 1
        elif row.disposition == "staged":
            counts.published += 1
        else:
            counts.excluded += 1
            result.excluded[row.source, row.reason] += 1
    result.notices.update(connection.scalars(select(notice.c.code)))
    _count_oppositions(connection, result)
    return result


def _count_oppositions(connection: Connection, result: Records) -> None:
    standing = list(
        connection.scalars(
            select(tables.opposition.c.identifier).where(tables.opposition.c.withdrawn_on.is_(None))
        )
    )
    known = set(connection.scalars(select(tables.identifier.c.hmac)))
    known |= set(connection.scalars(select(tables.spelling.c.alias)))
    result.oppositions = len(standing)
    result.oppositions_without_person = sum(number not in known for number in standing)


def rows(warehouse: Path) -> Rows:
    """The row equations of a published warehouse."""
    from entrepot.publish.warehouse import open_warehouse

    connection = open_warehouse(warehouse)
    try:
        return _rows(connection)
    finally:
        connection.close()


def _rows(connection: DuckDBPyConnection) -> Rows:
    result = Rows()
    for kind, disposition, reason, count in connection.execute(
        "SELECT kind, disposition, reason, count(*) FROM etl.row_disposition GROUP BY ALL"
    ).fetchall():
        result.staged.setdefault(kind, Counter())[disposition] += count
        if reason:
            result.reasons[kind, disposition, reason] += count
    for table in (*MAPPED_TABLES, *DERIVED_TABLES):
        counted = connection.execute(f"SELECT count(*) FROM cdm.{table}").fetchone()
        result.tables[table] = counted[0] if counted else 0
    result.mapped = sum(counts["mapped"] for counts in result.staged.values())
    traced = connection.execute(_FAN_OUT).fetchone()
    result.fan_out = traced[0] if traced else 0
    result.derived = {table: result.tables[table] for table in DERIVED_TABLES}
    return result
