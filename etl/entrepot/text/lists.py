"""Reads the CSV lists of `mappings/text`: cells, single words, phrases, inflected forms."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file
from entrepot.text.folding import fold

Phrases = dict[str, list[tuple[tuple[str, ...], str]]]
_VERB_ENDINGS = (
    "e", "es", "ent", "er", "ez", "ons", "ant", "ait", "aient", "era", "eront", "erait", "ee", "es",
    "ees", "a",
)  # fmt: skip


def rows(
    name: str, columns: tuple[str, ...], overlays: tuple[Path, ...]
) -> Iterator[tuple[str, ...]]:
    """The stripped cells of `columns` in each line of a list, an overlay's file first.

    Raises:
        ConfigurationError: the list lacks a column.
    """
    path = data_file(f"mappings/text/{name}", overlays)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise ConfigurationError(f"column {missing[0]!r} is missing", where=str(path))
        for row in reader:
            yield tuple((row[column] or "").strip() for column in columns)


def single(name: str, column: str, overlays: tuple[Path, ...], *, kind: str = "") -> frozenset[str]:
    """The folded words of one column; with `kind`, those of the rows of this kind."""
    found = rows(name, (column, "kind") if kind else (column,), overlays)
    return frozenset(
        word for row in found if row[1:] in ((), (kind,)) for word in fold(row[0]).split()
    )


def phrases(listed: Iterable[tuple[str, ...]]) -> Phrases:
    """Phrases by their first word, the longest first."""
    found: Phrases = {}
    for phrase, entity in listed:
        words = tuple(fold(phrase).replace("-", " ").replace("°", "").split())
        found.setdefault(words[0], []).append((words, entity))
    for choices in found.values():
        choices.sort(key=lambda choice: -len(choice[0]))
    return found


def inflected(word: str, kind: str) -> set[str]:
    """The forms of a folded word of `kind` noun, adjective or verb; itself for another kind."""
    if kind == "noun":
        return {word, word + "s"}
    if kind == "adjective":
        return {word, word + "s", word + "e", word + "es", *_feminine(word)}
    if kind == "verb" and word.endswith("er"):
        return {word, *(word[:-2] + ending for ending in _VERB_ENDINGS)}
    return {word}


def _feminine(word: str) -> set[str]:
    if word.endswith("eux"):
        stem = word[:-1] + "se"
    elif word.endswith("if"):
        stem = word[:-1] + "ve"
    elif word.endswith("ien") or word.endswith("on") or word.endswith("el"):
        stem = word + word[-1] + "e"
    elif word.endswith("er"):
        stem = word[:-2] + "ere"
    elif word.endswith("al"):
        return {word[:-1] + "ux"}
    else:
        return set()
    return {stem, stem + "s"}
