"""What is searched: every identifier in the forms in which it may be written, and where it fits.

One pass over the tokens of a text finds all of them. Names, addresses and mails are sequences of
tokens (or the same glued together); numbers match whatever separates their digits.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from entrepot.report.scan.chance import only_by_chance
from entrepot.report.scan.text import fold, tokens

MONTHS = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin",
    "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
)  # fmt: skip
LIFETIMES = range(1850, 2101)
NUMBER_DIGITS = 6  # fewer digits are also counts, durations and codes
RAW_LETTERS, RAW_DIGITS = 7, 10  # glued in raw bytes: shorter ones occur by chance
# A number in parts: groups that begin with a digit, one to three usual separators between them.
# Cells are parted by \x1f, which Python counts among the blanks.
_SPACED = re.compile(
    r"(?<![0-9a-z])[0-9][0-9a-z]*+(?:(?:[^\S\x1f]|[.\-/()_]){1,3}[0-9][0-9a-z]*+)+"
)
_LETTERS_OR_DIGITS = re.compile(r"[a-z]+|[0-9]+")
_DATE = re.compile(r"(\d{4})[-/. ](\d\d)[-/. ](\d\d)|(\d\d?)[-/. ](\d\d?)[-/. ](\d{4})")
_PHONE = re.compile(r"(?:0033|33|0)0?([1-9]\d{8})")

Phrase = tuple[str, ...]


def date_of(value: str) -> dt.date | None:
    """The day that a value writes in digits or in French words, if it is one."""
    words = tokens(fold(value))
    if len(words) == 3 and words[1] in MONTHS:
        return _day(words[2], str(MONTHS.index(words[1]) + 1), words[0].removesuffix("er"))
    match = _DATE.fullmatch(value.strip())
    if match is None:
        return None
    y1, m1, d1, d2, m2, y2 = match.groups()
    return _day(y1, m1, d1) if y1 else _day(y2, m2, d2)


def compact_date_of(value: str) -> dt.date | None:
    """The day that eight digits write, year first or day first: another number may look so too."""
    digits = value.strip()
    if len(digits) != 8 or not digits.isdigit():
        return None
    first = _day(digits[:4], digits[4:6], digits[6:])
    return first or _day(digits[4:], digits[2:4], digits[:2])


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        found = dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if found.year in LIFETIMES else None


def date_phrases(day: dt.date) -> set[Phrase]:
    """Every way in which the scan looks for a day."""
    y, m, d = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    short_m, short_d, month = str(day.month), str(day.day), MONTHS[day.month - 1]
    spoken = [short_d, d] + (["1er"] if day.day == 1 else [])
    return {
        (y, m, d), (d, m, y), (short_d, short_m, y), (y + m + d,), (d + m + y,),
        *((s, month, y) for s in spoken),
    }  # fmt: skip


def is_number(value: str) -> bool:
    """Whether a value is a number of a person or record: at least six digits, few letters."""
    words = "".join(tokens(fold(value)))
    digits = sum(c.isdigit() for c in words)
    return digits >= NUMBER_DIGITS and len(words) - digits <= 2 and "@" not in value


def number_forms(value: str) -> set[str]:
    """A number without separators; a French phone number with each of its prefixes."""
    compact = "".join(tokens(fold(value)))
    phone = _PHONE.fullmatch(compact)
    if phone is None:
        return {compact}
    return {prefix + phone[1] for prefix in ("0", "33", "0033", "330", "00330")}


def phrases(value: str) -> set[Phrase]:
    """A name, address or mail as its tokens, and glued."""
    words = tuple(tokens(fold(value)))
    return {words, ("".join(words),)} if words else set()


@dataclass
class Needles:
    """An index of identifiers; each is known by a number that the caller gives it.

    A sequence of tokens is found by its longest token: the day and month of a date, the particle
    of a name stand everywhere.
    """

    _anchors: dict[str, list[tuple[Phrase, int, int]]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _prefixes: set[str] = field(default_factory=set)
    _glued: dict[str, set[int]] = field(default_factory=dict)

    def add_phrases(self, number: int, forms: Iterable[Phrase], inside: bool = True) -> None:
        """Adds token sequences; `inside`: long ones are also looked for within longer runs."""
        for form in forms:
            anchor = max(form, key=len)
            entry = (form, form.index(anchor), number)
            self._anchors.setdefault(anchor, []).append(entry)
            letters = sum(map(len, form))
            if letters >= RAW_LETTERS and inside and not _digital(form):
                self._glued.setdefault(" ".join(form), set()).add(number)

    def add_numbers(self, number: int, forms: Iterable[str]) -> None:
        """Adds numbers, found whatever separates their digits."""
        for form in forms:
            self._numbers.setdefault(form, number)
            self._prefixes.update(form[:end] for end in range(1, len(form)))
            if len(form) >= RAW_DIGITS:
                self._glued.setdefault(form, set()).add(number)

    def find(self, folded: str, shortest: int = 1) -> set[int]:
        """Identifiers that stand in a folded text as tokens of their own.

        Args:
            shortest: token sequences with fewer letters are left out.
        """
        words = tokens(folded)
        distinct = set(words)
        found = {self._numbers[word] for word in self._numbers.keys() & distinct}
        hits = self._anchors.keys() & distinct
        if hits:
            for at, word in enumerate(words):
                if word in hits:
                    found.update(self._around(words, at, shortest))
        for run in _SPACED.findall(folded) if self._numbers else ():
            found.update(self._spelled(tokens(run)))
        return found

    def _around(self, words: list[str], at: int, shortest: int) -> Iterator[int]:
        for form, offset, number in self._anchors[words[at]]:
            start = at - offset
            if start < 0 or sum(map(len, form)) < shortest:
                continue
            if tuple(words[start : start + len(form)]) == form:
                yield number

    def _spelled(self, words: list[str]) -> Iterator[int]:
        """Numbers written in several parts."""
        for at, word in enumerate(words):
            written, end = word, at + 1
            while end < len(words) and written in self._prefixes:
                written += words[end]
                end += 1
                if written in self._numbers:
                    yield self._numbers[written]

    def find_apart(self, folded: str, shortest: int) -> set[int]:
        """Single words and numbers that only a change from letters to digits sets apart."""
        distinct = {run for run in _LETTERS_OR_DIGITS.findall(folded) if len(run) >= shortest}
        numbers = self._numbers.keys() & distinct
        found = {self._numbers[one] for one in numbers if not _by_chance(one, folded, apart=True)}
        for word in self._anchors.keys() & distinct:
            found.update(number for form, _, number in self._anchors[word] if len(form) == 1)
        return found

    def find_glued(self, folded: Sequence[str]) -> list[set[int]]:
        """Long identifiers within longer runs: a database file stores cells without separators.

        Several texts at once, because each call builds the automaton of all identifiers.
        """
        import polars as pl

        if not self._glued:
            return [set() for _ in folded]
        texts = pl.Series([" ".join(tokens(text)) for text in folded], dtype=pl.String)
        matches = texts.str.extract_many(list(self._glued), overlapping=True)
        return [
            {n for form in set(found) if not _by_chance(form, text) for n in self._glued[form]}
            for text, found in zip(texts, matches, strict=True)
        ]


def _by_chance(form: str, folded: str, apart: bool = False) -> bool:
    return form.isdigit() and only_by_chance(form, folded, apart)


def _digital(form: Phrase) -> bool:
    """A date: its digits stand within longer numbers by chance."""
    return all(word.isdigit() for word in form)
