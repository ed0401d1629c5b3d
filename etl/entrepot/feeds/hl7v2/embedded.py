"""CDA documents inside HL7 v2 messages (CI-SIS, volet transmission d'un document CDA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.errors import RecordFault
from entrepot.feeds.document import Attachment, Embedded
from entrepot.feeds.encapsulated import decoded, is_cda

if TYPE_CHECKING:
    from entrepot.feeds.hl7v2.message import Message

_WITHDRAWN = {"D", "W", "X"}  # OBX-11: deleted, posted wrong, cannot be obtained
_CANCELLED = {"CA", "OC"}  # ORC-1 of a suppressed report


def embedded_documents(message: Message) -> list[Embedded]:
    """Every CDA in an OBX-5 of type ED, in the message's order."""
    found = []
    for segment in message.named("OBX"):
        if segment.component(2) != "ED":
            continue
        kind, subtype, encoding, data = (segment.component(5, 1, n) for n in (2, 3, 4, 5))
        if not data.strip():
            continue
        attachment = Attachment(subtype or kind, encoding, data)
        try:
            content = decoded(attachment, segment.position(5))
        except RecordFault:
            if subtype.upper() == "XML":
                raise
            continue  # no document: if a mapping reads it, it says what is wrong
        if is_cda(attachment, content):
            order = message.related("ORC", segment)
            cancelled = order is not None and order.component(1) in _CANCELLED
            withdrawn = cancelled or segment.component(11) in _WITHDRAWN
            found.append(Embedded(content, segment.position(5), withdrawn))
    return found
