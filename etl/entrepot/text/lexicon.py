"""The lists of `mappings/text/*.csv` as frozen sets: read once, a site's overlay first.

Lists are data so that a clinician or a DPO can read and change them. Words are inflected here
(plural, feminine, forms of verbs in -er), which keeps the lists short enough to be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from entrepot.text.folding import fold
from entrepot.text.gazetteer import Gazetteer
from entrepot.text.lists import Phrases, inflected, phrases, rows, single
from entrepot.text.safe_lists import gazetteer_of, site_lists, vocabulary_of
from entrepot.text.vocabulary import Vocabulary


class Strictness(NamedTuple):
    """How a document class is read by layers 4 and 5.

    Args:
        names: whether given names, towns and institutions of the gazetteer are masked.
        capitalised: least letters of an unknown capitalised word that is masked; 0 for none.
        capitals: the same for words in capitals, which may be abbreviations.
    """

    names: bool
    capitalised: int
    capitals: int


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Every list of the engine, folded to lower case.

    Args:
        function: grammatical words, never a name by themselves.
        common: French and medical words that may also be a name; inflected forms included.
        acronyms: medical abbreviations written in capitals.
        species: second word of a species (`coli`), where an initial before it is a genus.
        eponyms: names that stay when a disease or a sign bears them.
        scales: eponyms of scales, signs and devices, which stay with a value or their bearer only.
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
        offices: `interne`, `patient`…: words that a name follows without any sign.
        bearers: words that a person's name may follow without naming anybody (`syndrome de`).
        gazetteer: names of layer 4.
        vocabulary: safe words of layer 5.
        classes: document class -> how strictly it is read.
    """

    function: frozenset[str]
    common: frozenset[str]
    acronyms: frozenset[str]
    species: frozenset[str]
    eponyms: frozenset[str]
    scales: frozenset[str]
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
    offices: frozenset[str]
    bearers: frozenset[str]
    gazetteer: Gazetteer
    vocabulary: Vocabulary
    classes: dict[str, Strictness]

    @cached_property
    def name_words(self) -> frozenset[str]:
        """Every word that may introduce a name."""
        return frozenset().union(self.titles, self.unions, self.kinship, self.fields, self.authors)

    @cached_property
    def place_words(self) -> frozenset[str]:
        """Every word that may introduce an address, a town or an institution."""
        return frozenset().union(self.streets, self.institutions, self.living, ("lieu",))

    def clinical(self, word: str) -> bool:
        """Whether a list of ours holds the folded `word` and no list of names does."""
        if self.ordinary(word):
            return True
        return self.vocabulary.clinical(word) and not self.gazetteer.holds(word)

    def known(self, word: str) -> bool:
        """Whether any list, general French included, holds the folded `word`, and none of names."""
        if self.ordinary(word):
            return True
        return self.vocabulary.knows(word) and not self.gazetteer.holds(word)

    def ordinary(self, word: str) -> bool:
        """Whether the folded `word` is a French or medical word or abbreviation."""
        return word in self.common or word in self.function or word in self.acronyms


@lru_cache(maxsize=8)
def load_lexicon(overlays: tuple[Path, ...] = (), lists: Path | None = None) -> Lexicon:
    """Reads the lists; a file of an overlay's `mappings/text` replaces the shipped one.

    Args:
        overlays: folders that hold a `mappings/text` of the site.
        lists: folder of open-data files that the site adds (`open_data`).

    Raises:
        ConfigurationError: a list is missing, or lacks a column.
    """
    words: dict[str, set[str]] = {}
    for word, kind in rows("words.csv", ("word", "kind"), overlays):
        words.setdefault(kind, set()).update(inflected(fold(word), kind))
    function = frozenset(words.pop("function", ()))
    acronyms, species = (frozenset(words.pop(kind, ())) for kind in ("acronym", "species"))
    titles = {(fold(form), kind) for form, kind in rows("titles.csv", ("form", "kind"), overlays)}
    listed = site_lists(lists, overlays)
    common = frozenset().union(*words.values()) - function
    fields = phrases(rows("fields.csv", ("label", "entity"), overlays))
    own = common | function | acronyms | species
    vocabulary = vocabulary_of(own.union(form for form, _ in titles), listed, overlays)
    return Lexicon(
        function=function,
        common=common,
        acronyms=acronyms,
        species=species,
        eponyms=single("eponyms.csv", "eponym", overlays),
        scales=single("scales.csv", "eponym", overlays),
        particles=single("particles.csv", "particle", overlays),
        titles={form: kind for form, kind in titles if kind != "role"},
        roles=frozenset(form for form, kind in titles if kind == "role"),
        unions=single("introductions.csv", "word", overlays, kind="union"),
        kinship=single("introductions.csv", "word", overlays, kind="kinship"),
        living=single("introductions.csv", "word", overlays, kind="living"),
        streets={
            fold(form): (canonical, strength)
            for form, canonical, strength in rows(
                "streets.csv", ("form", "canonical", "strength"), overlays
            )
        },
        units=frozenset(fold(unit) for (unit,) in rows("units.csv", ("unit",), overlays)),
        fields=fields,
        authors=phrases((p, "NOM") for (p,) in rows("authors.csv", ("phrase",), overlays)),
        identifiers=phrases(rows("identifier_words.csv", ("phrase", "entity"), overlays)),
        institutions=phrases(
            (p, "HOPITAL") for (p,) in rows("institutions.csv", ("phrase",), overlays)
        ),
        offices=single("introductions.csv", "word", overlays, kind="office"),
        bearers=single("introductions.csv", "word", overlays, kind="bearer"),
        gazetteer=gazetteer_of(listed, vocabulary, overlays),
        vocabulary=vocabulary,
        classes={
            name: Strictness(names == "yes", int(capitalised or 0), int(capitals or 0))
            for name, names, capitalised, capitals in rows(
                "document_classes.csv",
                ("document_class", "names", "capitalised_from", "capitals_from"),
                overlays,
            )
        },
    )
