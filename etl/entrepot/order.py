"""What the door leaves for the load, as a file of the research zone: the load reads no key.

Keyed integers, counts, dates and the names of the staff who waived a check; nothing of a patient.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from entrepot import __version__
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.quality.checks import RULES
from entrepot.quality.inputs import Feed
from entrepot.resources import data_files

FILE = "order.json"


@dataclass(frozen=True)
class Waiver:
    """A named person lets loads pass that fail one check as far as was seen when they said so.

    Args:
        rows: violating rows up to which it holds.
        until: last day of `as_of` for which it holds: an input, never the clock.
    """

    check_id: str
    rows: int
    by: str
    reason: str
    until: dt.date


@dataclass(frozen=True)
class LoadOrder:
    """The named inputs of one load besides files.

    Args:
        as_of: state of the warehouse, local civil time; None while nothing was ever staged.
        opposed: person ids of opposed persons (keyed integers).
        staged: rows that the door staged, by kind, and records under `records`.
        published: fingerprint of the inputs of the release in place, empty before the first.
        feeds: what the ledger knows of each source; it may block a load and makes none due.
    """

    generation: int
    as_of: dt.datetime | None
    opposed: tuple[int, ...] = ()
    staged: Mapping[str, int] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    published: str = ""
    feeds: tuple[Feed, ...] = ()

    @property
    def waived(self) -> dict[str, int]:
        """Check id -> most violating rows that are waived for this state."""
        found: dict[str, int] = {}
        for one in self.waivers:
            if self.as_of is not None and one.until >= self.as_of.date():
                found[one.check_id] = max(one.rows, found.get(one.check_id, 0))
        return found


def fingerprint(site: Site, order: LoadOrder) -> str:
    """SHA-256 over everything that the load depends on: equal inputs give an equal release."""
    files = [
        *data_files("mappings/omop", "*.sql", site.overlays),
        *data_files("mappings/concepts", "*.csv", site.overlays),
        *_rules(site),
    ]
    config = site.config
    rules = (
        __version__, order.generation, sorted(order.opposed), order.as_of, config.data_start,
        config.title, sorted(order.waived.items()),
    )  # fmt: skip
    return hashlib.sha256(f"{rules!r}{hash_files(files)}".encode()).hexdigest()


def gate_rules(site: Site) -> str:
    """SHA-256 over what the gate's answers depend on besides rows and dates."""
    import duckdb  # whose hash function tells which rows are the same

    rules = (__version__, duckdb.__version__, hash_files(_rules(site)))
    return hashlib.sha256(f"{rules!r}".encode()).hexdigest()


def _rules(site: Site) -> list[Path]:
    found = (data_files(folder, pattern, site.overlays) for folder, pattern in RULES)
    return [*chain.from_iterable(found), site.vocabulary]


def is_due(site: Site, order: LoadOrder) -> bool:
    """Whether the release in place was made from other inputs."""
    if order.as_of is None:
        return False
    return fingerprint(site, order) != order.published or not site.warehouse.is_file()


def hash_files(paths: list[Path]) -> str:
    """SHA-256 over names and contents of files; one that is not there counts for nothing."""
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            about = path.stat()
            digest.update(path.name.encode() + _hash(path, about.st_mtime_ns, about.st_size))
    return digest.hexdigest()


@lru_cache(maxsize=1024)
def _hash(path: Path, changed: int, size: int) -> bytes:
    """Once per process and state of a file: a whole vocabulary has gigabytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def write_order(site: Site, order: LoadOrder) -> None:
    """Replaces the site's order in one step."""
    path = site.work / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    following = path.with_suffix(".next")
    following.write_text(json.dumps(asdict(order), default=str, indent=2) + "\n", encoding="utf-8")
    os.replace(following, path)


def _feed(raw: dict[str, Any]) -> Feed:
    return Feed(**{**raw, "last_day": dt.date.fromisoformat(raw["last_day"])})


def read_order(site: Site) -> LoadOrder:
    """The order that the last door pass left.

    Raises:
        ConfigurationError: there is none, or it cannot be read.
    """
    path = site.work / FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        waivers = tuple(
            Waiver(**{**one, "until": dt.date.fromisoformat(one["until"])})
            for one in raw["waivers"]
        )
        as_of = dt.datetime.fromisoformat(raw["as_of"]) if raw["as_of"] else None
        return LoadOrder(
            raw["generation"], as_of, tuple(raw["opposed"]), raw["staged"], waivers,
            raw["published"], tuple(_feed(one) for one in raw.get("feeds", ())),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "no order for a load: the door has not run, or its file is damaged",
            where=str(path),
            remedy="entrepot run",
        ) from None
