"""The independent leak scan: does a text that should hold no identity still hold one?

It shares no code with the layers that scrub, not even the folding, so that a fault there cannot
hide itself here; only the list of ordinary words is the same file, read on its own. A hit blocks
the document (reference on pseudonymisation, section 3; DESIGN 2: before the first staging byte).

Towns and postcodes are not scanned: they name hospitals and services too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from entrepot.text.identity import Identity
from entrepot.text.leak_patterns import (
    ANYWHERE_DIGITS,
    TEXT_DIGITS,
    birth_pattern,
    decimal,
    digits_of,
    edges,
    grammatical,
    mail_patterns,
    mixed_patterns,
    national,
    normal,
    ordinary,
    seen,
    valid_key,
)

_MARKS = "\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff"
_TOKEN = re.compile(rf"[^\W\d_](?:[{_MARKS}]*[^\W\d_])*[{_MARKS}]*")
_RUN = re.compile(r"\d(?:[ .\-/\u00a0\n]?\d)*")
_CELL_RUN = re.compile(r"(?<![^\W_])\d(?:[ .\-/]?\d)*(?![^\W_])")
_GAP = re.compile(r"[ \t\r\n\u00a0\-'’._]{0,3}")
_LETTER_BY_LETTER = re.compile(
    rf"(?<!\w)(?:[^\W\d_][{_MARKS}]*[ \t\u00a0'’._\-]{{1,3}}){{5,}}[^\W\d_](?!\w)"
)
_MAIL = re.compile(r"(?<![\w.+\-])[\w.+\-]+@[\w\-]+\.\w+")  # from the start of a run: linear
_NIR = re.compile(
    r"(?<!\d)[1-478][ .\-]?\d\d[ .\-]?(?:0[1-9]|1[0-2]|[2-9]\d)[ .\-]?(?:\d\d|2[AaBb])"
    r"[ .\-]?\d{3}[ .\-]?\d{3}(?:[ .\-]?\d\d)?(?!\d)"
)
_LETTERS = re.compile(r"[^\W\d_]{3}")
_LINKS = frozenset((
    "de", "du", "des", "d", "la", "le", "les", "l", "von", "van", "der", "den", "el", "al", "ben",
    "da", "do", "di", "saint", "sainte",
))  # fmt: skip
_TITLES = frozenset((
    "m", "mr", "mme", "mlle", "dr", "pr", "docteur", "professeur", "monsieur", "madame",
))  # fmt: skip
_CELL_DIGITS = 6
_TEXT_LETTERS, _CELL_LETTERS, _INSIDE_LETTERS = 3, 4, 7
_JOINED_LETTERS = 6
_STREET_LETTERS, _STREET_WORDS = 10, 3


class Leak(NamedTuple):
    """An identifier that is still there: what kind, and the character where it starts."""

    label: str
    position: int


def leaks(text: str, identity: Identity) -> list[Leak]:
    """Identifiers of `identity` (and any NIR or mail) left in a scrubbed text.

    Positions count the characters that a reader sees.
    """
    return sorted(set(_scan(identity).in_text(seen(text))))


def cell_leaks(value: str, identity: Identity) -> list[Leak]:
    """Identifiers of `identity` in one cell of a coded column.

    Stricter than `leaks` on what counts, so that codes and values pass: numbers of six digits or
    more that fill a run, names of four letters or more that are no ordinary word, full names,
    known mails, a NIR with a valid key. Birth dates are not looked for: a newborn's stay starts
    on one.
    """
    if len(value) < _CELL_LETTERS:
        return []
    return sorted(set(_scan(identity).in_cell(seen(value))))


def joined_leaks(text: str, identity: Identity) -> list[Leak]:
    """Names in a text whose words may be in pieces (`D UPONT`), as a PDF gives them.

    Only names of `_JOINED_LETTERS` letters that are no ordinary word: shorter ones would be found
    over the gap between any two words.
    """
    return sorted(set(_scan(identity).in_pieces(seen(text))))


class _Scan:
    """One identity, compiled for the scan."""

    def __init__(self, identity: Identity) -> None:
        self.words: dict[str, str] = {}
        self.runs: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for label, names in (
            ("NOM", identity.family_names),
            ("PRENOM", identity.given_names),
            ("NOM", identity.relatives),
            ("NOM", identity.professionals),
        ):
            for name in names:
                self._add_name(name, label)
        for street in identity.addresses:
            self._add_street(street)
        self.inside = [w for w in self.words if len(w) >= _INSIDE_LETTERS and not ordinary(w)]
        numbers = [*identity.numbers, *(("AUTRE_ID", n) for n in identity.professional_numbers)]
        self.digits = {d: label for label, value in numbers if (d := digits_of(value))}
        self.digits |= {d: "TEL" for phone in identity.phones if (d := national(phone))}
        self.patterns = [*mail_patterns(identity), *mixed_patterns(numbers)]
        self.birth = birth_pattern(identity)

    def _add_name(self, name: str, label: str) -> None:
        words = [normal(token) for token in _TOKEN.findall(name)]
        if len(words) > 1 and words[0] in _TITLES:
            words = words[1:]
        for word in words:
            if len(word) >= _TEXT_LETTERS and word not in _LINKS:
                self.words.setdefault(word, label)
        if len(words) > 1:
            self.runs.setdefault(words[0], []).append((tuple(words), label))
            if len("".join(words)) >= _CELL_LETTERS:
                self.words.setdefault("".join(words), label)

    def _add_street(self, street: str) -> None:
        words = [normal(token) for token in _TOKEN.findall(street)]
        long = len("".join(words)) >= _STREET_LETTERS and len(words) >= _STREET_WORDS
        if long and not re.search(r"\d", street.lstrip("0123456789 ,")):
            self.runs.setdefault(words[0], []).append((tuple(words), "ADRESSE"))

    def in_pieces(self, text: str) -> Iterator[Leak]:
        joined = [w for w in self.words if len(w) >= _JOINED_LETTERS and not ordinary(w)]
        start = 0
        for line in text.splitlines(keepends=True):
            letters = normal(line)
            yield from (Leak(self.words[word], start) for word in joined if word in letters)
            start += len(line)

    def _letter_by_letter(self, text: str) -> Iterator[Leak]:
        for match in _LETTER_BY_LETTER.finditer(text):
            yield from (Leak(one.label, match.start()) for one in self.in_pieces(match.group()))

    def in_text(self, text: str) -> Iterator[Leak]:
        yield from self._names(text, _TEXT_LETTERS, cell=False)
        yield from self._letter_by_letter(text)
        yield from self._numbers(text)
        for pattern, label in self.patterns:
            yield from (Leak(label, match.start()) for match in pattern.finditer(text))
        if "@" in text:
            yield from (Leak("MAIL", match.start()) for match in _MAIL.finditer(text))
        yield from (Leak("SECU", match.start()) for match in _NIR.finditer(text))
        if self.birth is not None:
            yield from (
                Leak("DATE_NAISSANCE", match.start()) for match in self.birth.finditer(text)
            )

    def in_cell(self, value: str) -> Iterator[Leak]:
        if _LETTERS.search(value):
            yield from self._names(value, _CELL_LETTERS, cell=True)
        if not value.isdecimal():
            for pattern, label in self.patterns:
                yield from (Leak(label, match.start()) for match in pattern.finditer(value))
        for match in _CELL_RUN.finditer(value):
            digits = decimal(match.group())
            body = digits[:13] if len(digits) == 15 else digits
            known = self.digits.get(body) or self.digits.get(digits.lstrip("0"))
            if known and len(digits) >= _CELL_DIGITS:
                yield Leak(known, match.start())
            if len(digits) == 15 and _NIR.fullmatch(match.group()) and valid_key(digits):
                yield Leak("SECU", match.start())

    def _names(self, text: str, least: int, *, cell: bool) -> Iterator[Leak]:
        tokens = [(match, normal(match.group())) for match in _TOKEN.finditer(text)]
        for i, (match, word) in enumerate(tokens):
            label = self.words.get(word)
            if label and len(word) >= least and self._tells(match.group(), word, cell=cell):
                yield Leak(label, match.start())
            elif len(word) > _INSIDE_LETTERS and self._holds_name(word):
                yield Leak("NOM", match.start())
            for words, kind in self.runs.get(word, ()):
                if _follows(text, tokens, i, words) and not _all_ordinary(tokens, i, words):
                    yield Leak(kind, match.start())

    def _holds_name(self, word: str) -> bool:
        return not ordinary(word) and any(name in word for name in self.inside)

    @staticmethod
    def _tells(written: str, word: str, *, cell: bool) -> bool:
        """An ordinary word is a name only where it is not written in lower case."""
        if word in grammatical():
            return False
        return not ordinary(word) or not (cell or written.islower())

    def _numbers(self, text: str) -> Iterator[Leak]:
        for match in _RUN.finditer(text):
            digits = decimal(match.group())
            if len(digits) < TEXT_DIGITS:
                continue
            bounds = edges(match.group())
            for known, label in self.digits.items():
                at = digits.find(known)
                while at >= 0:
                    if len(known) >= ANYWHERE_DIGITS or {at, at + len(known)} <= bounds:
                        yield Leak(label, match.start())
                        break
                    at = digits.find(known, at + 1)


_scan = lru_cache(maxsize=256)(_Scan)


def _follows(
    text: str, tokens: list[tuple[re.Match[str], str]], i: int, words: tuple[str, ...]
) -> bool:
    if len(tokens) < i + len(words):
        return False
    for k, word in enumerate(words):
        if tokens[i + k][1] != word:
            return False
        if k and not _GAP.fullmatch(text, tokens[i + k - 1][0].end(), tokens[i + k][0].start()):
            return False
    return True


def _all_ordinary(tokens: list[tuple[re.Match[str], str]], i: int, words: tuple[str, ...]) -> bool:
    """`le petit` in lower case, for a patient named Le Petit."""
    last = tokens[i + len(words) - 1][0].group()
    return last.islower() and all(ordinary(w) or len(w) < _TEXT_LETTERS for w in words)
