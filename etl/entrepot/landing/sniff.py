"""Which format a file's first bytes speak, when nobody said."""

from __future__ import annotations

import codecs
import re

HL7V2, CDA, FHIR, TABLE, UNKNOWN = "hl7v2", "cda", "fhir", "table", "unknown"
FORMATS = (HL7V2, CDA, FHIR, TABLE)
SNIFF_BYTES = 1 << 16
_HEADER = re.compile(rb"(?:\A|[\r\n\x0b\x1c])(?:MSH|FHS|BHS)[^A-Za-z0-9\s]{4}")
# segments that open a message which lost its header, or a file which lost its beginning
_SEGMENT = re.compile(
    rb"\s*(?:EVN|PID|PD1|NK1|PV1|PV2|ORC|OBR|OBX|TXA|DG1|PR1|FT1|MRG|ZBE|ZFA|MSA|ERR|QRD)\|"
)
_DELIMITERS = (b";", b"\t", b",", b"|")


def sniff(first_bytes: bytes) -> str:
    """`hl7v2`, `cda`, `fhir`, `table` or `unknown`, from the start of a file (64 kB suffice)."""
    text = _text(first_bytes[:SNIFF_BYTES])
    start = text.lstrip(b" \t\r\n\x0b\0")
    if start.startswith(b"<"):
        return _xml(start)
    if start.startswith((b"{", b"[")):
        return FHIR if b'"resourceType"' in start else UNKNOWN
    if start.startswith(b"PAR1"):
        return TABLE
    if _HEADER.search(text) or _SEGMENT.match(text):
        return HL7V2
    return TABLE if _is_table(start) else UNKNOWN


def _text(first: bytes) -> bytes:
    """The bytes as a superset of ASCII, without a byte order mark."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return first.decode("utf-16", errors="ignore").encode("utf-8", errors="ignore")
    return first.removeprefix(codecs.BOM_UTF8)


def _xml(start: bytes) -> str:
    if b"ClinicalDocument" in start:
        return CDA
    return FHIR if b"http://hl7.org/fhir" in start else UNKNOWN


def _is_table(start: bytes) -> bool:
    """Two first lines of at least as many cells as the header has, two or more."""
    lines = start.splitlines()[:2]
    if len(lines) < 2 or b"\0" in start:
        return False
    counts = ([line.count(delimiter) for line in lines] for delimiter in _DELIMITERS)
    return any(0 < header <= row for header, row in counts)  # a quoted cell may hold more
