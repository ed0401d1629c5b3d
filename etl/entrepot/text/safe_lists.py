"""Builds the gazetteer and the safe vocabulary from the own lists and a site's open data."""

from __future__ import annotations

from pathlib import Path

from entrepot.text.folding import fold
from entrepot.text.gazetteer import Gazetteer, lower_given, places_of
from entrepot.text.lists import inflected, rows
from entrepot.text.open_data import OpenList, SiteLists, read_lists
from entrepot.text.vocabulary import MedicalParts, Vocabulary, french

Overlays = tuple[Path, ...]
_LEAST_WORDS = 2  # an institution of one word is a surname or a town too


def site_lists(folder: Path | None, overlays: Overlays) -> SiteLists:
    """The names of a site's open-data files; empty without a folder."""
    if folder is None:
        return SiteLists()
    columns = tuple(OpenList.__dataclass_fields__)
    return read_lists(folder, [OpenList(*row) for row in rows("open_data.csv", columns, overlays)])


def vocabulary_of(own: frozenset[str], site: SiteLists, overlays: Overlays) -> Vocabulary:
    """Every safe word: `own` words of other lists, and those of the medical lists."""
    words = set(own) | site.drugs | {part for word in site.words for part in word.split()}
    for word, kind in rows("medical_words.csv", ("word", "kind"), overlays):
        words |= inflected(fold(word), kind)
    for word, kind in rows("kept_words.csv", ("word", "kind"), overlays):
        for part in fold(word).replace("-", " ").split():
            words |= inflected(part, "adjective" if kind == "nationality" else kind)
    for name, column in (("drugs.csv", "drug"), ("abbreviations.csv", "abbreviation")):
        words |= {
            part for (cell,) in rows(name, (column,), overlays) for part in fold(cell).split()
        }
    words |= {fold(unit) for (unit,) in rows("units.csv", ("unit",), overlays)}
    parts = MedicalParts((p, k) for p, k in rows("medical_parts.csv", ("part", "kind"), overlays))
    return Vocabulary(frozenset(words), parts)


def gazetteer_of(site: SiteLists, vocabulary: Vocabulary, overlays: Overlays) -> Gazetteer:
    """The names; those of a site that are also words are ambiguous, whatever their kind."""
    columns = ("name", "kind")
    listed = {fold(name): kind for name, kind in rows("first_names.csv", columns, overlays)}
    given = set(listed) | site.first_names
    safe = french() | vocabulary.own
    weak = {n for n, kind in listed.items() if kind == "weak"}
    ambiguous = weak | {n for n, kind in listed.items() if kind == "word"}
    ambiguous |= {n for n in site.first_names - set(listed) if n in safe}
    surnames = {fold(name) for name, _ in rows("surnames.csv", columns, overlays)}
    towns = [(fold(n), "VILLE", k != "word") for n, k in rows("communes.csv", columns, overlays)]
    towns += [(n, "VILLE", not _common(n, safe)) for n in sorted(site.communes)]
    houses = [
        (fold(n), "HOPITAL", k != "word") for n, k in rows("hospitals.csv", columns, overlays)
    ]
    houses += [
        (n, "HOPITAL", True)
        for n in sorted(site.institutions)
        if len(n.split()) >= _LEAST_WORDS and not _common(n, safe)
    ]
    return Gazetteer(
        given=frozenset(given),
        ambiguous=frozenset(ambiguous),
        weak=frozenset(weak),
        surnames=frozenset(surnames | site.surnames),
        places=places_of([*houses, *towns]),
        lower=lower_given(given - ambiguous, safe | frozenset(surnames)),
    )


def _common(name: str, safe: frozenset[str]) -> bool:
    """Whether every word of `name` is an ordinary one (`le port`, `clinique du sport`)."""
    return all(word in safe for word in name.replace("-", " ").replace("'", " ").split())
