r"""Cuts what a sender or an interface engine wrote into single HL7v2 messages.

A message starts where a segment starts (start of file, or after CR, LF, VT or FS) with `MSH`, a
separator, two to eight bytes of encoding characters (four or five characters by HL7 v2
section 2.5.4; old senders give three, some write `˜` or a doubled `\`), and that separator
again or the end of the segment. So `MSH` as an assigning authority, or in a text, starts nothing.
One case stays ambiguous: a text with an unescaped line end right before a whole MSH header. It is
cut, as HL7 gives such a text no right to hold a line end (it writes `\.br\` or `\X0D\`).

Framing is not part of a message: byte order mark, MLLP's VT and FS CR, batch envelopes
(FHS, BHS, BTS, FTS) and line ends after the last segment. The same message is thus one record
whether it came alone, framed, or in a batch; every other byte is kept as sent.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum
from itertools import chain
from typing import NamedTuple

from entrepot.errors import RecordFault
from entrepot.landing.arrival import EMPTY, MAX_RECORD_BYTES, Arrival, Mark, oversize, whole

FORMAT = "hl7v2"
COUNT_MISMATCH = "batch_count_mismatch"
_FRAMING = b"\r\n\x0b\x1c"
_BLANK = _FRAMING + b" \t\0"
_VT, _FS = b"\x0b", b"\x1c"
_START = re.compile(
    rb"[\r\n\x0b\x1c](?:\xef\xbb\xbf)?(?:"
    rb"(MSH)(?=([^A-Za-z0-9\s])(?:(?!\2)[^A-Za-z0-9\s]){2,8}(?:\2|[\r\n\x0b\x1c]|\Z))"
    rb"|(?:FHS|BHS|BTS|FTS)(?![A-Za-z0-9]))"
)
_AHEAD = 32  # more than a start can span: the last bytes of a chunk wait for the next one
_KEPT_ENVELOPES = 1 << 16


class _Kind(Enum):
    TEXT = 0
    MESSAGE = 1
    ENVELOPE = 2


class _Part(NamedTuple):
    """From one start to the next, framing included; `digest` when it was too large to hold."""

    kind: _Kind
    content: bytes
    digest: bytes = b""


def split(content: bytes) -> Iterator[Arrival]:
    """The messages of a file, in its order; see `split_stream`."""
    return split_stream([content])


def split_stream(chunks: Iterable[bytes]) -> Iterator[Arrival]:
    """The messages of a file that is read by chunks; memory is that of its largest message.

    Text before the first message is a record of its own (the parser refuses it). A file without
    any message is one record with fault `empty_file`. A message above `MAX_RECORD_BYTES` is a
    record with fault `record_too_large`. A BTS-1 (messages) or FTS-1 (batches) that counts
    otherwise than we do gives a `batch_count_mismatch` on the last message before it. UTF-16
    (told by its byte order mark) is one record.
    """
    stream, first = iter(chunks), b""
    for chunk in stream:
        first += chunk
        if len(first) > 1:
            break
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return iter([whole(chain([first], stream), FORMAT)])
    return _Batches().arrivals(_parts(chain([first], stream)))


def _parts(chunks: Iterable[bytes]) -> Iterator[_Part]:
    """Cuts at every start; the first part begins with a CR that the file has not."""
    buffer, kind, large = b"\r", _Kind.TEXT, None
    start = scanned = 0
    for chunk, last in _with_last(chunks):
        buffer, start, scanned = buffer[start:] + chunk, 0, scanned - start
        limit = len(buffer) if last else max(scanned, len(buffer) - _AHEAD)
        for match in _START.finditer(buffer, scanned):
            if match.start() >= limit:
                break
            yield _part(kind, buffer[start : match.start()], large)
            kind, large = _Kind.MESSAGE if match.group(1) else _Kind.ENVELOPE, None
            start, scanned = match.start(), match.end()
        scanned = max(scanned, limit)
        if limit - start > MAX_RECORD_BYTES:
            large = large or hashlib.sha256()
            large.update(buffer[start:limit])
            start = limit
    yield _part(kind, buffer[start:], large)


def _part(kind: _Kind, content: bytes, large: hashlib._Hash | None) -> _Part:
    if large is None and len(content) <= MAX_RECORD_BYTES:
        return _Part(kind, content)
    large = large or hashlib.sha256()
    large.update(content)
    return _Part(kind, b"", large.digest())


def _with_last(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    held = b""
    for chunk in chunks:
        yield held, False
        held = chunk
    yield held, True


class _Batches:
    """Strips the framing, checks the envelopes' counts; holds one record back to mark it."""

    def __init__(self) -> None:
        self._held: Arrival | None = None
        self._envelopes = bytearray()  # what an empty file consists of
        self._messages = self._batches = 0  # since BHS, since FHS
        self._outside = True  # of any BHS

    def arrivals(self, parts: Iterable[_Part]) -> Iterator[Arrival]:
        """The records of all parts."""
        landed = False
        for part in parts:
            for arrival in self._read(part):
                landed = True
                if self._held is not None:
                    yield self._held
                self._held = arrival
            if not landed and len(self._envelopes) < _KEPT_ENVELOPES:
                self._envelopes += part.content
        yield self._held or Arrival(bytes(self._envelopes[1:]), FORMAT, fault=RecordFault(EMPTY))

    def _read(self, part: _Part) -> Iterator[Arrival]:
        self._messages += part.kind is _Kind.MESSAGE
        if part.digest:
            yield oversize(part.digest, FORMAT)
            return
        framed = part.content.startswith(_VT)
        content = part.content.lstrip(_FRAMING).removeprefix(codecs.BOM_UTF8).rstrip(_FRAMING)
        rest = b""
        if part.kind is _Kind.ENVELOPE:
            head, *others = re.split(rb"[\r\n\x0b\x1c]", content, maxsplit=1)
            yield from self._envelope(head)
            rest = b"".join(others)
        elif part.kind is _Kind.MESSAGE:
            if framed:  # what follows a frame's end belongs to no message
                content, _, rest = content.partition(_FS)
            yield Arrival(content.rstrip(_FRAMING), FORMAT)
        else:
            rest = content
        if rest.strip(_BLANK):
            yield Arrival(rest.strip(_FRAMING), FORMAT)

    def _envelope(self, segment: bytes) -> Iterator[Arrival]:
        name, separator = segment[:3], segment[3:4]
        count = segment.split(separator)[1].strip() if separator else b""
        if name == b"FHS":
            self._messages = self._batches = 0
            self._outside = True
        elif name == b"BHS":
            self._messages, self._batches = 0, self._batches + 1
            self._outside = False
        elif name == b"BTS":
            yield from self._check(count, self._messages, segment, "BTS-1")
            self._close_batch()
        else:
            self._close_batch()
            yield from self._check(count, self._batches, segment, "FTS-1")

    def _close_batch(self) -> None:
        """Messages that no BHS announces are a batch too."""
        self._batches += self._outside and self._messages > 0
        self._messages = 0

    def _check(self, stated: bytes, found: int, segment: bytes, position: str) -> Iterator[Arrival]:
        """Marks the last record when a stated count differs; a trailer without count is valid."""
        if not stated or (stated.isdigit() and int(stated) == found):
            return
        mark = Mark(COUNT_MISMATCH, position)
        if self._held is not None and found:
            self._held = replace(self._held, marks=(*self._held.marks, mark))
        else:  # nothing came of what was announced: the loss itself is the record
            yield Arrival(segment, FORMAT, (mark,), RecordFault(EMPTY, position))
