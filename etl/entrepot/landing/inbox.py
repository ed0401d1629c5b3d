"""A folder where a sender drops files: which are whole, and what becomes of those that were read.

No name leaves this module, as a file's name may hold an identifier. A file is whole when nobody
wrote to it for a while and its name is none that transfer tools give to what is unfinished. One
that changed while it was read stays for the next look; what was landed of it is a duplicate then.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from entrepot.config import Inbox, Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring
from entrepot.landing.database import private_folder
from entrepot.landing.ingest import ingest

DONE = "done"
# Of WinSCP, curl and browsers, rsync --partial, lftp, sftp scripts; hidden ones are left as well.
_UNFINISHED = (".filepart", ".part", ".partial", ".tmp", ".temp", ".crdownload", ".writing")


@dataclass(frozen=True)
class Dropped:
    """A whole file, and what changes when somebody writes to it or replaces it."""

    path: Path
    stamp: tuple[int, int, int]  # inode, size, time of the last change in ns


@dataclass(frozen=True)
class InboxReport:
    """What one look at an inbox brought.

    Args:
        files: read.
        left: of these, files that changed meanwhile and stay.
        received, duplicates, faulty: records, as `IngestReport` counts them.
        new: a load has something to do; also when an earlier look was killed half-way.
    """

    files: int = 0
    left: int = 0
    received: int = 0
    duplicates: int = 0
    faulty: int = 0
    new: bool = False

    def as_dict(self) -> dict[str, int | bool]:
        """For a log or `--json`."""
        return asdict(self)


class DropFolder:
    """One inbox.

    Args:
        where: the key of site.yaml that names it, for errors.

    Raises:
        ConfigurationError: no such folder, not writable, or it overlaps a zone of the site.
    """

    def __init__(self, site: Site, inbox: Inbox, where: str) -> None:
        self._inbox, self._where = inbox, where
        self._folder = site.path(inbox.folder)
        self._check((site.identifying, site.research))

    def _check(self, zones: Sequence[Path]) -> None:
        real = self._folder.resolve()
        if not real.is_dir():
            raise self._fault("is no folder", "make it, or mend this key")
        if any(zone.is_relative_to(real) or real.is_relative_to(zone) for zone in zones):
            raise self._fault("overlaps a zone of the site", "keep it outside both zones")
        if not os.access(real, os.R_OK | os.W_OK | os.X_OK):
            raise self._fault("is not writable", "files that were read are moved: give this right")

    def _fault(self, what: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"the inbox {what}", where=self._where, remedy=remedy)

    def ready(self) -> list[Dropped]:
        """The whole files, of folders too, sorted by path; links are not followed."""
        now = time.time()
        with self._disk():
            found = [file for file in self._walk() if self._quiet(file, now)]
        return sorted(found, key=lambda file: file.path)

    def _walk(self) -> Iterator[Dropped]:
        for folder, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            if Path(folder) == self._folder and DONE in folders:
                folders.remove(DONE)
            for name in names:
                if name.startswith(".") or name.lower().endswith(_UNFINISHED):
                    continue
                stamp = _stamp(path := Path(folder) / name)
                if stamp is not None:
                    yield Dropped(path, stamp)

    def _quiet(self, file: Dropped, now: float) -> bool:
        # The change time is the kernel's own; `cp -p` and a wrong clock may set the other one.
        return now - file.stamp[2] / 1e9 >= self._inbox.quiet_seconds

    def put_away(self, files: Sequence[Dropped]) -> int:
        """Moves (or deletes) what was read; returns how many files changed and stay."""
        left = 0
        with self._disk():
            for file in files:
                if _stamp(file.path) != file.stamp:
                    left += 1
                elif self._inbox.keep:
                    self._move(file.path)
                else:
                    file.path.unlink()
        return left

    def _move(self, path: Path) -> None:
        target = self._folder / DONE / path.relative_to(self._folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        free, number = target, 1
        while free.exists():  # senders use a name again
            number += 1
            free = target.with_name(f"{target.name}~{number}")
        path.rename(free)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:  # its text names the file
            raise EntrepotError(
                f"the inbox cannot be worked on ({error.strerror})",
                where=self._where,
                remedy="mend the folder's disk or rights; the next look goes on from here",
            ) from None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """None for what is gone or no plain file."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_ino, found.st_size, found.st_ctime_ns


def inbox_sources(site: Site) -> list[str]:
    """Sources of which site.yaml names an inbox."""
    return [name for name, source in site.config.sources.items() if source.inbox is not None]


def land_inbox(site: Site, keyring: Keyring, source: str) -> InboxReport:
    """Lands the whole files of a source's inbox, then puts them away.

    Raises:
        ConfigurationError: the source has no inbox, or one that cannot be used.
        SiteBusyError: another ingest is writing.
        EntrepotError: disk or database refused; files stay and are landed again.
    """
    inbox = site.config.sources[source].inbox if source in site.config.sources else None
    if inbox is None:
        raise ConfigurationError(
            "this source has no inbox",
            where=f"site.yaml: sources.{source}.inbox",
            remedy="name a folder",
        )
    folder = DropFolder(site, inbox, f"site.yaml: sources.{source}.inbox")
    files = folder.ready()
    mark = site.identifying / "inboxes" / source
    resumed = mark.exists()
    if not files:
        mark.unlink(missing_ok=True)
        return InboxReport(new=resumed)
    private_folder(mark.parent)
    mark.touch()  # until all is put away: after a kill everything would count as known already
    landed = ingest(site, keyring, [file.path for file in files], source)
    left = folder.put_away(files)
    mark.unlink()
    return InboxReport(
        len(files), left, landed.received, landed.duplicates, landed.faulty,
        resumed or landed.received > landed.duplicates,
    )  # fmt: skip
