"""Addresses, towns and institutions that their own words give away."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from entrepot.text.document import WALL, Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.measures import measured
from entrepot.text.phrases import match_phrase
from entrepot.text.spans import CONTEXT, Span

_HOUSE = re.compile(r"(?<!\d)(?:\d{1,4}\s?[\-/]\s?)?\d{1,4}\s?(?:bis|ter|quater|[a-d])?[\s,]{1,3}$")
_LINKS = frozenset((
    "de", "du", "des", "d", "la", "le", "les", "l", "et", "sur", "sous", "en", "aux", "au", "a",
    "lez",
))  # fmt: skip
_FIRST = _LINKS - {"et", "sur", "sous", "en", "lez"}
_POSTCODE = re.compile(
    r"(?<![\d.,/])(?:[fF] ?-? ?)?(?:0[1-9]|[1-8]\d|9[0-8]|2[abAB]) ?\d{3}"
    r"(?=[ \t,\-]{1,3}[A-Za-z])"
)
_COMPLEMENT = re.compile(
    r"(?:[ ,\n\-]{1,3}(?:appartement|appt?|studio|bat(?:iment)?|esc(?:alier)?|etage|porte|"
    r"residence|bp|cs|chambre|hall|boite)\.? ?(?:n°? ?)?(?:\d{1,5}[a-z]?|[a-z]\d{0,3})(?![a-z]))+"
)
_AFTER_STREET = re.compile(
    r"[ ,\n\-]{1,3}(?:f ?-? ?)?((?:0[1-9]|[1-8]\d|9[0-8]|2[ab]) ?\d{3})(?![\d,.]\d|\d)"
)
_FOREIGN_STREET = re.compile(
    r"[A-Za-z\-]{3,30}(?:[Ss]tra(?:ss|ß)e|[Ss]traat|[Gg]asse|[Pp]latz|[Ww]eg|[Ll]aan)"
    r" \d{1,4}[a-z]?(?![\w,.]\d)"
)
_FOREIGN_KINDS = ("strasse", "straat", "gasse", "platz", "weg", "laan")
_CODE = re.compile(
    r"\d(?<![\d,.]\d)(?:(?<=0)[1-9]|(?<=[1-8])\d|(?<=9)[0-8]|(?<=2)[ab]) ?\d{3}(?![\d,.]\d|\d)"
)
_AFTER_TOWN = re.compile(r"[a-z],? ?[(\-]? ?$")
_TOWN_CODE = re.compile(r"\((?:\d{5}|\d{2}|2[ab]|97\d)\)")
_BOX = re.compile(r"\b(?:bp|cs|tsa) ?n?°? ?\d{2,5}(?=[\s,\-]*(?:\d{5}\b|$|\n))")
_CEDEX = re.compile(r"[ \t\-]{1,9}cedex(?: ?\d{1,2}\b)?")
_NOT_A_NAME = frozenset((
    "jour", "jours", "semaine", "nuit", "retraite", "sante", "repos", "reeducation",
    "convalescence", "soins",
))  # fmt: skip
_PLACE_DATE = re.compile(
    r",?[ ]{1,2}le[ :]{1,3}(?=\d|lundi|mardi|mercredi|jeudi|vendredi|samedi|dim)"
)
_LIVES_AT = re.compile(
    r"\b(?:habite|demeure|adresse|reside|vit|chez (?:lui|elle|eux)|domicile) (?:au |a )?$"
)
_SHORT_WORD = 3
_NEAR_STREET = 6  # characters between an address and its postcode
_MOST_WORDS = 8


def find_places(document: Document, lexicon: Lexicon) -> Iterator[Span]:
    """Spans of the folded text: addresses, postcodes, towns and institutions."""
    streets: list[int] = []  # where addresses end
    for i, word in enumerate(document.words):
        if word not in lexicon.place_words:
            continue
        if word in lexicon.streets:
            for span in _street(document, lexicon, i):
                streets.append(span.end)
                yield span
        if word in lexicon.institutions:
            yield from _institution(document, lexicon, i)
        if word in lexicon.living:
            yield from _living(document, lexicon, i)
        if word == "lieu" and document.words[i + 1 : i + 2] == ["dit"]:
            yield from _named(document, lexicon, i + 2, "ADRESSE")
    if document.digits:
        yield from _postcodes(document, lexicon, streets)
        yield from _codes_after_towns(document, lexicon)
        yield from _letter_head(document, lexicon)
        for match in _BOX.finditer(document.lower):
            yield Span(match.start(), match.end(), "ADRESSE", CONTEXT)
        if any(kind in document.lower for kind in _FOREIGN_KINDS):
            for match in _FOREIGN_STREET.finditer(document.plain):
                yield Span(match.start(), match.end(), "ADRESSE", CONTEXT)


def _street(document: Document, lexicon: Lexicon, i: int) -> Iterator[Span]:
    strength = lexicon.streets[document.words[i]][1]
    start = document.starts[i]
    house = _HOUSE.search(document.lower, max(0, start - 18), start)
    first = i + 1
    while first < len(document.words) and document.words[first] in _FIRST and document.joins(first):
        first += 1
    if first >= len(document.words) or not document.joins(first):
        return
    capital = not document.is_lower(first)
    if not (capital or (house and (strength == "strong" or _told(document, house.start())))) or (
        strength == "weak" and not house
    ):
        return
    if not capital and document.words[first] in lexicon.function:
        return
    if not house and lexicon.ordinary(document.words[first]) and document.is_upper(first):
        return
    last = _street_end(
        document, lexicon, first, free=house is not None and document.is_lower(first)
    )
    end = document.ends[last - 1]
    if year := re.match(r" (?:19|20)\d\d(?!\d)", document.lower[end : end + 6]):
        end += year.end()
    if more := _COMPLEMENT.match(document.lower, end):
        end = more.end()
    yield Span(house.start() if house else start, end, "ADRESSE", CONTEXT)
    if (code := _AFTER_STREET.match(document.lower, end)) and not measured(
        document.lower, code.end(), lexicon
    ):
        yield Span(code.start(1), code.end(1), "ZIP", CONTEXT)


def _told(document: Document, start: int) -> bool:
    """Whether `au 45 passage…` says that somebody lives there."""
    return bool(_LIVES_AT.search(document.lower, max(0, start - 24), start))


def _street_end(document: Document, lexicon: Lexicon, first: int, *, free: bool) -> int:
    """Index after the street's name; in lower case it ends at the first grammatical word."""
    last = j = first + 1
    while j < len(document.words) and j - first < _MOST_WORDS and _street_joins(document, j):
        word = document.words[j]
        if word not in _LINKS:
            lower = document.is_lower(j)
            if lower and (not free or word in lexicon.function):
                break
            last = j + 1
        j += 1
    return last


def _street_joins(document: Document, j: int) -> bool:
    gap = document.gap(j)
    return gap in (" ", "-", "'", " - ", ". ", ".") or (gap.strip().isdigit() and len(gap) <= 4)


def _institution(document: Document, lexicon: Lexicon, i: int) -> Iterator[Span]:
    matched = match_phrase(document, lexicon.institutions, i)
    lower = document.is_lower(i)
    if matched is None or (len(document.words[i]) <= 3 and lower):
        return
    for span in _named(document, lexicon, matched[0], "HOPITAL"):
        yield span if lower else span._replace(start=document.starts[i])
        return
    j = matched[0]
    while j < len(document.words) and document.words[j] in _LINKS and document.joins(j):
        j += 1
    if (
        j < len(document.words)
        and document.gap(j) in (" ", "'")
        and len(document.words[j]) > _SHORT_WORD
        and not lexicon.vocabulary.knows(document.words[j])
    ):
        yield Span(document.starts[j], document.ends[j], "HOPITAL", CONTEXT)


def _named(document: Document, lexicon: Lexicon, i: int, label: str) -> Iterator[Span]:
    """Capitalised words from word `i` on, after links such as `de la`."""
    first = i
    while first < len(document.words) and document.words[first] in _LINKS and document.joins(first):
        first += 1
    last = j = first
    while j < len(document.words) and j - first < _MOST_WORDS and document.joins(j):
        if "\n" in document.gap(j) or document.gap(j).startswith("."):
            break
        word = document.words[j]
        if not document.is_lower(j) and word not in lexicon.function and word not in _NOT_A_NAME:
            if lexicon.ordinary(word) and first == i and j == first:
                break
            last = j + 1
        elif word not in _LINKS:
            break
        j += 1
    if last > first:
        yield Span(document.starts[first], document.ends[last - 1], label, CONTEXT)


def _codes_after_towns(document: Document, lexicon: Lexicon) -> Iterator[Span]:
    """`Marseille, 13 005`: a postcode after a town of the lists."""
    for match in _CODE.finditer(document.lower):
        start, end = match.span()
        town = _AFTER_TOWN.search(document.lower, max(0, start - 5), start)
        i = document.after(town.start() + 1) - 1 if town else -1
        known = i >= 0 and document.words[i] in lexicon.gazetteer.town_ends
        if known and not document.is_lower(i) and not measured(document.lower, end, lexicon):
            yield Span(start, end, "ZIP", CONTEXT)


def _postcodes(document: Document, lexicon: Lexicon, streets: list[int]) -> Iterator[Span]:
    for match in _POSTCODE.finditer(document.plain):
        if measured(document.lower, match.end(), lexicon):
            continue
        i = document.after(match.end())
        before = document.lower[: match.start()].rstrip(" \t")[-1:]
        near = streets[bisect_right(streets, match.start()) - 1 :][:1]
        street = bool(near) and 0 <= match.start() - near[0] <= _NEAR_STREET
        sure = street or before in ("", "\n", ",", "-", "(")
        last = _town_end(document, lexicon, i, sure=sure)
        if last > i:
            yield Span(match.start(), match.end(), "ZIP", CONTEXT)
            yield _town(document, i, last)
    for match in _TOWN_CODE.finditer(document.lower):
        last = document.after(match.start())
        first = _town_start(document, lexicon, last, match.start())
        if first < last:
            yield Span(match.start() + 1, match.end() - 1, "ZIP", CONTEXT)
            yield _town(document, first, last)


def _town(document: Document, first: int, last: int) -> Span:
    end = document.ends[last - 1]
    if cedex := _CEDEX.match(document.lower, end):
        end = cedex.end()
    return Span(document.starts[first], end, "VILLE", CONTEXT)


def _town_end(document: Document, lexicon: Lexicon, i: int, *, sure: bool) -> int:
    """Index after the town that starts at word `i`; `i` when none does."""
    last = j = i
    while j < len(document.words) and j - i < _MOST_WORDS:
        word = document.words[j]
        if j > i and document.gap(j) not in (" ", "-", "'", " - "):
            break
        if document.is_lower(j) and word not in _LINKS:
            if j > i or lexicon.ordinary(word) or len(word) < 4:
                break
            return j + 1
        if word not in _LINKS:
            strange = lexicon.ordinary(word) and not (sure or (j > i and document.gap(j) == "-"))
            if strange or word in lexicon.acronyms or word == "cedex":
                break
            last = j + 1
        j += 1
    return last


def _town_start(document: Document, lexicon: Lexicon, last: int, end: int) -> int:
    """Index of the first word of the town that ends right before position `end`."""
    first = last
    if not last or document.lower[document.ends[last - 1] : end] != " ":
        return last
    while first and last - first < 5:
        k = first - 1
        named = not document.is_lower(k) and not lexicon.ordinary(document.words[k])
        if not named and not (document.words[k] in _LINKS and document.gap(first) == "-"):
            break
        first = k
        if not k or document.gap(k) not in (" ", "-", "'"):
            break
    return first


def _living(document: Document, lexicon: Lexicon, i: int) -> Iterator[Span]:
    """`domicilié à Brest`, `née le 28/03/1979 à Nancy`, `fait à Laon`."""
    for j in range(i + 1, min(i + 9, len(document.words) - 1)):
        if document.words[j] in ("a", "au", "aux") and document.is_lower(j):
            place = j + 1
            ordinary = lexicon.ordinary(document.words[place])
            capital = not document.is_lower(place) and not document.is_upper(place)
            if document.gap(place) == " " and (capital or not ordinary):
                yield from _named(document, lexicon, place, "VILLE")
            return
        if "\n\n" in document.gap(j) or ". " in document.gap(j):
            return


def _letter_head(document: Document, lexicon: Lexicon) -> Iterator[Span]:
    """`Brest, le 12 mars 2024` at the start of a line."""
    for match in _PLACE_DATE.finditer(document.lower):
        last = document.after(match.start())
        if not last or document.ends[last - 1] != match.start():
            continue
        line = document.lower.rfind("\n", 0, match.start()) + 1
        if WALL in document.lower[line : match.start()]:
            continue
        first = document.after(line)
        while first < last and document.is_lower(first) and document.words[first] in _LINKS:
            first += 1
        named = [k for k in range(first, last) if document.words[k] not in _LINKS]
        if (
            named
            and last <= first + 5
            and not any(document.is_lower(k) or lexicon.ordinary(document.words[k]) for k in named)
        ):
            yield Span(document.starts[first], document.ends[last - 1], "VILLE", CONTEXT)
