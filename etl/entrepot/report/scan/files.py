"""Reads one file of any format as the texts that it holds.

The format is told by the first bytes, never by the name. Whatever the format, the raw bytes are
read too: statistics, free pages and deleted rows keep what the format's own reader hides.
"""

from __future__ import annotations

import codecs
import gzip
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.report.scan.raw import chunks, runs
from entrepot.report.scan.text import Piece

if TYPE_CHECKING:
    from _typeshed import SupportsRead

DEPTH = 4  # an archive within an archive within…
HEAD = 16
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
TEXT_SAMPLE = 1 << 16
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def pieces(path: Path, depth: int = 0) -> Iterator[Piece]:
    """Every text that the file holds.

    Raises:
        OSError, ValueError, or an error of the format's reader: it cannot be decoded.
    """
    if _is_text(path):
        yield from _text(path)
        return
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            for run in runs(chunk):
                yield Piece(run.text, "raw", run.shortest)
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if head[:2] == GZIP or head[:4] in ZIP:
        yield from _archive(path, head, depth)
    else:
        yield from _decoded(path, head)


def _decoded(path: Path, head: bytes) -> Iterator[Piece]:
    # pyarrow and duckdb are slow to import, and most zones are scanned by a lazy command
    from entrepot.report.scan import tables

    if head[:4] == b"PAR1":
        yield from tables.parquet(path)
    elif head[8:12] == b"DUCK":
        yield from tables.duckdb_file(path)
    elif head.startswith(b"SQLite format 3\x00"):
        yield from tables.sqlite_file(path)


def _archive(path: Path, head: bytes, depth: int) -> Iterator[Piece]:
    if depth >= DEPTH:
        raise ValueError(f"archives nested more than {DEPTH} deep")
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder) / "member"
        if head[:2] == GZIP:
            with gzip.open(path) as stream:
                _spill(stream, inner)
            yield from pieces(inner, depth + 1)
            return
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                yield Piece(member.filename, "name")
                yield Piece(member.comment.decode("utf-8", "replace"), "metadata")
                with archive.open(member) as stream:
                    _spill(stream, inner)
                yield from pieces(inner, depth + 1)


def _spill(stream: SupportsRead[bytes], target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(stream, out, 1 << 20)


def _is_text(path: Path) -> bool:
    """Text in UTF-8, ISO 8859-1 or marked UTF-16: no control byte in its first and last 64 kB."""
    with path.open("rb") as stream:
        sample = stream.read(TEXT_SAMPLE)
        if sample[:2] in _MARKS:
            return True
        if path.stat().st_size > TEXT_SAMPLE:
            stream.seek(-min(TEXT_SAMPLE, path.stat().st_size), 2)
            sample += stream.read(TEXT_SAMPLE)
    return len(sample.translate(None, _CONTROL)) == len(sample)


def _text(path: Path) -> Iterator[Piece]:
    with path.open("rb") as stream:
        mark = _MARKS.get(stream.read(2))
        stream.seek(0)
        for data in chunks(stream):
            for text in _decodings(data, mark):
                yield Piece(text, "text")


def _decodings(data: bytes, mark: str | None) -> Iterator[str]:
    """UTF-8 alone when the bytes are UTF-8; a log of two writers may mix it with cp1252."""
    if mark is not None:
        yield data.decode(mark, "replace")
        return
    start = next((n for n, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)
    try:
        yield codecs.utf_8_decode(data[start:], "strict", False)[0]
    except UnicodeDecodeError:
        yield data.decode("utf-8", "replace")
        yield data.decode("cp1252", "replace")
