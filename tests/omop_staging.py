"""Staging rows written by hand, and the candidate that the mappings make of them.

Keys and ids are digests of readable names, so that an expectation can name what it means.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from entrepot.omop.candidate import MapInputs, build, open_candidate, prepare
from entrepot.publish.ddl import ddl
from entrepot.staging.kinds import KINDS

AS_OF = dt.datetime(2025, 6, 30, 12)
Row = dict[str, Any]


def key(name: str) -> str:
    """The pseudonym of a name: 32 hexadecimal characters."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def number(name: str, bits: int = 53) -> int:
    """The id of a name."""
    return int(key(name)[:16], 16) >> (64 - bits)


def at(text: str) -> dt.datetime:
    """`2025-03-01` or `2025-03-01T08:30` as a local civil time."""
    return dt.datetime.fromisoformat(text)


class Staging:
    """Rows by kind; each row is a record of its own unless it names one."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {kind: [] for kind in KINDS}

    def add(self, kind: str, name: str, person: str = "", **cells: Any) -> Row:
        """One row: `name` is its business key; references may be given by name (`stay="s1"`)."""
        for reference in KINDS[kind].references:
            if reference.name in cells:
                told = cells.pop(reference.name)
                if reference.key:
                    cells[reference.key] = key(told)
                if reference.id:
                    cells[reference.id] = number(told)
        row: Row = {
            "record_key": key(f"record {kind} {name} {cells.get('source')} {cells.get('version')}"),
            "row_number": 0, "source": "adt", "format": "hl7v2", "event": "ADT^A01",
            "person_key": key(person) if person else "",
            "person_id": number(person) if person else None,
            "row_key": key(name), "row_id": number(name, KINDS[kind].id_bits), "version": "0|1",
            "stated_at": at("2025-06-01"), "action": "upsert", "mode": "snapshot", "cleared": "",
        }  # fmt: skip
        row |= {k: Decimal(v) if isinstance(v, int | float) and _decimal(kind, k) else v
                for k, v in cells.items()}  # fmt: skip
        unknown = set(row) - set(KINDS[kind].schema.names)
        assert not unknown, unknown
        self.rows[kind].append(row)
        return row

    def person(self, name: str, **cells: Any) -> Row:
        """A person born in May 1980."""
        told = {"gender_code": "F", "birth_year": 1980, "birth_month": 5, "mode": "patch"}
        return self.add("patient", name, name, **{**told, **cells, "row_id": number(name)})

    def event(self, name: str, person: str, category: str = "result", **cells: Any) -> Row:
        """A final event of 1 March 2025, 8 o'clock."""
        told = {"status_code": "final", "context_code": "ehr", "start_at": at("2025-03-01T08:00")}
        return self.add("event", name, person, category=category, **{**told, **cells})

    def fact(self, fact: str, name: str, person: str, source: str, **cells: Any) -> Row:
        """A statement of a fact: its id is the fact's, its key the statement's own."""
        row = self.event(name, person, source=source, **cells)
        row |= {"fact_key": key(fact), "row_id": number(fact, 63)}
        return row

    def write(self, folder: Path) -> Path:
        """The staging generation."""
        for kind in KINDS.values():
            (folder / kind.name).mkdir(parents=True)
            rows = [dict.fromkeys(kind.schema.names) | row for row in self.rows[kind.name]]
            table = pa.Table.from_pylist(rows, schema=kind.schema)
            pq.write_table(table, folder / kind.name / "0000.parquet")
        return folder


def _decimal(kind: str, column: str) -> bool:
    names = KINDS[kind].schema
    return column in names.names and pa.types.is_decimal(names.field(column).type)


def derive(
    folder: Path, staging: Staging, vocabulary: Path, ranks: Mapping[str, int] | None = None
) -> duckdb.DuckDBPyConnection:
    """The candidate, whole; both equations hold on it."""
    inputs = MapInputs(
        staging.write(folder / "staging"), vocabulary, AS_OF, dt.date(2010, 1, 1), "h", "Hospital",
        source_ranks=ranks or {},
    )  # fmt: skip
    connection = open_candidate(folder / "candidate.duckdb", "1GB", folder / "spill")
    prepare(connection, inputs, ddl("duckdb", "cdm", enforce_required=False))
    build(connection, inputs)
    assert_accounted(connection, staging)
    return connection


MAPPED = (
    ("person", "person_id"), ("visit_occurrence", "visit_occurrence_id"),
    ("visit_detail", "visit_detail_id"), ("condition_occurrence", "condition_occurrence_id"),
    ("procedure_occurrence", "procedure_occurrence_id"), ("drug_exposure", "drug_exposure_id"),
    ("device_exposure", "device_exposure_id"), ("measurement", "measurement_id"),
    ("observation", "observation_id"), ("specimen", "specimen_id"), ("note", "note_id"),
    ("death", "person_id"),
)  # fmt: skip


def assert_accounted(connection: duckdb.DuckDBPyConnection, staging: Staging) -> None:
    """One line per staged row; every CDM row is told by one mapped row, and by lineage."""
    disposed = connection.execute(
        "SELECT kind, count(*), count(DISTINCT (record_key, row_number)) FROM etl.row_disposition"
        " GROUP BY 1"
    ).fetchall()
    staged = {(kind, len(rows), len(rows)) for kind, rows in staging.rows.items() if rows}
    assert set(disposed) == staged
    rows = " UNION ALL ".join(f"SELECT '{t}' AS t, {i} AS i FROM cdm.{t}" for t, i in MAPPED)
    told = connection.execute(
        "SELECT cdm_table, cdm_id FROM etl.lineage l JOIN etl.row_disposition d"
        " ON d.record_key = l.record_key AND d.row_key = l.row_key"
        " WHERE l.role = 'source' AND d.disposition = 'mapped' ORDER BY ALL"
    ).fetchall()
    assert told == connection.execute(f"SELECT * FROM ({rows}) ORDER BY ALL").fetchall()


def dispositions(connection: duckdb.DuckDBPyConnection, kind: str) -> dict[str, str]:
    """row key -> disposition, with its reason where it has one."""
    found = connection.execute(
        "SELECT row_key, concat_ws(':', disposition, nullif(reason, '')) FROM etl.row_disposition"
        " WHERE kind = ?", [kind]
    ).fetchall()  # fmt: skip
    return dict(found)


def named(told: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The dispositions of these names."""
    return {name: told[key(name)] for name in names}
