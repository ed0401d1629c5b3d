"""A study space in PostgreSQL: a schema that one role of its own may read, and nothing else.

The role cannot log in: login roles that `studies.roles` lists become its members. A role that could
read anything beside study spaces is refused (control 5, SEC-ESP-1; control 7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.omop.cdm import load_cdm
from entrepot.publish.ddl import ddl, indexes, primary_keys, quoted
from entrepot.publish.postgres_connection import connect, execute, parse_url, told
from entrepot.publish.postgres_load import copy_table
from entrepot.publish.postgres_locks import Patience, listed, lock_tables, take_turn
from entrepot.publish.warehouse import open_warehouse
from entrepot.study.definition import Definition
from entrepot.study.finishing import UNITS
from entrepot.study.space import Space

if TYPE_CHECKING:
    from entrepot.publish.postgres_connection import Database

_KEY = "site.yaml: studies"
_TABLES = """
SELECT oid::bigint, oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace = to_regnamespace(%s) ORDER BY 2
"""
_ROLES = "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s)"
# What a role may read beside study spaces: the core, another application's tables.
_READABLE = """
SELECT DISTINCT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
  AND n.nspname !~ %s AND has_schema_privilege(%s, n.oid, 'USAGE')
  AND has_any_column_privilege(%s, c.oid, 'SELECT')
ORDER BY 1
"""
_SPACES = "^study_[a-z0-9_]+$"


def require_server(site: Site, definition: Definition) -> None:
    """Whatever of the configuration would refuse the space refuses it before it is built.

    Raises:
        ConfigurationError: no URL, or a reader whom `studies.roles` does not list.
    """
    studies = site.config.studies
    if not studies.url.get_secret_value():
        raise ConfigurationError("no PostgreSQL for study spaces", where=_KEY, remedy="studies.url")
    parse_url(studies.url.get_secret_value())
    for reader in definition.readers:
        if reader not in studies.roles:
            raise ConfigurationError(
                f"role {reader} reads no study here", where="readers",
                remedy="the operator lists it in site.yaml: studies.roles",
            )  # fmt: skip


def load_space(space: Space, definition: Definition, file: Path) -> None:
    """Makes or replaces schema and role, in one transaction; readers see the former space until
    it commits.

    Raises:
        ConfigurationError: a reader's role is missing.
        EntrepotError: a role could read something else, readers do not end, no server.
    """
    schema, following = space.schema, f"{space.schema}_next"
    warehouse = open_warehouse(file)
    try:
        with _two(space.site) as (database, second), database.transaction():
            take_turn(database, schema, _patience(space.site))
            execute(database, ddl("postgres", following))
            for table in load_cdm():
                columns = ", ".join(quoted(name, "postgres") for name in table.columns)
                target = f"{following}.{table.name} ({columns})"
                copy_table(database, warehouse, f"cdm.{table.name}", columns, target)
            execute(database, primary_keys(following) + indexes(following))
            _drop_tables(database, second, space)
            execute(database, f"DROP SCHEMA IF EXISTS {schema}")
            execute(database, f"ALTER SCHEMA {following} RENAME TO {schema}")
            _admit(database, schema, definition.readers)
    finally:
        warehouse.close()


def drop_space(space: Space) -> None:
    """Removes schema and role.

    Raises:
        EntrepotError: readers do not end, somebody built on the space, no server.
    """
    with _two(space.site) as (database, second), database.transaction():
        take_turn(database, space.schema, _patience(space.site))
        _drop_tables(database, second, space)
        execute(database, f"DROP SCHEMA IF EXISTS {space.schema}")
        if execute(database, _ROLES, ([space.schema],)):
            execute(database, f"DROP OWNED BY {space.schema}")
            execute(database, f"DROP ROLE {space.schema}")


def delete_persons(space: Space, ids: Collection[int]) -> tuple[int, dict[str, int]]:
    """Deletes persons (the space's ids) and writes every table anew, so that no page keeps them.

    Returns:
        How many of them were there, and the rows that stay by table.

    Raises:
        EntrepotError: readers do not end, or no server.
    """
    schema, wanted = space.schema, list(ids)
    with _two(space.site) as (database, second):
        found = execute(
            database, f"SELECT person_id FROM {schema}.person WHERE person_id = ANY(%s)", (wanted,)
        )
        if not found:
            return 0, {}
        with database.transaction():
            tables = execute(database, _TABLES, (schema,))
            lock_tables(database, second, [(o, n) for o, n in tables], _patience(space.site))
            _delete(database, schema, wanted, space.site.config.studies.smallest_unit)
        for table in load_cdm():
            if table.schema != "VOCAB":
                execute(database, f"VACUUM (FULL, ANALYZE) {schema}.{table.name}")
        counts = {
            table.name: int(execute(database, f"SELECT count(*) FROM {schema}.{table.name}")[0][0])
            for table in load_cdm()
        }
    return len(found), {name: rows for name, rows in counts.items() if rows}


def _delete(database: Database, schema: str, ids: list[int], smallest: int) -> None:
    facts = " UNION ALL ".join(
        f"SELECT {table}_id FROM {schema}.{table} WHERE person_id = ANY(%(ids)s)"
        for table in ("person", "measurement", "specimen")
    )
    _execute(
        database, f"DELETE FROM {schema}.fact_relationship WHERE fact_id_1 IN ({facts})"
        f" OR fact_id_2 IN ({facts})", ids,
    )  # fmt: skip
    for table in load_cdm().person_tables:
        _execute(database, f"DELETE FROM {schema}.{table.name} WHERE person_id = ANY(%(ids)s)", ids)
    for key, unit in UNITS.items():
        using = [table.name for table in load_cdm().person_tables if key in table.columns]
        named = " UNION ALL ".join(f"SELECT {key}, person_id FROM {schema}.{t}" for t in using)
        small = (
            f"SELECT {key} FROM ({named}) u WHERE {key} IS NOT NULL"
            f" GROUP BY {key} HAVING count(DISTINCT person_id) < {smallest}"
        )
        dropped = [one for (one,) in execute(database, small)]
        for name in using:
            _execute(database, f"UPDATE {schema}.{name} SET {key} = NULL"
                     f" WHERE {key} = ANY(%(ids)s)", dropped)  # fmt: skip
        kept = f"SELECT {key} FROM ({named}) u WHERE {key} IS NOT NULL"
        execute(database, f"DELETE FROM {schema}.{unit} WHERE {key} NOT IN ({kept})")


def _execute(database: Database, statement: str, ids: list[int]) -> None:
    database.execute(statement.encode(), {"ids": ids})


def _admit(database: Database, schema: str, readers: Iterable[str]) -> None:
    """The role reads this schema alone; its members are those of the definition."""
    if not execute(database, _ROLES, ([schema],)):
        execute(database, f"CREATE ROLE {schema} NOLOGIN")
    execute(database, f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
    execute(database, f"GRANT USAGE ON SCHEMA {schema} TO {schema}")
    execute(database, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {schema}")
    _refuse_others(database, schema, f"^{schema}$")
    wanted = list(readers)
    known = {name for (name,) in execute(database, _ROLES, (wanted,))}
    members = execute(
        database, "SELECT pg_get_userbyid(member)::text FROM pg_auth_members"
        " WHERE roleid = %s::regrole", (schema,),
    )  # fmt: skip
    for (member,) in members:
        if member not in wanted and not _may_manage(database, member):
            execute(database, f"REVOKE {schema} FROM {_name(member)}")
    for reader in wanted:
        if reader not in known:
            raise ConfigurationError(
                f"no such role: {reader}", where="readers", remedy="CREATE ROLE … LOGIN"
            )
        _refuse_others(database, reader, _SPACES)
        execute(database, f"GRANT {schema} TO {_name(reader)}")


def _may_manage(database: Database, role: str) -> bool:
    """Whether it is the loader itself: who creates a role is its member with ADMIN."""
    return bool(execute(database, "SELECT current_user = %s", (role,))[0][0])


def _refuse_others(database: Database, role: str, spaces: str) -> None:
    if readable := execute(database, _READABLE, (spaces, role, role)):
        raise EntrepotError(
            f"role {role} may read more than study spaces: schema {listed(readable)}", where=_KEY,
            remedy="REVOKE it (from PUBLIC too), or keep spaces in a database of their own",
        )  # fmt: skip


def _drop_tables(database: Database, second: Database, space: Space) -> None:
    tables = [(oid, name) for oid, name in execute(database, _TABLES, (space.schema,))]
    if tables:
        lock_tables(database, second, tables, _patience(space.site))
        execute(database, f"DROP TABLE {', '.join(name for _, name in tables)}")


def _name(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'


def _patience(site: Site) -> Patience:
    return Patience(site.config.studies.wait_seconds)


@contextmanager
def _two(site: Site) -> Iterator[tuple[Database, Database]]:
    """Two connections: the second looks on while the first waits for readers."""
    address = parse_url(site.config.studies.url.get_secret_value())
    with connect(address) as second, connect(address) as database, told(address.place):
        yield database, second
