"""Section 6: the text engine measured on texts whose identifiers are known (`quality/deid`).

Measures are those of the literature: of the words that identify somebody, how many were found
(recall), of the words found, how many identify somebody (precision), and in how many documents
nothing was left. A measure is kept with the versions that it is of, so that a trend can be drawn
and an unchanged engine is not measured again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from entrepot.errors import ConfigurationError
from entrepot.report.dpo.intervals import Share, exact, wilson
from entrepot.resources import data_files
from entrepot.text import NOBODY, Identity, Scrubber
from entrepot.text.known_record import identity_of
from entrepot.text.spans import LABELS

FOLDER = "quality/deid"
SHARES = ("recall", "precision", "full", "leaked", "over_masked")  # of a Measure
# What finds a person at once; a date, a town or a hospital needs more.
DIRECT = frozenset(("NOM", "PRENOM", "SECU", "IPP", "NDA", "TEL", "MAIL", "ADRESSE", "AUTRE_ID"))
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Text:
    """One text of the set: `spans` are (start, end, label)."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    identity: Identity


@dataclass(frozen=True)
class Measure:
    """What was found in the set, as shares in per mille with their bounds.

    Args:
        texts: whole set; of some, the patient is known.
        recall, precision: of words; `full`: of texts with identifiers, nothing left.
        leaked: of direct identifiers, some part left.
        over_masked: of the other words, hidden.
        labels: recall by label.
    """

    texts: int
    known: int
    recall: Share
    precision: Share
    full: Share
    leaked: Share
    over_masked: Share
    labels: dict[str, Share]


def read_set(overlays: tuple[Path, ...]) -> list[Text]:
    """Every text of every file of the set.

    Raises:
        ConfigurationError: a line that is none, by its number.
    """
    return [text for path in _files(overlays) for text in _texts(path)]


def fingerprint(overlays: tuple[Path, ...]) -> str:
    """SHA-256 of the set's files."""
    found = hashlib.sha256()
    for path in _files(overlays):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def measure(texts: Iterable[Text], scrubber: Scrubber, *, identities: bool) -> Measure:
    """The engine on the set.

    Args:
        identities: whether it is told what is known of the patients.
    """
    counts: Counter[str] = Counter()
    labels: dict[str, Counter[str]] = {}
    for one in texts:
        spans = scrubber.find(one.text, one.identity if identities else NOBODY)
        _add(one, [(span.start, span.end) for span in spans], counts, labels)
    return Measure(
        counts["texts"],
        counts["known"],
        wilson(counts["both"], counts["gold"]),
        wilson(counts["both"], counts["found"]),
        exact(counts["full"], counts["with"]),
        wilson(counts["leaked"], counts["direct"]),
        wilson(counts["found"] - counts["both"], counts["words"] - counts["gold"]),
        {label: wilson(found["covered"], found["gold"]) for label, found in sorted(labels.items())},
    )


def as_json(found: Measure) -> dict[str, Any]:
    """What `from_json` reads."""
    return asdict(found)


def from_json(stated: dict[str, Any]) -> Measure:
    """A kept measure.

    Raises:
        TypeError, KeyError: it is of another version.
    """
    shares = {name: Share(**stated[name]) for name in SHARES}
    labels = {label: Share(**share) for label, share in stated["labels"].items()}
    return Measure(stated["texts"], stated["known"], **shares, labels=labels)


def _files(overlays: tuple[Path, ...]) -> list[Path]:
    return data_files(FOLDER, "*.jsonl", overlays)


def _texts(path: Path) -> list[Text]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            stated = json.loads(line)
            spans = tuple((one["start"], one["end"], one["label"]) for one in stated["spans"])
            good = all(0 <= start < end and label in LABELS for start, end, label in spans)
            identity = identity_of(stated["record"])[0] if stated.get("record") else NOBODY
            found.append(Text(stated["text"], spans, identity))
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise ConfigurationError(
                "not a text with its spans", where=f"{path}:{number}",
                remedy='{"id": …, "text": …, "spans": [{"start": …, "end": …, "label": …}]}',
            )  # fmt: skip
    return found


def _add(
    one: Text, found: list[tuple[int, int]], counts: Counter[str], labels: dict[str, Counter[str]]
) -> None:
    words = [match.span() for match in _WORD.finditer(one.text)]
    hidden = _touched(words, found)
    gold = _touched(words, [span[:2] for span in one.spans])
    counts.update(texts=1, known=one.identity != NOBODY, words=len(words), gold=len(gold))
    counts.update(found=len(hidden), both=len(hidden & gold))
    if gold:
        counts.update({"with": 1, "full": gold <= hidden})
    for start, end, label in one.spans:
        inside = _touched(words, [(start, end)])
        told = labels.setdefault(label, Counter())
        told.update(gold=len(inside), covered=len(inside & hidden))
        if label in DIRECT:
            counts.update(direct=1, leaked=not inside <= hidden)


def _touched(words: list[tuple[int, int]], spans: list[tuple[int, int]]) -> set[int]:
    return {
        number
        for number, (start, end) in enumerate(words)
        if any(start < last and end > first for first, last in spans)
    }
