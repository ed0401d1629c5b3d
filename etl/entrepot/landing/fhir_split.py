"""Cuts what FHIR servers and exports write into single resources.

NDJSON by lines; a single document of JSON whole: a resource, a Bundle of any type (its entries,
recursively), an array of resources. A resource's record is its own bytes as sent, whether it came
alone, on a line or in a Bundle; only what its Bundle entry alone says is wrapped around it:

    {"entry":{"fullUrl":…},"references":{"urn:uuid:1":"Patient/p1"},"resource":…}

`fullUrl` of a resource without an id; `references` that it makes to entries whose fullUrl does not
end in their id; `{"entry":{"method":"DELETE","url":…}}` for a deletion. A response without a
resource is no record; a Bundle that gives no record is one itself. Byte order marks, line ends and
blanks around a resource are no part of it.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, TypeVar

import msgspec

from entrepot.errors import RecordFault
from entrepot.landing.arrival import EMPTY, MAX_RECORD_BYTES, TOO_LARGE, Arrival, oversize, whole

_T = TypeVar("_T")

FORMAT = "fhir"
BUNDLE, DELETE = "Bundle", "DELETE"
MAX_BUNDLES = 16  # of Bundles in Bundles: a document in a search in a history is 3
_BLANK = b" \t\r\n\0"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TEXT = re.compile(rb"[^ \t\r\n\0]")
_MARGIN = re.compile(rb"\n(\{[^\n]*\})[ \t\r]*(?=\n)")
_REFERENCE = re.compile(rb'"(?:reference|url)"\s*:\s*"([^"]*)"')


class _Request(msgspec.Struct, gc=False):
    method: str | None = None
    url: str | None = None


class _Response(msgspec.Struct, gc=False, rename="camel"):
    last_modified: str | None = None


class _Meta(msgspec.Struct, gc=False, rename="camel"):
    last_updated: str | None = None


class _Entry(msgspec.Struct, gc=False, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw(b"null")
    request: _Request | None = None
    response: _Response | None = None


class _Bundle(msgspec.Struct, gc=False):
    timestamp: str | None = None
    meta: _Meta | None = None
    entry: list[_Entry] = []


class _Head(msgspec.Struct, gc=False, rename="camel"):
    resource_type: str = ""
    id: str = ""


class _Line(NamedTuple):
    """One line with its end; `digest` when it was too large to hold."""

    number: int
    content: bytes
    digest: bytes = b""


def split(content: bytes) -> Iterator[Arrival]:
    """The resources of a file, in its order; see `split_stream`."""
    return split_stream([content])


def split_stream(chunks: Iterable[bytes]) -> Iterator[Arrival]:
    """The resources of a file that is read by chunks.

    Memory is that of the longest line of NDJSON, or of a whole single document; a Bundle is held
    whole. What exceeds `MAX_RECORD_BYTES` is a record with fault `record_too_large`. A bad line
    is one record with fault `invalid_json`, `invalid_utf8`, `invalid_fhir` or `nesting_too_deep`
    and its number (`line 7`), and the others go on. UTF-16 and XML are one record each, left to
    the reader.
    """
    stream, first = iter(chunks), b""
    for chunk in stream:
        first += chunk
        if len(first) > 2 and first.lstrip(_BLANK):
            break
    start = first.removeprefix(codecs.BOM_UTF8)
    if first.startswith(_UTF16) or start.lstrip(_BLANK).startswith(b"<"):
        return iter([whole(chain([first], stream), FORMAT)])
    return _undecided(chain([start], stream))


def _undecided(chunks: Iterator[bytes]) -> Iterator[Arrival]:
    """Tells NDJSON from a single document while reading."""
    buffer, layout = bytearray(), _Layout()
    for chunk in chunks:
        buffer += chunk
        large = len(buffer) > MAX_RECORD_BYTES
        if layout.has_lines(buffer) or (large and not layout.has_end):
            yield from _of_lines(_lines(chain([bytes(buffer)], chunks)))
            return
        if large:
            yield whole(chain([bytes(buffer)], chunks), FORMAT)
            return
    content = bytes(buffer)
    buffer += b"\n"
    if layout.has_lines(buffer):
        yield from _of_lines(_lines([content]))
    elif content.strip(_BLANK):
        yield from _of_value(content.strip(_BLANK))
    else:
        yield Arrival(content, FORMAT, fault=RecordFault(EMPTY))


class _Layout:
    """What the lines read so far tell of a file.

    It is NDJSON once its first line is a whole JSON value and another follows, or once a later
    line is a whole resource that begins at the margin. In an indented array one may stand so too.
    """

    def __init__(self) -> None:
        self.has_end = False  # of its first line
        self._asked = False
        self._scanned = 0

    def has_lines(self, buffer: bytearray) -> bool:
        """Whether the file, which `buffer` holds the beginning of, is surely NDJSON."""
        begin = _TEXT.search(buffer)
        end = buffer.find(b"\n", begin.start()) if begin else -1
        if begin is None or end < 0:
            return False
        self.has_end = True
        if not self._asked and _TEXT.search(buffer, end):
            self._asked = True
            if _tried(bytes(buffer[begin.start() : end]), msgspec.Raw) is not None:
                return True
        if buffer[begin.start()] == ord("["):
            return False
        start, self._scanned = max(self._scanned, end), buffer.rfind(b"\n")
        heads = (_tried(match[1], _Head) for match in _MARGIN.finditer(buffer, start))
        return any(head is not None and head.resource_type for head in heads)


def _lines(chunks: Iterable[bytes]) -> Iterator[_Line]:
    """Lines with their ends: JSON has no line end within a string (RFC 8259 section 7)."""
    number, buffer = 1, bytearray()
    large: hashlib._Hash | None = None
    for chunk in chunks:
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            buffer += part + b"\n"
            yield _line(number, buffer, large)
            number, large = number + 1, None
            buffer.clear()
        buffer += rest
        if len(buffer) > MAX_RECORD_BYTES:
            large = large or hashlib.sha256()
            large.update(buffer)
            buffer.clear()
    if buffer or large:
        yield _line(number, buffer, large)


def _line(number: int, buffer: bytearray, large: hashlib._Hash | None) -> _Line:
    if large is None and len(buffer) <= MAX_RECORD_BYTES:
        return _Line(number, bytes(buffer))
    large = large or hashlib.sha256()
    large.update(buffer)
    return _Line(number, b"", large.digest())


def _tried(content: bytes, type_: type[_T]) -> _T | None:
    """One JSON value as far as the type names it; None when it is none."""
    try:
        return msgspec.json.decode(content, type=type_)
    except (ValueError, RecursionError):
        return None


def _of_lines(lines: Iterable[_Line]) -> Iterator[Arrival]:
    for line in lines:
        place = f"line {line.number}"
        if line.digest:
            yield oversize(line.digest, FORMAT, RecordFault(TOO_LARGE, place))
            continue
        content = line.content.removeprefix(codecs.BOM_UTF8).strip(_BLANK)
        if not content:
            continue
        for arrival in _of_value(content):
            fault = arrival.fault
            if fault is not None:
                fault = RecordFault(fault.reason, place)
            yield replace(arrival, fault=fault) if fault else arrival


class _Context(NamedTuple):
    """What a Bundle says of one of its resources.

    Args:
        entry: the resource's.
        renamed: fullUrl -> `Patient/p1`, of entries whose fullUrl does not end in their id.
    """

    entry: _Entry
    renamed: dict[str, str]


def _of_value(content: bytes, depth: int = 0, context: _Context | None = None) -> Iterator[Arrival]:
    """The resources of one JSON value; what cannot be cut is one record with its fault."""
    parts: list[tuple[bytes, _Context | None]] | None = None
    try:
        if depth > MAX_BUNDLES:
            raise RecursionError
        if content.startswith(b"["):
            items = msgspec.json.decode(content, type=list[msgspec.Raw])
            parts = [(bytes(item), None) for item in items]
        else:
            head = msgspec.json.decode(content, type=_Head)
            if head.resource_type == BUNDLE:
                parts = _parts(msgspec.json.decode(content, type=_Bundle))
            if not content.isascii():
                content.decode("utf-8")
    except (ValueError, RecursionError) as error:
        yield Arrival(content, FORMAT, fault=RecordFault(_reason(error)))
        return
    if not parts:  # a resource, or a Bundle without any, which is a record itself
        yield Arrival(content if context is None else _wrapped(content, head, context), FORMAT)
        return
    for part, its_context in parts:
        yield from _of_value(part, depth + 1, its_context)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nesting_too_deep"
    if isinstance(error, UnicodeDecodeError):
        return "invalid_utf8"
    return "invalid_fhir" if isinstance(error, msgspec.ValidationError) else "invalid_json"


def _parts(bundle: _Bundle) -> list[tuple[bytes, _Context | None]]:
    """The resources and deletions of a Bundle's entries."""
    renamed = _renamed(bundle)
    parts: list[tuple[bytes, _Context | None]] = []
    for entry in bundle.entry:
        resource = bytes(entry.resource)
        if entry.request is not None and entry.request.method == DELETE:
            parts.append((_deletion(entry, bundle), None))
        elif resource != b"null":
            parts.append((resource, _Context(entry, renamed)))
    return parts


def _renamed(bundle: _Bundle) -> dict[str, str]:
    renamed = {}
    for entry in bundle.entry:
        url = entry.full_url
        if url:
            head = _tried(bytes(entry.resource), _Head)
            if head and head.id and not url.endswith((f"/{head.id}", f":{head.id}")):
                renamed[url] = f"{head.resource_type}/{head.id}"
    return renamed


def _deletion(entry: _Entry, bundle: _Bundle) -> bytes:
    """A deletion, dated by the server, else by the Bundle that tells it."""
    url = (entry.request.url if entry.request else "") or entry.full_url or ""
    stated = entry.response.last_modified if entry.response else None
    stated = stated or (bundle.meta.last_updated if bundle.meta else None) or bundle.timestamp
    said = {"method": DELETE, "url": url} | ({"lastModified": stated} if stated else {})
    return msgspec.json.encode({"entry": said})


def _wrapped(resource: bytes, head: _Head, context: _Context) -> bytes:
    """The resource, in an envelope if it needs what only its Bundle says."""
    said, named = {}, {}
    if not head.id and context.entry.full_url:
        said["fullUrl"] = context.entry.full_url
    if context.renamed:
        found = (match.replace(b"\\/", b"/").decode() for match in _REFERENCE.findall(resource))
        named = {url: context.renamed[url] for url in found if url in context.renamed}
    if not said and not named:
        return resource
    before = msgspec.json.encode({"entry": said} | ({"references": named} if named else {}))
    return before[:-1] + b',"resource":' + resource + b"}"
