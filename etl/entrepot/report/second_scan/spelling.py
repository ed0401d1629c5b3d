"""How letters and sounds are compared: plain letters, French phonetic keys, distance in slips.

Written apart from the first scan, on purpose: an error of one must not blind the other.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

SHORT = 6  # letters
WALL = "\x1e"  # stands between two cells: nothing matches across it
TAG = "\x1d"  # stands for a mask such as `[NOM_1]`
_MARKS = re.compile("[\u0300-\u036f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_LETTERS = str.maketrans({
    "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ı": "i", "İ": "I", "’": "'", "‘": "'",
})  # fmt: skip
_WORD = re.compile(r"[a-zA-Z]+|[0-9]+")

# In this order, on plain small letters. Nasal and open vowels are digits, `S` is ch, `N` is gn.
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ch(?=[rl])", "k"), (r"sch|sh|ch", "S"), (r"ph", "f"), (r"h", ""), (r"bv", "v"),
        (r"e?aux?(?![a-z])|e?au", "o"), (r"(?:o|a|e|i|u)[tdsxzp]+$", r"\g<0>."),
        (r"[tdsxzp]+\.$", ""), (r"gn", "N"), (r"gu(?=[eiy])", "g"), (r"g(?=[eiy])", "j"),
        (r"ge(?=[ao])", "j"), (r"sc(?=[eiy])|c(?=[eiy])", "s"), (r"qu?|ck|k|c", "k"),
        (r"(?:ai|ei|e)?i?[nm](?=$|[^aeiouynm])(?<=[iy].)|[ae]i[nm](?=$|[^aeiouynm])", "1"),
        (r"[yu][nm](?=$|[^aeiouynm])", "1"), (r"[ea][nm](?=$|[^aeiouynm])", "2"),
        (r"o[nm](?=$|[^aeiouynm])", "3"), (r"oi|oy", "wa"), (r"ou", "u"), (r"oeu|eu", "e"),
        (r"ill(?=[aeiou])", "y"), (r"(?:ai|ei|ay|ey|er$|ez$|et$)", "e"), (r"y", "i"),
        (r"w", "v"), (r"z|x", "s"), (r"e+$", ""), (r"(.)\1+", r"\1"), (r"[tdsp]$", ""),
    )
)  # fmt: skip


def plain(text: str) -> str:
    """`text` without accents, ligatures and what is invisible; the case stays."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return _MARKS.sub("", apart)


def squeezed(text: str) -> str:
    """Small plain letters and digits alone."""
    return "".join(_WORD.findall(plain(text))).lower()


@dataclass(frozen=True)
class Squeezed:
    """A plain text whose letters and digits are joined; walls stay.

    Attributes:
        text: the plain text. joined: its small letters, digits and walls.
        starts: where each word (letters or digits) begins in `joined`.
        spans: where each word lies in `text`.
    """

    text: str
    joined: str
    starts: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> Squeezed:
        """Squeezes a plain text."""
        spans = tuple(found.span() for found in _PIECE.finditer(text))
        parts = [text[start:end] for start, end in spans]
        starts = accumulate(map(len, parts), initial=0)
        return cls(text, "".join(parts).lower(), tuple(starts)[:-1], spans)

    def words(self, start: int, end: int) -> tuple[range, bool]:
        """Ranks of the words that `joined[start:end]` touches; whether it is all of them."""
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        size = self.spans[last][1] - self.spans[last][0]
        whole = self.starts[first] == start and self.starts[last] + size == end
        return range(first, last + 1), whole

    def word(self, rank: int) -> str:
        """A word as it is written; empty outside the text."""
        if not 0 <= rank < len(self.spans):
            return ""
        start, end = self.spans[rank]
        return self.text[start:end]

    def touched(self, ranks: range) -> bool:
        """Whether a figure touches these letters, or a letter these figures: a hexadecimal number.

        The `T` of a time (ISO 8601) touches a day, and is none. A short name must stand apart of
        letters too: the ends of random names (`_kAliB2x`) spell one in a thousand loads.
        """
        start, end = self.spans[ranks[0]][0], self.spans[ranks[-1]][1]
        before, after = self.text[max(0, start - 1) : start], self.text[end : end + 1]
        if self.text[start].isdigit():
            return before.isalpha() or (after.isalpha() and after != "T")
        short = end - start < SHORT and (before.isalpha() or after.isalpha())
        return short or before.isdigit() or after.isdigit()

    def in_a_key(self, ranks: range) -> bool:
        """Whether these figures lie within a keyed value."""
        return within_a_key(self.text, self.spans[ranks[0]][0], self.spans[ranks[-1]][1])

    def between(self, rank: int, other: int = 0) -> str:
        """What stands between a word and the next one, or a later one."""
        return self.text[self.spans[rank][1] : self.spans[other or rank + 1][0]]


KEY = 32  # hexadecimal digits of a keyed value
_KEYED = re.compile(rf"(?<![0-9A-Za-z])[0-9a-f]{{{KEY}}}(?![0-9A-Za-z])")
# `PatéÉclair` and `DurandZOE` are two words each: a change of case parts them.
_PIECE = re.compile(rf"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[{WALL}{TAG}]")


def within_a_key(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` lies within 32 hexadecimal digits in a row.

    Of a million keys, one begins with the eight figures of one of a thousand numbers by chance in
    one hospital out of four.
    """
    around = max(0, start - KEY)
    return any(
        around + found.start() <= start and end <= around + found.end()
        for found in _KEYED.finditer(text[around : end + KEY])
    )


@lru_cache(maxsize=1 << 16)
def sound(word: str) -> str:
    """The phonetic key of a plain French name: what sounds alike has the same."""
    key = word.lower()
    for pattern, heard in _SOUNDS:
        key = pattern.sub(heard, key)
    return key


def slips(one: str, other: str, most: int) -> int:
    """Letters dropped, added, changed or swapped between two words; `most` + 1 when more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, row = [], list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
