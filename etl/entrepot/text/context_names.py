"""Names that a title, a form label, a kinship, an author's phrase or their position gives away."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.text.document import WALL, Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.name_reader import NameReader
from entrepot.text.phrases import has_accent, match_phrase
from entrepot.text.spans import Span

_PLURAL = frozenset((
    "drs", "prs", "mm", "mmes", "mlles", "docteurs", "professeurs", "messieurs", "mesdames",
))  # fmt: skip
_STRICT_TITLES = frozenset(("m", "me", "mm", "pr"))  # also metre, pronoun, millimetre, `pour`
_OWN_FIELDS = ("nom", "noms", "prenom", "prenoms", "patronyme", "premier")
_POSSESSIVES = frozenset(("son", "sa", "mon", "ma", "notre", "votre", "leur", "l", "une"))
_HEAD_LINES, _TAIL_LINES = 10, 8
_MOST_LISTED = 6
_MOST_TITLES = 6  # `Monsieur le Professeur Docteur`; a page of titles must not cost its square


def find_names(document: Document, lexicon: Lexicon) -> Iterator[Span]:
    """Spans of the folded text: names by the words around them."""
    reader = NameReader(document, lexicon)
    plain, lower, starts = document.plain, document.lower, document.starts
    for i, word in enumerate(document.words):
        if plain[starts[i]] != lower[starts[i]]:
            yield from _pair(reader, i)
        if word not in lexicon.name_words:
            continue
        if word in lexicon.titles:
            yield from _titled(reader, i)
        if word in lexicon.unions:
            yield from _union(reader, i)
        if word in lexicon.kinship:
            yield from _relative(reader, i)
        if word in lexicon.fields:
            yield from _field(reader, i)
        if word in lexicon.authors:
            yield from _author(reader, i)
    yield from _lines(reader)


def _titled(reader: NameReader, i: int) -> Iterator[Span]:
    document, lexicon = reader.document, reader.lexicon
    title = document.words[i]
    if title in _STRICT_TITLES and document.is_lower(i):
        return
    j, count = i + 1, min(len(document.words), i + _MOST_TITLES)
    while j < count and (
        (document.words[j] in lexicon.titles and not _initial(document, j, i))
        or (
            document.words[j] in ("le", "la", "et", "ou")
            and j + 1 < count
            and document.words[j + 1] in lexicon.titles
        )
    ):
        j += 1
    if j >= len(document.words) or not _introduces(document.gap(j)):
        return
    if title == "me" and document.is_upper(i) and not document.gap(j).startswith("."):
        return  # `IL ME DIT`
    for first, last in _listed(
        reader, j, plural=title in _PLURAL, lower=title not in _STRICT_TITLES
    ):
        yield from reader.spans(first, last)


def _initial(document: Document, i: int, first: int) -> bool:
    """The M. of `Pr M.-A. Bon` or `Dr M. Bon` is an initial, not `Monsieur`."""
    return document.words[i] == "m" and i > first


def _introduces(gap: str) -> bool:
    """Whether no more than light punctuation stands between a title and a name."""
    return len(gap) <= 4 and not gap.strip(" .:,)(\n\r\t")


def _listed(
    reader: NameReader, i: int, *, plural: bool, lower: bool, trusted: bool = True
) -> Iterator[tuple[int, int]]:
    """The name at word `i`, and after a plural the names of the list that follows."""
    document = reader.document
    for _ in range(_MOST_LISTED):
        last = reader.read(i, trusted=trusted, lower=lower)
        if last == i:
            return
        yield i, last
        if not plural or last >= len(document.words):
            return
        i, trusted, lower = last, False, False
        gap = document.gap(i)
        if document.words[i] in ("et", "ou") and not gap.strip(" ,"):
            i += 1
            if i >= len(document.words):
                return
        elif gap.strip() not in (",", ";", "/", "-"):
            return


def _union(reader: NameReader, i: int) -> Iterator[Span]:
    """`née MARTIN`, `épouse LE GOFF`; `ne` is a negation unless it bears its accent."""
    document = reader.document
    if document.words[i] == "ne" and not has_accent(document, i):
        return
    if _possessed(document, i):
        return
    j = i + 1
    if j < len(document.words) and document.words[j] == "e" and document.gap(j) == "(":
        j += 1
    if j < len(document.words) and not document.gap(j).strip(" :.)"):
        last = reader.read(j, lower=True, trusted=not document.is_lower(j))
        yield from reader.spans(j, last, "NOM")


def _possessed(document: Document, i: int) -> bool:
    """`son épouse Marie` is a relative, `épouse MARTIN` a married name."""
    return i > 0 and document.words[i - 1] in _POSSESSIVES


def _relative(reader: NameReader, i: int) -> Iterator[Span]:
    """`son mari Jean`, `sa fille (Zoé)`, `bébé de DUPONT`."""
    document = reader.document
    if document.words[i] in reader.lexicon.unions and not _possessed(document, i):
        return
    j = i + 1
    if j < len(document.words) and document.words[j] in ("de", "d") and document.gap(j) == " ":
        j += 1
    if j < len(document.words) and document.gap(j) in (" ", ", ", " (", ": ", " : ", "'", "\n"):
        named = reader.read(j, trusted=_possessed(document, i))
        yield from reader.spans(j, named, "" if j > i + 1 else "PRENOM")


def _field(reader: NameReader, i: int) -> Iterator[Span]:
    """`Nom : DUPONT`, `Opérateurs : DUPONT, MARTIN`."""
    document = reader.document
    matched = match_phrase(document, reader.lexicon.fields, i)
    if matched is None:
        return
    j, label = matched
    if j < len(document.words) and document.words[j] in ("s", "e") and "(" in document.gap(j):
        j += 1
    if j >= len(document.words):
        return
    gap, own = document.gap(j), document.words[i] in _OWN_FIELDS
    if not gap.strip(" \t)") and own:
        if document.is_upper(j) and not reader.lexicon.ordinary(document.words[j]):
            yield from reader.spans(j, reader.read(j), label)
        return
    if gap.strip(" \t\n\r)*_") not in (":", "=", ": -", ":-") or gap.count("\n") > 1:
        return
    if document.lower[document.ends[j] : document.ends[j] + 3].lstrip().startswith(":"):
        return
    if document.lower[document.starts[j] : document.starts[j] + 3] == "m. " and own:
        return  # `Nom : M. DUPONT`: the title tells
    for first, last in _listed(reader, j, plural=not own, lower=own, trusted=own):
        yield from reader.spans(first, last, "PRENOM" if label == "PRENOM" else "")


def _author(reader: NameReader, i: int) -> Iterator[Span]:
    """`adressé par DUPONT`."""
    matched = match_phrase(reader.document, reader.lexicon.authors, i)
    if matched and matched[0] < len(reader.document.words):
        j = matched[0]
        if not reader.document.gap(j).strip(" :\n"):
            for first, last in _listed(reader, j, plural=True, lower=False, trusted=False):
                yield from reader.spans(first, last)


def _pair(reader: NameReader, i: int) -> Iterator[Span]:
    """`Jean DUPONT`, `DUPONT Jean`, `J.-P. Dupont`: capitals beside a capitalised word."""
    document = reader.document
    alone = i + 1 >= len(document.words) or (
        document.is_lower(i + 1) and document.words[i + 1] not in reader.lexicon.particles
    )
    if alone or not _namelike(reader, i):
        return
    last = reader.read(i)
    content = [k for k in range(i, last) if document.words[k] not in reader.lexicon.particles]
    if len(content) < 2 or not all(_namelike(reader, k) for k in content):
        return
    initials = [k for k in content if len(document.words[k]) == 1]
    capitals = [k for k in content if document.is_upper(k) and len(document.words[k]) > 2]
    mixed = capitals and len(capitals) + len(initials) < len(content)
    dotted = initials and content[0] in initials and len(initials) < len(content)
    long = any(len(document.words[k]) > 2 for k in content)
    if mixed or (dotted and long and document.plain[document.ends[i]] == "."):
        yield from reader.spans(i, last)


def _namelike(reader: NameReader, i: int) -> bool:
    document, lexicon = reader.document, reader.lexicon
    word = document.words[i]
    if len(word) == 1:
        return word != "m" and document.plain[document.ends[i] : document.ends[i] + 1] == "."
    return not (
        len(word) < 3
        or document.is_lower(i)
        or lexicon.clinical(word)
        or word in lexicon.eponyms
        or word in lexicon.species
    )


def _lines(reader: NameReader) -> Iterator[Span]:
    """Letter heads and signatures: a line near either end that holds a name and nothing else."""
    document = reader.document
    bounds = _line_bounds(document.lower)
    edge = bounds[:_HEAD_LINES] + bounds[max(_HEAD_LINES, len(bounds) - _TAIL_LINES) :]
    for start, end in edge:
        first = document.after(start)
        last = document.after(end)
        line = document.lower[start:end]
        if 2 <= last - first <= 4 and WALL not in line and not any(map(str.isdigit, line)):
            named = all(
                document.words[k] in reader.lexicon.particles or _namelike(reader, k)
                for k in range(first, last)
            )
            if named and reader.read(first) == last:
                yield from reader.spans(first, last)


def _line_bounds(text: str) -> list[tuple[int, int]]:
    """Start and end of each line that is not blank."""
    bounds, start = [], 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            bounds.append((start, start + len(line)))
        start += len(line)
    return bounds
