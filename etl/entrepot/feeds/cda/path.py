"""Paths into a CDA document, compiled once.

::

    effectiveTime/@value               an attribute; '' when its element has a nullFlavor
    patient/name/family                text, white space folded
    /ClinicalDocument/code/@code       from the root, whatever the row's node
    id/join('^', @root, @extension)    one value of several children or attributes, empty ones out
    number(../@n), concat(...)         any XPath that gives a text, a number or a truth value

`telecom/@value` reads without its scheme: `0144534551`, not `tel:0144534551`. `read_all` gives one
value for each element found, '' when it lacks the attribute, so that two lists stay parallel.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree  # type: ignore[import-untyped]

from entrepot.feeds.cda.names import PREFIXES, hl7
from entrepot.feeds.cda.narrative import referenced
from entrepot.feeds.cda.xpath import Evaluate, compile_xpath

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

    from entrepot.feeds.cda.document import CdaDocument, CdaNode

_ROOT_STEP = "/ClinicalDocument"
_ATTRIBUTE = re.compile(r"(?:(?P<elements>.*)/)?@(?P<name>[A-Za-z][\w.-]*(?::[A-Za-z][\w.-]*)?)")
_JOIN = re.compile(
    r"(?:(?P<elements>.*)/)?join\(\s*'(?P<mark>[^']*)'\s*,(?P<parts>[^()]*)\)", re.DOTALL
)
_PREDICATE = re.compile(r"\[[^\[\]]*\]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?://)?", re.IGNORECASE)
_NULL = "nullFlavor"
_TELECOM, _REFERENCE = hl7("telecom"), hl7("reference")
Pick = Callable[["CdaDocument", "_Element"], str]
Values = Callable[["CdaDocument", "_Element"], Iterable[str]]
First = Callable[["CdaDocument", "_Element"], str]
Find = Callable[["CdaDocument", "_Element"], Iterable["_Element"]]


@dataclass(frozen=True, slots=True)
class CdaPath:
    """A compiled path; both readers take the document and the row's node (or None).

    Args:
        text: as written.
        from_root: it starts at the document's root, not at the row's node.
        values: every value from a context element, '' included.
        first: the first that is not empty, else ''.
    """

    text: str
    from_root: bool
    values: Values = field(compare=False, repr=False)
    first: First = field(compare=False, repr=False)

    def read(self, document: CdaDocument, node: CdaNode | None = None, /) -> str:
        """The first value that is not empty, in the document's order; '' when there is none."""
        if self.from_root:
            value = document.read.get(self.text)
            if value is None:
                value = document.read[self.text] = self.first(document, document.root)
            return value
        return self.first(document, document.root if node is None else node.element)

    def read_all(self, document: CdaDocument, node: CdaNode | None = None, /) -> list[str]:
        """One value for each element found."""
        return list(self.values(document, self._context(document, node)))

    def position(self, node: CdaNode | None = None, /) -> str:
        """Where it reads, without conditions: `observation[12]/value/@value`."""
        place, before = self.text, ""
        while place != before:
            place, before = _PREDICATE.sub("", place), place
        return place if node is None or self.from_root else f"{node.place}/{place}"

    def _context(self, document: CdaDocument, node: CdaNode | None) -> _Element:
        return document.root if node is None or self.from_root else node.element


@lru_cache(maxsize=4096)
def compile_path(text: str) -> CdaPath:
    """Compiles one path.

    Raises:
        ConfigurationError: it is no XPath.
    """
    from_root = text.startswith(_ROOT_STEP + "/")
    inner = text.removeprefix(_ROOT_STEP + "/") if from_root else text
    joined, attribute = _JOIN.fullmatch(inner), _ATTRIBUTE.fullmatch(inner)
    if joined is not None:
        found = compile_xpath(joined["elements"] or ".").elements
        joiner = _each(found, _joined(joined["mark"], joined["parts"]))
        return CdaPath(text, from_root, joiner, _first_of(joiner))
    if attribute is not None and _whole(attribute["elements"] or ""):
        found = compile_xpath(attribute["elements"] or ".").elements
        key = _qualified(attribute["name"])
        values = _each(found, attribute_pick(key))
        plain = "telecom" not in inner and key != _NULL
        first = _first_attribute(found, key) if plain else _first_of(values)
        return CdaPath(text, from_root, values, first)
    values = _evaluated(compile_xpath(inner).evaluate)
    return CdaPath(text, from_root, values, _first_of(values))


def _whole(elements: str) -> bool:
    """Whether the expression before `/@name` stands alone: no union, no function around it."""
    outside, before = elements, ""
    while outside != before:
        outside, before = re.sub(r"\[[^\[\]]*\]|\([^()]*\)", "", outside), outside
    return not re.search(r"[\[\]()|=,]", outside)


def _each(elements: Find, pick: Pick) -> Values:
    return lambda document, context: (
        pick(document, element) for element in elements(document, context)
    )


def _first_of(values: Values) -> First:
    def first(document: CdaDocument, context: _Element) -> str:
        for value in values(document, context):
            if value:
                return value
        return ""

    return first


def _first_attribute(elements: Find, key: str) -> First:
    """`_first_of` without a step between, for the form that nearly every column uses."""

    def first(document: CdaDocument, context: _Element) -> str:
        for element in elements(document, context):
            value = element.get(key)
            if value and element.get(_NULL) is None and (value := value.strip()):
                return str(value)
        return ""

    return first


def _qualified(name: str) -> str:
    prefix, colon, local = name.partition(":")
    return f"{{{PREFIXES.get(prefix, '')}}}{local}" if colon else name


def attribute_pick(key: str) -> Pick:
    """Reads an attribute of an element."""
    if key == _NULL:
        return lambda document, element: str(element.get(key) or "")

    def pick(document: CdaDocument, element: _Element) -> str:
        value = element.get(key)
        if not value or element.get("nullFlavor") is not None:
            return ""
        if element.tag == _TELECOM:
            value = _SCHEME.sub("", value, count=1)
        return str(value).strip()

    return pick


def text_pick(document: CdaDocument, element: _Element) -> str:
    """An element's text, or the narrative that it refers to, with white space folded."""
    if element.get("nullFlavor") is not None:
        return ""
    own = " ".join("".join(element.itertext()).split())
    if own or element.find(_REFERENCE) is None:
        return own
    return " ".join(referenced(document, element).split())


def _joined(mark: str, parts: str) -> Pick:
    readers = [compile_path(part.strip()).values for part in parts.split(",")]

    def pick(document: CdaDocument, element: _Element) -> str:
        found = (value for values in readers for value in values(document, element))
        return mark.join(value for value in found if value)

    return pick


def _evaluated(evaluate: Evaluate) -> Values:
    def values(document: CdaDocument, context: _Element) -> Iterable[str]:
        found = evaluate(document, context)
        if isinstance(found, list):
            return (
                text_pick(document, one) if etree.iselement(one) else str(one).strip()
                for one in found
            )
        return _scalar(found)

    return values


def _scalar(found: Any) -> list[str]:
    if isinstance(found, bool):
        return ["true" if found else "false"]
    if isinstance(found, float):
        return [] if math.isnan(found) else [f"{found:g}"]
    return [str(found).strip()]
