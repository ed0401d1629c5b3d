"""Attachments of messages: decoded in memory, never stored; a CDA is told from the rest."""

from __future__ import annotations

import base64
import binascii

from entrepot.errors import RecordFault
from entrepot.feeds.document import Attachment

_CDA_ROOT = b"ClinicalDocument"
_HEAD = 8192


def decoded(attachment: Attachment, position: str) -> bytes:
    """The attachment's bytes.

    Raises:
        RecordFault: `attachment_unreadable`.
    """
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


def is_cda(attachment: Attachment, content: bytes) -> bool:
    """In the French transmissions an XML attachment is a CDA, whatever its bytes begin with."""
    head = content[:_HEAD]
    return (
        attachment.subtype.upper() == "XML"
        or _CDA_ROOT in head
        or _CDA_ROOT.decode().encode("utf-16-le") in head
        or _CDA_ROOT.decode().encode("utf-16-be") in head
    )


def is_pdf(attachment: Attachment | None) -> bool:
    """Whether its sender calls it a PDF."""
    return attachment is not None and "pdf" in attachment.subtype.lower()
