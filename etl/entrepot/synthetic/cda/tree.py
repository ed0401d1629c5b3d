"""A small XML tree whose leaves mark what identifies somebody; its bytes and its places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

from entrepot.synthetic.message import Attachment, Ident, Place, Text

Child: TypeAlias = "Node | str | None"
NAMESPACES = {
    "xmlns": "urn:hl7-org:v3",
    "xmlns:lab": "urn:oid:1.3.6.1.4.1.19376.1.3.2",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_BREAK = "<br/>"


@dataclass
class Node:
    """One element: tag, attributes and children; a line end in its text is a `br`."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)


def node(tag: str, *children: Child, **attributes: str) -> Node:
    """An element; `xsi_type` is xsi:type, what is None or empty is left out."""
    named = {("xsi:type" if k == "xsi_type" else k): v for k, v in attributes.items() if v}
    return Node(tag, named, [child for child in children if child])


def written(root: Node, encoding: str) -> bytes:
    """The document; characters that the encoding lacks are references."""
    root.attributes = NAMESPACES | root.attributes
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + _element(root, 0) + "\n"
    return text.encode(encoding, "xmlcharrefreplace")


def _element(one: Node, depth: int) -> str:
    head = one.tag + "".join(f" {k}={_quoted(v)}" for k, v in one.attributes.items())
    if not one.children:
        return f"<{head}/>"
    mixed = any(isinstance(child, str) for child in one.children)
    gap = "" if mixed else "\n" + " " * (depth + 1)
    inner = "".join(
        gap + (_text(child) if isinstance(child, str) else _element(child, depth + 1))
        for child in one.children
    )
    end = "" if mixed else "\n" + " " * depth
    return f"<{head}>{inner}{end}</{one.tag}>"


def _quoted(value: str) -> str:
    return quoteattr(value)


def _text(value: str) -> str:
    return escape(value) if isinstance(value, Attachment) else escape(value).replace("\n", _BREAK)


def places(root: Node) -> list[Place]:
    """Every identifier with its path (`ClinicalDocument/setId/@extension`).

    Offsets in an element count in its text without those of its children, a `br` as one line end.
    """
    return list(_places(root, root.tag))


def _places(one: Node, path: str) -> Iterator[Place]:
    for name, value in one.attributes.items():
        yield from _leaf(value, f"{path}/@{name}", 0, spanned=isinstance(value, Text))
    totals = Counter(child.tag for child in one.children if isinstance(child, Node))
    seen: Counter[str] = Counter()
    offset = 0
    spanned = len(one.children) > 1
    for child in one.children:
        if isinstance(child, str):
            yield from _leaf(child, path, offset, spanned=spanned or isinstance(child, Text))
            offset += len(child)
        else:
            seen[child.tag] += 1
            rank = f"[{seen[child.tag]}]" if totals[child.tag] > 1 else ""
            yield from _places(child, f"{path}/{child.tag}{rank}")


def _leaf(value: str, path: str, offset: int, *, spanned: bool) -> Iterator[Place]:
    if isinstance(value, Ident):
        span = (offset, offset + len(value)) if spanned else (None, None)
        yield Place(value, path, *span)
    elif isinstance(value, Text):
        for start, end, ident in value.mentions:
            yield Place(ident, path, offset + start, offset + end)
    elif isinstance(value, Attachment):
        for start, end, ident in value.text.mentions:
            yield Place(ident, path, *((start, end) if value.plain else (None, None)))
