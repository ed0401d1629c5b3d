"""The canonical hashes of a release in PostgreSQL (docs/reference/canonical_dump.md).

A line of the canonical dump is a line of PostgreSQL's own COPY text format, but for numbers and
times, so that the server writes it and the client only hashes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import Field, Table, load_cdm
from entrepot.publish.canonical import RUN_RECORDS, cell, order_key
from entrepot.publish.ddl import quoted
from entrepot.publish.postgres_connection import execute

if TYPE_CHECKING:
    from entrepot.publish.postgres_connection import Database

# A row comes as one message; many small updates of the digest cost more than the digest.
_BYTES_AT_ONCE = 1 << 20

_COLUMNS = """
SELECT relname::text, attname::text
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'v', 'm', 'p')
ORDER BY 1, attnum
"""
_KEYED = """
SELECT conrelid::regclass::text FROM pg_constraint
WHERE contype = 'p' AND connamespace = to_regnamespace(%s)
"""


# Keys are hashes: in their order the rows lie anywhere. Read by the key's index, two million
# measurements cost the server 9 s of CPU; read as they lie and sorted, 4 s.
_SORT = "SET LOCAL enable_indexscan = off; SET LOCAL work_mem = '64MB'"
_PLAN_FREELY = "SET LOCAL enable_indexscan TO DEFAULT; SET LOCAL work_mem TO DEFAULT"


def postgres_hashes(database: Database, schema: str) -> dict[str, str]:
    """SHA-256 (hexadecimal) of the canonical dump of each CDM table, in the order of the CDM.

    Args:
        database: in a transaction.

    Raises:
        ConfigurationError: a table is missing or its columns are not those of the CDM v5.4.
    """
    columns: dict[str, list[str]] = {}
    for table, column in execute(database, _COLUMNS, (schema,)):
        columns.setdefault(table, []).append(column)
    keyed = {name for (name,) in execute(database, _KEYED, (schema,))}
    hashes = {}
    execute(database, _SORT)
    for table in load_cdm():
        if columns.get(table.name) != list(table.columns):
            raise ConfigurationError(
                "the table is missing or is not of the CDM v5.4", where=f"{schema}.{table.name}"
            )
        statement = copy_sql(table, schema, unique=f"{schema}.{table.name}" in keyed)
        hashes[table.name] = _hash(database, statement)
    execute(database, _PLAN_FREELY)
    return hashes


def copy_sql(table: Table, schema: str, *, unique: bool) -> str:
    """The COPY of a table's canonical dump.

    Args:
        unique: a primary key is enforced, so that its order has no ties for the line to break.
    """
    fields = [field for field in table.fields if (table.name, field.name) not in RUN_RECORDS]
    order = [order_key(table.field(name)) for name in table.primary_key]
    if not (unique and order):
        cells = ", ".join(f"coalesce({cell(field, 'postgres')}, '\\N')" for field in fields)
        order.append(f'concat_ws(chr(9), {cells}) COLLATE "C"')
    written = ", ".join(_written(field) for field in fields)
    return (
        f"COPY (SELECT {written} FROM {schema}.{table.name} ORDER BY {', '.join(order)}) TO STDOUT"
    )


def _written(field: Field) -> str:
    """What COPY writes as the canonical cell; NULL as `\\N` and the escapes are COPY's own."""
    plain = field.kind in ("integer", "text", "date")
    return quoted(field.name, "postgres") if plain else cell(field, "postgres")


def _hash(database: Database, statement: str) -> str:
    digest = hashlib.sha256()
    waiting = bytearray()
    with database.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for line in copy:
            waiting += line
            if len(waiting) >= _BYTES_AT_ONCE:
                digest.update(waiting)
                waiting.clear()
    digest.update(waiting)
    return digest.hexdigest()
