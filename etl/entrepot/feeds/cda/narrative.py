"""Section text as plain text (CDA R2 4.3.5, narrative block).

Titles, paragraphs and list items are lines; a table row is a line, its cells are parted by tabs.
Styling, scripts, images (`renderMultiMedia`) and deleted content are left; footnotes stand where
they are noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from entrepot.feeds.cda.names import HL7, hl7

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

    from entrepot.feeds.cda.document import CdaDocument

_LINES = frozenset(f"{{{HL7}}}{name}" for name in (
    "paragraph", "item", "caption", "list", "table", "tr", "text", "title", "thead", "tbody",
    "tfoot"))  # fmt: skip
_CELLS = frozenset((hl7("td"), hl7("th")))
_LEFT = frozenset(hl7(name) for name in (
    "renderMultiMedia", "script", "style", "col", "colgroup", "footnoteRef"))  # fmt: skip
_INLINE = frozenset((hl7("content"), hl7("sub"), hl7("sup")))
_BREAK = hl7("br")
_BLANK = str.maketrans("\n\r\t", "   ")


def plain_text(element: _Element) -> str:
    """The text of one narrative block, or of one element in it."""
    if not len(element):
        return " ".join((element.text or "").split())
    pieces: list[str] = []
    _collect(element, pieces)
    return _tidy("".join(pieces))


def narrative(sections: Iterable[_Element]) -> str:
    """Sections in their order: title, then text."""
    found = []
    for section in sections:
        for name in ("title", "text"):
            block = section.find(hl7(name))
            text = "" if block is None else plain_text(block)
            if text:
                found.append(text)
    return "\n".join(found)


def referenced(document: CdaDocument, element: _Element | None) -> str:
    """The text of an ED or `originalText`: what it holds, else what its reference points to."""
    if element is None or element.get("representation") == "B64":
        return ""
    own = plain_text(element)
    if own:
        return own
    reference = element.find(hl7("reference"))
    name = "" if reference is None else reference.get("value", "").strip().removeprefix("#")
    target = document.identified(name) if name else None
    return "" if target is None else plain_text(target)


def _collect(element: _Element, pieces: list[str]) -> None:
    """Text in document order; depth is bounded by the parser."""
    tag = element.tag
    if tag in _LEFT or element.get("revised") == "delete":
        return
    edge = "\n" if tag in _LINES else ""
    pieces.append("\n" if tag == _BREAK else edge)
    if element.text:
        pieces.append(element.text.translate(_BLANK))
    for child in element:
        if len(child) or child.tag not in _INLINE or child.get("revised") is not None:
            _collect(child, pieces)
        elif child.text:
            pieces.append(child.text.translate(_BLANK))
        if child.tail:
            pieces.append(child.tail.translate(_BLANK))
    pieces.append("\t" if tag in _CELLS else edge)


def _tidy(text: str) -> str:
    """One space between words, no empty line, no tab at a line's end."""
    lines = (
        "\t".join(" ".join(cell.split()) for cell in line.split("\t")).rstrip("\t")
        for line in text.split("\n")
        if line
    )
    return "\n".join(line for line in lines if line).strip()
