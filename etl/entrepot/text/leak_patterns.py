"""What the leak scan compares: words and numbers in its own normal form, patterns of one identity.

Own code path: nothing here is shared with the layers that scrub (see `leak_scan`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from entrepot.resources import data_file
from entrepot.text.identity import Identity

TEXT_DIGITS = 5
ANYWHERE_DIGITS = 7
_MONTHS = (
    "janvier", "f[ée]vrier", "mars", "avril", "mai", "juin", "juillet", "ao[ûu]t", "septembre",
    "octobre", "novembre", "d[ée]cembre",
)  # fmt: skip
_INFLECTIONS = (
    *((ending, "") for ending in ("s", "e", "es")),
    *((ending, "er") for ending in (
        "e", "es", "ent", "ez", "ons", "ant", "ait", "aient", "era", "eront", "erait", "ee", "ees",
        "a", "ere", "eres",
    )),
    ("se", "x"), ("ses", "x"), ("ve", "f"), ("ves", "f"), ("aux", "al"), ("nne", "n"),
    ("nnes", "n"), ("lle", "l"), ("lles", "l"),
)  # fmt: skip


# What hides inside a name or a number without being seen.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f"
    "\u20d0-\u20ff\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def seen(text: str) -> str:
    """`text` without the characters that a reader does not see."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub("", text)


@lru_cache(maxsize=1 << 15)
def normal(token: str) -> str:
    """Letters of `token` without accents, folded; ligatures in two letters."""
    spread = token.casefold().replace("œ", "oe").replace("æ", "ae").replace("ø", "o")
    spread = spread.replace("ł", "l").replace("đ", "d")
    return "".join(c for c in unicodedata.normalize("NFKD", spread) if c.isalpha()).casefold()


def edges(run: str) -> set[int]:
    """Offsets among the digits of `run` where a group of touching digits starts or ends."""
    edges, count = {0}, 0
    for c in run:
        if c.isdecimal():
            count += 1
        else:
            edges.add(count)
    return edges | {count}


def decimal(run: str) -> str:
    return "".join(str(unicodedata.decimal(c)) for c in run if c.isdecimal())


def digits_of(value: str) -> str:
    """The digits of an identifier made of digits, a NIR without its key; else empty."""
    digits = decimal(value)
    if len(digits) < TEXT_DIGITS or any(c.isalpha() for c in value):
        return ""
    if len(digits) == 15:
        return digits[:13]
    bare = digits.lstrip("0")
    return bare if len(bare) >= ANYWHERE_DIGITS else digits


def national(phone: str) -> str:
    digits = decimal(phone).lstrip("0")
    if digits.startswith("33") and len(digits) >= 11:
        digits = digits[2:].lstrip("0")
    return digits if len(digits) >= 8 else ""


def mail_patterns(identity: Identity) -> Iterator[tuple[re.Pattern[str], str]]:
    for mail in identity.mails:
        if "@" in mail:
            yield re.compile(re.escape(mail), re.IGNORECASE), "MAIL"


def mixed_patterns(numbers: list[tuple[str, str]]) -> Iterator[tuple[re.Pattern[str], str]]:
    """Identifiers with letters (`24-AB-0012`), and the NIR of Corsica."""
    for label, value in numbers:
        kept = [re.escape(c) for c in value if c.isalnum()]
        mixed = any(map(str.isalpha, value)) and any(map(str.isdigit, value))
        if mixed and len(kept) >= TEXT_DIGITS:
            body = r"[ .\-/]?".join(kept[:13] if len(kept) == 15 else kept)
            yield re.compile(rf"(?<![^\W_]){body}(?![^\W\d_])", re.IGNORECASE), label


def birth_pattern(identity: Identity) -> re.Pattern[str] | None:
    forms = []
    for k, birth in enumerate(identity.birth_dates):
        day, month, year = f"0?{birth.day}", f"0?{birth.month}", f"{birth:%Y}"
        short = f"(?:{year}|{birth:%y})"
        forms += [
            rf"{day}(?P<s{k}>[/.\-]){month}(?P=s{k}){short}",
            rf"{year}(?P<t{k}>[/.\-]){month}(?P=t{k}){day}",
            rf"{day}(?:er)? {_MONTHS[birth.month - 1]} {year}",
            f"{birth:%d%m%Y}",
            f"{birth:%Y%m%d}",
        ]
    if not forms:
        return None
    return re.compile(rf"(?<!\d)(?:{'|'.join(forms)})(?!\d)", re.IGNORECASE)


def valid_key(digits: str) -> bool:
    return 97 - int(digits[:13]) % 97 == int(digits[13:])


@lru_cache(maxsize=1)
def _listed() -> tuple[frozenset[str], frozenset[str]]:
    """(grammatical words, other ordinary words) of the shipped list."""
    grammatical_words: set[str] = set()
    other: set[str] = set()
    with data_file("mappings/text/words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            (grammatical_words if row["kind"] == "function" else other).add(normal(row["word"]))
    return frozenset(grammatical_words), frozenset(other)


def grammatical() -> frozenset[str]:
    return _listed()[0]


@lru_cache(maxsize=1 << 15)
def ordinary(word: str) -> bool:
    """Whether `word` is a listed word or an inflected form of one."""
    grammatical_words, other = _listed()
    if word in grammatical_words or word in other:
        return True
    return any(
        word.endswith(ending) and word[: -len(ending)] + base in other
        for ending, base in _INFLECTIONS
    )
