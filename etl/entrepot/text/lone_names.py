"""Words that are names by themselves, and those that a disease, a dose or a value explains."""

from __future__ import annotations

import re

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon, Strictness
from entrepot.text.name_runs import SAINTS, Run
from entrepot.text.phrases import has_accent
from entrepot.text.word_kinds import Kind

_LINKS = frozenset(("de", "du", "des", "d", "la", "le", "l", "les", "a", "au", "aux", "et", "dit"))
_REACH = 5  # words between `syndrome` and the last of the names that it bears
_MOST_PARTS = 4  # of `Child-Pugh`
_DOSE = re.compile(r"[ ®*]{0,3}\d[\d.,/ ]{0,9} ?(?:mg|µg|ug|mcg|ui|u/|mui|cp|gel|mg/ml|%)\b")
_VALUE = re.compile(
    r"[ ]?[:=]?[ ]?(?:\d|[<>+]|[IVX]{1,4}[a-c]?\b|[A-E]\d?\b|(?:stade|grade|type|score)\b|a \d"
    r"|(?:positi|negati|norma|gauche|droit|bilat))"
)


def stands_alone(run: Run, strictness: Strictness, k: int) -> bool:
    """Whether word `k` is masked without a neighbour's support."""
    document, i, kind = run.document, run.words[k], run.kinds[k]
    if kind is Kind.GIVEN:
        return not _borne(document, run.lexicon, i)
    if kind is Kind.GIVEN_WORD:
        return document.words[i] not in run.lexicon.gazetteer.weak and _inside_sentence(document, i)
    if kind is Kind.UNKNOWN:
        return _denied(run, strictness, i)
    if kind is Kind.WORD and _town(document, i):
        return True
    return kind in (Kind.WORD, Kind.CLINICAL) and _saint(run, k)


def _denied(run: Run, strictness: Strictness, i: int) -> bool:
    """Default deny: long enough for its document class, and nothing clinical explains it."""
    document = run.document
    least = strictness.capitals if document.is_upper(i) else strictness.capitalised
    if not least or len(document.words[i]) < least:
        return False
    if _DOSE.match(document.lower, document.ends[i]) or _valued(document, run.lexicon, i):
        return False
    return not _borne(document, run.lexicon, i)


def _valued(document: Document, lexicon: Lexicon, i: int) -> bool:
    """Whether a scale or a sign stands before its value: `Child-Pugh B8`, `Breslow 1,2 mm`."""
    last = i
    while (
        last + 1 < min(len(document.words), i + _MOST_PARTS)
        and document.gap(last + 1) == "-"
        and (document.words[last + 1] in lexicon.scales or last + 1 == i)
    ):
        last += 1
    if document.words[i] not in lexicon.scales:
        return False
    return bool(_VALUE.match(document.plain, document.ends[last]))


def _saint(run: Run, k: int) -> bool:
    """`Saint-Lô`: a capitalised word after a capitalised saint."""
    if not k or run.document.words[run.words[k - 1]] not in SAINTS:
        return False
    document, i = run.document, run.words[k]
    capital = not document.is_lower(i) and not document.is_lower(i - 1)
    return capital and (document.gap(i) == "-" or document.is_upper(i) == document.is_upper(i - 1))


def _town(document: Document, i: int) -> bool:
    """`vit à Sens`: a word with a capital after a small `à`, which only a town has there."""
    if not i or document.words[i - 1] != "a" or not _inside_sentence(document, i):
        return False
    return has_accent(document, i - 1)


def _inside_sentence(document: Document, i: int) -> bool:
    """`avec Rose`: a capital within a sentence in lower case."""
    return (
        i > 0 and not document.is_upper(i) and document.is_lower(i - 1) and document.gap(i) == " "
    )


def _borne(document: Document, lexicon: Lexicon, i: int) -> bool:
    """Whether a disease, a sign or a device bears this name: `syndrome de Guillain-Barré`."""
    linked = False
    for j in range(i - 1, max(-1, i - 1 - _REACH), -1):
        gap = document.gap(j + 1)
        if "\n" in gap or len(gap) > 3 or gap.strip(" '-"):
            return False
        word = document.words[j]
        if word in lexicon.bearers:
            return linked or document.is_lower(j)
        linked = linked or word in _LINKS
        if document.is_lower(j) and word not in _LINKS:
            return False
    return False
