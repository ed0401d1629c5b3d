"""Layers 4 and 5, names: listed names, and capitalised words that no list knows (default deny).

Source: reference on pseudonymisation, section 3, layers 4 and 5. Words that stand side by side
form a run; in a run, what is a name by itself makes names of its doubtful neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon, Strictness
from entrepot.text.lone_names import stands_alone
from entrepot.text.name_order import given_words
from entrepot.text.name_runs import SAINTS, Run, runs
from entrepot.text.name_support import supported
from entrepot.text.places import TOWARDS
from entrepot.text.spans import GAZETTEER, SAFE, Span
from entrepot.text.word_kinds import Kind

_PASSES = 3  # support travels along a run of a few words


def find(
    document: Document, lexicon: Lexicon, strictness: Strictness, taken: bytearray, named: set[int]
) -> Iterator[Span]:
    """Spans of the folded text: names by the lists, and words unknown to every list.

    Args:
        document: the document.
        lexicon: the lists.
        strictness: of its class.
        taken: 1 for each character that an earlier layer took.
        named: indices of the words that an earlier layer took as names.
    """
    for run in runs(document, lexicon, taken, named):
        _mask(run, strictness)
        yield from _spans(run)


def _mask(run: Run, strictness: Strictness) -> None:
    for k in range(len(run.words)):
        run.masked[k] = run.words[k] not in run.named and stands_alone(run, strictness, k)
    for _ in range(_PASSES):
        before = list(run.masked)
        for k in range(len(run.words)):
            if not run.masked[k] and run.words[k] not in run.named:
                run.masked[k] = supported(run, k)
        if run.masked == before:
            break
    _particles(run)


def _particles(run: Run) -> None:
    """Particles between two names, and capitalised ones before a name of several words."""
    names = [k for k, masked in enumerate(run.masked) if masked or run.words[k] in run.named]
    if not names:
        return
    for k, kind in enumerate(run.kinds):
        if kind is not Kind.PARTICLE or run.words[k] in run.named:
            continue
        later = next((n for n in names if n > k), None)
        joined = later is not None and all(run.kinds[j] is Kind.PARTICLE for j in range(k, later))
        if not joined:
            continue
        within = any(n < k for n in names)
        capital = not run.document.is_lower(run.words[k])
        saint = run.document.words[run.words[k]] in SAINTS
        if within or (capital and (saint or _several(run, names))):
            run.masked[k] = True


def _several(run: Run, names: list[int]) -> bool:
    """Whether the run is a name for more than one reason: `Le Goff Louis`, not `Le Xyz`."""
    return len(names) > 1 or all(run.document.is_upper(i) for i in run.words)


def _spans(run: Run) -> Iterator[Span]:
    """Each masked word as a span; neighbours of one label are joined."""
    document = run.document
    label_of = _labels(run)
    spans: list[Span] = []
    last = -2
    for k, masked in enumerate(run.masked):
        if not masked:
            continue
        i = run.words[k]
        label = label_of[k]
        layer = SAFE if run.kinds[k] is Kind.UNKNOWN else GAZETTEER
        if spans and k == last + 1 and spans[-1].label == label:
            spans[-1] = spans[-1]._replace(end=document.ends[i])
        else:
            spans.append(Span(document.starts[i], document.ends[i], label, layer))
        last = k
    yield from spans


def _labels(run: Run) -> list[str]:
    """PRENOM, NOM or VILLE for each word of the run."""
    document = run.document
    labels = ["NOM"] * len(run.words)
    names = [
        k
        for k, masked in enumerate(run.masked)
        if (masked or run.words[k] in run.named) and run.kinds[k] is not Kind.PARTICLE
    ]
    if not names:
        return labels
    if len(names) == 1 and run.kinds[names[0]] in (Kind.GIVEN, Kind.GIVEN_WORD):
        labels[names[0]] = "PRENOM"
    given = given_words(document, run.lexicon, [run.words[k] for k in names])
    first = run.words[names[0]]
    if any(run.masked[k] and document.words[run.words[k]] in SAINTS for k in range(names[0])):
        return ["VILLE"] * len(run.words)
    unknown = all(run.kinds[k] in (Kind.UNKNOWN, Kind.WORD) for k in names)
    if unknown and first and document.words[first - 1] in TOWARDS and document.is_lower(first - 1):
        return ["VILLE"] * len(run.words)
    for k in names:
        if run.words[k] in given:
            labels[k] = "PRENOM"
    return labels
