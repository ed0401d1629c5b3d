"""Files that age: backups, logs of the research zone, access reports that were handed over."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable
from pathlib import Path

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError

ACCESS = "access"


def old_backups(site: Site, today: dt.date) -> list[Path]:
    """What lies in the backup folder for longer than its term; a folder by its newest file.

    Raises:
        ConfigurationError: the folder is named and is not there: nobody can say what is in it.
    """
    settings = site.config.retention.backups
    if settings is None:
        return []
    folder = site.path(settings.folder)
    if not folder.is_dir():
        raise ConfigurationError(
            "the backup folder is not there", where="site.yaml: retention.backups.folder",
            remedy="mount it, or mend this key",
        )  # fmt: skip
    if folder.resolve() in (site.root, site.identifying, site.research):
        raise ConfigurationError(
            "the backup folder is a zone of the site", where="site.yaml: retention.backups.folder"
        )
    limit = today - dt.timedelta(days=settings.keep_days)
    return [path for path in sorted(folder.iterdir()) if _changed(path) < limit]


def old_logs(site: Site, today: dt.date) -> list[Path]:
    """Log files of the research zone over their term."""
    limit = today - dt.timedelta(days=site.config.retention.logs_days)
    found = sorted((site.research / "logs").rglob("*"))
    return [path for path in found if path.is_file() and _changed(path) < limit]


def access_reports(site: Site, today: dt.date) -> list[Path]:
    """Access reports that nobody needs here any more."""
    limit = today - dt.timedelta(days=site.config.retention.access_days)
    found = sorted((site.identifying / ACCESS).glob("*"))
    return [path for path in found if path.is_file() and _changed(path) < limit]


def remove(paths: Iterable[Path]) -> None:
    """Deletes files and folders.

    Raises:
        EntrepotError: one cannot be deleted; those before it are gone.
    """
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise EntrepotError(
                f"a file over its term cannot be deleted ({error.strerror})",
                where=str(path.parent), remedy="mend its rights, then repeat the command",
            ) from None  # fmt: skip


def _changed(path: Path) -> dt.date:
    """The day of its last change, of its newest file for a folder."""
    times = [path.lstat().st_mtime]
    if path.is_dir() and not path.is_symlink():
        times += [one.lstat().st_mtime for one in path.rglob("*") if one.is_file()]
    return dt.datetime.fromtimestamp(max(times)).astimezone().date()
