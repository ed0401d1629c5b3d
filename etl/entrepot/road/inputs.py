"""A site's inputs, each opened once and when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property

from sqlalchemy import Engine, func, select

from entrepot.audit import AuditLog
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.feeds.feeds import FeedMappings, load_feeds
from entrepot.keys import Keyring, site_keyring
from entrepot.road.results import Progress, silent


class Inputs:
    """Keys, mappings and the identifying zone's database of a site whose lock the caller holds."""

    def __init__(self, site: Site, progress: Progress) -> None:
        self.site, self.progress = site, progress
        self._opened = ExitStack()

    @classmethod
    @contextmanager
    def of(cls, site: Site, progress: Progress = silent) -> Iterator[Inputs]:
        """Closes in the end what was opened."""
        inputs = cls(site, progress)
        with inputs._opened:
            yield inputs

    @cached_property
    def keyring(self) -> Keyring:
        """The site's keys: read by register and door alone."""
        return site_keyring(self.site)

    @cached_property
    def audit(self) -> AuditLog:
        """The log of what is done with the site's data."""
        return AuditLog(self.site, self.keyring)

    @cached_property
    def mappings(self) -> FeedMappings:
        """What is read of the feeds, as text; compiled where it is used."""
        return load_feeds(self.site.overlays)

    @cached_property
    def database(self) -> Engine:
        """The identifying zone's database, with every table made."""
        from entrepot.landing.database import create_tables, zone_engine
        from entrepot.publication import gate_hold

        assert gate_hold is not None  # noqa: S101 - importing adds all tables of the zone to its metadata
        database = zone_engine(self.site)
        self._opened.callback(database.dispose)
        create_tables(database)
        return database

    @cached_property
    def received(self) -> int:
        """Number of landed records."""
        from entrepot.landing.tables import record

        with self.database.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(record)) or 0)

    def counter(self, stage: str) -> Callable[[int], None]:
        """Adds up what a stage has done and tells it."""
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            self.progress(stage, done, self.received)

        return count

    def require(self) -> None:
        """Whatever could refuse the load refuses it before anything is written.

        Raises:
            ConfigurationError: key, mapping, check, vocabulary, register or the address of
                PostgreSQL is not fit to run.
        """
        from entrepot.landing.database import check_keyring
        from entrepot.publish.postgres_connection import parse_url
        from entrepot.quality.plan import build_plan
        from entrepot.register.freshness import require_fresh
        from entrepot.register.opposition_inbox import require_inbox
        from entrepot.vocabulary.load import read_release

        keyring, _ = self.keyring, self.mappings
        build_plan(self.site.overlays)
        if not self.site.vocabulary.is_file():
            raise ConfigurationError(
                "no vocabulary is loaded", where=str(self.site.root),
                remedy="entrepot vocabulary load DIR",
            )  # fmt: skip
        read_release(self.site.vocabulary)
        if server := self.site.config.publish.url.get_secret_value():
            parse_url(server)
        check_keyring(self.database, keyring)
        require_inbox(self.site)
        with self.database.connect() as connection:
            require_fresh(connection, self.site.config)
