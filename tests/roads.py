"""Sites for tests: made in a temporary folder, fed with a synthetic hospital or with given bytes.

One root key for all of them, so that two sites can be compared by their canonical hashes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from entrepot.config import CONFIG_NAME, Site
from entrepot.demonstration import feed_folders
from entrepot.keys import Keyring, site_keyring
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.landing.ingest import ingest
from entrepot.publish.canonical import table_hashes
from entrepot.publish.warehouse import open_warehouse
from entrepot.register.oppositions import import_csv
from entrepot.resources import data_folder
from entrepot.run import RunResult, run
from entrepot.site_files import SOURCES, create_site
from entrepot.vocabulary.load import load_vocabulary

ROOT_KEY = "5a" * 32


def new_site(folder: Path, settings: str = "") -> Site:
    """A demonstration site with the test's root key and the demonstration vocabulary.

    Args:
        settings: YAML appended to (or replacing keys of) the written site.yaml.
    """
    site = create_site(folder, demonstration=True)
    site.root_key.write_text(ROOT_KEY + "\n")
    if settings:
        path = folder / CONFIG_NAME
        path.write_text(settings)
        site = Site.open(folder)
    load_vocabulary(data_folder("mappings") / "demo_vocabulary", site.vocabulary)
    return site


def keyring(site: Site) -> Keyring:
    """The site's keys."""
    return site_keyring(site)


def feed_hospital(site: Site, hospital: Path, sources: Iterable[str] = SOURCES) -> None:
    """Lands the feeds of a synthetic hospital and imports its oppositions."""
    folders = feed_folders(hospital)
    for source in sources:
        if source in folders:
            ingest(site, keyring(site), [folders[source]], source)
    oppose(site, hospital / "oppositions.csv")


def feed(site: Site, name: str, content: bytes, source: str = "adt") -> None:
    """Lands one file made of these bytes."""
    path = site.root.parent / f"{site.root.name}-{name}"
    path.write_bytes(content)
    ingest(site, keyring(site), [path], source)
    path.unlink()


def oppose(site: Site, file: Path) -> None:
    """Imports an opposition file."""
    engine = zone_engine(site)
    create_tables(engine)
    with write_transaction(engine) as connection:
        import_csv(connection, keyring(site), file, site)
    engine.dispose()


def travel(site: Site) -> RunResult:
    """Runs the road."""
    return run(site)


def hashes(site: Site) -> dict[str, str]:
    """Canonical hashes of the published tables; empty when nothing is published."""
    if not site.warehouse.is_file():
        return {}
    connection = open_warehouse(site.warehouse)
    try:
        return dict(table_hashes(connection))
    finally:
        connection.close()


def query(site: Site, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the published warehouse (schemas cdm and etl)."""
    connection: duckdb.DuckDBPyConnection = open_warehouse(site.warehouse)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
