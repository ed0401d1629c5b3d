"""The scan itself: every file of the research zone against every identifier of the truth."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
    leaks: set[Leak] = set()
    undecoded, count, size = [], 0, 0
    for path in _files(research):
        count, size = count + 1, size + path.stat().st_size
        shown, found, whole = _scan_file(path, research, inventory)
        leaks.update(_leak(shown, where, inventory.entries[number]) for number, where in found)
        undecoded += [] if whole else [shown]
    if not count:
        raise ConfigurationError("no file to scan", where=str(research), remedy="entrepot run")
    ambiguous = inventory.ambiguous
    if place_text is not None:
        leaks.update(_place_leaks(inventory, place_text, source_text))
    places = sum(len(entry.places) for entry in ambiguous) if place_text is not None else 0
    distinctive = len(inventory.entries) - len(ambiguous)
    return ScanReport(
        count, size, distinctive, len(ambiguous), places, tuple(sorted(leaks)), tuple(undecoded)
    )


def _files(research: Path) -> Iterator[Path]:
    """Every file and symbolic link, in a fixed order; links are not followed."""
    for folder, folders, names in os.walk(research):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names))


def _scan_file(
    path: Path, research: Path, inventory: Inventory
) -> tuple[str, set[tuple[int, str]], bool]:
    """The name to show, what was found where, and whether the file could be decoded."""
    found: set[tuple[int, str]] = set()
    shown = []
    for part in path.relative_to(research).parts:
        hits = _hits(Piece(part, "name"), inventory.needles)
        found.update((number, "name") for number in hits)
        shown.append(HIDDEN if hits else part)
    whole = True
    if path.is_symlink():
        target = Piece(os.readlink(path), "name")
        found.update((number, "name") for number in _hits(target, inventory.needles))
        return "/".join(shown), found, whole
    try:
        for piece in pieces(path):
            found.update((number, piece.where) for number in _hits(piece, inventory.needles))
    except Exception:  # readers raise what they like, and the message may quote a cell
        whole = False
    return "/".join(shown), found, whole


def _hits(piece: Piece, needles: Needles) -> set[int]:
    if piece.where != "raw":
        return {n for view in views(piece.text) for n in needles.find(fold(view), piece.shortest)}
    folded = fold(piece.text)
    return (
        needles.find(folded, piece.shortest)
        | needles.find_apart(folded, APART_LETTERS)
        | needles.find_glued(folded)
    )


def _leak(file: str, where: str, entry: Entry) -> Leak:
    source = f"{IDENTIFIERS}:{entry.line}" if entry.line else PERSONS
    return Leak(file, entry.label, "distinctive", where, source)


def _place_leaks(
    inventory: Inventory, place_text: PlaceText, source_text: SourceText | None
) -> Iterator[Leak]:
    for entry, place in survivors(inventory, place_text, source_text):
        origin = f"{IDENTIFIERS}:{entry.line}"
        yield Leak(f"{place.message} {place.position}", entry.label, "ambiguous", "place", origin)
