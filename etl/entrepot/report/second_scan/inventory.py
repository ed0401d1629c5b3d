"""What is searched: the truth's identifiers in every form, and what sets names apart from words.

An identifier is *ambiguous* when it has at most three letters or under six digits, when the truth's
own texts and statements say it as a word too, or when it is a day of care, or the first of a month
(a generalised birth). Ambiguous ones are searched only as the truth put them: beside the words that
stood beside them there (`Mme Rose`, `Petit, née`), and where those words named nobody.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from entrepot.errors import ConfigurationError
from entrepot.report.second_scan.forms import Kind, byte_forms, joined_forms, kind_of
from entrepot.report.second_scan.lexicon import care_days, lines, spoken_texts, words_of
from entrepot.report.second_scan.spelling import TAG, WALL, Squeezed, plain, sound, squeezed

SHORT_NAME, SHORT_NUMBER = 3, 6
SOUNDING = 5  # letters of a name whose sound is searched
RAW_NAME, RAW_NUMBER = 6, 8  # shorter ones occur in compressed bytes by chance
TITLES = frozenset({
    "m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle",
    "dr", "docteur", "pr", "professeur", "me", "maitre",
})  # fmt: skip


class Needle(NamedTuple):
    """One identifier: what it is, and the line of identifiers.jsonl that states it.

    `cuts` are the offsets at which the truth's own spelling parts its squeezed form.
    """

    kind: Kind
    label: str
    line: int
    cuts: frozenset[int] = frozenset()


class Hit(NamedTuple):
    """An identifier in a text or in bytes, and in which way it is written there."""

    needle: Needle
    way: str


_END = re.compile(r"[.\n;!?]")
Names = dict[tuple[str, str, str], set[tuple[str, ...]]]  # patient, of, label -> names in words
_FIRST_OF_MONTH = re.compile(r"(?:18|19|20)\d{4}01")
Bytes = dict[bytes, tuple[Needle, str]]  # bytes of a file -> identifier, and how it is written


@dataclass
class Inventory:
    """Every identifier, ready to be searched.

    Attributes:
        joined: squeezed forms of the distinctive ones. ambiguous: of the others.
        sounds: phonetic key -> names. gapped: names whose accents are lost as `?`.
        given: given names, squeezed. words: what names nobody.
        before, after: (neighbour, ambiguous name) and the reverse, as the truth names somebody.
    """

    joined: dict[str, Needle] = field(default_factory=dict)
    ambiguous: dict[str, Needle] = field(default_factory=dict)
    sounds: dict[str, dict[str, Needle]] = field(default_factory=lambda: defaultdict(dict))
    gapped: dict[str, Needle] = field(default_factory=dict)
    bytes: Bytes = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    words: frozenset[str] = frozenset()
    before: set[tuple[str, str]] = field(default_factory=set)
    after: set[tuple[str, str]] = field(default_factory=set)
    identifiers: int = 0

    @classmethod
    def read(cls, truth: Path, public: Iterable[str] = ()) -> Inventory:
        """Reads a truth.

        Args:
            public: texts that no patient's data made; their words are words.

        Raises:
            ConfigurationError: it lacks a file, or has no identifier.
        """
        spoken = list(spoken_texts(truth))
        new, days = cls(), care_days(truth)
        new.words = words_of([*spoken, *(Squeezed.of(plain(text)) for text in public)])
        names: Names = defaultdict(set)
        for number, record in enumerate(lines(truth / "identifiers.jsonl"), 1):
            new._add(record, number, days)
            if record["label"] in ("NOM", "PRENOM"):
                who = (record["patient"] or "", record["of"], record["label"])
                names[who].add(_parts(record["value"]))
        if not new.identifiers:
            raise ConfigurationError("the truth lists no identifier", where=str(truth))
        new._add_pairs(names)
        new._add_neighbours(truth, spoken)
        return new

    def _add(self, record: dict[str, Any], line: int, days: frozenset[str]) -> None:
        value, label = record["value"], record["label"]
        kind = kind_of(label)
        needle = Needle(kind, label, line, _cuts(_parts(value)))
        forms = joined_forms(kind, value)
        if not forms:
            return
        self.identifiers += 1
        known = self._is_ambiguous(kind, forms, days)
        for form in forms:
            _put(self.ambiguous if known else self.joined, form, needle)
        if kind is Kind.NAME:
            self._add_name(value, needle, known)
        long = len(squeezed(value)) >= (RAW_NAME if kind is Kind.NAME else RAW_NUMBER)
        if long and not known and kind is not Kind.DATE and label != "AUTRE_ID":
            for how, written in byte_forms(kind, value):
                self.bytes.setdefault(written, (needle, how))

    def _is_ambiguous(self, kind: Kind, forms: set[str], days: frozenset[str]) -> bool:
        if kind is Kind.DATE:
            return bool(forms & days) or any(_FIRST_OF_MONTH.fullmatch(form) for form in forms)
        form = min(forms, key=len)
        if form.isdigit():
            return len(form) < SHORT_NUMBER
        return len(form) <= SHORT_NAME or form in self.words

    def _add_name(self, value: str, needle: Needle, known: bool) -> None:
        """A name's sound, and its letters when the accents are lost."""
        parts = _parts(value)
        if needle.label.startswith("PRENOM"):
            self.given.add("".join(parts))
        for word in () if known else parts:
            if len(word) >= SOUNDING and word not in self.words:
                self.sounds[sound(word)].setdefault(word, needle)
        gaps = "".join(c if c.isascii() else "?" for c in value).lower()
        if "?" in gaps and len(gaps) > SHORT_NAME:
            self.gapped.setdefault(gaps, needle)

    def _add_pairs(self, names: Names) -> None:
        """Given name and name of one person in both orders, though each may be a word."""
        for (patient, of, label), families in names.items():
            givens = names.get((patient, of, "PRENOM"), set()) if label == "NOM" else set()
            for given in givens:
                for family in families:
                    for pair in (given + family, family + given):
                        form = "".join(pair)
                        if max(map(len, given)) > 1 and len(form) > SHORT_NUMBER:
                            needle = Needle(Kind.NAME, "NOM_COMPLET", 0, _cuts(pair))
                            _put(self.joined, form, needle)

    def _add_neighbours(self, truth: Path, spoken: list[Squeezed]) -> None:
        """What stands beside an ambiguous name where it names somebody, and nowhere else."""
        for line in lines(truth / "texts.jsonl"):
            for place in line["identifiers"]:
                name = squeezed(line["text"][place["start"] : place["end"]])
                if name in self.ambiguous and len(name) > 1:
                    left, right = _neighbours(line["text"], place, line["identifiers"])
                    self.before.add((left, name))
                    self.after.add((name, right))
        for text in spoken:
            for pair in _pairs(text):
                self.before.discard(pair)
                self.after.discard(pair)
        self.before = {pair for pair in self.before if all(pair)}
        self.after = {pair for pair in self.after if all(pair)}


def _put(index: dict[str, Needle], form: str, needle: Needle) -> None:
    """Of several spellings of one form the first is told, and the cuts of all are usual ones."""
    known = index.get(form)
    index[form] = needle if known is None else known._replace(cuts=known.cuts | needle.cuts)


def _parts(value: str) -> tuple[str, ...]:
    text = Squeezed.of(plain(value))
    return tuple(text.word(rank).lower() for rank in range(len(text.spans)))


def _cuts(parts: tuple[str, ...]) -> frozenset[int]:
    return frozenset(list(accumulate(map(len, parts)))[:-1])


def _neighbours(text: str, place: dict[str, Any], named: list[dict[str, Any]]) -> tuple[str, str]:
    """The nearest words before and after a place that name nobody; empty where there is none."""
    hidden, mark = list(text), "x" * 40
    for one in sorted(named, key=lambda one: -one["start"]):
        hidden[one["start"] : one["end"]] = [mark if one == place else TAG]
    shown = Squeezed.of(plain("".join(hidden)))
    rank = next((n for n in range(len(shown.spans)) if shown.word(n) == mark), None)
    if rank is None:  # glued to another word
        return "", ""
    return beside(shown, rank, -1), beside(shown, rank, 1)


def beside(text: Squeezed, rank: int, step: int) -> str:
    """The nearest word on one side that is no mask; empty when a sentence or line ends before it.

    A title may be abbreviated, and its name may begin a line.
    """
    other = rank + step
    while text.word(other) == TAG:
        other += step
    word = text.word(other).lower()
    if word in ("", WALL):
        return word
    gap = text.between(min(rank, other), max(rank, other))
    return "" if _END.search(gap) and not (step < 0 and word in TITLES) else word


def _pairs(text: Squeezed) -> Iterator[tuple[str, str]]:
    words = [text.word(rank).lower() for rank in range(len(text.spans))]
    for left, right in pairwise(words):
        if WALL not in (left, right):
            yield left, right
