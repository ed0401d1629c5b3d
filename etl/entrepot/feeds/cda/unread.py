"""Elements of a document whose name no mapping of its event reads: names alone, never content."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree  # type: ignore[import-untyped]

from entrepot.feeds.cda.document import CdaDocument
from entrepot.feeds.cda.names import HL7, INDEXED, PREFIXES, STATEMENTS
from entrepot.feeds.mapping import Mapping, paths_of

_WORD = re.compile(r"[A-Za-z][\w.-]*")
_NAME = re.compile(r"[a-z][A-Za-z0-9]{0,40}")
OTHER = "?"
# What readers and the context of statements read of any document (see `statements`, `values`).
_NAMES = """
ClinicalDocument br caption center code component componentOf consumable content
denominator effectiveTime encompassingEncounter entry entryRelationship high id
interpretationCode item legalAuthenticator list low manufacturedMaterial
manufacturedProduct numerator observationRange originalText paragraph participant
participantRole playingDevice recordTarget reference referenceRange relatedSubject section
statusCode structuredBody sub subject sup table tbody td telecom templateId text tfoot th
thead time title tr translation value
"""
_ALWAYS = frozenset(_NAMES.split()) | {*INDEXED.values(), *STATEMENTS.values()}
_PREFIX = {namespace: prefix for prefix, namespace in PREFIXES.items() if prefix != "e"}


class UnreadElements:
    """What the mappings leave of a document; one per process, its answers kept by event."""

    def __init__(self) -> None:
        self._read: dict[str, frozenset[str]] = {}

    def of(self, document: CdaDocument, mappings: Iterable[Mapping]) -> set[str]:
        """`custodian` for each element name that is not read."""
        event = document.event
        read = self._read.get(event)
        if read is None:
            words = (_WORD.findall(path) for mapping in mappings for path in paths_of(mapping))
            read = self._read[event] = _ALWAYS.union(*words)
        tags = {element.tag for element in document.root.iter(etree.Element)}
        return {_told(tag) for tag in tags if etree.QName(tag).localname not in read}


def _told(tag: str) -> str:
    name = etree.QName(tag)
    prefix = _PREFIX.get(name.namespace or "", "")
    if not prefix or not _NAME.fullmatch(name.localname):
        return OTHER
    return name.localname if name.namespace == HL7 else f"{prefix}:{name.localname}"
