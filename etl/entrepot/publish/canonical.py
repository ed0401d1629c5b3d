"""The canonical dump of a warehouse and its SHA-256 per table (docs/reference/canonical_dump.md).

Same inputs give the same tables whatever the order, duplication or splitting of the feed; equal
hashes prove it. The lines are built and ordered in SQL, read in small pieces and hashed here, so
memory does not grow with the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import Field, Kind, Table, load_cdm
from entrepot.publish.ddl import DEFAULT_SCHEMA, NUMBER, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DumpDialect = Literal["duckdb", "postgres"]

# When a release was made says nothing about its content. source_release_date (up to when the data
# go), the vocabulary version and the ETL reference are functions of the inputs, and stay.
RUN_RECORDS = frozenset({("cdm_source", "cdm_release_date")})

RELEASE_ID_LENGTH = 12

# 2,048 rows are one DuckDB vector: about 1 MB of measurements, 40 MB of long notes.
_ROWS_AT_ONCE = 2048

# The seven characters that PostgreSQL's COPY text format escapes; the backslash comes first, so
# that the backslash of the others is not escaped again.
_ESCAPES = ((92, r"\\"), (8, r"\b"), (9, r"\t"), (10, r"\n"), (11, r"\v"), (12, r"\f"), (13, r"\r"))
_NULL = r"'\N'"

_FORMATS: Mapping[DumpDialect, Mapping[Kind, str]] = {
    "duckdb": {
        "date": "strftime(CAST({0} AS DATE), '%Y-%m-%d')",
        "datetime": "replace(strftime(CAST({0} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f'),"
        " '.000000', '')",
    },
    "postgres": {
        "date": "to_char({0}, 'YYYY-MM-DD')",
        "datetime": "replace(to_char({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '.000000', '')",
    },
}


def dump_sql(table: Table, schema: str = DEFAULT_SCHEMA, dialect: DumpDialect = "duckdb") -> str:
    """The SELECT of one text column: the lines without their line feed, in canonical order."""
    cells = ", ".join(
        f"coalesce({cell(field, dialect)}, {_NULL})"
        for field in table.fields
        if (table.name, field.name) not in RUN_RECORDS
    )
    # The line breaks ties of a key that is not unique, and orders the tables that have no key.
    order = [order_key(table.field(name)) for name in table.primary_key] + ['line COLLATE "C"']
    keys = "".join(f"{name}, " for name in table.primary_key)
    return (
        f"SELECT line FROM (SELECT {keys}concat_ws(chr(9), {cells}) AS line"
        f" FROM {schema}.{table.name}) AS dump ORDER BY {', '.join(order)}"
    )


def dump(
    connection: DuckDBPyConnection, table: Table, schema: str = DEFAULT_SCHEMA
) -> Iterator[bytes]:
    """The canonical dump of one table in pieces: UTF-8 lines, each ended by a line feed.

    Raises:
        ConfigurationError: the table is missing or its columns are not those of the CDM v5.4.
    """
    import duckdb

    try:
        connection.execute(dump_sql(table, schema))
        while rows := connection.fetchmany(_ROWS_AT_ONCE):
            yield ("\n".join(row[0] for row in rows) + "\n").encode()
    except (duckdb.CatalogException, duckdb.BinderException):
        # The engine's own message could quote a value: only the place is told.
        raise ConfigurationError(
            "the table is missing or is not of the CDM v5.4", where=f"{schema}.{table.name}"
        ) from None


def table_hashes(
    connection: DuckDBPyConnection,
    schema: str = DEFAULT_SCHEMA,
    tables: Iterable[str] | None = None,
) -> dict[str, str]:
    """SHA-256 (hexadecimal) of the canonical dump of each table, in the order of the CDM.

    Args:
        tables: names of CDM tables; all 39 when None.

    Raises:
        ConfigurationError: a table is unknown, missing or not of the CDM v5.4.
    """
    cdm = load_cdm()
    wanted = {table.name for table in cdm} if tables is None else set(tables)
    for name in sorted(wanted):
        if name not in cdm:
            raise ConfigurationError("no such CDM table", where=name)
    return {
        table.name: _sha256(dump(connection, table, schema))
        for table in cdm
        if table.name in wanted
    }


def release_id(hashes: Mapping[str, str]) -> str:
    """Short name of a release: two releases of equal content have the same one."""
    listing = "".join(f"{table}\t{hashes[table]}\n" for table in sorted(hashes))
    return hashlib.sha256(listing.encode()).hexdigest()[:RELEASE_ID_LENGTH]


def _sha256(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def order_key(field: Field) -> str:
    """A key's column in ORDER BY: text by its UTF-8 bytes, whatever the collation."""
    return f'{field.name} COLLATE "C"' if field.kind == "text" else field.name


def cell(field: Field, dialect: DumpDialect) -> str:
    """The SQL of a canonical cell, NULL for a missing value."""
    column = quoted(field.name, dialect)
    if field.kind == "integer":
        return f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
    if field.kind == "float":
        # DECIMAL(38,10) always prints ten decimals: their zeros go, then a point left alone.
        return f"rtrim(rtrim(CAST(CAST({column} AS {NUMBER}) AS VARCHAR), '0'), '.')"
    if field.kind == "text":
        text = column
        for code, escape in _ESCAPES:
            text = f"replace({text}, chr({code}), '{escape}')"
        return text
    return _FORMATS[dialect][field.kind].format(column)
