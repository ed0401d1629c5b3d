"""The FHIR feed's files: weekly NDJSON by resource type, some gzipped, and Bundles."""

from __future__ import annotations

import datetime as dt
import gzip
import shutil
from pathlib import Path
from zlib import crc32

from entrepot.synthetic.fhir.bundles import assembled
from entrepot.synthetic.fhir.elements import Element, opaque
from entrepot.synthetic.fhir.resource import Resource, written
from entrepot.synthetic.times import monday

_FLUSH = 4_000_000  # bytes held before the files are appended to


def ndjson(kind: str, arrival: dt.datetime) -> str:
    """Path of the export that takes a resource of this type arriving at `arrival`."""
    return f"fhir/{monday(arrival):%Y%m%d}/{kind}.ndjson"


def zipped(path: str) -> bool:
    """Whether an export is gzipped: one in four."""
    return path.endswith(".ndjson") and crc32(path.encode()) % 4 == 0


class Exports:
    """The folder of the FHIR feed, appended to as patients come; memory stays bounded."""

    def __init__(self, out: Path, seed: int) -> None:
        self._out, self._seed = out, seed
        self._held: dict[str, bytearray] = {}
        self._size = 0
        self._counts: dict[str, int] = {}
        self._bundles = 0

    @property
    def files(self) -> int:
        """Files written to so far."""
        return len(self._counts) + self._bundles

    def add(self, new: Resource, whole: Element) -> tuple[str, int]:
        """Appends one line; returns the path of its file and its rank there, from 1."""
        path = ndjson(new.kind, new.arrival)
        text = written(whole)
        line = ((text[: len(text) // 2] if new.cut else text) + "\n").encode()
        self._held.setdefault(path, bytearray()).extend(line)
        self._counts[path] = self._counts.get(path, 0) + 1
        self._size += len(line)
        if self._size > _FLUSH:
            self._flush()
        return _named(path), self._counts[path]

    def bundle(self, members: list[Resource], key: str) -> tuple[str, list[Element]]:
        """Writes one Bundle in a file of its own; returns its path and its entries' resources."""
        name = opaque(self._seed, members[0].patient, key)
        path = f"fhir/{monday(members[0].arrival):%Y%m%d}/bundle-{name}.json"
        whole, resources = assembled(self._seed, key, members)
        target = self._out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        indent = 2 if crc32(path.encode()) % 3 == 0 else None
        target.write_bytes((written(whole, indent) + "\n").encode())
        self._bundles += 1
        return path, resources

    def close(self) -> None:
        """Writes what is held, and gzips; the same bytes however often files were appended to."""
        self._flush()
        for path in filter(zipped, self._counts):
            plain = self._out / path
            with (
                plain.open("rb") as source,
                (self._out / _named(path)).open("wb") as file,
                gzip.GzipFile("", "wb", fileobj=file, mtime=0) as target,
            ):
                shutil.copyfileobj(source, target)
            plain.unlink()

    def _flush(self) -> None:
        for name, held in self._held.items():
            path = self._out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(held)
        self._held, self._size = {}, 0


def _named(path: str) -> str:
    return path + ".gz" if zipped(path) else path
