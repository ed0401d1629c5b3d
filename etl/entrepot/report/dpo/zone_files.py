"""Who may read the files of the identifying zone, as the disk says before anything opens it.

Opening the zone's database closes its folder to others: what is looked at after that says nothing.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from entrepot.config import Site

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
PLACES = ("folder", "root_key", "database", "segments", "audit_log", "others")


@dataclass(frozen=True)
class Place:
    """Files of the identifying zone; `open_to_others`: expected 0.

    Args:
        name: one of PLACES.
    """

    name: str
    files: int
    open_to_others: int


def places(site: Site) -> Iterator[Place]:
    """Every file of the zone, counted once."""
    every = sorted(path for path in site.identifying.rglob("*") if not path.is_symlink())
    segments = [path for path in every if path.is_relative_to(site.segments)]
    known = {
        "folder": [site.identifying, *(path for path in every if path.is_dir())],
        "root_key": [path for path in every if path.parent == site.root_key.parent],
        "database": [path for path in every if path.name.startswith("zone.sqlite")],
        "segments": segments,
        "audit_log": [path for path in every if path.name.startswith("audit.log")],
    }
    seen: set[Path] = set()
    for name, paths in known.items():
        files = [path for path in paths if path not in seen]
        seen |= set(files)
        yield Place(name, len(files), open_to_others(files, site.root))
    rest = [path for path in every if path not in seen]
    yield Place("others", len(rest), open_to_others(rest, site.root))


def open_to_others(paths: list[Path], root: Path) -> int:
    """Below `root` a closed folder closes what is in it, whatever its own mode."""
    return sum(
        bool(path.stat().st_mode & _OTHERS)
        and all(
            parent.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
            for parent in path.parents
            if parent.is_relative_to(root) and parent != root
        )
        for path in paths
    )
