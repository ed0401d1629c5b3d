"""Publishes a release to PostgreSQL: loaded, verified and put in place in one transaction.

Whatever the moment of a crash, the schema is the former release or the new one, whole, and nothing
else is left: an unfinished transaction never was. `docs/adr/0012-*.md` gives the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Publish
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.publish.canonical import release_id
from entrepot.publish.postgres_connection import connect, execute, parse_url, told
from entrepot.publish.postgres_hashes import postgres_hashes
from entrepot.publish.postgres_load import Progress, Schemas, load, verify
from entrepot.publish.postgres_locks import Patience, take_turn
from entrepot.publish.postgres_switch import grant, require_ground, switch
from entrepot.publish.release import read_release
from entrepot.publish.warehouse import open_warehouse

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.publish.postgres_connection import Database

__all__ = ["PostgresRelease", "bring_up", "hash_postgres", "publish_postgres", "read_postgres"]


@dataclass(frozen=True, slots=True)
class PostgresRelease:
    """A release in PostgreSQL.

    Args:
        place: host and database.
        hashes: SHA-256 of the canonical dump, by CDM table, as stated when it was published.
        rows: number of rows, by CDM table.
    """

    release_id: str
    place: str
    schema: str
    hashes: Mapping[str, str]
    rows: Mapping[str, int]


def publish_postgres(
    source: Path,
    settings: Publish,
    *,
    memory_limit: str = "2GB",
    progress: Progress = lambda done, total: None,
) -> PostgresRelease:
    """Makes the content of a DuckDB release the release of `settings.url`.

    Args:
        source: a release file, closed by its writer; its stated hashes must come out again.

    Raises:
        ConfigurationError: URL, schema, role or source are not fit; nothing was written.
        GateBlockedError: a key is there twice, which the gate should have found.
        EntrepotError: no server, a full disk, readers that do not end, a lost connection, other
            people's objects on the release, a differing hash.
        After any of these PostgreSQL holds one whole release: the former one, but for a connection
        that was lost while it answered the commit. Publishing again is always right.
    """
    stated = _stated(source)
    address = parse_url(settings.url.get_secret_value())
    schemas = Schemas.of(settings.schema_)
    release = release_id(stated)
    with (
        _opened(source, memory_limit) as warehouse,
        connect(address) as second,
        connect(address) as database,
        told(address.place),
        database.transaction(),
    ):
        take_turn(database, schemas.cdm, Patience(settings.wait_seconds))
        require_ground(database, schemas, settings.readers)
        rows = load(database, warehouse, schemas.following, progress)
        verify(database, schemas.following, stated, rows)
        grant(database, schemas.following, settings.readers)
        switch(database, second, schemas, release, Patience(settings.wait_seconds))
    return PostgresRelease(release, address.place, schemas.cdm, stated, rows)


def bring_up(
    source: Path,
    settings: Publish,
    *,
    memory_limit: str = "2GB",
    progress: Progress = lambda done, total: None,
) -> PostgresRelease:
    """Publishes the local release when the server holds another one, or none.

    For a URL that was added later, and a server that was restored from an older backup.

    Raises:
        as `publish_postgres`.
    """
    present = read_postgres(settings)
    if present is not None and present.hashes == _stated(source):
        return present
    return publish_postgres(source, settings, memory_limit=memory_limit, progress=progress)


def read_postgres(settings: Publish) -> PostgresRelease | None:
    """What the release in PostgreSQL says of itself; None before the first.

    Raises:
        ConfigurationError: the URL is wrong.
        EntrepotError: no server, or the role may not read.
    """
    address = parse_url(settings.url.get_secret_value())
    schemas = Schemas.of(settings.schema_)
    with connect(address) as database, told(address.place):
        if execute(database, "SELECT to_regclass(%s)", (f"{schemas.etl}.release",)) == [(None,)]:
            return None
        lines = execute(
            database,
            f"SELECT release_id, cdm_table, row_count, sha256 FROM {schemas.etl}.release",
        )
    return PostgresRelease(
        release_id=str(lines[0][0]),
        place=address.place,
        schema=schemas.cdm,
        hashes={table: sha256 for _, table, _, sha256 in lines},
        rows={table: count for _, table, count, _ in lines},
    )


def hash_postgres(settings: Publish) -> tuple[dict[str, str], dict[str, str]]:
    """(hashes computed now, hashes stated when it was published) of the release in PostgreSQL.

    One snapshot: a publication waits until this reader has ended.

    Raises:
        ConfigurationError: there is no release, or its tables are not those of the CDM v5.4.
        EntrepotError: no server, or the role may not read.
    """
    address = parse_url(settings.url.get_secret_value())
    schemas = Schemas.of(settings.schema_)
    with connect(address) as database, told(address.place), database.transaction():
        execute(database, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        _hold(database, schemas, address.place)
        stated = execute(database, f"SELECT cdm_table, sha256 FROM {schemas.etl}.release")
        return postgres_hashes(database, schemas.cdm), dict(stated)


def _hold(database: Database, schemas: Schemas, place: str) -> None:
    """Keeps the release in place; a lock takes no snapshot, which must not be older than it."""
    import psycopg

    try:
        execute(database, f"LOCK TABLE {schemas.etl}.release IN ACCESS SHARE MODE")
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise ConfigurationError(
            "no release of entrepot here yet", where=f"{place} {schemas.cdm}",
            remedy="entrepot run, with publish.url in site.yaml",
        ) from None  # fmt: skip


@contextmanager
def _opened(source: Path, memory_limit: str) -> Iterator[DuckDBPyConnection]:
    import duckdb

    warehouse = open_warehouse(source, memory_limit=memory_limit)
    try:
        yield warehouse
    except duckdb.Error as error:
        raise EntrepotError(
            f"the release cannot be read ({type(error).__name__})", where=source.name,
            remedy="check the disk, then run again",
        ) from None  # fmt: skip
    finally:
        warehouse.close()


def _stated(source: Path) -> dict[str, str]:
    release = read_release(source)
    if release is None:
        raise ConfigurationError("no release to publish", where=str(source), remedy="entrepot run")
    return dict(release.hashes)
