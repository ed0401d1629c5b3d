"""The contract of an engine, and the choice of one by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from entrepot.config import Site, SiteConfig
from entrepot.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.door.record import Task
    from entrepot.door.workers import BatchResult
    from entrepot.feeds.feeds import FeedMappings
    from entrepot.keys import Keyring
    from entrepot.omop.candidate import MapInputs

NAMES = ("embedded", "spark")


class Engine(Protocol):
    """Executes the door's function and the relational SQL."""

    def derive(
        self, batches: Iterable[list[Task]], count: int, config: SiteConfig, keyring: Keyring,
        mappings: FeedMappings, workers: int,
    ) -> Iterator[BatchResult]:  # fmt: skip
        """Every batch of records through the door, in the order given.

        Args:
            count: number of records in all.
            workers: processes of this machine, where the engine uses them.
        """

    def build(self, connection: DuckDBPyConnection, inputs: MapInputs) -> None:
        """Fills the tables of a prepared candidate, working tables included."""


def engine_of(name: str, site: Site) -> AbstractContextManager[Engine]:
    """The engine of that name; it starts nothing before it is used, and ends with the block.

    Raises:
        ConfigurationError: no such engine, or what it needs is not installed.
    """
    if name == "embedded":
        from entrepot.engine.embedded import embedded

        return embedded()
    if name == "spark":
        from entrepot.engine.spark import spark

        return spark(site)
    raise ConfigurationError(f"unknown engine {name}", remedy=f"--engine {' or '.join(NAMES)}")
