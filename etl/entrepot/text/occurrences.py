"""Where many values stand in one text, without a search of the whole text for each of them.

A letter has a handful of names and numbers, and `str.find` is the fastest search for each. A text
of megabytes has as many values as it has lines, and to search it for each would cost the square.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

FEW = 64
_START = re.compile(r"(?<![^\W_])\S")  # no letter or digit before it


def occurrences(text: str, values: Collection[str]) -> Iterator[tuple[int, str]]:
    """(start, value) of every place where a value stands with no letter or digit before it."""
    if len(values) <= FEW:
        for value in values:
            yield from ((at, value) for at in _found(text, value))
        return
    wanted, lengths = set(values), sorted({len(value) for value in values})
    for match in _START.finditer(text):
        at = match.start()
        for length in lengths:
            if (value := text[at : at + length]) in wanted:
                yield at, value


def _found(text: str, value: str) -> Iterator[int]:
    at = text.find(value)
    while at >= 0:
        if not text[at - 1 : at].isalnum():
            yield at
        at = text.find(value, at + len(value))


class Contained:
    """Which of some forms a word contains, in the order of the forms.

    Args:
        forms: distinct, not empty.
    """

    def __init__(self, forms: list[str]) -> None:
        self._forms = forms
        self._rank = {form: rank for rank, form in enumerate(forms)}
        self._lengths = sorted({len(form) for form in forms})

    def in_word(self, word: str) -> list[str]:
        """The forms inside `word`."""
        if len(self._forms) <= FEW:
            return [form for form in self._forms if form in word]
        pieces = {
            word[at : at + length]
            for length in self._lengths
            for at in range(len(word) - length + 1)
        }
        return sorted(pieces & self._rank.keys(), key=self._rank.__getitem__)
