"""Append-only segment files: the ciphertext of every record, each under its own data key.

A record is AES-256-GCM under a fresh 32-byte key, its address authenticated with it; the ledger
keeps that key wrapped under the site's root. Erasing the wrapped key erases the record
(DESIGN 2). A segment is bare ciphertext without any header or name. What a killed ingest left at
a segment's end has no key anywhere, so nobody reads it, and the next ingest appends after it.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from entrepot.durable import sync
from entrepot.errors import EntrepotError, SiteBusyError
from entrepot.keys import Keyring
from entrepot.landing.database import private_folder

SEGMENT_BYTES = 256 << 20  # small enough to copy, large enough to be few
KEY_WRAP = "landing/key/v1"  # apart from the addresses' HMAC key: one key, one use
_KEY_BYTES = 32
WRAPPED_BYTES = 12 + _KEY_BYTES + 16  # nonce, key, tag: `Keyring.seal`
_NONCE = bytes(12)  # each data key seals exactly one record, so no nonce ever repeats
_BUFFER_BYTES = 1 << 20
_NAME = re.compile(r"(\d{8})\.segment")
_LOCK = ".writer"


class Location(NamedTuple):
    """Where a record's ciphertext is, and its wrapped data key."""

    segment: int
    offset: int
    length: int
    wrapped_key: bytes


class Sealed(Protocol):
    """What is needed to read a record back; the ledger's rows have it."""

    @property
    def address(self) -> bytes: ...
    @property
    def segment(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int: ...
    @property
    def wrapped_key(self) -> bytes | None: ...


class ErasedRecordError(EntrepotError):
    """The record's key was erased: only its tombstone is left."""


class SegmentWriter:
    """The one writer of a landing folder; a context manager that holds the folder's lock.

    Raises:
        SiteBusyError: another process writes there.
        EntrepotError: the disk refused (full, read-only); where says the segment.
    """

    def __init__(self, folder: Path, keyring: Keyring, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder, self._keyring, self._limit = folder, keyring, segment_bytes
        self._lock = self._file = -1
        self._segment = self._end = 0
        self._pending = bytearray()
        self.appended = 0  # bytes of ciphertext so far

    def __enter__(self) -> Self:
        private_folder(self._folder)
        self._lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._close()
            raise SiteBusyError(
                "another ingest is writing to this site", remedy="wait for its end"
            ) from None
        try:
            self._open(max(_segments(self._folder), default=1))
        except EntrepotError:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def append(self, content: bytes, address: bytes) -> Location:
        """Seals `content` and puts it at the end; durable only after `sync`."""
        key = os.urandom(_KEY_BYTES)
        sealed = AESGCM(key).encrypt(_NONCE, content, address)
        if self._end and self._end + len(sealed) > self._limit:
            self.sync()
            full, self._file = self._file, -1
            os.close(full)
            self._open(self._segment + 1)
        location = Location(
            self._segment, self._end, len(sealed), self._keyring.seal(KEY_WRAP, key, address)
        )
        self._pending += sealed
        self._end += len(sealed)
        self.appended += len(sealed)
        if len(self._pending) >= _BUFFER_BYTES:
            self._flush()
        return location

    def sync(self) -> None:
        """Returns when every appended byte is on the disk: before the ledger commits."""
        self._flush()
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._refused(error) from None

    def _open(self, segment: int) -> None:
        path = self._folder / f"{segment:08d}.segment"
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self._segment, self._end = segment, os.fstat(self._file).st_size
            sync(self._folder)  # the new file's name must survive a power cut too
        except OSError as error:
            raise self._refused(error) from None

    def _flush(self) -> None:
        view = memoryview(bytes(self._pending))
        self._pending.clear()
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> EntrepotError:
        return EntrepotError(
            f"the landing segment cannot be written ({error.strerror})",
            where=f"segment {self._segment}",
            remedy="free space on the identifying zone's disk, then repeat the command",
        )


class SegmentReader:
    """Reads records back; cheap to make, so that each worker process has its own."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder, self._keyring = folder, keyring
        self._files: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the segment files; a later `read` opens them again."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def read(self, row: Sealed) -> bytes:
        """The record's bytes, exactly as they were landed.

        Raises:
            ErasedRecordError: its key was erased.
            EntrepotError: wrong key, altered or missing bytes; where says segment and offset.
        """
        where = f"segment {row.segment}, offset {row.offset}"
        if row.wrapped_key is None:
            raise ErasedRecordError("the record was erased", where=where)
        try:
            key = self._keyring.unseal(KEY_WRAP, row.wrapped_key, row.address)
        except InvalidTag:
            raise EntrepotError(
                "the record's data key does not open: wrong root key, or an altered ledger",
                where=where,
                remedy="restore the site's root key, or the ledger from its backup",
            ) from None
        sealed = self._sealed(row, where)
        try:
            return AESGCM(key).decrypt(_NONCE, sealed, row.address)
        except InvalidTag:
            raise EntrepotError(
                "the record's bytes were altered on the disk",
                where=where,
                remedy="restore the segment from its backup",
            ) from None

    def _sealed(self, row: Sealed, where: str) -> bytes:
        try:
            if row.segment not in self._files:
                path = self._folder / f"{row.segment:08d}.segment"
                self._files[row.segment] = os.open(path, os.O_RDONLY)
            sealed = os.pread(self._files[row.segment], row.length, row.offset)
        except OSError as error:
            raise EntrepotError(
                f"the landing segment cannot be read ({error.strerror})",
                where=where,
                remedy="restore the segment from its backup",
            ) from None
        if len(sealed) != row.length:
            raise EntrepotError(
                "the landing segment is too short",
                where=where,
                remedy="restore the segment from its backup",
            )
        return sealed


def _segments(folder: Path) -> list[int]:
    names = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return [int(name.group(1)) for name in names if name]
