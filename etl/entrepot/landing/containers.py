"""Files, gzip and zip, opened one after the other as streams of bytes.

Nothing is unpacked to disk, and no name leaves this module: file names may hold identifiers, so
a place is told by ordinals (`member 3`).
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from errno import EINVAL
from pathlib import Path
from typing import IO, Protocol, cast

from entrepot.errors import EntrepotError, RecordFault
from entrepot.landing.arrival import EMPTY, whole
from entrepot.landing.inputs import files
from entrepot.landing.sniff import SNIFF_BYTES, UNKNOWN, sniff

UNREADABLE = "container_unreadable"
TOO_LARGE = "container_too_large"
MAX_CONTAINER_BYTES = 8 << 30  # unpacked, all members of a file together
MAX_RATIO = 200  # HL7 text packs 5 to 30 times, a bomb 1,000 times
RATIO_FLOOR_BYTES = 64 << 20  # below it no ratio is suspicious
MAX_DEPTH = 3  # a zip of zips of gz; deeper is a bomb or a mistake
CHUNK_BYTES = 1 << 20
_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip member: lengths of its name and extra field
_BROKEN = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    RuntimeError,  # a password is asked, or (NotImplementedError) an unknown method
    ValueError,
    LookupError,  # a member without a name
    OverflowError,
    struct.error,
)


@dataclass(frozen=True)
class Container:
    """One plain stream: a file, an unpacked gzip, a member of a zip.

    Read it before asking for the next one. `chunks()` raises `RecordFault` when the container
    turns out to be broken or too large; `raw()` then gives what can be kept, its packed bytes.

    Args:
        chunks: the unpacked bytes.
        raw: the bytes as they were received.
        format: as sniffed.
        packed: what is read may prove wrong at the end.
        fault: known before reading; `raw()` alone is of use.
    """

    chunks: Callable[[], Iterator[bytes]]
    raw: Callable[[], Iterator[bytes]]
    format: str = UNKNOWN
    packed: bool = False
    fault: RecordFault | None = None


def open_containers(
    paths: Sequence[Path], on_read: Callable[[int], None] = lambda size: None
) -> Generator[Container, None, None]:
    """Every container of `paths`, in a fixed order; `on_read` is told the bytes read so far.

    Raises:
        EntrepotError: a file that vanished, or a disk that fails, here or while chunks are read.
    """
    done = 0
    found = files(paths)
    while True:
        with _disk_errors():
            path = next(found, None)
            if path is None:
                return
            file = path.open("rb")
        with file:
            size = os.fstat(file.fileno()).st_size

            def read(position: int, done: int = done) -> None:
                on_read(done + position)

            yield from _File(file, size, read).containers(path.name)
        done += size
        on_read(done)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class _Stream:
    """A stream that can be opened again from its first byte, and the packed bytes it is in."""

    open: Callable[[], _Readable]
    raw: Callable[[], Iterator[bytes]]
    position: str = ""
    depth: int = 0
    named_packed: bool = False


class _File:
    """One file on disk, and what it may still unpack to."""

    def __init__(self, file: IO[bytes], size: int, on_read: Callable[[int], None]) -> None:
        self._file, self._on_read = file, on_read
        self._left = min(MAX_CONTAINER_BYTES, max(RATIO_FLOOR_BYTES, MAX_RATIO * size))

    def containers(self, name: str) -> Iterator[Container]:
        """The file itself, or what it holds."""
        return self._walk(_Stream(self._rewound, self._bytes, named_packed=_named_packed(name)))

    def _rewound(self) -> IO[bytes]:
        self._file.seek(0)
        return self._file

    def _bytes(self) -> Iterator[bytes]:
        return _read(self._rewound())

    def _walk(self, stream: _Stream) -> Iterator[Container]:
        try:
            with _faults(stream.position):
                head = stream.open().read(SNIFF_BYTES)
            yield from self._open(stream, head)
        except RecordFault as fault:
            yield Container(stream.raw, stream.raw, fault=fault)

    def _open(self, stream: _Stream, head: bytes) -> Iterator[Container]:
        packed = head.startswith((_GZIP, *_ZIP))
        if packed and stream.depth == MAX_DEPTH:
            raise RecordFault(TOO_LARGE, stream.position)
        if head.startswith(_ZIP):
            yield from self._members(stream)
        elif packed:
            yield from self._walk(_unzipped(stream))
        else:
            found = sniff(head)
            if stream.named_packed and head and found == UNKNOWN:
                raise RecordFault(UNREADABLE, stream.position)
            yield Container(
                lambda: self._chunks(stream), stream.raw, found, packed=stream.depth > 0
            )

    def _chunks(self, stream: _Stream) -> Iterator[bytes]:
        for chunk in _unpacked(stream):
            if stream.depth:
                self._left -= len(chunk)
            if self._left < 0:
                raise RecordFault(TOO_LARGE, stream.position)
            yield chunk
            self._on_read(self._file.tell())

    def _members(self, stream: _Stream) -> Iterator[Container]:
        file = self._rewound() if stream.depth == 0 else _in_memory(stream)
        with _faults(stream.position):
            archive = zipfile.ZipFile(file)
            members = [info for info in archive.infolist() if not _hidden(info)]
        if not members:
            raise RecordFault(EMPTY, stream.position)
        if sum(info.file_size for info in members) > self._left:
            raise RecordFault(TOO_LARGE, stream.position)
        for number, info in enumerate(members, 1):
            yield from self._walk(_member(archive, file, info, stream, number))
            if self._left < 0:
                raise RecordFault(TOO_LARGE, stream.position)


def _in_memory(stream: _Stream) -> IO[bytes]:
    """An archive in an archive: a zip is read from its end, and no disk may hold it."""
    inner = whole(_unpacked(stream), UNKNOWN)
    if inner.digest:
        raise RecordFault(TOO_LARGE, stream.position)
    return io.BytesIO(inner.content)


def _unpacked(stream: _Stream) -> Iterator[bytes]:
    with _faults(stream.position):
        yield from _read(stream.open())


def _unzipped(stream: _Stream) -> _Stream:
    def unpacked() -> _Readable:
        return gzip.GzipFile(fileobj=cast("IO[bytes]", stream.open()))

    return replace(stream, open=unpacked, depth=stream.depth + 1, named_packed=False)


def _member(
    archive: zipfile.ZipFile, file: IO[bytes], info: zipfile.ZipInfo, parent: _Stream, number: int
) -> _Stream:
    def raw() -> Iterator[bytes]:
        """The member with its own header, which recovery tools can read; else its archive."""
        start = max(0, info.header_offset)  # a damaged directory may point before the file
        file.seek(start)
        header = file.read(_LOCAL_HEADER.size)
        if not header.startswith(_ZIP[0]) or len(header) < _LOCAL_HEADER.size:
            return parent.raw()
        size = _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(header)) + info.compress_size
        file.seek(start)
        return _read(file, size)

    return _Stream(
        open=lambda: archive.open(info),
        raw=raw,
        position=f"{parent.position} member {number}".strip(),
        depth=parent.depth + 1,
        named_packed=_named_packed(info.filename),
    )


def _hidden(info: zipfile.ZipInfo) -> bool:
    name = info.filename.rsplit("/", 1)[-1]
    return info.is_dir() or name.startswith(".")


def _named_packed(name: str) -> bool:
    return name.lower().endswith((".gz", ".zip"))


def _read(file: _Readable, size: int | None = None) -> Iterator[bytes]:
    with _disk_errors():
        while size is None or size > 0:
            chunk = file.read(CHUNK_BYTES if size is None else min(size, CHUNK_BYTES))
            if not chunk:
                return
            size = None if size is None else size - len(chunk)
            yield chunk


@contextmanager
def _faults(position: str) -> Iterator[None]:
    """What a damaged gzip or zip raises becomes a fault of that container."""
    try:
        with _disk_errors():
            yield
    except _BROKEN:
        raise RecordFault(UNREADABLE, position) from None


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # gzip and bz2 raise it without a number; an offset beyond the file is EINVAL
        if error.errno in (None, EINVAL):
            raise ValueError("damaged container") from None
        raise EntrepotError(
            f"an input file cannot be read ({error.strerror})",
            remedy="repeat the command: what was landed before only counts as a duplicate",
        ) from None
