"""Searches the forms of `Names` in a document: exact, glued, embedded, misspelt, initials.

Used by layer 1 with the patient's names and by layer 7 with what was found.
"""

from __future__ import annotations

from typing import NamedTuple

from entrepot.text.document import Document
from entrepot.text.fuzzy import within
from entrepot.text.names import EMBEDDED_LETTERS, Form, Level, Names, allowed_errors

_NAME_FIELDS = frozenset("nom noms prenom prenoms nee epouse veuve".split())
_EMBEDDED_LOWER = 7  # `perin` stands in `périnéal`; seven letters rarely stand in another word
_LOWER_FUZZY = 7
_LONGEST_RUN = 8


class Hit(NamedTuple):
    """Words `first:last` of a document that match a form."""

    first: int
    last: int
    form: Form


def search(document: Document, names: Names, *, tolerant: bool) -> list[Hit]:
    """Every mention of `names`, with typing errors when `tolerant`.

    Ordinary words (`petit`) count only where they are written like a name or touch one.
    """
    if not names.forms:
        return []
    exact, doubtful = _exact(document, names)
    hits = exact + _embedded(document, names, exact)
    if tolerant:
        hits += _windows(document, names) + _misspelt(document, names)
    hits += _adjacent(document, names, hits, doubtful)
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
    glued, joins = document.words[i], []
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
    if hit.form.level is Level.DISTINCT or _introduced(document, names, hit.first):
        return True
    if hit.form.level is Level.WEAK:
        return False
    return not document.is_lower(hit.last - 1)


def _introduced(document: Document, names: Names, i: int) -> bool:
    if not i:
        return False
    before, gap = document.words[i - 1], document.gap(i)
    if before in names.lexicon.titles:
        return not gap.strip(" .\n\r\t") and len(gap) <= 4
    return before in _NAME_FIELDS and not gap.strip(" :.\t") and len(gap) <= 4


def _adjacent(
    document: Document, names: Names, sure: list[Hit], doubtful: list[Hit]
) -> list[Hit]:
    """Doubtful hits that touch a sure one, or one another (`rose petit`), and so on along."""
    found: list[Hit] = []
    ends = {hit.last for hit in sure}
    starts = {hit.first for hit in sure}
    pending = doubtful
    while pending:
        close = [
            hit
            for hit in pending
            if (hit.first in ends and document.joins(hit.first))
            or (hit.last in starts and document.joins(hit.last))
        ]
        if not close:
            break
        found += close
        ends.update(hit.last for hit in close)
        starts.update(hit.first for hit in close)
        pending = [hit for hit in pending if hit not in close]
    for one, other in zip(pending, pending[1:], strict=False):
        levels = {one.form.level, other.form.level}
        if one.last == other.first and document.joins(one.last) and Level.COMMON in levels:
            found += [one, other]
    return found


def _embedded(document: Document, names: Names, exact: list[Hit]) -> list[Hit]:
    """Names inside longer words: `DUPONTJEAN`, `mdupont`, `crdupontjean`."""
    done = {i for hit in exact for i in range(hit.first, hit.last)}
    found: list[Hit] = []
    for i, word in enumerate(document.words):
        if len(word) <= EMBEDDED_LETTERS or i in done:
            continue
        for form in names.embeddable:
            if form in word and _stands_out(document, names, i, form):
                found.append(Hit(i, i + 1, names.forms[form]))
                break
    return found


def _stands_out(document: Document, names: Names, i: int, form: str) -> bool:
    word = document.words[i]
    if names.lexicon.ordinary(word):
        return False
    if len(form) >= _EMBEDDED_LOWER or not document.is_lower(i):
        return True
    return _rest_is_name(names, word.replace(form, "", 1))


def _rest_is_name(names: Names, rest: str) -> bool:
    return len(rest) == 1 or rest in names.forms or rest in names.lexicon.titles


def _misspelt(document: Document, names: Names) -> list[Hit]:
    """Single words within the allowed distance of a form, ordinary words excepted."""
    forms, lexicon = names.forms, names.lexicon
    close: dict[str, tuple[str, int]] = {}
    for word in set(document.words):
        if len(word) < 4 or word in forms or word in lexicon.eponyms or lexicon.ordinary(word):
            continue
        for form, limit in names.fuzzy:
            if -limit <= len(word) - len(form) <= limit:
                distance = within(word, form, limit)
                if distance is not None and distance <= close.get(word, ("", limit))[1]:
                    close[word] = (form, distance)
    if not close:
        return []
    return [
        Hit(i, i + 1, forms[close[word][0]])
        for i, word in enumerate(document.words)
        if word in close and _credible(document, names, i, forms[close[word][0]], close[word][1])
    ]


def _credible(document: Document, names: Names, i: int, form: Form, distance: int) -> bool:
    """Whether a misspelt word is written like a name; a lower-case one must be long."""
    if not document.is_lower(i) or _introduced(document, names, i):
        return True
    long = len(document.words[i]) >= _LOWER_FUZZY
    return long and distance == 1 and form.level is Level.DISTINCT


def _windows(document: Document, names: Names) -> list[Hit]:
    """Names of several parts of which one part is right and another misspelt (`Le Gof`)."""
    found: list[Hit] = []
    if not names.parts:
        return found
    for i, word in enumerate(document.words):
        for form, words, k in names.parts.get(word, ()):
            first, last = i - k, i - k + len(words)
            if first < 0 or last > len(document.words):
                continue
            if not all(document.joins(j) for j in range(first + 1, last)):
                continue
            others = [j for j in range(first, last) if j != i]
            written = "".join(document.words[first:last])
            if written == form or not _looks_misspelt(document, names, others, words, first):
                continue
            if within(written, form, min(allowed_errors(form), 1)) is not None:
                found.append(Hit(first, last, names.forms[form]))
    return found


def _looks_misspelt(
    document: Document, names: Names, others: list[int], words: tuple[str, ...], first: int
) -> bool:
    """Whether every word that differs from the name's part is no ordinary lower-case word."""
    for j in others:
        word = document.words[j]
        if word == words[j - first]:
            continue
        if names.lexicon.ordinary(word) or document.is_lower(j):
            return False
    return True


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
    if names.initials:
        found += [
            Hit(i, i + 1, given) for i in range(len(document.words)) if _alone(document, names, i)
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


def _alone(document: Document, names: Names, i: int) -> bool:
    """`R. dit aller mieux`: the initial of the patient before a lower-case word.

    `E. coli` is a germ, and `vitamine D. Poursuite` ends a sentence.
    """
    word, start, end = document.words[i], document.starts[i], document.ends[i]
    if len(word) != 1 or word not in names.initials or document.is_lower(i):
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
