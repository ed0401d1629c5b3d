"""The published release beside the candidate: what drift is measured against, only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.errors import EntrepotError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.quality.inputs import GateInputs

CATALOG = "published"
TABLES = (
    "cdm.person", "etl.profile_field", "etl.profile_value", "etl.concept_resolution",
)  # fmt: skip
"""What checks may ask the release, as `base_<table>`."""


@contextmanager
def beside(connection: DuckDBPyConnection, baseline: Path | None) -> Iterator[None]:
    """Attaches the release and names its tables `base_…`; without one they are empty.

    The candidate must hold the profiles already: a table that an older release lacks takes its
    columns from there.

    Raises:
        EntrepotError: the release is there and cannot be read.
    """
    import duckdb

    held: set[str] = set()
    if baseline is not None:
        path = str(baseline).replace("'", "''")
        try:
            connection.execute(f"ATTACH '{path}' AS {CATALOG} (READ_ONLY)")
        except duckdb.Error as error:
            raise EntrepotError(
                f"the published release cannot be read ({type(error).__name__})",
                where=baseline.name,
            ) from None
        held = {f"{schema}.{name}" for schema, name in connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [CATALOG]
        ).fetchall()}  # fmt: skip
    try:
        for table in TABLES:
            name = f"base_{table.partition('.')[2]}"
            _drop(connection, name)
            connection.execute(
                f"CREATE TEMP VIEW {name} AS FROM {CATALOG}.{table}"
                if table in held
                else f"CREATE TEMP TABLE {name} AS FROM {table} LIMIT 0"
            )
        yield
    finally:
        for table in TABLES:
            _drop(connection, f"base_{table.partition('.')[2]}")
        if baseline is not None:
            connection.execute(f"DETACH {CATALOG}")


def _drop(connection: DuckDBPyConnection, name: str) -> None:
    found = connection.execute(
        "SELECT 'TABLE' FROM duckdb_tables() WHERE table_name = ?"
        " UNION ALL SELECT 'VIEW' FROM duckdb_views() WHERE view_name = ?", [name, name]
    ).fetchone()  # fmt: skip
    if found:
        connection.execute(f"DROP {found[0]} {name}")


def stage_since(connection: DuckDBPyConnection, inputs: GateInputs) -> None:
    """`gate_since`: the day of the release, how many persons it has, and the candidate's."""
    stated = "NULL"
    if inputs.baseline is not None:
        stated = f"(SELECT max(source_release_date) FROM {CATALOG}.cdm.cdm_source)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE gate_since AS SELECT CAST({stated} AS DATE) AS day,"
        " (SELECT count(*) FROM base_person) AS base_persons,"
        " (SELECT count(*) FROM cdm.person) AS persons"
    )
