"""Live cells of DuckDB, Parquet and SQLite files, column by column."""

from __future__ import annotations

import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrepot.report.second_scan.spelling import WALL

if TYPE_CHECKING:
    import duckdb

BATCH = 1 << 20  # characters
HEADER = 1 << 12  # bytes
LEAST, MOST = 10**5, 10**16  # whole numbers between which an identifier may lie
CATALOGUE = ("duckdb_tables", "duckdb_columns", "duckdb_views", "duckdb_schemas", "duckdb_types")
Cells = Iterator[tuple[str, str]]  # (table and column, values with walls between)


def duckdb_cells(path: Path) -> Cells:
    """What the file holds, then what it held before its last checkpoint: in blocks now free."""
    yield from _database(path)
    with tempfile.TemporaryDirectory() as folder:
        earlier = Path(folder) / "earlier.duckdb"
        shutil.copyfile(path, earlier)
        if _turn_back(earlier):
            # Blocks that were used again since stop this reading, not the scan.
            with suppress(Exception):
                for place, text in _database(earlier):
                    yield f"{place} before the last checkpoint", text


def _turn_back(path: Path) -> bool:
    """Puts the older of the file's two headers over the newer one; whether there is an older one.

    DuckDB writes them in turns and reads the one of the later checkpoint (storage format: blocks
    of 4,096 bytes at 4,096 and 8,192; a checksum, then the number of the checkpoint).
    """
    with path.open("r+b") as file:
        file.seek(HEADER)
        headers = [file.read(HEADER), file.read(HEADER)]
        numbers = [struct.unpack("<Q", header[8:16])[0] for header in headers]
        newer = numbers.index(max(numbers))
        file.seek(HEADER * (1 + newer))
        file.write(headers[1 - newer])
    return bool(min(numbers))


def _database(path: Path) -> Cells:
    """Every distinct value of every column, then the catalogue."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
        for schema, table in tables:
            yield from _columns(connection, f"{_quoted(schema)}.{_quoted(table)}", table)
        for function in CATALOGUE:
            rows = connection.execute(f"SELECT * FROM {function}() WHERE NOT internal").fetchall()
            yield from batches("catalogue", (value for row in rows for value in row))


def parquet_cells(path: Path) -> Cells:
    """Every distinct value of every column, read by DuckDB."""
    name = str(path).replace("'", "''")
    connection = _reader()
    yield from _columns(connection, f"read_parquet('{name}', hive_partitioning = false)", "")
    query = f"SELECT key, value FROM parquet_kv_metadata('{name}')"
    pairs = connection.execute(query).fetchall()
    yield from batches("key-value metadata", (value for pair in pairs for value in pair))


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    """A database in memory: to open one takes longer than to read a small file."""
    import duckdb

    return duckdb.connect()


def _columns(connection: duckdb.DuckDBPyConnection, source: str, table: str) -> Cells:
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    for column, listed, *_ in described:
        name, where, rows = _quoted(column), "", source
        kind = listed.removesuffix("[]")
        if kind != listed:
            rows = f"(SELECT unnest({name}) AS {name} FROM {source})"
        if kind in ("BOOLEAN", "FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
            where = f"WHERE {name} = trunc({name}) AND abs({name}) BETWEEN {LEAST} AND {MOST}"
            name = f"{name}::HUGEINT"
        elif kind.endswith("INT") or kind == "INTEGER":
            where = f"WHERE abs({name}::HUGEINT) BETWEEN {LEAST} AND {MOST}"
        # A day of an event is no birth, though a shift may bring it onto somebody's: 1 in 1,000
        # patients' study space.
        event = kind.startswith(("DATE", "TIMESTAMP")) and "birth" not in column
        if kind == "BOOLEAN" or event:
            continue
        shown = name if kind == "BLOB" else f"{name}::VARCHAR"
        cursor = connection.execute(f"SELECT DISTINCT {shown} FROM {rows} {where}")
        yield from batches(f"{table}.{column}", fetched(cursor))


def sqlite_cells(path: Path) -> Cells:
    """Every value of every table, then the schema; the log of the last writes is read with it."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.text_factory = bytes
    try:
        schema = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        yield from batches("schema", (value for row in schema for value in row))
        for kind, name, _ in schema:
            if kind == b"table":
                cursor = connection.execute(f"SELECT * FROM {_quoted(name.decode())}")
                columns = [head[0] for head in cursor.description]
                rows = cursor.fetchall()
                for number, column in enumerate(columns):
                    values = dict.fromkeys(row[number] for row in rows)
                    yield from batches(f"{name.decode()}.{column}", values)
    finally:
        connection.close()


def fetched(cursor: Any) -> Iterator[object]:
    """The only column of a result, some rows at a time."""
    while rows := cursor.fetchmany(1 << 13):
        yield from (row[0] for row in rows)


def batches(place: str, values: Iterable[object]) -> Cells:
    """Values with walls between them, joined to some size."""
    batch: list[str] = []
    size = 0
    for value in values:
        if value is not None:
            batch.append(readable(value) if isinstance(value, bytes) else str(value))
            size += len(batch[-1])
        if size > BATCH:
            yield place, _walled(batch)
            batch, size = [], 0
    if batch:
        yield place, _walled(batch)


def _walled(batch: list[str]) -> str:
    return WALL + WALL.join(batch) + WALL


def readable(raw: bytes) -> str:
    """Bytes as UTF-8, UTF-16 or Windows 1252; what is no text becomes a wall."""
    for charset in ("utf-8", "utf-16-le" if raw.count(0) > len(raw) // 4 else "cp1252"):
        try:
            text = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        return "".join(c if c.isprintable() or c in "\t\r\n" else WALL for c in text)
    return "".join(chr(b) if 32 <= b < 127 or b >= 192 else WALL for b in raw)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
