"""Cells, statistics and comments of a schema of PostgreSQL: a published release, a study space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, LiteralString

from entrepot.report.second_scan.cells import LEAST, MOST, Cells, batches, fetched

if TYPE_CHECKING:
    import psycopg

COLUMNS = """
SELECT c.relname, a.attname, t.typcategory FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, a.attnum
"""
# What the planner keeps of the columns: their most frequent values and their quantiles, in clear.
KEPT: tuple[tuple[str, LiteralString], ...] = (
    ("statistics", "SELECT concat(most_common_vals::text, histogram_bounds::text) FROM pg_stats"
                   " WHERE schemaname = %s"),
    ("comments", "SELECT d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid"
                 " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s"),
    ("catalogue", "SELECT c.relname || ' ' || coalesce(pg_get_viewdef(c.oid), '') FROM pg_class c"
                  " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s"
                  " AND c.relkind IN ('v', 'm')"),
)  # fmt: skip


def postgres_cells(url: str, schema: str) -> Cells:
    """Every distinct value of every column, then what the server keeps about them.

    Raises:
        psycopg.Error: the server cannot be reached, or hides the schema.
    """
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.read_only = True
        for table, column, category in connection.execute(COLUMNS, [schema]).fetchall():
            values = _values(connection, schema, table, column, category)
            yield from batches(f"{table}.{column}", values)
        for place, query in KEPT:
            rows = connection.execute(query, [schema]).fetchall()
            yield from batches(place, (row[0] for row in rows))


def _values(
    connection: psycopg.Connection, schema: str, table: str, column: str, category: str
) -> Iterator[object]:
    """Distinct values as text; of numbers those that may be an identifier."""
    from psycopg import sql

    query = sql.SQL("SELECT DISTINCT {0}::text FROM {1} WHERE {0} IS NOT NULL").format(
        sql.Identifier(column), sql.Identifier(schema, table)
    )
    if category == "N":
        bounds = sql.SQL(" AND abs({0}) BETWEEN {1} AND {2}")
        query += bounds.format(sql.Identifier(column), LEAST, MOST)
    with connection.cursor(name="cells") as cursor:
        yield from fetched(cursor.execute(query))
