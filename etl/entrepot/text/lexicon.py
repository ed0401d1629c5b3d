"""The lists of `mappings/text/*.csv` as frozen sets: read once, a site's overlay first.

Lists are data so that a clinician or a DPO can read and change them. Words are inflected here
(plural, feminine, forms of verbs in -er), which keeps the lists short enough to be read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file
from entrepot.text.folding import fold

Phrases = dict[str, list[tuple[tuple[str, ...], str]]]
_VERB_ENDINGS = (
    "e", "es", "ent", "er", "ez", "ons", "ant", "ait", "aient", "era", "eront", "erait", "ee", "es",
    "ees", "a",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Every list of the engine, folded to lower case.

    Args:
        function: grammatical words, never a name by themselves.
        common: French and medical words that may also be a name; inflected forms included.
        acronyms: medical abbreviations written in capitals.
        species: second word of a species (`coli`), where an initial before it is a genus.
        eponyms: names that stay when a disease or a sign bears them.
        particles: words inside names (`de`, `Le`, `Ben`).
        titles: title -> `civil`, `professional`, `lawyer`.
        roles: words that stand after a title without being a name (`le directeur`).
        unions: words before a family name (`née`, `épouse`).
        kinship: relatives.
        living: words before a town (`domicilié à`).
        streets: street type -> (canonical form, `strong` or `weak`).
        units: what follows a measured number.
        fields: form labels by first word -> (words, entity), longest first.
        authors: `adressé par`… by first word.
        identifiers: `n° de dossier`… by first word -> (words, entity).
        institutions: `centre hospitalier`… by first word.
    """

    function: frozenset[str]
    common: frozenset[str]
    acronyms: frozenset[str]
    species: frozenset[str]
    eponyms: frozenset[str]
    particles: frozenset[str]
    titles: dict[str, str]
    roles: frozenset[str]
    unions: frozenset[str]
    kinship: frozenset[str]
    living: frozenset[str]
    streets: dict[str, tuple[str, str]]
    units: frozenset[str]
    fields: Phrases
    authors: Phrases
    identifiers: Phrases
    institutions: Phrases

    @cached_property
    def name_words(self) -> frozenset[str]:
        """Every word that may introduce a name."""
        return frozenset().union(self.titles, self.unions, self.kinship, self.fields, self.authors)

    @cached_property
    def place_words(self) -> frozenset[str]:
        """Every word that may introduce an address, a town or an institution."""
        return frozenset().union(self.streets, self.institutions, self.living, ("lieu",))

    def ordinary(self, word: str) -> bool:
        """Whether the folded `word` is a French or medical word or abbreviation."""
        return word in self.common or word in self.function or word in self.acronyms


@lru_cache(maxsize=8)
def load_lexicon(overlays: tuple[Path, ...] = ()) -> Lexicon:
    """Reads the lists; a file of an overlay's `mappings/text` replaces the shipped one.

    Raises:
        ConfigurationError: a list is missing, or lacks a column.
    """
    words: dict[str, set[str]] = {}
    for word, kind in _rows("words.csv", ("word", "kind"), overlays):
        words.setdefault(kind, set()).update(_inflected(fold(word), kind))
    function = frozenset(words.pop("function", ()))
    acronyms, species = (frozenset(words.pop(kind, ())) for kind in ("acronym", "species"))
    titles = {(fold(form), kind) for form, kind in _rows("titles.csv", ("form", "kind"), overlays)}
    return Lexicon(
        function=function,
        common=frozenset().union(*words.values()) - function,
        acronyms=acronyms,
        species=species,
        eponyms=_single("eponyms.csv", "eponym", overlays),
        particles=_single("particles.csv", "particle", overlays),
        titles={form: kind for form, kind in titles if kind != "role"},
        roles=frozenset(form for form, kind in titles if kind == "role"),
        unions=_single("introductions.csv", "word", overlays, kind="union"),
        kinship=_single("introductions.csv", "word", overlays, kind="kinship"),
        living=_single("introductions.csv", "word", overlays, kind="living"),
        streets={
            fold(form): (canonical, strength)
            for form, canonical, strength in _rows(
                "streets.csv", ("form", "canonical", "strength"), overlays
            )
        },
        units=frozenset(fold(unit) for (unit,) in _rows("units.csv", ("unit",), overlays)),
        fields=_phrases(_rows("fields.csv", ("label", "entity"), overlays)),
        authors=_phrases((p, "NOM") for (p,) in _rows("authors.csv", ("phrase",), overlays)),
        identifiers=_phrases(_rows("identifier_words.csv", ("phrase", "entity"), overlays)),
        institutions=_phrases(
            (p, "HOPITAL") for (p,) in _rows("institutions.csv", ("phrase",), overlays)
        ),
    )


def _rows(
    name: str, columns: tuple[str, ...], overlays: tuple[Path, ...]
) -> Iterator[tuple[str, ...]]:
    path = data_file(f"mappings/text/{name}", overlays)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise ConfigurationError(f"column {missing[0]!r} is missing", where=str(path))
        for row in reader:
            yield tuple((row[column] or "").strip() for column in columns)


def _single(
    name: str, column: str, overlays: tuple[Path, ...], *, kind: str = ""
) -> frozenset[str]:
    """The folded words of one column; with `kind`, those of the rows of this kind."""
    rows = _rows(name, (column, "kind") if kind else (column,), overlays)
    return frozenset(
        word for row in rows if row[1:] in ((), (kind,)) for word in fold(row[0]).split()
    )


def _phrases(rows: Iterable[tuple[str, ...]]) -> Phrases:
    """Phrases by their first word, the longest first."""
    found: Phrases = {}
    for phrase, entity in rows:
        words = tuple(fold(phrase).replace("-", " ").replace("°", "").split())
        found.setdefault(words[0], []).append((words, entity))
    for choices in found.values():
        choices.sort(key=lambda choice: -len(choice[0]))
    return found


def _inflected(word: str, kind: str) -> set[str]:
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
