"""One machine, no JVM: a process pool for the door, DuckDB for the relational steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from entrepot.config import SiteConfig
from entrepot.door.record import Task
from entrepot.door.workers import BatchResult, derive_all
from entrepot.feeds.feeds import FeedMappings
from entrepot.keys import Keyring
from entrepot.omop.candidate import MapInputs, build

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Embedded:
    """See `Engine`."""

    def derive(
        self, batches: Iterable[list[Task]], count: int, config: SiteConfig, keyring: Keyring,
        mappings: FeedMappings, workers: int,
    ) -> Iterator[BatchResult]:  # fmt: skip
        """In this process when the batches are few, else in a pool of `workers`."""
        return derive_all(batches, count, config, keyring, mappings, workers)

    def build(self, connection: DuckDBPyConnection, inputs: MapInputs) -> None:
        """In the candidate itself."""
        build(connection, inputs)


@contextmanager
def embedded() -> Iterator[Embedded]:
    """Holds nothing between its calls."""
    yield Embedded()
