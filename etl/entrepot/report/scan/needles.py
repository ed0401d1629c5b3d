"""What is searched: every identifier in the forms in which it may be written, and where it fits.

One pass over the tokens of a text finds all of them. Names, addresses and mails are sequences of
tokens (or the same glued together); numbers match whatever separates their digits.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from entrepot.report.scan.text import fold, tokens

MONTHS = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin",
    "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
)  # fmt: skip
NUMBER_DIGITS = 6  # fewer digits are also counts, durations and codes
RAW_LETTERS, RAW_DIGITS = 7, 10  # glued in raw bytes: shorter ones occur by chance
_GAP = r"[ .\-/()_\s\u00a0\u202f]{1,3}"
_DATE = re.compile(
    r"(\d{4})(\d\d)(\d\d)|(\d{4})[-/. ](\d\d)[-/. ](\d\d)|(\d\d?)[-/. ](\d\d?)[-/. ](\d{4})"
)
_PHONE = re.compile(r"(?:0033|33|0)0?([1-9]\d{8})")

Phrase = tuple[str, ...]


def date_of(value: str) -> dt.date | None:
    """The day that a value writes in digits or in French words, if it is one."""
    words = tokens(fold(value))
    if len(words) == 3 and words[1] in MONTHS:
        day, month, year = words[0].removesuffix("er"), str(MONTHS.index(words[1]) + 1), words[2]
    else:
        match = _DATE.fullmatch(value.strip())
        if match is None:
            return None
        y1, m1, d1, y2, m2, d2, d3, m3, y3 = match.groups()
        year, month, day = y1 or y2 or y3, m1 or m2 or m3, d1 or d2 or d3
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


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
    """An index of identifiers; each is known by a number that the caller gives it."""

    _first: dict[str, list[tuple[Phrase, int]]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[str, int] = field(default_factory=dict)
    _prefixes: set[str] = field(default_factory=set)
    _inside: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    _several: dict[str, list[tuple[Phrase, int]]] = field(default_factory=lambda: defaultdict(list))

    def add_phrases(self, number: int, forms: Iterable[Phrase], inside: bool = True) -> None:
        """Adds token sequences; `inside`: also looked for within longer runs of raw bytes."""
        for form in forms:
            self._first[form[0]].append((form, number))
            if inside and len(form) == 1 and len(form[0]) >= RAW_LETTERS:
                self._inside[form[0][:RAW_LETTERS]].append((form[0], number))
            if len(form) > 1 and sum(map(len, form)) > RAW_LETTERS:
                self._several[form[0]].append((form, number))

    def add_numbers(self, number: int, forms: Iterable[str]) -> None:
        """Adds numbers, found whatever separates their digits."""
        for form in forms:
            self._numbers.setdefault(form, number)
            self._prefixes.update(form[:end] for end in range(1, len(form) + 1))
            if len(form) >= RAW_DIGITS:
                self._inside[form[:RAW_LETTERS]].append((form, number))

    def find(self, folded: str, shortest: int = 1) -> set[int]:
        """Identifiers that stand in a folded text as tokens of their own.

        Args:
            shortest: token sequences with fewer letters are left out.
        """
        words = tokens(folded)
        first, prefixes = self._first, self._prefixes
        found: set[int] = set()
        for at, word in enumerate(words):
            if word in first:
                found.update(_starting(first[word], words, at, shortest))
            if word in prefixes:
                found.update(self._spelled(words, at, folded))
        return found

    def _spelled(self, words: list[str], at: int, folded: str) -> Iterator[int]:
        written, end = "", at
        while end < len(words) and written + words[end] in self._prefixes:
            written += words[end]
            end += 1
            number = self._numbers.get(written)
            if number is not None and _close(words[at:end], folded):
                yield number

    def find_glued(self, folded: str) -> set[int]:
        """Long identifiers within longer runs: a database file stores cells without separators."""
        words = tokens(folded)
        found: set[int] = set()
        for at, word in enumerate(words):
            for start in range(len(word)):
                for form, number in self._inside.get(word[start : start + RAW_LETTERS], ()):
                    if word.startswith(form, start):
                        found.add(number)
                for phrase, number in self._several.get(word[start:], ()):
                    if _glued(phrase, words, at):
                        found.add(number)
        return found


def _starting(
    forms: list[tuple[Phrase, int]], words: list[str], at: int, shortest: int
) -> Iterator[int]:
    for form, number in forms:
        if tuple(words[at : at + len(form)]) == form and sum(map(len, form)) >= shortest:
            yield number


def _glued(form: Phrase, words: list[str], at: int) -> bool:
    """Whether the rest of `form` follows `words[at]`, its last token glued to what comes next."""
    rest = words[at + 1 : at + len(form)]
    return (
        len(rest) == len(form) - 1
        and tuple(rest[:-1]) == form[1:-1]
        and rest[-1].startswith(form[-1])
    )


def _close(words: list[str], folded: str) -> bool:
    """Whether the parts of a number follow each other with no more than usual separators."""
    if len(words) == 1:
        return True
    pattern = r"(?<![0-9a-z])" + _GAP.join(map(re.escape, words)) + r"(?![0-9a-z])"
    return re.search(pattern, folded) is not None
