"""De-identification of French clinical text: the engine, the independent leak scan, attachments."""

from entrepot.text.attachments import text_of
from entrepot.text.engine import LETTER, Scrubber
from entrepot.text.identity import NOBODY, Identity, merge
from entrepot.text.leak_scan import Leak, cell_leaks, joined_leaks, leaks
from entrepot.text.replacement import Scrubbed
from entrepot.text.spans import LABELS, Span
from entrepot.text.versions import lists_version

__all__ = [
    "LABELS",
    "LETTER",
    "NOBODY",
    "Identity",
    "Leak",
    "Scrubbed",
    "Scrubber",
    "Span",
    "cell_leaks",
    "joined_leaks",
    "leaks",
    "lists_version",
    "merge",
    "text_of",
]
