"""The engine itself: the same calls as the embedded one, answered by a Spark session."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from entrepot.config import Site, SiteConfig
from entrepot.engine.spark.session import folder, session

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import SparkSession

    from entrepot.door.record import Task
    from entrepot.door.workers import BatchResult
    from entrepot.feeds.feeds import FeedMappings
    from entrepot.keys import Keyring
    from entrepot.omop.candidate import MapInputs


class SparkEngine:
    """See `Engine`. Spark starts at the first call: that takes 4 to 20 s, for nothing maybe."""

    def __init__(self, site: Site, held: ExitStack) -> None:
        self._site, self._held = site, held
        self._started: SparkSession | None = None

    @property
    def session(self) -> SparkSession:
        """The session, started when first asked for.

        Raises:
            ConfigurationError: Spark or Java is missing, or Spark does not start so.
        """
        if self._started is None:
            self._started = self._held.enter_context(session(self._site))
        return self._started

    def derive(
        self, batches: Iterable[list[Task]], count: int, config: SiteConfig, keyring: Keyring,
        mappings: FeedMappings, workers: int,
    ) -> Iterator[BatchResult]:  # fmt: skip
        """On Spark's workers; `workers`, the processes of this machine, says nothing to it."""
        from entrepot.engine.spark.door import derive
        from entrepot.engine.spark.worker import DoorInputs

        if not count:
            return
        # Of the configuration only what the door reads: a database URL may hold a password.
        needed = SiteConfig(timezone=config.timezone, sources=config.sources)
        inputs = DoorInputs(needed, mappings, str(self._site.root_key), config.key_command)
        yield from derive(self.session, batches, keyring, inputs)

    def build(self, connection: DuckDBPyConnection, inputs: MapInputs) -> None:
        """On Spark's workers, as Parquet; the candidate is filled with what came out."""
        from entrepot.engine.spark.build import build

        work = folder(self._site) / "tables"
        shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
        try:
            build(self.session, connection, inputs, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)  # rows that nobody judged must not lie about


@contextmanager
def spark(site: Site) -> Iterator[SparkEngine]:
    """The engine of a site; what it started ends with the block."""
    with ExitStack() as held:
        yield SparkEngine(site, held)
