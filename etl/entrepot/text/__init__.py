"""De-identification of French clinical text: the engine, the independent leak scan, attachments."""

from entrepot.text.attachments import text_of
from entrepot.text.engine import Scrubber
from entrepot.text.identity import NOBODY, Identity, merge
from entrepot.text.leak_scan import Leak, cell_leaks, joined_leaks, leaks
from entrepot.text.replacement import Scrubbed
from entrepot.text.spans import LABELS, Span

__all__ = [
    "LABELS",
    "NOBODY",
    "Identity",
    "Leak",
    "Scrubbed",
    "Scrubber",
    "Span",
    "cell_leaks",
    "joined_leaks",
    "leaks",
    "merge",
    "text_of",
]
