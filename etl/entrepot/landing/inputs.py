"""The files that an ingest names: checked before anything is written, then walked in order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from entrepot.errors import ConfigurationError


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files to land: those named, and those in folders, sorted, without hidden ones."""
    for path in paths:
        if path.is_dir():
            yield from _folder(path)
        else:
            yield path


def _folder(folder: Path) -> Iterator[Path]:
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():  # a link may lead back up
            yield from _folder(path)
        elif path.is_file():
            yield path


def check_paths(paths: Sequence[Path], private: Path) -> int:
    """The size in bytes of all files to land, each proven readable.

    Args:
        paths: files and folders, as given.
        private: the identifying zone, which no path may hold.

    Raises:
        ConfigurationError: a path that is missing, unreadable, neither file nor folder, or that
            holds the zone itself; told by its ordinal, as a name may hold an identifier.
    """
    total = 0
    for number, path in enumerate(paths, 1):
        place = f"path {number} of {len(paths)}"
        _check_kind(path, place)
        real = path.resolve()
        if private.is_relative_to(real) or real.is_relative_to(private):
            raise ConfigurationError(
                "a path to ingest holds this site's identifying zone",
                where=place,
                remedy="keep what is received outside the site's folder",
            )
        try:
            total += sum(_readable_size(file) for file in files([path]))
        except OSError as error:
            raise ConfigurationError(
                f"a file to ingest cannot be read ({error.strerror})",
                where=place,
                remedy="give this account the right to read it",
            ) from None
    return total


def _check_kind(path: Path, place: str) -> None:
    if not path.is_dir() and not path.is_file():
        fault = "is neither a file nor a folder" if path.exists() else "does not exist"
        raise ConfigurationError(
            f"a path to ingest {fault}", where=place, remedy="check the command's paths"
        )


def _readable_size(file: Path) -> int:
    with file.open("rb") as opened:
        return os.fstat(opened.fileno()).st_size
