"""Attachments of HL7 messages (type ED): decoded in memory, turned into text, never stored."""

from __future__ import annotations

import base64
import binascii

from entrepot.errors import RecordFault
from entrepot.feeds.readers import Attachment
from entrepot.text.attachments import text_of

_CDA_ROOT = b"ClinicalDocument"
_HEAD = 4096


def attached_text(attachment: Attachment, position: str) -> str:
    """The attachment's text.

    Raises:
        RecordFault: `attachment_unreadable` (encoding, type, no text layer) or `cda_not_yet`.
    """
    content = _decoded(attachment, position)
    # In the French transmissions an XML attachment is a CDA, whatever its bytes begin with.
    if attachment.subtype.upper() == "XML" or _CDA_ROOT in content[:_HEAD]:
        raise RecordFault("cda_not_yet", position)
    try:
        return text_of(content, attachment.subtype)
    except RecordFault as fault:
        raise RecordFault(fault.reason, position) from None


def _decoded(attachment: Attachment, position: str) -> bytes:
    encoding = attachment.encoding.lower()
    try:
        if encoding == "base64":
            return base64.b64decode("".join(attachment.data.split()), validate=True)
        if encoding == "hex":
            return bytes.fromhex(attachment.data)
    except (binascii.Error, ValueError):
        raise RecordFault("attachment_unreadable", position) from None
    if encoding in {"a", ""}:
        return attachment.data.encode()
    raise RecordFault("attachment_unreadable", position)
