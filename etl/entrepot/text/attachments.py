"""Text of an attached document: plain, HTML, RTF, PDF, XML; everything else is refused.

What has no text layer that can be scrubbed is quarantined, never passed on (reference on
pseudonymisation, section 3).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from entrepot.errors import RecordFault
from entrepot.text.pdf import pdf_text
from entrepot.text.rtf import rtf_text
from entrepot.text.sniffing import kind_of, refuse_coded

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_BYTES = 20_000_000
MAX_DEPTH = 200
_REASON = "attachment_unreadable"
# libxml2 resolves an internal DTD before any option can refuse it: looked for in the bytes
_DTD = re.compile(rb"<!\s*(?:ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_DOCTYPE = re.compile(rb"<!\s*DOCTYPE", re.IGNORECASE)
# Others cost the square of a text's length (idna, punycode) or are no charset (unicode_escape).
_CHARSETS = re.compile(
    r"utf-(?:8|8-sig|16|16-le|16-be|32|32-le|32-be)|ascii|iso8859-\d{1,2}|cp\d{3,4}|mac-roman|koi8-r"
)
_BLOCKS = frozenset((
    "p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl",
    "dt", "dd", "pre", "section", "article", "header", "footer", "address", "blockquote", "hr",
    "title", "paragraph", "item", "caption", "text",
))  # fmt: skip
_DROPPED = frozenset(("script", "style", "noscript", "template", "iframe", "object"))
_MEDIA: dict[str, str] = {
    "text": "plain", "txt": "plain", "plain": "plain", "text/plain": "plain", "ft": "plain",
    "html": "html", "htm": "html", "text/html": "html", "xhtml": "html",
    "application/xhtml+xml": "html",
    "rtf": "rtf", "text/rtf": "rtf", "application/rtf": "rtf", "richtext": "rtf",
    "text/richtext": "rtf",
    "pdf": "pdf", "application/pdf": "pdf",
    "xml": "xml", "text/xml": "xml", "application/xml": "xml", "x-hl7-cda-level-one": "xml",
}  # fmt: skip


def text_of(data: bytes, media_type_or_subtype: str) -> str:
    """The text of a decoded attachment.

    Args:
        data: the bytes after base64 or hexadecimal decoding; at most MAX_BYTES.
        media_type_or_subtype: `text/html; charset=utf-8`, or HL7 table 0291 (`HTML`, `RTF`…).

    Raises:
        RecordFault: `attachment_unreadable`: no text in it, a type or a file without a text
            layer (images, scans, archives, whatever they are called), encoded data, a DTD, a wrong
            structure, or too big. Positions hold no content.
    """
    media, _, parameters = media_type_or_subtype.strip().lower().partition(";")
    kind = _MEDIA.get(media.strip())
    if kind is None:
        raise RecordFault(_REASON, "media type")
    if not data.strip():
        raise RecordFault(_REASON, "empty")
    if len(data) > MAX_BYTES:
        raise RecordFault(_REASON, "size")
    kind = kind_of(kind, data)
    charset = re.search(r"charset\s*=\s*[\"']?([\w\-]{1,40})", parameters)
    text = _READERS[kind](data, charset.group(1) if charset else "")
    if not text.strip():
        raise RecordFault(_REASON, "no text")
    refuse_coded(text)
    return text


def _plain(data: bytes, charset: str) -> str:
    if b"\x00" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")) and "16" not in charset:
        raise RecordFault(_REASON, "binary data")
    return _decode(data, charset)


def _decode(data: bytes, charset: str) -> str:
    """Decodes by byte-order mark, then `charset`, then UTF-8, then Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    for encoding in filter(None, (_known(charset), "utf-8-sig", "cp1252")):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RecordFault(_REASON, "charset")


def _known(charset: str) -> str:
    """The codec of a charset that texts are written in; '' for any other."""
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return ""
    return name if _CHARSETS.fullmatch(name) else ""


def _html(data: bytes, charset: str) -> str:
    from lxml import etree, html  # type: ignore[import-untyped]

    if _DTD.search(data) or _internal_subset(data):
        raise RecordFault(_REASON, "DTD")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", _decode(data, charset or _declared(data)))
    try:
        root = html.document_fromstring(text, parser=html.HTMLParser(no_network=True))
    except (etree.LxmlError, ValueError):
        raise RecordFault(_REASON, "html") from None
    return _tidy(root)


def _internal_subset(data: bytes) -> bool:
    """Whether the first DOCTYPE opens a bracket; a second one is no DOCTYPE to the parser."""
    doctype = _DOCTYPE.search(data)
    if doctype is None:
        return False
    end = data.find(b">", doctype.end())
    return b"[" in data[doctype.end() : end if end >= 0 else len(data)]


def _declared(data: bytes) -> str:
    found = re.search(rb"(?:charset|encoding)\s*=\s*[\"']?([\w\-]+)", data[:2048], re.IGNORECASE)
    return found.group(1).decode("ascii") if found else ""


def _xml(data: bytes, charset: str) -> str:
    from lxml import etree

    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:64]:
        data = re.sub(r"^\s*<\?xml[^>]*\?>", "", _decode(data, "utf-16")).encode()
    if _DOCTYPE.search(data) or _DTD.search(data):
        raise RecordFault(_REASON, "DTD")
    parser = etree.XMLParser(
        encoding=_known(charset) or None, resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError, LookupError):
        raise RecordFault(_REASON, "xml") from None
    return _tidy(root)


def _rtf(data: bytes, charset: str) -> str:
    return rtf_text(data)


def _tidy(root: _Element) -> str:
    text = "".join(_pieces(root))
    text = re.sub(r"[ \t\r\f\v]+", " ", text)
    return re.sub(r" ?\n[ \n]*", "\n", text).strip()


def _pieces(root: _Element) -> Iterator[str]:
    """Text in document order; a block element starts and ends a line.

    A stack and no recursion: through nested generators each piece would climb every level.
    """
    waiting: list[tuple[_Element | None, int, str]] = [(root, 0, "")]
    while waiting:
        element, depth, closing = waiting.pop()
        if element is None:
            yield closing
            continue
        if depth > MAX_DEPTH:
            raise RecordFault(_REASON, "depth")
        tag = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
        tail = element.tail or ""
        if not tag or tag in _DROPPED:
            yield tail
            continue
        edge = "\n" if tag in _BLOCKS else " " if tag in ("td", "th") else ""
        yield edge + (element.text or "")
        waiting.append((None, depth, edge + tail))
        waiting += [(child, depth + 1, "") for child in reversed(element)]


_READERS: dict[str, Callable[[bytes, str], str]] = {
    "plain": _plain,
    "html": _html,
    "rtf": _rtf,
    "pdf": pdf_text,
    "xml": _xml,
}
