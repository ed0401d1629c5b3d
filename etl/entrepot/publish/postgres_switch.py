"""Puts a loaded release in the former one's place: what is in the way, who may read, the switch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.omop.cdm import load_cdm
from entrepot.publish.postgres_connection import execute
from entrepot.publish.postgres_load import Schemas
from entrepot.publish.postgres_locks import Patience, listed, lock_tables
from entrepot.publish.release import ETL_TABLES

if TYPE_CHECKING:
    from entrepot.publish.postgres_connection import Database

_MARK = "OMOP CDM v5.4, release {0} of entrepot"

_MARKS = """
SELECT nspname::text, coalesce(obj_description(oid, 'pg_namespace'), ''),
       EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass
                                       AND refobjid = pg_namespace.oid)
FROM pg_namespace WHERE nspname = ANY(%s)
"""
_TABLES = """
SELECT oid::bigint, oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY(%s) ORDER BY 2
"""
# What someone else put into a schema of the release.
_STRANGERS = """
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace(%s) AND deptype = 'n'
  AND NOT (classid = 'pg_class'::regclass
           AND EXISTS (SELECT FROM pg_class
                       WHERE oid = objid AND relkind = 'r' AND relname = ANY(%s)))
ORDER BY 1
"""
# Views, functions, references elsewhere that hang on a table of the release, and row policies: a
# table that came without them would show more than its owner wished.
_DEPENDENT = """
SELECT DISTINCT pg_describe_object(classid, objid, 0) FROM pg_depend
WHERE refclassid = 'pg_class'::regclass AND refobjid = ANY(%s::oid[])
  AND (classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_policy'::regclass)
       OR classid = 'pg_constraint'::regclass
          AND EXISTS (SELECT FROM pg_constraint
                      WHERE oid = objid AND conrelid <> ALL(%s::oid[])))
ORDER BY 1
"""
_GRANTEES = """
SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
FROM (SELECT nspowner AS owner, (aclexplode(nspacl)).grantee FROM pg_namespace
      WHERE nspname = ANY(%s)
      UNION ALL
      SELECT relowner, (aclexplode(relacl)).grantee FROM pg_class
      WHERE relnamespace::regnamespace::text = ANY(%s)) AS granted
WHERE grantee <> owner
"""


def require_ground(database: Database, schemas: Schemas, readers: Sequence[str]) -> None:
    """Whatever would refuse the switch refuses it before the load.

    Raises:
        ConfigurationError: the database is not UTF-8, a reader's role is missing, a schema of that
            name is not a release.
        EntrepotError: something of others stands in the release or hangs on it.
    """
    if execute(database, "SELECT current_setting('server_encoding')")[0][0] != "UTF8":
        raise ConfigurationError(
            "the database's encoding is not UTF-8", where="publish.url",
            remedy="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )  # fmt: skip
    roles = execute(database, "SELECT rolname::text FROM pg_roles")
    for reader in readers:
        if (reader,) not in roles:
            raise ConfigurationError(
                f"no such role: {reader}", where="publish.readers", remedy="CREATE ROLE …"
            )
    ours = _MARK.partition("{")[0]
    for schema, mark, filled in execute(database, _MARKS, ([*schemas, *schemas.following],)):
        if filled and not mark.startswith(ours):
            raise ConfigurationError(
                "this schema holds something that entrepot did not publish", where=schema,
                remedy="choose another publish.schema",
            )  # fmt: skip
    if hanging := _of_others(database, schemas):
        raise EntrepotError(
            f"others built on the release: {listed(hanging)}; the former release stands",
            where=schemas.cdm,
            remedy="drop or move it (DROP VIEW …), then run again",
        )


def _of_others(database: Database, schemas: Schemas) -> list[tuple[object, ...]]:
    """What would go with the former release and is not ours, in PostgreSQL's words."""
    expected = {
        schemas.cdm: [table.name for table in load_cdm()],
        schemas.etl: [*ETL_TABLES, "release"],
    }
    found: list[tuple[object, ...]] = []
    for schema, names in expected.items():
        found += execute(database, _STRANGERS, (schema, names))
    oids = [oid for oid, _ in _tables(database, schemas)]
    return found + execute(database, _DEPENDENT, (oids, oids))


def grant(database: Database, schemas: Schemas, readers: Iterable[str]) -> None:
    """Readers may read the CDM and its hashes; default privileges of the database add nobody."""
    both = ", ".join(schemas)
    for (grantee,) in execute(database, _GRANTEES, (list(schemas), list(schemas))):
        execute(database, f"REVOKE ALL ON SCHEMA {both} FROM {grantee}")
        execute(database, f"REVOKE ALL ON ALL TABLES IN SCHEMA {both} FROM {grantee}")
    for reader in readers:
        role = '"' + reader.replace('"', '""') + '"'
        execute(database, f"GRANT USAGE ON SCHEMA {both} TO {role}")
        execute(database, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schemas.cdm} TO {role}")
        execute(database, f"GRANT SELECT ON {schemas.etl}.release TO {role}")


def switch(
    database: Database, second: Database, schemas: Schemas, release: str, patience: Patience
) -> None:
    """Drops the former release and gives its names to the next one; the commit shows it.

    Args:
        second: another connection, that sees when a reader and this one wait for each other.

    Raises:
        EntrepotError: readers hold the former release for too long.
    """
    tables = _tables(database, schemas)
    if tables:
        lock_tables(database, second, tables, patience)
        execute(database, f"DROP TABLE {', '.join(name for _, name in tables)}")
    for schema, following in zip(schemas, schemas.following, strict=True):
        execute(database, f"DROP SCHEMA IF EXISTS {schema}")
        execute(database, f"ALTER SCHEMA {following} RENAME TO {schema}")
        execute(database, f"COMMENT ON SCHEMA {schema} IS '{_MARK.format(release)}'")


def _tables(database: Database, schemas: Schemas) -> list[tuple[int, str]]:
    return [(oid, name) for oid, name in execute(database, _TABLES, (list(schemas),))]
