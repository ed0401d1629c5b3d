"""Layer 8: writes the scrubbed text in one pass over the spans.

Presidio's AnonymizerEngine is not used here: it works from the last span to the first, gives its
operators neither position nor order, and merges neighbours of one type, so that tags numbered by
first appearance and the places of the kept dates in the output would need a second pass anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from entrepot.text.dates import FoundDate, find_dates
from entrepot.text.document import TAG
from entrepot.text.folding import fold, letters
from entrepot.text.identity import Identity
from entrepot.text.spans import Span


@dataclass(frozen=True)
class Scrubbed:
    """A text without identifiers.

    Args:
        text: the output; identifiers are `[NOM_1]`-style tags, birth dates a year (`[1979]`).
        date_spans: (start, end) in `text` of each true date that was kept.
        entities: `LABEL:layer` -> how many were masked.
    """

    text: str
    date_spans: list[tuple[int, int]] = field(default_factory=list)
    entities: dict[str, int] = field(default_factory=dict)


def replace(text: str, spans: Iterable[Span], identity: Identity) -> Scrubbed:
    """Writes `text` with each span replaced; `spans` are sorted and do not overlap.

    The same folded value bears the same number within one label and one document; numbers follow
    those of tags that the text already held.
    """
    numbers, values = _numbers_in(text), dict[tuple[str, str], str]()
    pieces: list[str] = []
    dates: list[tuple[int, int]] = []
    entities: Counter[str] = Counter()
    done = length = 0
    for span in spans:
        pieces.append(text[done : span.start])
        length += span.start - done
        written = text[span.start : span.end]
        done = span.end
        if span.label == "DATE":
            dates.append((length, length + len(written)))
        else:
            entities[f"{span.label}:{span.layer}"] += 1
            written = _tag(span.label, written, identity, numbers, values)
        pieces.append(written)
        length += len(written)
    pieces.append(text[done:])
    return Scrubbed("".join(pieces), dates, dict(sorted(entities.items())))


def _tag(
    label: str,
    written: str,
    identity: Identity,
    numbers: Counter[str],
    values: dict[tuple[str, str], str],
) -> str:
    if label == "DATE_NAISSANCE":
        year = birth_year(written, identity)
        if year is not None:
            return f"[{year}]"
    key = (label, letters(written))
    if key not in values:
        numbers[label] += 1
        values[key] = f"[{label}_{numbers[label]}]"
    return values[key]


def birth_year(written: str, identity: Identity) -> int | None:
    """The year of a birth date as written, or of the known birth date that it may stand for.

    None when the year is not certain: two digits of an unknown person say no century.
    """
    found = _first_date(written)
    if found is not None and found.year is not None and found.year > 99:
        return found.year
    digits = "".join(filter(str.isdigit, written))
    for birth in identity.birth_dates:
        compact = (f"{birth:%d%m%Y}", f"{birth:%Y%m%d}", f"{birth:%d%m%y}", f"{birth:%y%m%d}")
        if (found is not None and found.is_on(birth)) or digits in compact:
            return birth.year
    return None


@lru_cache(maxsize=1024)
def _first_date(written: str) -> FoundDate | None:
    """A birth date is written the same way all over a person's letters."""
    return next(iter(find_dates(fold(written))), None)


def _numbers_in(text: str) -> Counter[str]:
    """The highest number of each label among the tags that the text already holds."""
    numbers: Counter[str] = Counter()
    if "[" in text:
        for match in TAG.finditer(text):
            if match["label"]:
                numbers[match["label"]] = max(numbers[match["label"]], int(match["number"]))
    return numbers
