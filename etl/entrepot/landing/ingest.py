"""`entrepot ingest`: files into landing. A killed or refused ingest is repeated as it was given.

Bytes reach the disk before the ledger's transaction commits, and a file (or member of an archive)
is never spread over two transactions: whatever the moment of a kill, each line of the ledger can
be read, and what is sent again only counts as a duplicate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from entrepot.config import Site
from entrepot.errors import ConfigurationError, RecordFault
from entrepot.keys import Keyring
from entrepot.landing import fhir_split, hl7v2_split
from entrepot.landing.arrival import EMPTY, Arrival, whole
from entrepot.landing.containers import Container, open_containers
from entrepot.landing.database import check_keyring, create_tables, write_transaction, zone_engine
from entrepot.landing.inputs import check_paths
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import SegmentWriter
from entrepot.landing.sniff import CDA, FHIR, FORMATS, HL7V2, UNKNOWN
from entrepot.landing.tables import Tally

NOT_SUPPORTED = "format_not_supported"
BATCH_RECORDS = 1000
BATCH_BYTES = 8 << 20
# Small files share a transaction: two fsyncs for each of 100,000 one-message files take minutes.
COMMIT_RECORDS = 5000
COMMIT_BYTES = 32 << 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class IngestReport:
    """What one ingest brought: deliveries, those already known, those with a fault, containers."""

    received: int
    duplicates: int
    faulty: int
    containers: int


def ingest(
    site: Site,
    keyring: Keyring,
    paths: Sequence[Path],
    source: str,
    format: str | None = None,  # noqa: A002 - the command's own word
    now: dt.datetime | None = None,
    progress: Progress = lambda done, total: None,
) -> IngestReport:
    """Lands every record of `paths`.

    Args:
        site: where to; `source` is one of its configured sources.
        keyring: the site's keys.
        paths: files, folders (recursive), gz, zip.
        source: who sent them.
        format: `hl7v2`, `cda`, `fhir` or `table`; sniffed when not given.
        now: time of receipt (with a zone, or UTC); the clock when not given.
        progress: told (bytes read, bytes in all).

    Raises:
        ConfigurationError: unknown source or format, missing path, wrong key; nothing is written.
        SiteBusyError: another ingest is writing.
        EntrepotError: disk or database refused; files before it are landed, it is not.
    """
    default = _checked_format(site, source, format)
    total = check_paths(paths, site.identifying)
    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        with SegmentWriter(site.segments, keyring) as segments:
            ledger = Ledger(engine, keyring)
            landing = _Landing(ledger, segments, source, _utc(now), format, default)
            with closing(open_containers(paths, lambda done: progress(done, total))) as containers:
                return landing.land(engine, containers)
    finally:
        engine.dispose()


def _checked_format(site: Site, source: str, format_: str | None) -> str:
    """The format of what cannot be recognised: the one the source declares."""
    known = site.config.sources
    if source not in known:
        raise ConfigurationError(
            f"unknown source; known: {', '.join(sorted(known)) or 'none'}",
            where="site.yaml: sources",
            remedy="name one of them, or add it to site.yaml",
        )
    if format_ is not None and format_ not in FORMATS:
        raise ConfigurationError(
            f"unknown format; known: {', '.join(FORMATS)}", remedy="leave it out to have it sniffed"
        )
    return known[source].format


def _utc(now: dt.datetime | None) -> dt.datetime:
    now = now or dt.datetime.now(dt.UTC)
    return now.astimezone(dt.UTC).replace(tzinfo=None) if now.tzinfo else now


@dataclass(frozen=True)
class _Landing:
    ledger: Ledger
    segments: SegmentWriter
    source: str
    received_at: dt.datetime
    format: str | None
    default: str

    def land(self, engine: sa.Engine, containers: Iterator[Container]) -> IngestReport:
        """One transaction per file or group of small files; the bytes are durable before."""
        tally, count, more = Tally(), 0, True
        while more:
            with write_transaction(engine) as connection:
                landed, containers_landed, more = self._group(connection, containers)
                self.segments.sync()
            tally, count = tally + landed, count + containers_landed
        return IngestReport(tally.received, tally.duplicates, tally.faulty, count)

    def _group(
        self, connection: sa.Connection, containers: Iterator[Container]
    ) -> tuple[Tally, int, bool]:
        tally, count, before = Tally(), 0, self.segments.appended
        for count, container in enumerate(containers, 1):
            tally += self._container(connection, container)
            full = self.segments.appended - before >= COMMIT_BYTES
            if full or tally.received >= COMMIT_RECORDS:
                return tally, count, True
        return tally, count, False

    def _container(self, connection: sa.Connection, container: Container) -> Tally:
        if container.fault is not None:
            return self._kept(connection, container, container.fault)
        if not container.packed:
            return self._add(connection, self._arrivals(container))
        attempt = connection.begin_nested()  # its last bytes may prove all of it wrong
        try:
            tally = self._add(connection, self._arrivals(container))
        except RecordFault as fault:
            attempt.rollback()
            return self._kept(connection, container, fault)
        attempt.commit()
        return tally

    def _kept(self, connection: sa.Connection, container: Container, fault: RecordFault) -> Tally:
        """What cannot be opened is one record, as it came."""
        return self._add(connection, [whole(container.raw(), UNKNOWN, fault)])

    def _arrivals(self, container: Container) -> Iterator[Arrival]:
        return arrivals(container, self.format, self.default)

    def _add(self, connection: sa.Connection, arrivals: Iterable[Arrival]) -> Tally:
        tally, batch, size = Tally(), [], 0
        for arrival in arrivals:
            batch.append(arrival)
            size += len(arrival.content)
            if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
                tally += self._enter(connection, batch)
                batch, size = [], 0
        return tally + self._enter(connection, batch)

    def _enter(self, connection: sa.Connection, batch: list[Arrival]) -> Tally:
        return self.ledger.add(connection, self.source, batch, self.segments, self.received_at)


def arrivals(container: Container, named: str | None, default: str) -> Iterator[Arrival]:
    """The records of one stream, cut in its format.

    Args:
        named: the format that the user named; else it is sniffed.
        default: the format of what cannot be recognised.
    """
    format_ = named or (default if container.format == UNKNOWN else container.format)
    if format_ == HL7V2:
        return hl7v2_split.split_stream(container.chunks())
    if format_ == FHIR:
        return fhir_split.split_stream(container.chunks())
    fault = None if format_ == CDA else RecordFault(NOT_SUPPORTED)
    arrival = whole(container.chunks(), format_, fault)
    if not arrival.digest and not arrival.content.strip():
        arrival = replace(arrival, fault=RecordFault(EMPTY))
    return iter([arrival])
