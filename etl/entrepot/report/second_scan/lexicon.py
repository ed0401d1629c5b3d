"""Words that are no names: French ones, and those that the truth's texts say besides names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from entrepot.errors import ConfigurationError
from entrepot.report.second_scan.spelling import WALL, Squeezed, plain, squeezed

# Fields of a statement that hold words or days of care, and no number of anybody.
WORDED = ("sig", "title", "value", "unit", "dose_unit", "route", "code", "coded", "keep")
DATED = ("at", "start", "end", "date")


@cache
def french_words() -> frozenset[str]:
    """Some 140,000 French words without accents; few names are among them."""
    from spellchecker import SpellChecker

    words = SpellChecker(language="fr", distance=1).word_frequency.dictionary
    return frozenset(squeezed(word) for word in words)


def spoken_texts(truth: Path) -> Iterator[Squeezed]:
    """The truth's free texts and statements; a wall stands for each identifier."""
    for line in lines(truth / "texts.jsonl"):
        text = line["text"]
        for place in sorted(line["identifiers"], key=lambda place: -place["start"]):
            text = text[: place["start"]] + WALL + text[place["end"] :]
        yield Squeezed.of(plain(text))
    for line in lines(truth / "statements.jsonl"):
        yield Squeezed.of(plain(WALL.join(_strings([line.get(field) for field in WORDED]))))


def care_days(truth: Path) -> frozenset[str]:
    """Days on which something was done, `20240512`; a birth on such a day is no distinctive one."""
    statements = lines(truth / "statements.jsonl")
    found = (line.get(field) for line in statements for field in DATED)
    return frozenset(day[:10].replace("-", "") for day in found if day)


def words_of(texts: Iterable[Squeezed]) -> frozenset[str]:
    """Every word of some texts."""
    return frozenset(text.word(rank).lower() for text in texts for rank in range(len(text.spans)))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file.

    Raises:
        ConfigurationError: it is absent.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    except FileNotFoundError:
        raise ConfigurationError(
            "the truth lacks a file", where=str(path), remedy="entrepot synthesise --out DIR"
        ) from None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value
