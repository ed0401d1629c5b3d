"""Takes withdrawn persons out of the release in place, when the gate lets no new one pass.

A right does not wait until somebody has mended the data: the former release is written anew without
the rows of these persons. Its derived tables stay as they were, but for those rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.audit import Action
from entrepot.order import LoadOrder
from entrepot.road.gone import Gone, read_gone
from entrepot.road.inputs import Inputs

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COLUMNS = """
SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
WHERE table_catalog = 'release' ORDER BY table_schema, table_name, ordinal_position
"""
_RELEASE = ("etl", "release")
Tables = dict[tuple[str, str], dict[str, str]]  # (schema, table) -> column -> type


def excise(inputs: Inputs, order: LoadOrder, to_server: Callable[[Inputs, Path], None]) -> bool:
    """Publishes the former release without withdrawn persons; False when none is in it.

    Args:
        to_server: brings a release file to PostgreSQL, where the site has one.
    """
    from entrepot.publish.release import publish

    site = inputs.site
    if not site.warehouse.is_file():
        return False
    gone = read_gone(site, inputs.database, inputs.keyring)
    candidate = site.work / "excised.duckdb"
    for path in (candidate, candidate.with_name(f"{candidate.name}.wal")):
        path.unlink(missing_ok=True)
    if not (gone.persons and _cut(site.warehouse, candidate, gone, site.config.memory_limit)):
        candidate.unlink(missing_ok=True)
        return False
    release = publish(
        candidate, site.warehouse, memory_limit=site.config.memory_limit,
        first=partial(to_server, inputs),
    )  # fmt: skip
    inputs.audit.append(
        Action.PUBLISHED,
        {"release": release.release_id, "generation": order.generation,
         "as_of": str(order.as_of), "rows": sum(release.rows.values())},
    )  # fmt: skip
    return True


def _cut(release: Path, candidate: Path, gone: Gone, memory_limit: str) -> bool:
    """Copies every table without the rows that hold an id or key of somebody gone."""
    import duckdb
    import pyarrow as pa

    from entrepot.publish.warehouse import literal

    connection = duckdb.connect(
        config={"memory_limit": memory_limit, "autoload_known_extensions": "false"}
    )
    try:
        connection.execute(f"ATTACH {literal(release)} AS release (READ_ONLY)")
        connection.execute(f"ATTACH {literal(candidate)} AS candidate")
        connection.register("ids", pa.table({"id": pa.array(sorted(gone.persons), pa.int64())}))
        connection.register("keys", pa.table({"key": pa.array(sorted(gone.keys), pa.string())}))
        connection.execute("CREATE TEMP TABLE gone_id AS FROM ids")
        connection.execute("CREATE TEMP TABLE gone_key AS FROM keys")
        tables = _tables(connection)
        removed = _their_rows(connection, tables)
        for name, columns in tables.items():
            if name != _RELEASE:
                removed += _copy(connection, name, columns)
        return bool(removed)
    finally:
        connection.close()


def _tables(connection: DuckDBPyConnection) -> Tables:
    tables: Tables = {}
    for schema, table, column, kind in connection.execute(_COLUMNS).fetchall():
        tables.setdefault((schema, table), {})[column] = kind
    return tables


def _their_rows(connection: DuckDBPyConnection, tables: Tables) -> int:
    """Ids of these persons' rows join the list: what hangs on them goes too."""
    found = 0
    for (schema, table), columns in tables.items():
        key = f"{table}_id"
        if "person_id" in columns and key in columns and table != "person":
            added = connection.execute(
                f"INSERT INTO gone_id SELECT {key} FROM release.{schema}.{table}"
                " WHERE person_id IN (FROM ids)"
            ).fetchone()
            found += int(added[0]) if added else 0
    return found


def _copy(connection: DuckDBPyConnection, name: tuple[str, str], columns: dict[str, str]) -> int:
    """The number of rows left behind."""
    schema, table = name
    tests = [f'coalesce("{c}" IN (SELECT id FROM gone_id), false)' for c, kind in columns.items()
             if kind == "BIGINT"]  # fmt: skip
    tests += [f'coalesce("{c}" IN (SELECT key FROM gone_key), false)' for c, kind in columns.items()
              if kind == "VARCHAR" and schema == "etl"]  # fmt: skip
    kept = f"WHERE NOT ({' OR '.join(tests)})" if tests else ""
    source, target = f"release.{schema}.{table}", f"candidate.{schema}.{table}"
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS candidate.{schema}")
    connection.execute(f"CREATE TABLE {target} AS SELECT * FROM {source} {kept}")
    counted = connection.execute(
        f"SELECT (SELECT count(*) FROM {source}) - (SELECT count(*) FROM {target})"
    ).fetchone()
    return int(counted[0]) if counted else 0
