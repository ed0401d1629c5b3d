"""Reads PDFs in a process of its own, one after the other: `python -m entrepot.text.pdf_pages`.

Limits of memory and processor time are the kernel's. On standard input each document is its length
(8 bytes) and its bytes; on standard output each answer is a length and UTF-8, `+` and the text or
`-` and what is wrong. Nothing is written anywhere else.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PAGES = 2000
MAX_TEXT = 20_000_000  # characters
MIN_LETTERS = 20  # an image with a page number or a stamp has no text layer to speak of
MAX_STREAM = 20_000_000  # bytes of one decompressed stream; a page of vectors has some millions
_SKIPPED = ("Impossible to decode", "Exceeded ")  # warnings that text was left out
_REMARKS = frozenset(("/FreeText", "/Text", "/Stamp", "/Highlight", "/Underline"))


class Unreadable(Exception):  # noqa: N818 - a finding about the file
    """Why a PDF gives no text; told without a word of it."""


def read(data: bytes) -> str:
    """The text of the pages, then what was filled in and remarked; metadata and files are left.

    Raises:
        Unreadable: encrypted, too many pages, too much text, no text layer.
        Exception: whatever a damaged file makes the library raise.
    """
    from pypdf import PdfReader, overwrite_configuration

    overwrite_configuration(
        zlib_maximum_output_length=MAX_STREAM,
        lzw_maximum_output_length=MAX_STREAM,
        run_length_maximum_output_length=MAX_STREAM,
        array_based_stream_maximum_output_length=MAX_STREAM,
    )
    skipped = _listen()
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        raise Unreadable("pdf: encrypted")
    if len(reader.pages) > MAX_PAGES:
        raise Unreadable("pdf: pages")
    pieces, size = [], 0
    for page in reader.pages:
        pieces.append(page.extract_text())
        size += len(pieces[-1])
        if size > MAX_TEXT:
            raise Unreadable("pdf: size")
    if skipped:
        raise Unreadable("pdf: damaged")
    if sum(map(str.isalpha, "".join(pieces))) < MIN_LETTERS:
        raise Unreadable("no text layer")
    return "\n".join([*pieces, *_filled_in(reader), *_remarks(reader)])


def _listen() -> list[str]:
    """Fills up when the library leaves a part of a page out, which it tells in its log alone."""
    skipped: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if str(record.msg).startswith(_SKIPPED):
                skipped.append(record.name)

    log = logging.getLogger("pypdf")
    log.handlers, log.propagate = [Ear(logging.WARNING)], False  # its warnings quote the file
    return skipped


def _filled_in(reader: PdfReader) -> Iterator[str]:
    """`name : value` of each field of a form; its value stands in no page's text."""
    for name, field in (reader.get_fields() or {}).items():
        value = field.get("/V")
        if isinstance(value, str) and not value.startswith("/"):
            yield f"{name} : {value}"


def _remarks(reader: PdfReader) -> Iterator[str]:
    """What was written on the pages afterwards."""
    for page in reader.pages:
        for one in page.annotations or ():
            remark: Any = one.get_object()
            if remark.get("/Subtype") in _REMARKS and isinstance(remark.get("/Contents"), str):
                yield str(remark["/Contents"])


def _answer(data: bytes) -> bytes:
    try:
        return b"+" + read(data).encode("utf-8", "replace")
    except Unreadable as fault:
        return f"-{fault}".encode()
    except Exception:  # a damaged file raises anything from KeyError to RecursionError
        return b"-pdf: damaged"


def serve(source: BinaryIO, target: BinaryIO, memory: int, seconds: int) -> None:
    """Answers until `source` ends; `memory` in bytes, `seconds` of processor time per document."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the document
    while len(head := source.read(8)) == 8:
        data = source.read(int.from_bytes(head, "big"))
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        answer = _answer(data)
        target.write(len(answer).to_bytes(8, "big") + answer)
        target.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, int(sys.argv[1]), int(sys.argv[2]))
