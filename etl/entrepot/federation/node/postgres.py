"""The same on a PostgreSQL: frozen tables, views without excluded persons, a role that may read.

`federation.url` is the loader's: it writes the frozen tables once and the excluded persons before
each question. `federation.reader` is a role that sees the views and nothing else; questions are
asked under it, in a session that is read-only and bounded in time and memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from entrepot.errors import ConfigurationError
from entrepot.federation.node.relations import allowed, selects
from entrepot.federation.node.views import DUCKDB, POSTGRES, QuestionError, Row, carried
from entrepot.omop.cdm import load_cdm
from entrepot.publish.ddl import ddl, indexes, primary_keys, quoted
from entrepot.publish.frozen import HIDDEN, PLACES, Frozen, vocabulary
from entrepot.publish.postgres_connection import connect, execute, parse_url
from entrepot.publish.postgres_load import copy_table
from entrepot.publish.warehouse import open_warehouse

if TYPE_CHECKING:
    from entrepot.publish.postgres_connection import Database

_WHERE = "site.yaml: federation.reader"
_UNITS = {"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}  # kB
_THERE = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
# Schemas of which the reader may read something, besides the server's own and a node's views.
_READABLE = """
SELECT DISTINCT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
  AND n.nspname !~ '^node_[a-z0-9]+_views_' AND has_schema_privilege(%s, n.oid, 'USAGE')
  AND has_any_column_privilege(%s, c.oid, 'SELECT')
ORDER BY 1
"""
_ROLE = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"


class PostgresViews:
    """A session of the reader on one study's views.

    Raises:
        EntrepotError: the server lets it in under no such role.
    """

    dialect = POSTGRES

    def __init__(self, reader: str, schema: str, *, memory_limit: str, seconds: float) -> None:
        import psycopg
        from psycopg.conninfo import make_conninfo

        settings = {
            "default_transaction_read_only": "on", "search_path": "pg_catalog",
            "statement_timeout": str(int(seconds * 1000)), "lock_timeout": "10000",
            "work_mem": f"{_kilobytes(memory_limit) // 8}kB", "hash_mem_multiplier": "1",
            "max_parallel_workers_per_gather": "0", "jit": "off",
            # It expects one row behind a window: loops then ran whole criteria again and again
            # (16 minutes for one cohort of 150 persons).
            "enable_nestloop": "off",
        }  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        parameters = dict(parse_url(reader).parameters)
        try:
            self._connection = psycopg.connect(
                make_conninfo(**parameters, options=options), autocommit=True
            )
        except psycopg.Error as error:
            raise ConfigurationError(
                f"the reader is not let in ({type(error).__name__})", where=_WHERE
            ) from None
        self._schema = schema

    def rows(self, sql: str, dialect: str = DUCKDB) -> list[Row]:
        """See `NodeDatabase`."""
        import psycopg

        text = carried(sql, dialect, self.dialect, self._schema)
        try:
            return self._connection.execute(text.encode()).fetchall()
        except psycopg.Error as error:
            raise QuestionError(f"the question failed ({type(error).__name__})") from None

    def close(self) -> None:
        """Ends the session."""
        self._connection.close()


@dataclass(frozen=True)
class NodeServer:
    """Where a node's questions are asked, and how far one may go.

    Args:
        loader, reader: URLs.
        seconds: of one statement.
    """

    loader: str = field(repr=False)
    reader: str = field(repr=False)
    memory_limit: str = "2GB"
    seconds: float = 600

    def views(
        self, frozen: Frozen, study: str, tables: Iterable[str], excluded: Collection[int],
        gone: Collection[int],
    ) -> PostgresViews:  # fmt: skip
        """The views of a study, up to date, under the reader; see `prepare`."""
        schema = prepare(self.loader, self.reader, frozen, study, tables, excluded, gone)
        return PostgresViews(
            self.reader, schema, memory_limit=self.memory_limit, seconds=self.seconds
        )


def prepare(
    loader: str, reader: str, frozen: Frozen, study: str, tables: Iterable[str],
    excluded: Collection[int], gone: Collection[int],
) -> str:  # fmt: skip
    """Brings the views of a study up to date; the name of their schema.

    Args:
        gone: persons who opposed to everything or were erased: their rows are deleted, too.

    Raises:
        ConfigurationError: the reader may read more than such views, or there is no such role.
        EntrepotError: PostgreSQL refuses.
    """
    held = f"node_{frozen.release}"
    mark = hashlib.sha256(study.encode()).hexdigest()[:12]
    views = f"{held}_views_{mark}"
    role = dict(parse_url(reader).parameters).get("user", "")
    with connect(parse_url(loader)) as database, database.transaction():
        _require_reader(database, role)
        if not execute(database, _THERE, (held,)):
            _load(database, frozen, held)
        _delete(database, held, gone)
        _exclude(database, held, mark, excluded)
        _view(database, held, mark, views, tables, role)
    return views


def delete_persons(loader: str, release: str, persons: Collection[int]) -> None:
    """Takes persons out of a release's frozen tables, when they were ever loaded."""
    schema = f"node_{release}"
    with connect(parse_url(loader)) as database, database.transaction():
        if execute(database, _THERE, (schema,)):
            _delete(database, schema, persons)


def drop(loader: str, kept: Collection[str]) -> None:
    """Removes the tables and views of releases that no study stands on."""
    with connect(parse_url(loader)) as database, database.transaction():
        found = execute(
            database, "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^node_[a-z0-9]+'"
        )
        for (schema,) in found:
            if schema.split("_")[1] not in kept:
                execute(database, f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def _load(database: Database, frozen: Frozen, schema: str) -> None:
    """Once a release; from the frozen file, so that both engines answer from the same rows."""
    warehouse = open_warehouse(frozen.path)
    try:
        execute(database, ddl("postgres", schema))
        cdm = load_cdm()
        personal = {table.name for table in cdm.person_tables} - HIDDEN
        names = personal | set(PLACES) | set(vocabulary())
        for name in sorted(names):
            columns = ", ".join(quoted(one, "postgres") for one in cdm.table(name).columns)
            copy_table(database, warehouse, f"cdm.{name}", columns, f"{schema}.{name} ({columns})")
        execute(database, primary_keys(schema) + indexes(schema))
        execute(database, f"ANALYZE {', '.join(f'{schema}.{name}' for name in sorted(names))}")
    finally:
        warehouse.close()


def _delete(database: Database, schema: str, gone: Collection[int]) -> None:
    personal = {table.name for table in load_cdm().person_tables} - HIDDEN
    for name in sorted(personal) if gone else ():
        database.execute(
            f"DELETE FROM {schema}.{name} WHERE person_id = ANY(%s)".encode(), (sorted(gone),)
        )


def _exclude(database: Database, schema: str, mark: str, excluded: Collection[int]) -> None:
    table = f"{schema}.excluded_{mark}"
    execute(database, f"CREATE TABLE IF NOT EXISTS {table} (person_id BIGINT PRIMARY KEY)")
    execute(database, f"DELETE FROM {table}")
    database.execute(
        f"INSERT INTO {table} SELECT unnest(%s::bigint[])".encode(), (sorted(set(excluded)),)
    )


def _view(
    database: Database, schema: str, mark: str, views: str, tables: Iterable[str], role: str
) -> None:
    """Made anew each time: the card's tables and no other.

    The views are the loader's, so that the reader needs no right on the tables behind them.
    """
    execute(database, f"DROP SCHEMA IF EXISTS {views} CASCADE")
    execute(database, f"CREATE SCHEMA {views}")
    execute(database, f"REVOKE ALL ON SCHEMA {views} FROM PUBLIC")
    shown = selects(allowed(tables), lambda name: f"{schema}.{name}", f"{schema}.excluded_{mark}")
    for name, select in shown:
        execute(database, f"CREATE VIEW {views}.{name} WITH (security_barrier) AS {select}")
    quoted_role = '"' + role.replace('"', '""') + '"'
    execute(database, f"GRANT USAGE ON SCHEMA {views} TO {quoted_role}")
    execute(database, f"GRANT SELECT ON ALL TABLES IN SCHEMA {views} TO {quoted_role}")


def _require_reader(database: Database, role: str) -> None:
    found = execute(database, _ROLE, (role,))
    if not found or found[0][0]:
        raise ConfigurationError(
            "the reader has to be a role without any other right", where=_WHERE,
            remedy="CREATE ROLE … LOGIN, and nothing granted to it",
        )  # fmt: skip
    if readable := execute(database, _READABLE, (role, role)):
        names = ", ".join(str(name) for (name,) in readable[:5])
        raise ConfigurationError(
            f"the reader may read more than a node's views: schema {names}", where=_WHERE,
            remedy="REVOKE it (from PUBLIC too)",
        )  # fmt: skip


def _kilobytes(limit: str) -> int:
    """`2GB` in kB; a server takes from 64 kB to 2 GB."""
    number = re.match(r"[\d.]+", limit)
    unit = next((letter for letter in limit.upper() if letter in _UNITS), "M")
    size = float(number[0] if number else 64) * _UNITS[unit]
    return int(min(max(size, 1024), 2_000_000))
