"""The road without gate and publication: register, door and map of what is landed in a site."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import roads
from entrepot.config import Site
from entrepot.door import workers
from entrepot.door.derivation import DoorPass
from entrepot.feeds.feeds import Feeds, load_feeds
from entrepot.landing.database import create_tables, zone_engine
from entrepot.omop.candidate import MapInputs, build, open_candidate, prepare
from entrepot.publish.ddl import ddl
from entrepot.register import registering
from entrepot.register.snapshot import Snapshot
from entrepot.staging.store import generation_folder
from entrepot.text import Scrubber


class _Scrubbers:
    """The engine without a site's own lists, made once."""

    @staticmethod
    @functools.cache
    def of(_: object) -> Scrubber:
        return Scrubber()


def pseudonymise(site: Site) -> Path:
    """Register and door of everything landed; gives the staging generation's folder."""
    mappings, keyring = load_feeds(site.overlays), roads.keyring(site)
    engine, feeds = zone_engine(site), Feeds(mappings)
    try:
        create_tables(engine)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(workers, "Scrubber", _Scrubbers)  # its lists are read once, not per site
            patch.setattr(workers, "Feeds", lambda _: feeds)  # compiled once for both passes
            patch.setattr(registering, "Feeds", lambda _: feeds)
            registering.register_all(site, engine, keyring, mappings, _unheard)
            with engine.connect() as connection:
                snapshot = Snapshot(connection, keyring, site.config.register_)
            door = DoorPass(site, engine, keyring, mappings)
            generation = door.run(snapshot, "test", 1, _unheard)
    finally:
        engine.dispose()
    return generation_folder(site.staging, generation)


@contextmanager
def mapped(
    site: Site, staging: Path, overlays: tuple[Path, ...]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The candidate that the mappings make of a staging generation."""
    as_of = site.config.as_of
    assert as_of is not None, "the golden site states its date"
    inputs = MapInputs(
        staging, site.vocabulary, as_of, site.config.data_start, site.config.site,
        site.config.title, overlays,
        {name: source.rank for name, source in site.config.sources.items()},
    )  # fmt: skip
    connection = open_candidate(site.work / "candidate.duckdb", "1GB", site.work / "spill")
    try:
        prepare(connection, inputs, ddl("duckdb", "cdm", enforce_required=False))
        build(connection, inputs)
        yield connection
    finally:
        connection.close()


def _unheard(done: int) -> None:
    """Progress that nobody looks at."""
