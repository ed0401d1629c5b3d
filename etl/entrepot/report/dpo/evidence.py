"""What the sections read: the identifying zone's database, the release, the staging, the log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from entrepot.audit import Action, Entry, read_entries
from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.keys import Keyring
from entrepot.landing.database import check_keyring, create_tables, zone_engine
from entrepot.landing.settings import read_setting
from entrepot.publication import published_generation
from entrepot.register.snapshot import Snapshot
from entrepot.report.accounting import Records, records
from entrepot.report.dpo.disclosure import Disclosure
from entrepot.report.dpo.zone_files import Place, places
from entrepot.staging.store import generation_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_STAGING_GENERATION = "staging_generation"


@dataclass
class Evidence:
    """One report's inputs.

    Args:
        zone: the identifying zone's database, in one transaction.
        release: the published warehouse, None before the first.
        disclosure: every count goes through it.
        places: files of the identifying zone, as they were before it was opened.
    """

    site: Site
    keyring: Keyring
    zone: Connection
    release: DuckDBPyConnection | None
    disclosure: Disclosure
    now: dt.datetime
    places: tuple[Place, ...]

    @cached_property
    def snapshot(self) -> Snapshot:
        """The register: persons, oppositions, conflicts."""
        return Snapshot(self.zone, self.keyring, self.site.config.register_)

    @cached_property
    def counted(self) -> Records:
        """The record equation, its reasons, and the oppositions."""
        return records(self.zone)

    @cached_property
    def entries(self) -> list[Entry]:
        """The genuine entries of the audit log."""
        return list(read_entries(self.site, self.keyring))

    @cached_property
    def publications(self) -> list[Entry]:
        """Loads in their order, as the audit log tells them."""
        return [entry for entry in self.entries if entry.action == Action.PUBLISHED]

    @cached_property
    def generations(self) -> range:
        """Staging generations of the last published load."""
        published = published_generation(self.zone)
        former = [
            number
            for entry in self.publications
            if isinstance(number := entry.facts.get("generation"), int) and number < published
        ]
        return range(max(former, default=0) + 1, published + 1)

    @property
    def first_load(self) -> bool:
        """Whether the last load is all that there is."""
        return self.generations.start <= 1

    @cached_property
    def load_keys(self) -> set[str]:
        """Record keys of the records that the last load derived; not asked for in a first load."""
        span = self.generations
        query = select(derivation.c.record_key).where(
            derivation.c.generation.between(span.start, span.stop - 1)
        )
        return set(self.zone.scalars(query))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the release; none before the first release."""
        return [] if self.release is None else self.release.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        """One count of the release."""
        found = self.rows(sql)
        return int(found[0][0] or 0) if found else 0

    def staged(self, kind: str, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on `staged`, the staged rows of a kind; none before the first run.

        `load_key(key)` holds the record keys of the last load, unless it is the first.
        """
        import duckdb
        import pyarrow as pa

        files = [str(path) for path in sorted((self._staging / kind).glob("*.parquet"))]
        if not files:
            return []
        with duckdb.connect(config={"autoload_known_extensions": "false"}) as connection:
            connection.execute(f"SET memory_limit = '{self.site.config.memory_limit}'")
            staged = connection.read_parquet(files, union_by_name=True)
            connection.register("staged", staged)
            if "load_key" in sql:
                connection.register("load_key", pa.table({"key": sorted(self.load_keys)}))
            return connection.execute(sql).fetchall()

    @cached_property
    def _staging(self) -> Path:
        number = int(read_setting(self.zone, _STAGING_GENERATION) or 0)
        return generation_folder(self.site.staging, number)


@contextmanager
def opened(site: Site, keyring: Keyring, now: dt.datetime) -> Iterator[Evidence]:
    """Everything opened for reading, and closed in the end.

    Raises:
        ConfigurationError: the zone was written under another root key.
    """
    from entrepot.publish.warehouse import open_warehouse

    found = tuple(places(site))
    with ExitStack() as stack:
        engine = zone_engine(site)
        stack.callback(engine.dispose)
        create_tables(engine)
        check_keyring(engine, keyring)
        zone = stack.enter_context(engine.connect())
        release = None
        if site.warehouse.is_file():
            release = open_warehouse(
                site.warehouse, memory_limit=site.config.memory_limit, spill=site.work / "spill"
            )
            stack.callback(release.close)
        yield Evidence(site, keyring, zone, release, Disclosure(), now, found)
