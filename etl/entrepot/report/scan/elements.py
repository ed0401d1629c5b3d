"""Free texts of a synthetic record, by the positions at which the truth puts identifiers.

A position names an element of an HL7 v2 message (`OBX[3]-5`), of a FHIR resource
(`Observation.note[0].text`) or of a CDA document (`ClinicalDocument/…/paragraph[2]`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from entrepot.door.attached import attached_text
from entrepot.errors import RecordFault
from entrepot.feeds.cda.document import parse as parse_cda
from entrepot.feeds.cda.names import HL7
from entrepot.feeds.cda.narrative import narrative, plain_text
from entrepot.feeds.document import Attachment
from entrepot.feeds.encapsulated import decoded, is_cda
from entrepot.feeds.hl7v2.message import Message, Segment, parse
from entrepot.feeds.hl7v2.path import compile_path
from entrepot.feeds.hl7v2.readers import attachment

_HL7_LINE = re.compile(r"OBX(?:\[(\d+)\])?-5(?:\[(\d+)\])?$")
_HL7_TEXT = re.compile(r"(?:OBX(?:\[\d+\])?-5|NTE(?:\[\d+\])?-3)(?:$|[.\[])")
# Of a resource: the columns of staging that could take what stands there.
_FHIR_COLUMNS = {
    re.compile(r"\.data$"): ("text",),
    re.compile(r"\.(?:title|description)$"): ("title",),
    re.compile(r"\.note\[\d+\]\.text$|\.valueString$"): ("text", "value_text", "sig"),
}
_OBX_5 = compile_path("OBX-5")
_FHIR_STEP = re.compile(r"\w+|(?<=\[)\d+(?=\])")
_CDA_TEXT = re.compile(r"/text(?:$|/)")
_CDA_STEP = re.compile(r"(?:(?<=/)|^)(?=\w)")
_NAMES = {"c": HL7}


class Lines(NamedTuple):
    """Which lines of the staged text an element became, from 1; `last` is included."""

    first: int
    last: int


class Element(NamedTuple):
    """A free text.

    Args:
        text: as the truth's offsets count it; None when nothing reads it.
        columns: staging columns that could take it; empty for every text column.
        lines: where it stands in them; None for anywhere.
    """

    text: str | None
    columns: tuple[str, ...] = ()
    lines: Lines | None = None


def element(format_: str, content: bytes, position: str) -> Element | None:
    """What a record has at a position; None when that is no free text."""
    return _READERS[format_](content, position)


def _hl7v2(content: bytes, position: str) -> Element | None:
    if not _HL7_TEXT.match(position):
        return None
    return Element(_hl7v2_text(content, position), lines=_hl7v2_lines(content, position))


def _hl7v2_lines(content: bytes, position: str) -> Lines | None:
    """An OBX, or a repetition of OBX-5, is a line; an OBX without text is none."""
    found, parsed = _HL7_LINE.match(position), _parsed(content)
    if found is None or parsed is None:
        return None
    segment, repetition = int(found[1] or 1), int(found[2] or 1)
    texts = [text for s in parsed.named("OBX")[:segment] if (text := _OBX_5.read(parsed, s))]
    before = sum(text.count("\n") + 1 for text in texts[:-1])
    last = texts[-1].split("\n") if texts else []
    if found[2]:
        return Lines(before + repetition, before + repetition)
    return Lines(before + 1, before + len(last))


def _hl7v2_text(content: bytes, position: str) -> str | None:
    parsed = _parsed(content)
    segment, _, field = position.partition("-")
    name, _, number = segment.rstrip("]").partition("[")
    rank = int(number or 1)
    wanted = parsed.named(name)[rank - 1 : rank] if parsed else []
    if parsed is None or not wanted:
        return None
    if field == "5.5":
        return _hl7v2_attached(parsed, wanted[0])
    return compile_path(f"{name}-{field}").read(parsed, wanted[0])


@lru_cache(maxsize=8)
def _parsed(content: bytes) -> Message | None:
    try:
        return parse(content)
    except RecordFault:
        return None


def _hl7v2_attached(message: Message, segment: Segment) -> str | None:
    _, attached, _ = attachment(message, segment, "OBX-5")
    return _attached(attached) if attached else None


def _attached(attached: Attachment) -> str | None:
    """The text that the door reads in an attachment; of a CDA all that its elements state."""
    try:
        content = decoded(attached, "")
        if is_cda(attached, content):
            return _everything(content)
        return attached_text(attached, "")
    except RecordFault:
        return None


def _everything(content: bytes) -> str:
    """Texts and attributes of a document; not what codes are called, which names nobody."""
    found = []
    for one in parse_cda(content).root.iter():
        found += [value for name, value in one.attrib.items() if name != "displayName"]
        if one.get("representation") == "B64":
            found.append(_cda_attached(one) or "")
        else:
            found.append(_own_text(one))
    return "\n".join(found)


def _fhir(content: bytes, position: str) -> Element | None:
    columns = next((c for pattern, c in _FHIR_COLUMNS.items() if pattern.search(position)), None)
    if columns is None:
        return None
    resource = _resource(content)
    try:
        parent, found = None, resource
        for step in _FHIR_STEP.findall(position)[1:]:
            parent, found = found, found[int(step) if step.isdigit() else step]
    except (KeyError, IndexError, TypeError):
        return Element(None, columns)
    if position.endswith(".data") and parent is not None:
        found = _attached(Attachment(parent.get("contentType", ""), "Base64", found))
    return Element(found, columns)


@lru_cache(maxsize=8)
def _resource(content: bytes) -> Any:
    """The resource, out of the envelope that landing may put around it."""
    try:
        whole = json.loads(content)
    except ValueError:
        return None
    return whole.get("resource") if "resourceType" not in whole else whole


def _cda(content: bytes, position: str) -> Element | None:
    if not _CDA_TEXT.search(position):
        return None
    parsed = _document(content)
    path = _CDA_STEP.sub("c:", position.removeprefix("ClinicalDocument/"))
    found = parsed.root.xpath(path, namespaces=_NAMES) if parsed else []
    if not found:
        return Element(None, ("text",))
    if position.endswith("nonXMLBody/text"):
        return Element(_cda_attached(found[0]), ("text",))
    return Element(_own_text(found[0]), ("text",), _lines(parsed, found[0]))


@lru_cache(maxsize=8)
def _document(content: bytes) -> Any:
    try:
        return parse_cda(content)
    except RecordFault:
        return None


def _cda_attached(body: Any) -> str | None:
    encoding = "Base64" if body.get("representation") == "B64" else "A"
    return _attached(Attachment(body.get("mediaType", "text/plain"), encoding, body.text or ""))


def _own_text(found: Any) -> str:
    """An element's text without its children's; a `br` is a line end."""
    parts = [found.text or ""]
    for child in found:
        parts += ["\n" if str(child.tag).endswith("}br") else "", child.tail or ""]
    return "".join(parts)


def _lines(document: Any, found: Any) -> Lines | None:
    """From the first to the last place at which the document says what the element says."""
    lines = narrative(document.named("section")).split("\n")
    own = plain_text(found).split("\n")
    size = len(own)
    starts = [at for at in range(len(lines)) if lines[at : at + size] == own]
    return Lines(starts[0] + 1, starts[-1] + size) if starts else None


_READERS: dict[str, Callable[[bytes, str], Element | None]] = {
    "hl7v2": _hl7v2,
    "fhir": _fhir,
    "cda": _cda,
}
