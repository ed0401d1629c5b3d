"""One record on its way into the ledger, and the limits of a record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from entrepot.errors import RecordFault

MAX_RECORD_BYTES = 64 << 20  # a record is decrypted and parsed in memory, one per worker
TOO_LARGE = "record_too_large"
EMPTY = "empty_file"


class Mark(NamedTuple):
    """Something worth telling about a record that goes on: a code and a place, never a value."""

    code: str
    position: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery of one record.

    Args:
        content: the record as sent, without its transport framing.
        format: `hl7v2`, `cda`, `fhir`, `table` or `unknown`.
        marks: notices of landing.
        fault: why the record cannot go on, if it cannot.
        digest: SHA-256 of a content that is too large to be kept; empty when it is kept.
    """

    content: bytes
    format: str
    marks: tuple[Mark, ...] = ()
    fault: RecordFault | None = None
    digest: bytes = b""


def whole(chunks: Iterable[bytes], format_: str, fault: RecordFault | None = None) -> Arrival:
    """All chunks as one record; beyond `MAX_RECORD_BYTES` only a digest, with a fault."""
    content, digest, large = bytearray(), hashlib.sha256(), False
    for chunk in chunks:
        digest.update(chunk)
        large = large or len(content) + len(chunk) > MAX_RECORD_BYTES
        if large:
            content.clear()
        else:
            content += chunk
    if large:
        return oversize(digest.digest(), format_, fault)
    return Arrival(bytes(content), format_, fault=fault)


def oversize(
    digest: bytes,
    format_: str,
    fault: RecordFault | None = None,
    marks: tuple[Mark, ...] = (),
) -> Arrival:
    """A record whose bytes are not kept: the sender has to cut it and send it again."""
    return Arrival(b"", format_, marks, fault or RecordFault(TOO_LARGE), digest)
