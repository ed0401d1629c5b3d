"""Files of a peer in one site, each as a source of its own, and what became of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from sqlalchemy import select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.landing.database import zone_engine
from entrepot.landing.ingest import ingest
from entrepot.landing.tables import record
from roads import keyring, new_site

Held = dict[str, tuple[str, str]]


def source_of(name: str) -> str:
    """A file's name as the name of a source: numbers of two files are two domains."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:40]


def peer_site(files: Sequence[Path], format_: str, folder: Path) -> Site:
    """A site with every file landed; nothing is registered yet."""
    sources = {source_of(f.stem): {"format": format_, "domain": f.stem} for f in files}
    settings = {"sources": sources, "oppositions": {"required": False}}
    site = new_site(folder, yaml.safe_dump(settings))
    for file in files:
        ingest(site, keyring(site), [file], source_of(file.stem))
    return site


def held_in(site: Site) -> Held:
    """Source -> disposition and reason of its record, after register and door."""
    engine = zone_engine(site)
    query = select(record.c.source, derivation.c.disposition, derivation.c.reason).join(derivation)
    with engine.connect() as connection:
        found = {source: (word, reason) for source, word, reason in connection.execute(query)}
    engine.dispose()
    return found
