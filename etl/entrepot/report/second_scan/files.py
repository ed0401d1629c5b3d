"""Opens any file: what it is, what it holds as text, as bytes, and as an archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, NamedTuple

from entrepot.report.second_scan import cells
from entrepot.report.second_scan.regions import DUCKDB, PARQUET, SQLITE, regions
from entrepot.report.second_scan.spelling import WALL

DEPTH = 4
HEAD = 512
PIECE = 1 << 20
_PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open,
}  # fmt: skip
_TABLES = {
    PARQUET: cells.parquet_cells, SQLITE: cells.sqlite_cells, DUCKDB: cells.duckdb_cells,
}  # fmt: skip
# Sixteen and more characters of UTF-8 in a row: shorter runs occur in compressed bytes by chance.
_RUN = re.compile(rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xc5][\x80-\xbf]){16,}")
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class Piece(NamedTuple):
    """A text of a file.

    Attributes:
        part: where in the file.
        sure: it was written as a text; else it is a run of printable bytes.
    """

    part: str
    text: str
    sure: bool = True


def texts(path: Path, head: bytes) -> Iterator[Piece]:
    """What a file that is no archive holds as text."""
    reader = next((read for magic, read in _TABLES.items() if magic in head[:16]), None)
    if reader is not None:
        yield from (Piece(part, text) for part, text in reader(path))
    elif is_text(head):
        yield from (Piece(part, text) for part, text in _text(path, head))
        return
    for part, content in regions(path, head):
        if run := _runs(content):
            yield Piece(part, run, sure=False)


def _text(path: Path, head: bytes) -> Iterator[tuple[str, str]]:
    charset = _UTF16.get(head[:2])
    for part, content in regions(path, head):
        if charset:
            yield part, content.decode(charset, "replace")
        else:
            yield part, _decoded(content)


def _decoded(content: bytes) -> str:
    """UTF-8 line by line, Windows 1252 where a line is none: logs have several writers."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "\n".join(map(cells.readable, content.split(b"\n")))


def is_text(head: bytes) -> bool:
    """No control byte but those of text, or a mark of UTF-16."""
    return head[:2] in _UTF16 or not any(b < 32 and b not in b"\t\n\r\f\x1b" for b in head)


def _runs(content: bytes) -> str:
    found = [run.decode("utf-8", "replace") for run in _RUN.findall(content)]
    return WALL + WALL.join(found) + WALL if found else ""


def members(path: Path, head: bytes, folder: Path) -> Iterator[tuple[str, Path]]:
    """(name, unpacked file) of each member of an archive; none when the file is no archive."""
    inner = folder / "member"
    for magic, opened in _PACKED.items():
        if head.startswith(magic):
            with opened(path) as stream:
                _spill(stream, inner)
            yield "", inner
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as stream:
                    _spill(stream, inner)
                comment = member.comment.decode("utf-8", "replace")
                yield f"{member.filename}{WALL}{comment}", inner
    elif head[257:262] == b"ustar":
        with tarfile.open(path) as tar:
            for entry in tar:
                stream = tar.extractfile(entry)
                if stream is not None:
                    with closing(stream):
                        _spill(stream, inner)
                    yield f"{entry.name}{WALL}{entry.uname}", inner


def _spill(stream: IO[bytes], target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(stream, out, PIECE)
