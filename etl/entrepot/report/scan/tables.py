"""Cells, statistics and metadata of Parquet, DuckDB and SQLite files, read only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from entrepot.report.scan.needles import NUMBER_DIGITS
from entrepot.report.scan.raw import runs
from entrepot.report.scan.text import SEPARATOR, Piece

ROWS = 1 << 13
SMALLEST_NUMBER = 10 ** (NUMBER_DIGITS - 1)


def parquet(path: Path) -> Iterator[Piece]:
    """Key-value metadata, column names, statistics of every row group, then every cell."""
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
        for key, value in (metadata.metadata or {}).items():
            yield Piece(_readable(key), "metadata")
            yield Piece(_readable(value), "metadata")
        yield Piece(SEPARATOR.join(file.schema_arrow.names), "metadata")
        for group in range(metadata.num_row_groups):
            yield from _statistics(metadata.row_group(group))
        for batch in file.iter_batches(batch_size=ROWS):
            for column in batch.columns:
                yield from cells(column)


def _statistics(group: pq.RowGroupMetaData) -> Iterator[Piece]:
    for number in range(group.num_columns):
        statistics = group.column(number).statistics
        if statistics is not None and statistics.has_min_max:
            extremes = (statistics.min, statistics.max, statistics.min_raw, statistics.max_raw)
            yield Piece(SEPARATOR.join(map(_readable, extremes)), "statistics")


def duckdb_file(path: Path) -> Iterator[Piece]:
    """Every cell of every table, then names, comments and definitions of the catalogue."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
        for schema, table in tables:
            rows = connection.sql(f"SELECT * FROM {_quoted(schema)}.{_quoted(table)}")
            for batch in rows.to_arrow_reader(ROWS):
                for column in batch.columns:
                    yield from cells(column)
        for function in ("duckdb_tables", "duckdb_columns", "duckdb_views", "duckdb_schemas"):
            query = f"SELECT * FROM {function}() WHERE NOT internal"
            yield from _rows(connection.execute(query).fetchall(), "metadata")


def sqlite_file(path: Path) -> Iterator[Piece]:
    """Every cell of every table, then the schema's own statements."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.text_factory = bytes  # a cell may hold any bytes, whatever its type says
    try:
        schema = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
        yield from _rows(schema, "metadata")
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (name,) in connection.execute(query).fetchall():
            cursor = connection.execute(f"SELECT * FROM {_quoted(name.decode())}")
            while rows := cursor.fetchmany(ROWS):
                yield from _rows(rows, "cell")
    finally:
        connection.close()


def cells(column: pa.Array) -> Iterator[Piece]:
    """Every distinct value of a column as text; bytes as the text that they hold."""
    kind = column.type
    if pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return
    if pa.types.is_nested(kind):
        yield Piece(SEPARATOR.join(map(_readable, _leaves(column.to_pylist()))), "cell")
        return
    if pa.types.is_dictionary(kind):
        column = column.dictionary
    values = dict.fromkeys(column.to_pylist())  # pyarrow's own `unique` lacks some types
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        yield from _rows([[v for v in values if v and abs(v) >= SMALLEST_NUMBER]], "cell")
    else:
        yield from _rows([values], "cell")


def _rows(rows: Iterable[Iterable[object]], where: str) -> Iterator[Piece]:
    texts = [_readable(value) for row in rows for value in row if value is not None]
    yield Piece(SEPARATOR.join(texts), where)


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from _leaves([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield value


def _readable(value: object) -> str:
    """A value as text: bytes as UTF-8, else as the runs of text in them."""
    if not isinstance(value, bytes | bytearray):
        return str(value)
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return SEPARATOR.join(run.text for run in runs(bytes(value)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
