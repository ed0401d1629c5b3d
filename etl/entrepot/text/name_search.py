"""Searches the forms of `Names` in a document: as written, then by guesses, then initials.

Used by layer 1 with the patient's names and by layer 7 with what was found.
"""

from __future__ import annotations

from itertools import pairwise

from entrepot.text.document import Document
from entrepot.text.name_guesses import embedded, half_misspelt, introduced, misspelt
from entrepot.text.names import Form, Hit, Level, Names

_LONGEST_RUN = 40  # words: a long name in a heading is written letter by letter


def search(document: Document, names: Names, *, tolerant: bool) -> list[Hit]:
    """Every mention of `names`, with typing errors when `tolerant`.

    Ordinary words (`petit`) count only where they are written like a name or touch one.
    """
    if not names.forms:
        return []
    exact, doubtful = _exact(document, names)
    hits = exact + embedded(document, names, exact)
    if tolerant:
        hits += half_misspelt(document, names) + misspelt(document, names)
    hits += _adjacent(document, hits, doubtful)
    return hits + _initials(document, names, hits)


def _exact(document: Document, names: Names) -> tuple[list[Hit], list[Hit]]:
    sure: list[Hit] = []
    doubtful: list[Hit] = []
    prefixes = names.prefixes
    i, count = 0, len(document.words)
    while i < count:
        if document.words[i] not in prefixes:
            i += 1
            continue
        hit = _longest(document, names, i)
        if hit is None:
            i += 1
            continue
        (sure if _tells(document, names, hit) else doubtful).append(hit)
        i = hit.last
    return sure, doubtful


def _longest(document: Document, names: Names, i: int) -> Hit | None:
    """The longest form that starts at word `i`, its parts joined by nothing but separators."""
    glued = document.words[i]
    joins: list[tuple[int, int]] = []
    best = None
    j = i + 1
    while glued in names.prefixes:
        form = names.forms.get(glued)
        if form is not None and all(_may_join(document, k, at, form) for k, at in joins):
            best = Hit(i, j, form)
        if j >= len(document.words) or j - i >= _LONGEST_RUN or not document.joins(j):
            break
        joins.append((j, len(glued)))
        glued += document.words[j]
        j += 1
    return best


def _may_join(document: Document, k: int, at: int, form: Form) -> bool:
    """Whether words `k - 1` and `k` may be one piece of a name that has no part ending there.

    `DU-` at the end of a line and `PONT` may; `le sage` is not the name Lesage.
    """
    if at in form.cuts:
        return True
    gap = document.gap(k)
    if not gap or "\n" in gap or "-" in gap:
        return True
    return not document.is_lower(k - 1) and not document.is_lower(k)


def _tells(document: Document, names: Names, hit: Hit) -> bool:
    """Whether the hit is a name by the way it is written or by what stands before it."""
    if hit.form.level is Level.DISTINCT or introduced(document, names, hit.first):
        return True
    one = hit.last - hit.first == 1
    if one and hit.form.cuts and not names.lexicon.ordinary(document.words[hit.first]):
        return True  # `lepetit` is no word, though `le petit` is two
    if hit.form.level is Level.WEAK:
        return False
    return not document.is_lower(hit.last - 1)


def _adjacent(document: Document, sure: list[Hit], doubtful: list[Hit]) -> list[Hit]:
    """Doubtful hits that touch a sure one, or one another (`rose petit`), and so on along."""
    found: set[Hit] = set()
    ends, starts = {hit.last for hit in sure}, {hit.first for hit in sure}
    for hits, touched, near, far in (
        (doubtful, ends, "first", "last"),
        (doubtful[::-1], starts, "last", "first"),
    ):
        for hit in hits:
            if getattr(hit, near) in touched and document.joins(getattr(hit, near)):
                found.add(hit)
                touched.add(getattr(hit, far))
    for one, other in pairwise(doubtful):
        levels = {one.form.level, other.form.level}
        if one.last == other.first and document.joins(one.last) and Level.COMMON in levels:
            found |= {one, other}
    return sorted(found, key=lambda hit: hit.first)


def _initials(document: Document, names: Names, hits: list[Hit]) -> list[Hit]:
    """Initials beside a family name (`J.-P. DUPONT`), or alone before a verb (`R. va mieux`)."""
    family = [hit for hit in hits if hit.form.label == "NOM"]
    given = Form("PRENOM", Level.WEAK, frozenset())
    found: list[Hit] = []
    for hit in family:
        i = hit.first
        while i and _is_initial(document, names, i - 1) and document.joins(i):
            i -= 1
            found.append(Hit(i, i + 1, given))
        i = hit.last
        while i < len(document.words) and _is_initial(document, names, i) and document.joins(i):
            found.append(Hit(i, i + 1, given))
            i += 1
    found += [
        Hit(i, i + 1, given)
        for i, word in enumerate(document.words)
        if word in names.initials and _alone(document, i, names)
    ]
    return found


def _is_initial(document: Document, names: Names, i: int) -> bool:
    word = document.words[i]
    if document.is_lower(i) or len(word) > 2:
        return False
    if len(word) == 2:
        return word in names.initials and word not in names.lexicon.titles
    return word in names.initials or (
        word != "m" and document.plain[document.ends[i] : document.ends[i] + 1] == "."
    )


def _alone(document: Document, i: int, names: Names) -> bool:
    """`R. dit aller mieux`: the initial of the patient before a lower-case word.

    `E. coli` is a germ, and `vitamine D. Poursuite` ends a sentence.
    """
    word, start, end = document.words[i], document.starts[i], document.ends[i]
    if len(word) != 1 or document.is_lower(i):
        return False
    if document.plain[end : end + 1] != "." or i + 1 >= len(document.words):
        return False
    if start and (document.plain[start - 1].isalnum() or document.plain[start - 1] == "."):
        return False
    gap = document.plain[end + 1 : document.starts[i + 1]]
    return (
        bool(gap)
        and not gap.strip()
        and document.is_lower(i + 1)
        and document.words[i + 1] not in names.lexicon.species
    )
