"""Which part of a binary file some bytes lie in: what readers of the format never show.

Parquet: pages, page index, footer. SQLite: pages in use, free pages (a deleted row stays there
until the page is used again), and the write-ahead log beside the file, which is a file of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHUNK, OVERLAP = 1 << 24, 1 << 10
PARQUET, SQLITE, DUCKDB = b"PAR1", b"SQLite format 3\0", b"DUCK"


class Region(NamedTuple):
    """Some bytes of a file, and what they are there."""

    part: str
    content: bytes


def regions(path: Path, head: bytes) -> Iterator[Region]:
    """The bytes of a file by part, large ones in pieces that overlap."""
    if head.startswith(PARQUET):
        yield from _parquet(path.read_bytes())
    elif head.startswith(SQLITE):
        yield from _sqlite(path.read_bytes())
    else:
        yield from _pieces(path)


def _pieces(path: Path) -> Iterator[Region]:
    kept = b""
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            yield Region("bytes", kept + piece)
            kept = piece[-OVERLAP:]


def _parquet(content: bytes) -> Iterator[Region]:
    """Apache Parquet, file format: data, page index, footer, its length, magic number."""
    (length,) = struct.unpack("<I", content[-8:-4])
    footer = len(content) - 8 - length
    pages = _last_page(content)
    yield Region("pages", content[:pages])
    yield Region("page index", content[pages:footer])
    yield Region("footer", content[footer:])


def _last_page(content: bytes) -> int:
    """Where the last column chunk ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(pa.BufferReader(content))
    ends = [4]
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            start = column.dictionary_page_offset or column.data_page_offset
            ends.append(min(start, column.data_page_offset) + column.total_compressed_size)
    return max(ends)


def _sqlite(content: bytes) -> Iterator[Region]:
    """SQLite's file format, sections 1.3 and 1.5: header and list of free pages."""
    (size,) = struct.unpack(">H", content[16:18])
    size = 1 << 16 if size == 1 else size
    free = _free_pages(content, size)
    pages = [content[at : at + size] for at in range(0, len(content), size)]
    yield Region("pages", b"\0".join(p for n, p in enumerate(pages, 1) if n not in free))
    if free:
        yield Region("free pages", b"\0".join(p for n, p in enumerate(pages, 1) if n in free))


def _free_pages(content: bytes, size: int) -> set[int]:
    found: set[int] = set()
    (trunk,) = struct.unpack(">I", content[32:36])
    while trunk and trunk not in found:
        found.add(trunk)
        page = content[(trunk - 1) * size : trunk * size]
        following, leaves = struct.unpack(">II", page[:8])
        found.update(struct.unpack(f">{leaves}I", page[8 : 8 + 4 * leaves]))
        trunk = following
    return found
