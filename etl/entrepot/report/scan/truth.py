"""The synthetic hospital's list of identifiers, split into distinctive and ambiguous ones.

Which identifiers are ambiguous is computed from the truth alone: a value is when it has at most
three letters or fewer than six digits, when it also stands as a word in what the truth says
besides identities (codes, values, letters outside the identifiers in them), when it is a day on
which the truth states a clinical fact, or the first of a month, as a generalised birth is written.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from entrepot.errors import ConfigurationError
from entrepot.report.scan.needles import (
    Needles,
    Phrase,
    compact_date_of,
    date_of,
    date_phrases,
    is_number,
    number_forms,
    phrases,
)
from entrepot.report.scan.text import SEPARATOR, fold, tokens

IDENTIFIERS, PERSONS, STATEMENTS = "identifiers.jsonl", "persons.jsonl", "statements.jsonl"
FAMILY, GIVEN, FULL = "NOM", "PRENOM", "NOM_COMPLET"
DATES = "DATE"  # labels of dates begin so
BATCH = 1 << 20  # characters
SHORT = 3  # letters


# The decoded text of an element as the truth put it, None when it is no free text.
SourceText = Callable[[str, str], str | None]


class Place(NamedTuple):
    """Where the truth put an identifier: message, element, and the span within a free text."""

    message: str
    position: str
    start: int | None
    end: int | None


@dataclass
class Entry:
    """One identifier, under all the records of the truth that state it.

    Args:
        value: as written first.
        label: NOM, IPP… of the first record.
        line: that record's line in identifiers.jsonl; 0 for a full name, put together from two.
    """

    value: str
    label: str
    line: int
    places: list[Place] = field(default_factory=list)
    ambiguous: bool = False
    inside: bool = True
    words: frozenset[Phrase] = frozenset()
    numbers: frozenset[str] = frozenset()

    @property
    def day(self) -> dt.date | None:
        """The day that it writes; eight digits are one only under the label of a date."""
        compact = compact_date_of(self.value) if self.label.startswith(DATES) else None
        return compact or date_of(self.value)

    def read_forms(self) -> None:
        """Fills `words` and `numbers`: a day, a number, or a sequence of words."""
        day = self.day
        if day is not None:
            self.words = frozenset(date_phrases(day))
        elif is_number(self.value):
            self.numbers = frozenset(number_forms(self.value))
        else:
            self.words = frozenset(phrases(self.value))

    def add_to(self, needles: Needles, number: int) -> None:
        """Adds its forms to an index."""
        needles.add_phrases(number, self.words, self.inside)
        needles.add_numbers(number, self.numbers)


@dataclass(frozen=True)
class Inventory:
    """Every identifier of the truth; the index holds the distinctive ones by their rank."""

    entries: tuple[Entry, ...]
    needles: Needles

    @property
    def ambiguous(self) -> list[Entry]:
        """Identifiers that are also something else."""
        return [entry for entry in self.entries if entry.ambiguous]


def read_inventory(
    truth: Path, public: Iterable[str] = (), source_text: SourceText | None = None
) -> Inventory:
    """Reads the truth's folder.

    Args:
        public: texts that no patient's data made (a shipped vocabulary): their words are words.
        source_text: gives the free texts, whose other words are words too.

    Raises:
        ConfigurationError: there is no identifier to search, so that a scan would prove nothing.
    """
    entries = list(_entries(truth))
    if not entries:
        remedy = "entrepot synthesise --out DIR"
        raise ConfigurationError("the truth lists no identifier", where=str(truth), remedy=remedy)
    everything = Needles()
    for number, entry in enumerate(entries):
        entry.ambiguous = _short(entry)
        entry.add_to(everything, number)
    letters = letter_texts(entries, source_text) if source_text is not None else ()
    for text in _batches(chain(stated_texts(truth), letters, public)):
        folded = fold(text)
        for number in everything.find(folded):
            entries[number].ambiguous |= not entries[number].numbers
        for number in everything.find_glued([folded])[0]:
            entries[number].inside = False
    needles = Needles()
    for number, entry in enumerate(entries):
        if not entry.ambiguous:
            entry.add_to(needles, number)
    return Inventory(tuple(entries), needles)


def _batches(texts: Iterable[str]) -> Iterator[str]:
    """Texts joined to some size: each search has a fixed cost."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= BATCH:
            yield SEPARATOR.join(batch)
            batch, size = [], 0
    yield SEPARATOR.join(batch)


def _short(entry: Entry) -> bool:
    day = entry.day
    if day is not None:
        return day.day == 1
    parts = tokens(fold(entry.value))
    if [len(part) for part in parts] == [2, 2, 2] and "".join(parts).isdigit():
        return True  # a day with its year in two digits is also a time of day: 07/01/08
    words = "".join(parts)
    return not entry.numbers and (len(words) <= SHORT or words.isdigit())


def _entries(truth: Path) -> Iterator[Entry]:
    """One entry per distinct value, then one per full name of a patient or relative."""
    found: dict[tuple[str, ...], Entry] = {}
    names: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for line, record in enumerate(_records(truth / IDENTIFIERS), 1):
        key = tuple(tokens(fold(record["value"])))
        if not key:
            continue
        entry = found.setdefault(key, Entry(record["value"], record["label"], line))
        entry.places += map(_place, record["places"])
        if record["label"] in {FAMILY, GIVEN} and max(map(len, key)) > 1:  # initials name nobody
            who = (record.get("patient") or "", record.get("of") or "", record["label"])
            names[who][" ".join(key)] = record["value"]
    for (patient, of, label), families in sorted(names.items()):
        for given in names.get((patient, of, GIVEN), {}) if label == FAMILY else ():
            for family in families:
                pair = tuple(f"{given} {family}".split())
                found.setdefault(pair, Entry(f"{given} {family}", FULL, 0))
                found.setdefault(pair[::-1], Entry(f"{family} {given}", FULL, 0))
    for entry in found.values():
        entry.read_forms()
        yield entry


def _place(place: dict[str, Any]) -> Place:
    return Place(place["message"], place["position"], place.get("start"), place.get("end"))


def stated_texts(truth: Path) -> Iterator[str]:
    """What the truth states besides identities: codes, labels, values and times.

    A string that is, whole, an identifier of its own patient is that identifier, not a fact.
    """
    own = {(r.get("patient"), fold(r["value"])) for r in _records(truth / IDENTIFIERS)}
    for record in _records(truth / STATEMENTS):
        patient = record.get("patient")
        facts = [text for text in _strings(record) if (patient, fold(text)) not in own]
        yield SEPARATOR.join(facts)


def letter_texts(entries: Iterable[Entry], source_text: SourceText) -> Iterator[str]:
    """The free texts in which the truth put identifiers, without them."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for entry in entries:
        for place in entry.places:
            if place.start is not None and place.end is not None:
                spans[place.message, place.position].append((place.start, place.end))
    for (message, position), named in sorted(spans.items()):
        text = source_text(message, position) or ""
        for start, end in named:
            text = text[:start] + SEPARATOR * (end - start) + text[end:]
        yield text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except FileNotFoundError:
        raise ConfigurationError("the truth lacks a file", where=str(path)) from None
