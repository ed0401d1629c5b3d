"""A parsed CDA document and the nodes of its rows.

Bounds: MAX_BYTES of input, MAX_MARKUP opening angle brackets and equals signs (a tree takes some
thirty times the bytes of its densest markup), MAX_DEPTH of nesting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree  # type: ignore[import-untyped]

from entrepot.errors import RecordFault
from entrepot.feeds.cda.names import ROOT, hl7
from entrepot.feeds.cda.path import compile_path
from entrepot.feeds.cda.prolog import as_utf8, is_utf8
from entrepot.feeds.cda.statements import Facts, mark
from entrepot.feeds.cda.xpath import compile_xpath
from entrepot.feeds.document import Embedded

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_BYTES = 64_000_000
MAX_MARKUP = 4_000_000
MAX_DEPTH = 256  # of libxml2; the deepest official document has 19
MAX_TEXT = 10_000_000  # libxml2 refuses a longer text node unless told otherwise

_TAG = re.compile(rb"<(/?)[^<>]*?(/?)>")
_STYLESHEET = "{http://www.w3.org/1999/XSL/Transform}stylesheet"
_STATED = ("effectiveTime", "author/time", "legalAuthenticator/time")
_WITH_ID = etree.XPath("descendant::*[@ID]")


@dataclass(frozen=True, slots=True)
class CdaNode:
    """The element of one row."""

    element: _Element

    @property
    def place(self) -> str:
        """`observation[12]`: the element's name and its number among those of the document."""
        name = self.element.tag
        local: str = etree.QName(name).localname
        for number, found in enumerate(self.element.getroottree().iter(name), 1):
            if found is self.element:
                return f"{local}[{number}]"
        return local


# LOINC codes, and the French types of TRE_A05 that were seen; anything else may be anything.
_TYPE_CODE = re.compile(r"\d{1,7}-\d|SYNTH|REMB")


@dataclass(slots=True)
class CdaDocument:
    """One document.

    Args:
        root: `ClinicalDocument`; its clinical statements are marked (see `statements`).
        facts: its statements that stand for themselves, by name and state.
        notices: code and position of what was repaired or left.
        index: elements of the whole document by name, as far as anybody asked.
        systems: the site's code systems, by which codings are ordered.
    """

    root: _Element
    facts: Facts
    notices: list[tuple[str, str]] = field(default_factory=list)
    index: dict[str, list[_Element]] = field(default_factory=dict)
    control: str = ""
    systems: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)  # values of paths from the root
    _nodes: dict[str, list[CdaNode]] = field(default_factory=dict)
    _identified: dict[str, _Element] | None = None

    @property
    def event(self) -> str:
        """`CDA^11502-2`: the document's type code; `CDA^?` when it has not the form of one."""
        code = compile_path("/ClinicalDocument/code/@code").read(self)
        return f"CDA^{code if not code or _TYPE_CODE.fullmatch(code) else '?'}"

    @property
    def subjects(self) -> int:
        """How many patients it speaks of; more than one is for the register to refuse."""
        return len(self.root.findall(hl7("recordTarget")))

    def nodes(self, foreach: str) -> list[CdaNode]:
        """The elements that an XPath finds, in the document's order."""
        nodes = self._nodes.get(foreach)
        if nodes is None:
            found = compile_xpath(foreach).elements(self, self.root)
            nodes = self._nodes[foreach] = [CdaNode(element) for element in found]
        return nodes

    def stated(self) -> list[tuple[str, str]]:
        """The document's own time, then its author's and its signatory's."""
        found = []
        for path in _STATED:
            for element in compile_xpath(path).elements(self, self.root):
                value = element.get("value", "")
                if value and element.get("nullFlavor") is None:
                    found.append((value, path))
                    break
        return found

    def embedded(self) -> list[Embedded]:
        """None: a CDA carries no other."""
        return []

    def named(self, name: str, state: str = "") -> list[_Element]:
        """Every element of a name in the document's order; with a state, every fact."""
        if state:
            return self.facts.get((name, state), [])
        found = self.index.get(name)
        if found is None:
            found = self.index[name] = list(self.root.iter(hl7(name)))
        return found

    def identified(self, name: str) -> _Element | None:
        """The narrative element of an ID, that `reference/@value` points to."""
        if self._identified is None:
            self._identified = {found.get("ID"): found for found in _WITH_ID(self.root)}
        return self._identified.get(name)


def parse(content: bytes, charset: str = "utf-8") -> CdaDocument:
    """Reads one document; nothing of it is resolved, fetched or expanded.

    An auto-presentable document (CI-SIS: a style sheet that holds its document) is read as the
    document that it holds.

    Args:
        content: its bytes.
        charset: of a document that declares none.

    Raises:
        RecordFault: `record_too_large`, `charset_unknown`, `charset_mismatch`, `dtd_refused`,
            `invalid_xml`, `nesting_too_deep`, `not_cda`.
    """
    if len(content) > MAX_BYTES:
        raise RecordFault("record_too_large", "")
    data, notices = as_utf8(content, charset)
    if len(data) > MAX_MARKUP and data.count(b"<") + data.count(b"=") > MAX_MARKUP:
        raise RecordFault("record_too_large", "")
    root = _clinical_document(_tree(data))
    marked = mark(root)
    return CdaDocument(root, marked.facts, notices + marked.notices, marked.named)


def _tree(data: bytes) -> _Element:
    huge = len(data) > MAX_TEXT
    if (huge or not _LIBXML2_BOUNDS_DEPTH) and _depth(data) > MAX_DEPTH:
        raise RecordFault("nesting_too_deep", "")
    try:
        return etree.fromstring(data, _parser(huge))
    except (etree.LxmlError, ValueError):
        if not is_utf8(data):
            raise RecordFault("charset_mismatch", "") from None
        reason = "nesting_too_deep" if _depth(data) > MAX_DEPTH else "invalid_xml"
        raise RecordFault(reason, "") from None


def _parser(huge: bool) -> etree.XMLParser:
    """A new one each time: parsers keep the errors, and so the content, of what they read."""
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True, collect_ids=False, huge_tree=huge,
    )  # fmt: skip


def _bounds_depth() -> bool:
    """Whether this build of libxml2 refuses MAX_DEPTH + 1 levels by itself."""
    levels = MAX_DEPTH + 1
    try:
        etree.fromstring(b"<a>" * levels + b"</a>" * levels, _parser(huge=False))
    except etree.LxmlError:
        return True
    return False


_LIBXML2_BOUNDS_DEPTH = _bounds_depth()


def _depth(data: bytes) -> int:
    """How deep the tags of a document nest, without parsing it."""
    depth = deepest = 0
    for tag in _TAG.finditer(data):
        closing, empty = tag.groups()
        if closing:
            depth -= 1
        elif not empty:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _clinical_document(root: _Element) -> _Element:
    if root.tag == ROOT:
        return root
    if root.tag == _STYLESHEET:
        held = [element for child in root for element in _held(child)]
        if len(held) == 1:
            return deepcopy(held[0])
    raise RecordFault("not_cda", "")


def _held(child: _Element) -> list[_Element]:
    return [child] if child.tag == ROOT else child.findall(ROOT)
