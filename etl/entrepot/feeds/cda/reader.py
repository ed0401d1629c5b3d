"""CDA as the road reads every format: parsing, paths, typed readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.errors import ConfigurationError
from entrepot.feeds.cda.codes import codings, label
from entrepot.feeds.cda.document import CdaDocument, CdaNode, parse
from entrepot.feeds.cda.names import hl7
from entrepot.feeds.cda.narrative import narrative
from entrepot.feeds.cda.path import CdaPath, compile_path
from entrepot.feeds.cda.statements import PRESCRIBED, REALISED, statement_of
from entrepot.feeds.cda.unread import UnreadElements
from entrepot.feeds.cda.values import limits, value
from entrepot.feeds.cda.xpath import compile_xpath
from entrepot.feeds.document import Attachment, Result
from entrepot.feeds.facts import code_systems
from entrepot.feeds.mapping import Mapping
from entrepot.staging.kinds import KINDS

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

Elements = Callable[["_Element"], Iterable["_Element"]]
_VALUE, _REFERENCE = hl7("value"), hl7("reference")


class CdaReader:
    """Paths are compiled one by one: a document needs no knowledge of the mappings.

    Args:
        overlays: the site's folders, for its code systems.
    """

    def __init__(self, mappings: Iterable[Mapping], overlays: Iterable[Path] = ()) -> None:
        self._systems = code_systems(overlays)
        staged = [m for m in mappings if m.kind in KINDS and m.foreach is not None]
        self._rows = [(m.events, str(m.foreach)) for m in staged]
        for _, foreach in self._rows:
            compile_xpath(foreach)
        self._names = UnreadElements()

    def parse(self, content: bytes, charset: str) -> CdaDocument:
        """See `document.parse`; a fact on which no mapping stands is noticed."""
        document = parse(content, charset)
        document.systems = self._systems
        document.notices += self._unread(document)
        return document

    def unread(
        self, document: CdaDocument, content: bytes, mappings: Iterable[Mapping]
    ) -> set[str]:
        """See `unread.UnreadElements`."""
        return self._names.of(document, mappings)

    def _unread(self, document: CdaDocument) -> list[tuple[str, str]]:
        read = {
            statement_of(node.element)
            for events, foreach in self._rows
            if any(fnmatchcase(document.event, pattern) for pattern in events)
            for node in document.nodes(foreach)
        }
        return [
            ("entry_not_read", CdaNode(element).place)
            for (_, state), elements in document.facts.items()
            if state in {REALISED, PRESCRIBED}
            for element in elements
            if element not in read
        ]

    def path(self, text: str, mapping: Mapping | None) -> CdaPath:
        """`patient/name/family`, `code/@code`; see `path`."""
        return compile_path(text)

    def reader(
        self, name: str, path: str, mapping: Mapping
    ) -> Callable[[CdaDocument, CdaNode | None], Result]:
        """`coded`, `value`, `range`, `attachment` or `narrative` at an element.

        Raises:
            ConfigurationError: no such reader, or the path is none.
        """
        function = _READERS.get(name)
        if function is None:
            raise ConfigurationError(
                f"no CDA reader {name}; one of {', '.join(sorted(_READERS))}",
                where=mapping.mapping,
            )
        compiled = compile_path(path)
        find = compile_xpath(path.removeprefix("/ClinicalDocument/") or ".").elements

        def read(document: CdaDocument, node: CdaNode | None) -> Result:
            inside = node is not None and not compiled.from_root
            context = node.element if inside and node is not None else document.root
            return function(document, list(find(document, context)))

        return read


def coded(document: CdaDocument, found: list[_Element]) -> Result:
    """The two best codings of the first element that says something; without a code its label.

    A label is text, which the door must scrub; beside a code nothing reads it.
    """
    for element in found:
        best = codings(element, document.systems)
        if best:
            values = {"code": best[0].code, "system": best[0].system}
            if len(best) > 1:
                values |= {"alt_code": best[1].code, "alt_system": best[1].system}
            return values, None, []
        text = label(document, element)
        if text:
            return {"label": text}, None, []
    return {}, None, []


def typed_value(document: CdaDocument, found: list[_Element]) -> Result:
    """The value by its type; several stay together as text, and a notice."""
    if len(found) <= 1:
        columns, notices = value(document, found[0]) if found else ({}, [])
        return columns, None, notices
    texts = [value(document, element)[0].get("value_text", "") for element in found]
    return {"value_text": "; ".join(filter(None, texts))}, None, ["value_repeated"]


def reference_range(document: CdaDocument, found: list[_Element]) -> Result:
    """Low and high limit of an observation, in the unit of its value."""
    for element in found:
        held = element.find(_VALUE)
        columns = limits(element, "" if held is None else held.get("unit", ""))
        if columns:
            return columns, None, []
    return {}, None, []


def attachment(document: CdaDocument, found: list[_Element]) -> Result:
    """An ED with its media type; what is only referred to is not fetched."""
    for element in found:
        data = (element.text or "").strip()
        media = element.get("mediaType", "text/plain")
        if not data:
            outside = element.find(_REFERENCE) is not None
            return {}, None, ["attachment_elsewhere"] if outside else []
        if element.get("compression"):
            media = "application/compressed"
        encoding = "Base64" if element.get("representation") == "B64" else "A"
        return {}, Attachment(media, encoding, data), []
    return {}, None, []


def sections(document: CdaDocument, found: list[_Element]) -> Result:
    """The narrative of every section of the body, as plain text."""
    text = narrative(document.named("section")) if found else ""
    return {"text": text}, None, []


_READERS: dict[str, Callable[[CdaDocument, list[_Element]], Result]] = {
    "coded": coded,
    "value": typed_value,
    "range": reference_range,
    "attachment": attachment,
    "narrative": sections,
}
