"""Loads a DuckDB release into two new schemas of PostgreSQL, by COPY; nobody sees them yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.errors import EntrepotError
from entrepot.omop.cdm import load_cdm
from entrepot.publish.canonical import release_id
from entrepot.publish.ddl import ddl, foreign_keys, indexes, primary_keys, quoted
from entrepot.publish.postgres_connection import execute, fault
from entrepot.publish.postgres_hashes import postgres_hashes
from entrepot.publish.release import ETL_TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.publish.postgres_connection import Database

Progress = Callable[[int, int], None]

# Rows of one Arrow batch: about 1 MB of measurements, 80 MB of long notes.
_ROWS_AT_ONCE = 4_096

# FREEZE: the rows are visible to every snapshot, also to that of a transaction which began before
# the load and asks for the tables after it; without it such a reader would find them empty.
_COPY = "COPY {0} FROM STDIN (FORMAT csv, FREEZE)"

_RELEASE = (
    "CREATE TABLE {0}.release"
    " (release_id TEXT NOT NULL, cdm_table TEXT NOT NULL PRIMARY KEY,"
    " row_count BIGINT NOT NULL, sha256 TEXT NOT NULL)"
)
_TYPES = {
    "VARCHAR": "TEXT",
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "SMALLINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INTEGER",
    "BIGINT": "BIGINT",
    "HUGEINT": "NUMERIC(39)",
    "FLOAT": "REAL",
    "DOUBLE": "DOUBLE PRECISION",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
}
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")


@dataclass(frozen=True, slots=True)
class Schemas:
    """Where a release stands: the CDM, and what the road tells of it."""

    cdm: str
    etl: str

    @classmethod
    def of(cls, name: str) -> Schemas:
        """The published ones: `cdm` and `cdm_etl`."""
        return cls(name, f"{name}_etl")

    @property
    def following(self) -> Schemas:
        """Those in which the next release is built, inside the transaction that publishes it."""
        return Schemas(f"{self.cdm}_next", f"{self.etl}_next")

    def __iter__(self) -> Iterator[str]:
        return iter((self.cdm, self.etl))


def load(
    database: Database, warehouse: DuckDBPyConnection, schemas: Schemas, progress: Progress
) -> dict[str, int]:
    """Builds both schemas: tables, rows, keys, indexes, statistics.

    Args:
        warehouse: a release of entrepot, opened.

    Returns:
        The number of rows by CDM table.
    """
    execute(database, f"CREATE SCHEMA {schemas.etl}")
    execute(database, ddl("postgres", schemas.cdm))
    tables = list(load_cdm())
    rows = {}
    for number, table in enumerate(tables):
        progress(number, len(tables))
        columns = ", ".join(quoted(name, "postgres") for name in table.columns)
        target = f"{schemas.cdm}.{table.name} ({columns})"
        rows[table.name] = copy_table(database, warehouse, f"cdm.{table.name}", columns, target)
    execute(database, primary_keys(schemas.cdm) + indexes(schemas.cdm))
    # Not checked again, the gate proved them; tools draw them and the planner reads them.
    execute(database, foreign_keys(schemas.cdm, checked=False))
    _load_etl(database, warehouse, schemas.etl)
    _analyze(database, schemas)
    progress(len(tables), len(tables))
    return rows


def verify(
    database: Database, schemas: Schemas, stated: Mapping[str, str], rows: Mapping[str, int]
) -> None:
    """Reads every CDM table back, and writes down what it is.

    Args:
        stated: SHA-256 by CDM table of the release that was sent.

    Raises:
        EntrepotError: a table in PostgreSQL is not what was sent.
    """
    found = postgres_hashes(database, schemas.cdm)
    differing = [table for table in stated if found.get(table) != stated[table]]
    if differing:
        raise EntrepotError(
            "PostgreSQL holds something else than was sent: the former release stands",
            where=", ".join(differing[:5]),
            remedy="entrepot verify tells whether the local release changed since it was made",
        )
    execute(database, _RELEASE.format(schemas.etl))
    name = release_id(stated)
    copy_release = f"COPY {schemas.etl}.release FROM STDIN (FREEZE)"
    with database.cursor() as cursor, cursor.copy(copy_release.encode()) as copy:
        for table, sha256 in stated.items():
            copy.write_row((name, table, rows[table], sha256))


def copy_table(
    database: Database, warehouse: DuckDBPyConnection, source: str, cells: str, target: str
) -> int:
    """Sends one table; the number of rows that PostgreSQL took."""
    import psycopg

    cursor = database.cursor()
    try:
        with cursor.copy(_COPY.format(target).encode()) as copy:
            for piece in _ahead(_csv(warehouse, f"SELECT {cells} FROM {source}")):
                copy.write(piece)
    except psycopg.DataError as error:
        raise fault(error, source) from None
    return cursor.rowcount


def _csv(warehouse: DuckDBPyConnection, select: str) -> Iterator[memoryview]:
    """The rows as CSV: every text quoted, so that the empty text is not NULL."""
    import pyarrow as pa
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    for batch in warehouse.sql(select).to_arrow_reader(_ROWS_AT_ONCE):
        sink = pa.BufferOutputStream()
        csv.write_csv(batch, sink, options)
        yield memoryview(sink.getvalue())


def _ahead(pieces: Iterator[memoryview]) -> Iterator[memoryview]:
    """Makes the next piece while PostgreSQL reads this one: a fifth of the time of a COPY."""
    with ThreadPoolExecutor(1, "entrepot-csv") as pool:
        following = pool.submit(next, pieces, None)
        while (piece := following.result()) is not None:
            following = pool.submit(next, pieces, None)
            yield piece


def _load_etl(database: Database, warehouse: DuckDBPyConnection, schema: str) -> None:
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in warehouse.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = current_database() AND schema_name = 'etl'"
        " ORDER BY table_name, column_index"
    ).fetchall():
        found.setdefault(table, []).append((column, kind))
    for name in ETL_TABLES:
        if name not in found:
            continue
        columns = ", ".join(f'"{column}" {_type(kind)}' for column, kind in found[name])
        execute(database, f"CREATE TABLE {schema}.{name} ({columns})")
        # As text: Arrow's CSV has none for some of DuckDB's types (a list, a structure).
        cells = ", ".join(f'CAST("{column}" AS VARCHAR)' for column, _ in found[name])
        sent = warehouse.execute(f"SELECT count(*) FROM etl.{name}").fetchall()[0][0]
        if copy_table(database, warehouse, f"etl.{name}", cells, f"{schema}.{name}") != sent:
            raise EntrepotError("PostgreSQL took fewer rows than were sent", where=f"etl.{name}")


def _type(kind: str) -> str:
    # A text holds whatever else a column may bring.
    return kind if _DECIMAL.fullmatch(kind) else _TYPES.get(kind, "TEXT")


def _analyze(database: Database, schemas: Schemas) -> None:
    """The planner's statistics: autovacuum would come only after the first slow queries."""
    tables = execute(
        database,
        "SELECT relnamespace::regnamespace::text || '.' || relname FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY(%s)",
        (list(schemas),),
    )
    execute(database, f"ANALYZE {', '.join(name for (name,) in tables)}")
