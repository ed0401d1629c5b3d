"""Finds the data folders (mappings, omop_ddl, quality): a site's overlay before what ships.

In a checkout the folders are read where they stand; in a wheel they lie in `entrepot/_data`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from entrepot.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """The shipped folder `name` (`mappings`, `omop_ddl` or `quality`)."""
    for root in (_PACKAGE / "_data", _PACKAGE.parent.parent):
        if (root / name).is_dir():
            return root / name
    raise ConfigurationError(
        f"the data folder {name!r} is missing from this installation", remedy="reinstall entrepot"
    )


def data_files(relative: str, pattern: str, overlays: Iterable[Path] = ()) -> list[Path]:
    """Files matching `pattern` in `relative` (`mappings/hl7v2`), sorted by name.

    A file of an overlay replaces the shipped file of the same name.
    """
    head, _, tail = relative.partition("/")
    folders = [data_folder(head) / tail, *(Path(overlay) / relative for overlay in overlays)]
    found = {path.name: path for folder in folders for path in sorted(folder.glob(pattern))}
    return [found[name] for name in sorted(found)]


def data_file(relative: str, overlays: Iterable[Path] = ()) -> Path:
    """One data file by its path (`mappings/dispositions.csv`), the overlay's when it has one."""
    folder, _, name = relative.rpartition("/")
    found = data_files(folder, name, overlays)
    if not found:
        raise ConfigurationError(
            f"no file {relative}", remedy="reinstall entrepot or mend the overlay"
        )
    return found[0]
