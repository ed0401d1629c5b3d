"""A site of its own for each test, and what its ledger holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot.config import Site, SiteConfig, Source
from entrepot.keys import Keyring
from entrepot.landing.database import zone_engine
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import SegmentReader


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(bytes(range(32)))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    sources = {"dpi": Source(), "labo": Source()}
    return Site(tmp_path / "site", SiteConfig(sources=sources))


@pytest.fixture
def engine(site: Site) -> Iterator[sa.Engine]:
    engine = zone_engine(site)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: sa.Engine, keyring: Keyring) -> Ledger:
    return Ledger(engine, keyring)


@pytest.fixture
def reader(site: Site, keyring: Keyring) -> Iterator[SegmentReader]:
    with SegmentReader(site.segments, keyring) as reader:
        yield reader


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def hl7v2_samples(shared: Path) -> Path:
    """The third-party HL7v2 files."""
    return shared / "data" / "hl7v2"
