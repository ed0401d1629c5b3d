"""Text of a PDF that has a text layer; a scan has none and is refused.

A PDF places glyphs, not words: what reads as one name may come out in pieces. The caller has to
look for names over the gaps too (`leak_scan.joined_leaks`).
"""

from __future__ import annotations

import io
import logging

from entrepot.errors import RecordFault

MAX_PAGES = 2000
MIN_LETTERS = 20  # an image with a page number or a stamp has no text layer to speak of
_REASON = "attachment_unreadable"


def pdf_text(data: bytes, charset: str = "") -> str:
    """The pages' text, a page after the other.

    Raises:
        RecordFault: `attachment_unreadable`: encrypted, damaged, too many pages, no text layer.
    """
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # its warnings quote the file
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted or len(reader.pages) > MAX_PAGES:
            raise RecordFault(_REASON, "pdf")
        pages = [page.extract_text() for page in reader.pages]
    except RecordFault:
        raise
    except Exception:  # a damaged file raises anything from KeyError to RecursionError
        raise RecordFault(_REASON, "pdf") from None
    text = "\n".join(pages)
    if sum(c.isalpha() for c in text) < MIN_LETTERS:
        raise RecordFault(_REASON, "no text layer")
    return text
