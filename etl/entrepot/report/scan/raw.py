"""Text in bytes of unknown format: UTF-8, ISO 8859-1 and UTF-16 runs, as `strings` finds them.

Compressed bytes spell short names by chance. Measured on 100 MB of random bytes with 1,000 names:
four letters hit 227 times in ASCII and 1,704 times in ISO 8859-1, five letters 7 and 20 times, six
and more never; no run of 16 printable characters occurred. So short names count only in such runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from entrepot.report.scan.text import SEPARATOR

CHUNK, OVERLAP = 1 << 22, 1 << 10
TEXT_RUN = 16
_UTF8 = re.compile(
    rb"(?:[\t\n\r\x20-\x7e]|\xc2[\xa0-\xbf]|\xc3[\x80-\xbf]|\xc5[\x92\x93\xb8]|\xcc[\x80-\xbf]"
    rb"|\xe2\x80[\x90-\xaf]){4,}"
)
_LATIN = re.compile(rb"[\t\n\r\x20-\x7e\xa0-\xff]{7,}")
_LITTLE = re.compile(rb"(?:[\t\n\r\x20-\x7e\xa0-\xff]\x00){4,}")
_BIG = re.compile(rb"(?:\x00[\t\n\r\x20-\x7e\xa0-\xff]){4,}")


class Run(NamedTuple):
    """Text found in bytes; names of fewer than `shortest` letters are chance."""

    text: str
    shortest: int


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream in pieces that overlap, so that nothing is cut; memory stays flat."""
    kept = b""
    while piece := stream.read(CHUNK):
        yield kept + piece
        kept = piece[-OVERLAP:]


def runs(data: bytes) -> Iterator[Run]:
    """Texts that the bytes hold in any of the encodings."""
    utf8 = [match.group().decode("utf-8", "replace") for match in _UTF8.finditer(data)]
    yield Run(SEPARATOR.join(text for text in utf8 if len(text) >= TEXT_RUN), 1)
    yield Run(SEPARATOR.join(text for text in utf8 if len(text) < TEXT_RUN), 6)
    if not data.isascii():
        yield Run(SEPARATOR.join(m.group().decode("latin-1") for m in _LATIN.finditer(data)), 7)
    for pattern, encoding in ((_LITTLE, "utf-16-le"), (_BIG, "utf-16-be")):
        if found := [match.group().decode(encoding) for match in pattern.finditer(data)]:
            yield Run(SEPARATOR.join(found), 1)
