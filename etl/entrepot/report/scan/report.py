"""The scan itself: every file of the research zone against every identifier of the truth."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.report.scan.files import pieces
from entrepot.report.scan.needles import Needles
from entrepot.report.scan.places import PlaceText, survivors
from entrepot.report.scan.text import Piece, fold, views
from entrepot.report.scan.truth import (
    IDENTIFIERS,
    PERSONS,
    Entry,
    Inventory,
    SourceText,
    read_inventory,
)

HIDDEN = "[…]"  # stands for a file or folder name that is itself a leak
RAW_BATCH = 1 << 23  # characters
APART_LETTERS = 6  # between digits, the letters a-f of pseudonyms spell short names


@dataclass(frozen=True, order=True)
class Leak:
    """One identifier found in one file; its value is never told.

    Args:
        file: path below the research zone, names that leak replaced by `[…]`; for an ambiguous
            identifier the truth's message and element.
        label: NOM, IPP… of the truth.
        kind: distinctive or ambiguous.
        where: cell, statistics, metadata, text, raw, name or place.
        origin: where the truth states it (`identifiers.jsonl:12`), for whoever mends the leak.
    """

    file: str
    label: str
    kind: str
    where: str
    origin: str


@dataclass(frozen=True)
class ScanReport:
    """What was read, what was searched, what was found.

    Args:
        files, bytes: of the research zone, all of them read.
        distinctive, ambiguous: identifiers searched everywhere, and in their places.
        places: places of ambiguous identifiers that were looked at; 0 when none was given.
        leaks: identifiers found, sorted.
        undecoded: files that could not be read in their own format; the scan is not clean then.
    """

    files: int
    bytes: int
    distinctive: int
    ambiguous: int
    places: int
    leaks: tuple[Leak, ...]
    undecoded: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """No identifier was found and no file resisted."""
        return not self.leaks and not self.undecoded

    def summary(self) -> str:
        """The scan in one line."""
        line = (
            f"{len(self.leaks)} identifiers leaked: {self.files} files, "
            f"{self.bytes / 1e6:.1f} MB, {self.distinctive} distinctive identifiers in every file, "
            f"{self.ambiguous} ambiguous ones in {self.places} places"
        )
        return line + (f"; {len(self.undecoded)} files not decoded" if self.undecoded else "")


def scan(
    research: Path,
    truth: Path,
    *,
    place_text: PlaceText | None = None,
    source_text: SourceText | None = None,
    public: Iterable[str] = (),
) -> ScanReport:
    """Reads every file under `research` and looks for every identifier of `truth`.

    Args:
        research: the research zone.
        truth: folder of the synthetic hospital's truth (docs/reference/truth.md).
        place_text: texts that the output holds of one element of one message; without it the
            ambiguous identifiers are counted and not looked for.
        source_text: the element's own decoded text, for free texts.
        public: texts that no patient's data made; their words are no names.

    Raises:
        ConfigurationError: nothing to search, or nothing to read.
    """
    inventory = read_inventory(truth, public, source_text)
    reading = _Reading(inventory.needles)
    for path in _paths(research):
        reading.read(path, path.relative_to(research))
    reading.search_glued()
    if not reading.files:
        raise ConfigurationError("no file to scan", where=str(research), remedy="entrepot run")
    leaks = {_leak(file, where, inventory.entries[n]) for file, where, n in reading.found}
    ambiguous, places = inventory.ambiguous, 0
    if place_text is not None:
        leaks.update(_place_leaks(inventory, place_text, source_text))
        places = sum(len(entry.places) for entry in ambiguous)
    distinctive = len(inventory.entries) - len(ambiguous)
    return ScanReport(
        reading.files, reading.bytes, distinctive, len(ambiguous), places,
        tuple(sorted(leaks)), tuple(reading.undecoded),
    )  # fmt: skip


def _paths(research: Path) -> Iterator[Path]:
    """Every folder, file and symbolic link, in a fixed order; links are not followed."""
    for folder, folders, names in os.walk(research):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(folders + names))


@dataclass
class _Reading:
    """What the files held so far: (file, where, rank of the identifier)."""

    needles: Needles
    files: int = 0
    bytes: int = 0
    found: set[tuple[str, str, int]] = field(default_factory=set)
    undecoded: list[str] = field(default_factory=list)
    _raw: list[tuple[str, str]] = field(default_factory=list)  # file, folded raw text

    def read(self, path: Path, relative: Path) -> None:
        """Reads one path; a folder, link or device is its name."""
        hits = [self._hits(Piece(part, "name")) for part in relative.parts]
        names = zip(hits, relative.parts, strict=True)
        shown = "/".join(HIDDEN if hit else part for hit, part in names)
        self.found.update((shown, "name", number) for number in hits[-1])
        if path.is_symlink():
            target = self._hits(Piece(os.readlink(path), "name"))
            self.found.update((shown, "name", number) for number in target)
        elif path.is_file():
            self.files += 1
            self.bytes += path.stat().st_size
            self._read_file(path, shown)

    def _read_file(self, path: Path, shown: str) -> None:
        try:
            for piece in pieces(path):
                self.found.update((shown, piece.where, number) for number in self._hits(piece))
                if piece.where == "raw":
                    self._raw.append((shown, fold(piece.text)))
                    if sum(len(text) for _, text in self._raw) > RAW_BATCH:
                        self.search_glued()
        except Exception:  # readers raise what they like, and the message may quote a cell
            self.undecoded.append(shown)

    def _hits(self, piece: Piece) -> set[int]:
        if piece.where == "raw":
            folded = fold(piece.text)
            apart = self.needles.find_apart(folded, APART_LETTERS)
            return apart | self.needles.find(folded, piece.shortest)
        texts = map(fold, views(piece.text))
        return {number for text in texts for number in self.needles.find(text, piece.shortest)}

    def search_glued(self) -> None:
        """Searches the raw texts that wait: many at once, see `Needles.find_glued`."""
        hits = self.needles.find_glued([text for _, text in self._raw])
        for (shown, _), numbers in zip(self._raw, hits, strict=True):
            self.found.update((shown, "raw", number) for number in numbers)
        self._raw.clear()


def _leak(file: str, where: str, entry: Entry) -> Leak:
    source = f"{IDENTIFIERS}:{entry.line}" if entry.line else PERSONS
    return Leak(file, entry.label, "distinctive", where, source)


def _place_leaks(
    inventory: Inventory, place_text: PlaceText, source_text: SourceText | None
) -> Iterator[Leak]:
    for entry, place in survivors(inventory, place_text, source_text):
        origin = f"{IDENTIFIERS}:{entry.line}"
        yield Leak(f"{place.message} {place.position}", entry.label, "ambiguous", "place", origin)
