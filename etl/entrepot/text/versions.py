"""The version of every list that the text engine reads: what an output depends on besides code."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from entrepot.resources import data_files
from entrepot.text.model_readers import model_hash
from entrepot.text.open_data import site_files
from entrepot.text.vocabulary import wheel_version


def lists_version(
    overlays: tuple[Path, ...] = (), lists: Path | None = None, model: Path | None = None
) -> str:
    """SHA-256 over the shipped and overlaid lists, the site's open data, the wheel and the model.

    Args:
        overlays: folders whose `mappings/text/*.csv` come before the shipped lists.
        lists: folder of the site's open-data files.
        model: folder of the site's model.

    Raises:
        ConfigurationError: a configured folder does not exist.
    """
    parts = [wheel_version(), *_hashes(data_files("mappings/text", "*", overlays))]
    if lists is not None:
        parts += ["site", *_hashes(site_files(lists))]
    if model is not None:
        parts.append(model_hash(model))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _hashes(files: list[Path]) -> list[str]:
    """Name and SHA-256 of each file."""
    found = []
    for path in files:
        about = path.stat()
        found.append(f"{path.name} {_hash(path, about.st_mtime_ns, about.st_size)}")
    return found


@lru_cache(maxsize=256)
def _hash(path: Path, changed: int, size: int) -> str:
    """Once per process and state of a file: the directory of professionals has a gigabyte."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
