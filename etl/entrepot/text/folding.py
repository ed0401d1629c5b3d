"""Folds French text to plain ASCII letters without losing where each character came from.

Layers 1 to 7 search a *folded* text (accents, ligatures, typographic dashes and spaces made plain)
and their spans are carried back to the characters of the given text. Œ, ß, ﬁ grow when folded,
combining accents, zero-width and control characters vanish: only then is an offset map built.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_OWN: dict[str, str] = {
    "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS",
    "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ł": "l", "Ł": "L",
    "þ": "th", "Þ": "TH", "ı": "i", "ħ": "h", "Ħ": "H", "ŋ": "n", "Ŋ": "N",
    "’": "'", "‘": "'", "ʼ": "'", "′": "'", "´": "'", "‛": "'", "＇": "'",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "﹣": "-", "－": "-",
    "«": '"', "»": '"', "“": '"', "”": '"', "º": "°", "ª": "a", "µ": "µ", "μ": "µ",
}  # fmt: skip
# Marks, controls, halves of surrogate pairs, private and unassigned characters: what a reader does
# not see, or what stands for a letter that was lost, which is one typing error.
_VANISHING = {"Mn", "Me", "Cf", "Cc", "Cs", "Co", "Cn"}
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0\ufffd"
_LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_OWN |= dict.fromkeys(_BLANK_LETTERS, "") | dict.fromkeys(_LINE_ENDS, "\n")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@lru_cache(maxsize=4096)
def fold_character(character: str) -> str:
    """The plain form of one character: zero, one or more characters, letter case kept."""
    own = _OWN.get(character)
    if own is not None:
        return own
    if character.isascii():
        return character if character.isprintable() or character in "\t\n\r" else ""
    category = unicodedata.category(character)
    if category in _VANISHING:
        return ""
    if category == "Zs":
        return " "
    folded = "".join(
        c for c in unicodedata.normalize("NFKD", character) if unicodedata.category(c) != "Mn"
    )
    if folded.isdecimal() and not folded.isascii():
        folded = "".join(str(unicodedata.decimal(c)) for c in folded)
    return folded if len(folded.lower()) == len(folded) else character


class _Table(dict[int, str]):
    """A `str.translate` table that learns each character when it first meets it."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = fold_character(chr(code))
        return folded


_TABLE = _Table()


@dataclass(frozen=True, slots=True)
class Folded:
    """A text and its folded form.

    Args:
        text: the given text.
        plain: folded, letter case kept.
        lower: folded, lower case; same length as `plain`.
        origin: index in `text` of each character of `plain`; None when they are the same.
    """

    text: str
    plain: str
    lower: str
    origin: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of `text` behind `plain[start:end]`, combining marks included."""
        if self.origin is None:
            return start, end
        first, last = self.origin[start], self.origin[end - 1] + 1
        while last < len(self.text) and not fold_character(self.text[last]):
            last += 1
        return first, last


def fold_text(text: str) -> Folded:
    """Folds `text`; the offset map is built only for characters that grow or vanish."""
    if text.isascii() and not _CONTROLS.search(text):
        return Folded(text, text, text.lower(), None)
    plain = text.translate(_TABLE)
    origin = None
    if any(len(_TABLE[ord(c)]) != 1 for c in set(text)):
        origin = tuple(i for i, c in enumerate(text) for _ in _TABLE[ord(c)])
    return Folded(text, plain, _lower(plain), origin)


def fold(text: str) -> str:
    """`text` folded to lower case, for lists and identities."""
    return _lower(text.translate(_TABLE))


def letters(text: str) -> str:
    """`text` folded to lower case letters and digits alone: `Le Goff` gives `legoff`."""
    return "".join(filter(str.isalnum, fold(text)))


def _lower(plain: str) -> str:
    lowered = plain.lower()
    if len(lowered) == len(plain):
        return lowered
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)
