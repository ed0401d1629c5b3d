"""Names that are not written as they should: inside longer words, misspelt, half misspelt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from entrepot.text.document import Document
from entrepot.text.fuzzy import within
from entrepot.text.names import EMBEDDED_LETTERS, Form, Hit, Level, Names, allowed_errors
from entrepot.text.occurrences import FEW, Contained

_INTRODUCING = frozenset(("nom", "noms", "prenom", "prenoms", "nee", "epouse", "veuve"))
_EMBEDDED_LOWER = 7  # `perin` stands in `périnéal`; seven letters rarely stand in another word
_LOWER_FUZZY = 7


def introduced(document: Document, names: Names, i: int) -> bool:
    """Whether a title or a label such as `nom` stands right before word `i`."""
    if not i:
        return False
    before, gap = document.words[i - 1], document.gap(i)
    if before in names.lexicon.titles:
        return not gap.strip(" .\n\r\t") and len(gap) <= 4
    return before in _INTRODUCING and not gap.strip(" :.\t") and len(gap) <= 4


def embedded(document: Document, names: Names, exact: list[Hit]) -> list[Hit]:
    """Names inside longer words: `DUPONTJEAN`, `mdupont`, `DUPONTel`."""
    seen = Counter(
        document.lower[document.starts[h.first] : document.ends[h.last - 1]] for h in exact
    )
    forms = names.embeddable
    if len(forms) <= FEW:
        forms = [f for f in forms if document.lower.count(f) > seen[f]]
    if not forms:
        return []
    contained = Contained(forms)
    done = {i for hit in exact for i in range(hit.first, hit.last)}
    found: list[Hit] = []
    for first, last in _solid(document, done):
        word = document.lower[document.starts[first] : document.ends[last - 1]]
        if len(word) <= EMBEDDED_LETTERS:
            continue
        for form in contained.in_word(word):
            if _stands_out(document, names, word, first, last, form):
                found.append(Hit(first, last, names.forms[form]))
                break
    return found


def _solid(document: Document, done: set[int]) -> Iterator[tuple[int, int]]:
    """Runs of words that touch each other (`DUPON` `Tel`), those of `done` left out."""
    first, count = 0, len(document.words)
    while first < count:
        last = first + 1
        if first not in done:
            while (
                last < count
                and last not in done
                and document.starts[last] == document.ends[last - 1]
            ):
                last += 1
            yield first, last
        first = last


def _stands_out(
    document: Document, names: Names, word: str, first: int, last: int, form: str
) -> bool:
    if names.lexicon.ordinary(word):
        return False
    capital = any(not document.is_lower(i) for i in range(first, last))
    if len(form) >= _EMBEDDED_LOWER or capital:
        return True
    return _rest_is_name(names, word.replace(form, "", 1))


def _rest_is_name(names: Names, rest: str) -> bool:
    return len(rest) == 1 or rest in names.forms or rest in names.lexicon.titles


def misspelt(document: Document, names: Names) -> list[Hit]:
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
    if not document.is_lower(i) or introduced(document, names, i):
        return True
    long = len(document.words[i]) >= _LOWER_FUZZY
    return long and distance == 1 and form.level is Level.DISTINCT


def half_misspelt(document: Document, names: Names) -> list[Hit]:
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
