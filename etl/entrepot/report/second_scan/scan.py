"""The second scan: every file of some folders against every identifier of a truth."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from entrepot.errors import ConfigurationError
from entrepot.report.second_scan import files
from entrepot.report.second_scan.files import Piece
from entrepot.report.second_scan.inventory import Hit, Inventory, Needle
from entrepot.report.second_scan.postgres import postgres_cells
from entrepot.report.second_scan.raw import RawSearch
from entrepot.report.second_scan.regions import regions
from entrepot.report.second_scan.search import TextSearch
from entrepot.report.second_scan.views import views

HIDDEN = "[…]"
SPACES = "studies"
TEXT_BATCH, RAW_BATCH = 1 << 24, 1 << 25  # characters, bytes that wait for one search


@dataclass(frozen=True, order=True)
class Finding:
    """An identifier that is where none may be; its value is never told.

    Args:
        file: below the folder scanned, names that tell somebody replaced by `[…]`.
        part: column, page index, free pages, member, name… of it.
        way: how it is written: written, split, sounds alike, Base64…
        label: NOM, IPP… of the truth.
        line: of identifiers.jsonl, 0 for a pair of names.
    """

    file: str
    part: str
    way: str
    label: str
    line: int


@dataclass(frozen=True)
class SecondScan:
    """What was read, searched and found.

    Args:
        unread: files that resisted their own format's reader; the scan is not clean then.
    """

    files: int
    bytes: int
    identifiers: int
    findings: tuple[Finding, ...]
    unread: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Nothing found, everything read."""
        return not self.findings and not self.unread

    def summary(self) -> str:
        """The scan in one line."""
        ways = Counter(finding.way for finding in self.findings)
        told = ", ".join(f"{way} {count}" for way, count in ways.most_common())
        line = (
            f"second scan: {len(self.findings)} identifiers found{f' ({told})' if told else ''}:"
            f" {self.files} files, {self.bytes / 1e6:.1f} MB, {self.identifiers} identifiers"
        )
        return line + (f"; {len(self.unread)} files not read" if self.unread else "")


def second_scan(
    folders: Path | Sequence[Path],
    truth: Path,
    public: Iterable[str] = (),
    schemas: Iterable[tuple[str, str]] = (),
) -> SecondScan:
    """Reads every file under some folders and looks for every identifier of a truth.

    Args:
        folders: the research zone, and whatever else must hold nobody (logs, a metadata database).
        truth: folder of the synthetic hospital's truth (docs/reference/truth.md).
        public: texts that no patient's data made; their words are words.
        schemas: (URL, schema) of PostgreSQL, read as well.

    Raises:
        psycopg.Error: a server cannot be read.
        ConfigurationError: nothing to search, or nothing to read.
    """
    reading = _Reading(Inventory.read(truth, public))
    for folder in [folders] if isinstance(folders, Path) else folders:
        paths = list(_paths(folder))
        for path, shown in zip(paths, reading.names(paths, folder), strict=True):
            reading.read(path, shown)
    for url, schema in schemas:
        reading.take(f"postgresql:{schema}", starmap(Piece, postgres_cells(url, schema)))
    reading.search()
    if not reading.files:
        raise ConfigurationError("no file to scan", where=str(folders), remedy="entrepot run")
    return SecondScan(
        reading.files, reading.size, reading.inventory.identifiers,
        tuple(sorted(reading.findings)), tuple(reading.unread),
    )  # fmt: skip


_DAYS = frozenset({"written", "birth"})


def _shifted(shown: str) -> bool:
    """A day in a study space: shifted by weeks, it falls onto somebody's birth day.

    Seen in 2 of 1,000 persons, beside the word for a birth in one of 20,000 notes (the day of
    another delivery). A birth that was left in a note stands in the warehouse's too.
    """
    return SPACES in shown.split("/")


def _paths(folder: Path) -> Iterator[Path]:
    for parent, below, names in os.walk(folder):
        below.sort()
        yield from (Path(parent) / name for name in sorted(below + names))


class Waiting(NamedTuple):
    """A text that waits to be searched, and how it was written."""

    file: str
    part: str
    how: str
    text: str


@dataclass
class _Reading:
    """What was found so far, and what waits to be searched."""

    inventory: Inventory
    files: int = 0
    size: int = 0
    findings: set[Finding] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    _texts: list[Waiting] = field(default_factory=list)
    _runs: list[Waiting] = field(default_factory=list)  # printable bytes
    _raw: list[tuple[str, str, bytes]] = field(default_factory=list)
    _waiting: int = 0  # characters
    _waiting_raw: int = 0  # bytes
    _told: set[tuple[str, str, Needle]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._search, self._raw_search = TextSearch(self.inventory), RawSearch(self.inventory)

    def names(self, paths: list[Path], folder: Path) -> list[str]:
        """Searches the names of paths and the targets of links; gives the names without leaks."""
        parts = [path.relative_to(folder).parts for path in paths]
        links = [os.readlink(path) if path.is_symlink() else "" for path in paths]
        distinct = list({part for one in parts for part in one} | set(links))
        hits = dict(zip(distinct, self._search.find(distinct), strict=True))
        shown = ["/".join(HIDDEN if hits[part] else part for part in one) for one in parts]
        for name, one, link in zip(shown, parts, links, strict=True):
            self._tell(name, "name", "plain", hits[one[-1]] | hits[link])
        return shown

    def read(self, path: Path, shown: str) -> None:
        """Reads one path when it is a file; links are not followed."""
        if path.is_file() and not path.is_symlink():
            self.files += 1
            self.size += path.stat().st_size
            try:
                self._read_file(path, shown, "", 0)
            except Exception:  # readers raise what they like, and a message may quote a cell
                self.unread.append(shown)

    def _read_file(self, path: Path, shown: str, member: str, depth: int) -> None:
        with path.open("rb") as stream:
            head = stream.read(files.HEAD)
        for part, content in regions(path, head):
            self._raw.append((shown, member or part, content))
            self._waiting_raw += len(content)
        self.take(shown, files.texts(path, head), member)
        if depth > files.DEPTH:
            raise ValueError("archives nested too deep")
        with tempfile.TemporaryDirectory() as folder:
            for name, inner in files.members(path, head, Path(folder)):
                self._texts.append(Waiting(shown, "member's name", "plain", name))
                self._read_file(inner, shown, "member", depth + 1)
        self._search_when_full()

    def take(self, shown: str, pieces: Iterable[Piece], member: str = "") -> None:
        """Lets texts wait in all their readings, until they are enough for a search."""
        for part, text, sure in pieces:
            for how, found in views(text) if sure else [("plain", text)]:
                waiting = self._texts if sure else self._runs
                waiting.append(Waiting(shown, member or part, how, found))
                self._waiting += len(found)
            self._search_when_full()

    def _search_when_full(self) -> None:
        if self._waiting > TEXT_BATCH:
            self._search_texts()
        if self._waiting_raw > RAW_BATCH:
            self._search_raw()

    def search(self) -> None:
        """Searches what waits."""
        self._search_texts()
        self._search_raw()

    def _search_texts(self) -> None:
        for waiting, sure in ((self._texts, True), (self._runs, False)):
            found = self._search.find([one.text for one in waiting], sure)
            for one, hits in zip(waiting, found, strict=True):
                self._tell(one.file, one.part, one.how, hits)
            waiting.clear()
        self._waiting = 0

    def _search_raw(self) -> None:
        found = self._raw_search.find([raw for *_, raw in self._raw])
        for (shown, part, _), hits in zip(self._raw, found, strict=True):
            self._tell(shown, part, "plain", hits)
        self._raw.clear()
        self._waiting_raw = 0

    def _tell(self, shown: str, part: str, how: str, hits: Iterable[Hit]) -> None:
        """Each identifier once a place, in the plainest way in which it is written there."""
        for needle, way in hits:
            if needle.label == "DATE_NAISSANCE" and way in _DAYS and _shifted(shown):
                continue
            told = way if how == "plain" else how if way == "written" else f"{how}, {way}"
            if (shown, part, needle) not in self._told:
                self.findings.add(Finding(shown, part, told, needle.label, needle.line))
        self._told.update((shown, part, needle) for needle, _ in hits)
