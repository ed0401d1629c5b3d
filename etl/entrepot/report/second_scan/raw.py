"""Searches bytes: identifiers as a file of any format would hold them, encoded ones too.

Here the identifier is encoded and the file is not decoded: Base64 at each of its three alignments,
hexadecimal, UTF-16, Windows 1252, reversed, whole numbers in binary.
"""

from __future__ import annotations

import re

from entrepot.report.second_scan.forms import Kind
from entrepot.report.second_scan.inventory import Hit, Inventory
from entrepot.report.second_scan.lexicon import french_words
from entrepot.report.second_scan.spelling import KEY, plain, within_a_key

AROUND = 24  # bytes looked at on either side
WITHIN = 9  # letters of a name that may stand within a longer word
_KEYS = re.compile(f"[0-9a-f]{{{KEY},}}")
_LETTERS, _FIGURES = re.compile(r"[^\W\d_]*"), re.compile(r"[0-9]*")


class RawSearch:
    """Searches many pieces of bytes at once."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        # Each byte as the character of that number: the automaton wants text.
        self._needles = {raw.decode("latin-1"): found for raw, found in inventory.bytes.items()}
        self._forms = list(self._needles)

    def find(self, pieces: list[bytes]) -> list[set[Hit]]:
        """Hits of each piece."""
        import polars as pl

        if not self._forms:
            return [set() for _ in pieces]
        texts = [piece.decode("latin-1") for piece in pieces]
        column = pl.Series(texts, dtype=pl.String).str.extract_many(self._forms, overlapping=True)
        found = []
        for text, forms in zip(texts, column, strict=True):
            hits = set()
            for form in set(forms):
                needle, how = self._needles[form]
                if self._stands(text, form, needle.kind, how):
                    hits.add(Hit(needle, how))
            found.append(hits)
        return found

    def _stands(self, text: str, form: str, kind: Kind, how: str) -> bool:
        if how == "written":
            return self._apart(text, form, kind)
        # Eight figures backwards stand in one of a million keyed values by chance, too.
        return how != "reversed" or kind is not Kind.NUMBER or _outside_keys(text, form)

    def _apart(self, text: str, form: str, kind: Kind) -> bool:
        """Whether it stands somewhere on its own; a long name may stand in an unknown word."""
        run = _LETTERS if kind is Kind.NAME else _FIGURES
        at = text.find(form)
        while at >= 0:
            end = at + len(form)
            before = _first(run, _word(text[max(0, at - AROUND) : at])[::-1])[::-1]
            after = _first(run, _word(text[end : end + AROUND]))
            if kind is Kind.NUMBER and within_a_key(text, at, end):
                at = text.find(form, at + 1)
                continue
            if not before + after and not (form.islower() and self._is_known(form)):
                return True
            if kind is Kind.NAME and self._is_strange(before + _word(form) + after, form):
                return True
            at = text.find(form, at + 1)
        return False

    def _is_strange(self, word: str, form: str) -> bool:
        return len(form) >= WITHIN and not self._is_known(word)

    def _is_known(self, word: str) -> bool:
        small = plain(word).lower()
        return small in self._inventory.words or small in french_words()


def _outside_keys(text: str, form: str) -> bool:
    """A database file stores keys without separators."""
    for one in re.finditer(f"(?={re.escape(form)})", text):
        start, first = one.start(), max(0, one.start() - KEY)
        runs = _KEYS.finditer(text[first : start + len(form) + KEY])
        inside = (first + r.start() <= start and start + len(form) <= first + r.end() for r in runs)
        if not any(inside):
            return True
    return False


def _first(run: re.Pattern[str], text: str) -> str:
    found = run.match(text)
    return found[0] if found else ""


def _word(text: str) -> str:
    """Bytes shown as characters, as UTF-8 when they are."""
    return text.encode("latin-1").decode("utf-8", "replace").replace("\ufffd", "")
