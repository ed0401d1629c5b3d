"""Attachments of messages: turned into text in memory; a CDA has a reader of its own."""

from __future__ import annotations

from entrepot.errors import RecordFault
from entrepot.feeds.document import Attachment
from entrepot.feeds.encapsulated import decoded, is_cda
from entrepot.text.attachments import text_of


def attached_text(attachment: Attachment, position: str) -> str | None:
    """The attachment's text; None for a CDA, whose own rows say what it holds.

    Raises:
        RecordFault: `attachment_unreadable` (encoding, type, no text layer).
    """
    content = decoded(attachment, position)
    if is_cda(attachment, content):
        return None
    try:
        return text_of(content, attachment.subtype)
    except RecordFault as fault:
        raise RecordFault(fault.reason, position) from None
