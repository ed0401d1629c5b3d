"""One Spark session for all tests of a process; what it writes is kept, and readable.

Encryption and compression are off, so that a search reads what Spark would have written under
them: nothing on its disks may be identifying even so.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrepot.config import CONFIG_NAME, Site
from entrepot.engine.spark.session import folder, session
from entrepot.site_files import create_site

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = """
spark:
  master: "local[2]"
  event_log: true
  conf:
    # Nothing here runs for long: half the time would go into compiling what runs once. The test
    # of the cluster compiles as production does.
    spark.driver.defaultJavaOptions: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
    spark.sql.codegen.wholeStage: false
    spark.sql.codegen.factoryMode: NO_CODEGEN
    spark.io.encryption.enabled: false
    spark.shuffle.compress: false
    spark.shuffle.spill.compress: false
    spark.broadcast.compress: false
    spark.eventLog.compress: false
    spark.eventLog.rolling.enabled: false
"""


@dataclass(frozen=True)
class Running:
    """A session and where it writes.

    Args:
        kept: every file that ever stood in Spark's own folder, as hard links.
        logs: event logs.
    """

    session: SparkSession
    kept: Path
    logs: Path

    def plans(self) -> list[str]:
        """The physical plan of every query so far, as the event log tells it."""
        return [
            event["physicalPlanDescription"]
            for event in self.events()
            if event["Event"].endswith("SparkListenerSQLExecutionStart")
        ]

    def of_itself(self) -> list[str]:
        """What Spark wrote of its settings before any record came: its words are no names."""
        return [
            json.dumps(event)
            for event in self.events()
            if event["Event"] == "SparkListenerEnvironmentUpdate"
        ]

    def events(self) -> list[dict[str, Any]]:
        """Every event so far."""
        lines = [
            line
            for file in sorted(self.logs.iterdir())
            for line in file.read_text(encoding="utf-8").splitlines()
        ]
        return [json.loads(line) for line in lines]


def site_with(root: Path, settings: str) -> Site:
    """A site of its own with further lines of site.yaml."""
    path = create_site(root / "site", demonstration=True).root / CONFIG_NAME
    path.write_text(path.read_text(encoding="utf-8") + settings, encoding="utf-8")
    return Site.open(path.parent)


@contextmanager
def running(root: Path) -> Iterator[Running]:
    """Starts the session for a site of its own."""
    site = site_with(root, SETTINGS)
    kept = root / "kept"
    kept.mkdir()
    ended = threading.Event()
    with session(site) as started:
        watch = threading.Thread(target=_keep, args=(folder(site) / "local", kept, ended))
        watch.start()
        try:
            yield Running(started, kept, site.research / "logs" / "spark")
        finally:
            ended.set()
            watch.join()


def _keep(watched: Path, kept: Path, ended: threading.Event) -> None:
    """Links every file that appears: a link keeps what is written to it, and outlives it."""
    seen: set[int] = set()
    while not ended.wait(0.02):
        for place, _, names in os.walk(watched):
            for name in names:
                try:
                    number = (Path(place) / name).stat().st_ino
                    if number not in seen:
                        os.link(Path(place) / name, kept / f"{number}-{name}")
                        seen.add(number)
                except OSError:
                    continue  # gone between the two looks, or given the number of one that went
