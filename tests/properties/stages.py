"""The stages composed without gate and publish: what property tests derive, in a second or two.

A property compares two warehouses by their canonical hashes; the gate may only remove rows from
them, and has tests of its own.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from entrepot.config import CONFIG_NAME, Site
from entrepot.door import workers as door_workers
from entrepot.door.derivation import DoorPass
from entrepot.door.tables import derivation
from entrepot.feeds.feeds import FeedMappings, Feeds, load_feeds
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.landing.ingest import ingest
from entrepot.omop.candidate import MapInputs, build, open_candidate, prepare
from entrepot.publish.canonical import table_hashes
from entrepot.publish.ddl import ddl
from entrepot.register import oppositions, registering
from entrepot.register.person import Identifier
from entrepot.register.snapshot import Snapshot
from entrepot.register.tables import registration
from entrepot.staging.store import generation_folder
from entrepot.synthetic.hospital import AUTHORITY
from entrepot.text import Scrubber
from properties.told import Told, files
from roads import keyring, new_site

AUTHORITY_OID = AUTHORITY[1]
FIXED = "as_of: 2025-12-31T00:00:00\n"
NOW = dt.datetime(2026, 6, 1)  # of every receipt: a record may state no time of its own
SETTINGS = """\
site: hopital
sources:
  adt: {format: hl7v2, rank: 6}
  lab: {format: hl7v2, rank: 6}
  pmsi: {format: hl7v2, rank: 6}
  pharma: {format: hl7v2, rank: 6}
  letters: {format: hl7v2, rank: 6}
  fhir: {format: fhir}
  cda: {format: cda}
oppositions: {required: false}
"""


@dataclass(frozen=True)
class Warehouse:
    """Canonical hashes by CDM table, and (disposition, reason) of the records by number."""

    hashes: dict[str, str]
    dispositions: dict[tuple[str, str], int]
    candidate: Path


class Sites:
    """Makes empty sites with one root key from a model that is built once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        self._model = new_site(folder / "model")

    def new(self, extra: str = "") -> Site:
        """A new site; `extra` is YAML appended to its settings."""
        self._count += 1
        root = self._folder / f"site{self._count}"
        shutil.copytree(self._model.root, root)
        (root / CONFIG_NAME).write_text(SETTINGS + extra)
        return Site.open(root)


def land(
    site: Site, messages: Iterable[Told], packing: str = "lines", now: dt.datetime = NOW
) -> None:
    """Lands the records in the order given, one file for each stretch of one source.

    Args:
        packing: how FHIR is written, one of PACKINGS; `alone` is a file for each record.
    """
    folder = site.root.parent / f"{site.root.name}-feed"
    for source, stretch in itertools.groupby(messages, lambda told: told.source):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number, (suffix, content) in enumerate(files(list(stretch), packing)):
            (folder / f"{number:05d}.{suffix}").write_bytes(content)
        ingest(site, keyring(site), [folder], source, now=now)
    shutil.rmtree(folder, ignore_errors=True)


def with_zone(site: Site, act: Callable[[Engine], None]) -> None:
    """Acts on the identifying zone's database."""
    engine = zone_engine(site)
    try:
        create_tables(engine)
        act(engine)
    finally:
        engine.dispose()


def oppose(site: Site, numbers: Iterable[str], *, withdraw: bool = False) -> None:
    """Records (or withdraws) the opposition of a person's numbers."""

    def act(engine: Engine) -> None:
        with write_transaction(engine) as connection:
            for number in numbers:
                who = Identifier(AUTHORITY_OID, number, "")
                if withdraw:
                    oppositions.withdraw(connection, keyring(site), who, dt.date(2026, 1, 2))
                else:
                    oppositions.add(
                        connection, keyring(site), who, dt.date(2026, 1, 1), "test"
                    )  # fmt: skip

    with_zone(site, act)


@functools.cache
def _shipped() -> tuple[FeedMappings, Feeds]:
    """The shipped mappings, read and compiled once."""
    mappings = load_feeds()
    return mappings, Feeds(mappings)


class _Scrubbers:
    """The engine without a site's own lists, made once."""

    @staticmethod
    @functools.cache
    def of(_: object) -> Scrubber:
        return Scrubber()


def pseudonymise(
    site: Site, workers: int = 1, mappings: FeedMappings | None = None
) -> tuple[int, dt.datetime | None]:
    """Register and door; returns the staging generation and the default `as_of`."""
    overlaid = (site.root / "mappings").is_dir()
    mappings = mappings or (load_feeds(site.overlays) if overlaid else _shipped()[0])
    feeds = _shipped()[1] if mappings is _shipped()[0] else Feeds(mappings)
    engine = zone_engine(site)
    try:
        create_tables(engine)
        keys = keyring(site)
        with pytest.MonkeyPatch.context() as patch:  # what does not depend on the site: once
            patch.setattr(door_workers, "Scrubber", _Scrubbers)
            patch.setattr(door_workers, "Feeds", lambda _: feeds)
            patch.setattr(registering, "Feeds", lambda _: feeds)
            registering.register_all(site, engine, keys, mappings, lambda done: None)
            with engine.connect() as connection:
                snapshot = Snapshot(connection, keys, site.config.register_)
            door = DoorPass(site, engine, keys, mappings)
            generation = door.run(snapshot, "as it stands", workers, lambda done: None)
        latest = (
            select(func.max(registration.c.stated_at))
            .join(derivation, derivation.c.record_id == registration.c.record_id)
            .where(derivation.c.disposition == "staged")
        )
        with engine.connect() as connection:
            return generation, connection.scalar(latest)
    finally:
        engine.dispose()


def derive(site: Site, workers: int = 1) -> Warehouse:
    """Everything pending taken as far as the candidate."""
    generation, latest = pseudonymise(site, workers)
    configured = site.config.as_of
    as_of = configured or latest
    assert as_of is not None, "nothing was staged"
    candidate = site.work / "candidate.duckdb"
    inputs = MapInputs(
        generation_folder(site.staging, generation), site.vocabulary, as_of,
        site.config.data_start, site.config.site, site.config.title, site.overlays,
        {name: source.rank for name, source in site.config.sources.items()},
    )  # fmt: skip
    connection = open_candidate(candidate, "1GB", site.work / "spill")
    try:
        prepare(connection, inputs, ddl("duckdb", "cdm", enforce_required=False))
        build(connection, inputs)
        hashes = table_hashes(connection)
    finally:
        connection.close()
    return Warehouse(hashes, dispositions(site), candidate)


def dispositions(site: Site) -> dict[tuple[str, str], int]:
    """(disposition, reason) -> records."""
    engine = zone_engine(site)
    try:
        with engine.connect() as connection:
            rows = connection.execute(
                select(derivation.c.disposition, derivation.c.reason, func.count()).group_by(
                    derivation.c.disposition, derivation.c.reason
                )
            )
            return {(row[0], row[1]): row[2] for row in rows}
    finally:
        engine.dispose()


def differing(left: Warehouse, right: Warehouse) -> list[str]:
    """Tables whose content differs."""
    return sorted(name for name in left.hashes if left.hashes[name] != right.hashes[name])
