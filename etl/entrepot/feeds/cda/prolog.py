"""What stands before the root element: byte order mark, declared charset, and never a DTD.

libxml2 reads an internal DTD before any option can refuse it, and opens external ones in some
versions: the prolog is scanned here, after decoding, so that no encoding hides a declaration.
A name read in the wrong charset escapes scrubbing, so the charset is proven against the bytes;
repairs that leave no doubt are recorded (the same rules and codes as for HL7 v2).
"""

from __future__ import annotations

import codecs
import re

from entrepot.errors import RecordFault

_BOMS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = re.compile(
    rb"<\?xml\s[^>]*?encoding\s*=\s*(?:\"([A-Za-z][\w.:-]*)\"|'([A-Za-z][\w.:-]*)')"
)
_ONE_BYTE = {
    "iso-8859-1": "iso8859-1", "iso8859-1": "iso8859-1", "iso_8859-1": "iso8859-1",
    "latin1": "iso8859-1", "latin-1": "iso8859-1", "8859/1": "iso8859-1",
    "iso-8859-15": "iso8859-15", "iso8859-15": "iso8859-15", "latin9": "iso8859-15",
    "8859/15": "iso8859-15", "windows-1252": "cp1252", "cp1252": "cp1252",
}  # fmt: skip
_CODECS = {
    "utf-8": "utf-8", "utf8": "utf-8", "unicode utf-8": "utf-8", "us-ascii": "ascii",
    "ascii": "ascii", "utf-16": "utf-16", "utf-16le": "utf-16", "utf-16be": "utf-16",
    "ucs-2": "utf-16", "iso-10646-ucs-2": "utf-16", "utf-32": "utf-32", **_ONE_BYTE,
}  # fmt: skip
_C1 = re.compile(rb"[\x80-\x9f]")
_BLANK = b" \t\r\n"
_SPACES = re.compile(rb"[ \t\r\n]*")
_HEAD = 1024
_PLACE = "prolog"


def as_utf8(content: bytes, default: str) -> tuple[bytes, list[tuple[str, str]]]:
    """The document in UTF-8 without byte order mark and leading blanks, and what was repaired.

    Args:
        content: a document in UTF-8, UTF-16, UTF-32, ISO 8859-1 or -15, Windows-1252 or ASCII.
        default: the source's charset, for a document that declares none.

    Raises:
        RecordFault: `charset_unknown`, `charset_mismatch`, `dtd_refused`, `invalid_xml`.
    """
    content, found = _unmarked(content)
    if found and found != "utf-8":
        text = _strict(content, found)
        data = text.encode("utf-8").lstrip(_BLANK)
        if _declared(data, found[:6]) != found[:6]:
            raise RecordFault("charset_mismatch", _PLACE)
        notices: list[tuple[str, str]] = []
    else:
        content = content.lstrip(_BLANK)
        declared = _declared(content, "")
        if not declared:  # XML 1.0 4.3.3: then it is UTF-8, unless the source is known to differ
            declared = "utf-8" if found or is_utf8(content) else _codec(default or "utf-8")
        if found and declared != "utf-8":
            raise RecordFault("charset_mismatch", _PLACE)
        data, notices = _narrow(content, declared)
    refuse_dtd(data)
    return data, notices


def refuse_dtd(data: bytes) -> None:
    """Walks the prolog: declaration, comments, processing instructions, then the root element.

    Raises:
        RecordFault: `dtd_refused` for any other declaration; `invalid_xml` when no element comes.
    """
    place = 0
    while True:
        place = _SPACES.match(data, place).end()  # type: ignore[union-attr]
        if data.startswith(b"<!--", place):
            place = _after(data, b"-->", place + 4)
        elif data.startswith(b"<?", place):
            place = _after(data, b"?>", place + 2)
        elif data.startswith(b"<!", place):
            raise RecordFault("dtd_refused", _PLACE)
        elif data.startswith(b"<", place):
            return
        else:
            raise RecordFault("invalid_xml", _PLACE)


def _unmarked(content: bytes) -> tuple[bytes, str]:
    """The bytes without their mark, and the codec that mark or zero bytes tell ('' if none)."""
    for mark, codec in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :], codec
    head = content[:4]
    if len(head) == 4 and 0 in head:
        if head[:3] == b"\0\0\0" or head[1:] == b"\0\0\0":
            return content, "utf-32-le" if head[0] else "utf-32-be"
        return content, "utf-16-le" if head[0] else "utf-16-be"
    return content, ""


def _declared(data: bytes, default: str) -> str:
    match = _DECLARATION.match(data[:_HEAD])
    return _codec((match[1] or match[2]).decode("ascii")) if match else default


def _codec(name: str) -> str:
    codec = _CODECS.get(name.strip().lower())
    if codec is None:
        raise RecordFault("charset_unknown", _PLACE)
    return codec


def _narrow(data: bytes, codec: str) -> tuple[bytes, list[tuple[str, str]]]:
    if codec in {"utf-16", "utf-32"}:
        raise RecordFault("charset_mismatch", _PLACE)
    if codec == "utf-8" or data.isascii():  # the parser refuses what is not UTF-8
        return data, []
    if is_utf8(data):
        code = "charset_mismatch_repaired" if codec == "ascii" else "charset_mojibake_repaired"
        return data, [(code, _PLACE)]
    if codec == "iso8859-1" and _C1.search(data):
        return _strict(data, "cp1252").encode(), [("charset_cp1252_repaired", _PLACE)]
    if codec == "iso8859-15" and _C1.search(data):
        raise RecordFault("charset_mismatch", _PLACE)
    return _strict(data, codec).encode(), []


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 throughout."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _strict(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        raise RecordFault("charset_mismatch", _PLACE) from None


def _after(data: bytes, end: bytes, place: int) -> int:
    found = data.find(end, place)
    if found < 0:
        raise RecordFault("invalid_xml", _PLACE)
    return found + len(end)
