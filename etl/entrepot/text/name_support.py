"""What the neighbours of a doubtful word say: `Aimé Compas`, `Renard Monique`, `J. PETIT`."""

from __future__ import annotations

from collections.abc import Callable

from entrepot.text.name_runs import LONG_INITIAL, Run
from entrepot.text.word_kinds import Kind, kinds_of

_LIST_SIGNS = ":,;-(|\n\t=*•"
_ROMAN = frozenset(("ii", "iv", "vi", "ix", "xi"))  # grades
_MOST_LINE = 3  # words before the initials
_MARGIN = 40  # characters before a word that may be blanks of its line
Places = tuple[int, int]


def supported(run: Run, k: int) -> bool:
    """Whether the neighbours of word `k` make it a part of a name."""
    kind, places = run.kinds[k], run.beside(k)
    near = any(run.evidence(place) for place in places)
    if near and kind in _NEAR:
        return True
    if near and kind in (Kind.SAFE, Kind.CLINICAL) and _two_capitals(run, k):
        return True
    rule = _RULES.get(kind)
    return rule is not None and rule(run, k, places)


def _doubtful(run: Run, k: int, places: Places) -> bool:
    return any(_pair(run, k, place) for place in places) or _initialled(run, k)


def _word(run: Run, k: int, places: Places) -> bool:
    beside = any(_given(run, place) for place in places)
    return beside or _titled(run, k, places[1]) or _whole_line(run)


def _eponym(run: Run, k: int, places: Places) -> bool:
    return _given(run, places[0])


def _letter(run: Run, k: int, places: Places) -> bool:
    """An initial beside a name; the M. before one is `Monsieur`."""
    before, after = places
    if not (run.evidence(before) or run.evidence(after)):
        return False
    alone = after >= len(run.words) or run.kinds[after] is not Kind.INITIAL
    letter = run.document.words[run.words[k]]
    monsieur = letter == "m" and alone and not run.evidence(before)
    return not monsieur and _initial(run, k)


def _clinical(run: Run, k: int, places: Places) -> bool:
    return _surname_of(run, k, places[0]) or (_given(run, places[1]) and _noble(run, k))


def _two_capitals(run: Run, k: int) -> bool:
    """The JP of `MARTIN JP`; not the TA of `DUPONT TA 12/8`."""
    document, i = run.document, run.words[k]
    word, end = document.words[i], document.ends[i]
    if len(word) != LONG_INITIAL or word in _ROMAN or not document.is_upper(i):
        return False
    introduces = kinds_of(run.lexicon).introduces(word) or word in run.lexicon.function
    return not introduces and not document.lower[end : end + 2].lstrip(" :").isdigit()


def _surname_of(run: Run, k: int, before: int) -> bool:
    """`Marie Côte`: a clinical word with one capital right after a given name with one capital."""
    if not 0 <= before < len(run.words) or not run.masked[before]:
        return False
    given = run.kinds[before] in (Kind.GIVEN, Kind.GIVEN_WORD)
    document, i = run.document, run.words[k]
    return given and not (document.is_upper(i) or document.is_upper(run.words[before]))


def _whole_line(run: Run) -> bool:
    """`Le Bot D.-G`, alone on its line: words, then initials."""
    initials = [k for k, kind in enumerate(run.kinds) if kind is Kind.INITIAL]
    if not initials or initials[0] == 0 or initials[-1] - initials[0] + 1 != len(initials):
        return False
    document = run.document
    start = document.starts[run.words[0]]
    before = document.lower[max(0, start - _MARGIN) : start].rstrip(" \t")[-1:]
    end = document.ends[run.words[-1]]
    after = document.lower[end : end + 3].lstrip(". ")[:1]
    return (
        len(run.kinds) - len(initials) <= _MOST_LINE
        and {before, after} <= {"", "\n"}
        and (initials[-1] == len(run.kinds) - 1)
    )


def _noble(run: Run, k: int) -> bool:
    """`Le Compte Daniel`: a word with a capitalised particle before it."""
    particle = k > 0 and run.kinds[k - 1] is Kind.PARTICLE
    return particle and not run.document.is_lower(run.words[k - 1])


def _pair(run: Run, k: int, other: int) -> bool:
    """Two doubtful names side by side: `Rose Petit`, `Aimé Compas`."""
    if not 0 <= other < len(run.words) or run.document.is_upper(run.words[k]):
        both = {run.kinds[k], run.kinds[other]} if 0 <= other < len(run.words) else set()
        return both == {Kind.SURNAME, Kind.GIVEN_WORD}
    kinds = {run.kinds[k], run.kinds[other]}
    return Kind.GIVEN_WORD in kinds and kinds <= {Kind.GIVEN_WORD, Kind.SURNAME, Kind.WORD}


def _given(run: Run, place: int) -> bool:
    """Whether a given name stands there, or a word that an earlier layer took as a name."""
    if not 0 <= place < len(run.words):
        return False
    if run.words[place] in run.named:
        return True
    return run.masked[place] and run.kinds[place] in (Kind.GIVEN, Kind.GIVEN_WORD)


def _titled(run: Run, k: int, after: int) -> bool:
    """`Interne Drame A`: a word between an office and an initial."""
    return (
        _after_office(run, run.words[k])
        and after < len(run.words)
        and run.kinds[after] is Kind.INITIAL
    )


def _initialled(run: Run, k: int) -> bool:
    """`SERRE M.`, `J. PETIT`: a surname and an initial, alone or in a list."""
    document = run.document
    for place in (k - 1, k + 1):
        if not 0 <= place < len(run.words) or run.kinds[place] is not Kind.INITIAL:
            continue
        first = min(run.words[k], run.words[place])
        head = document.lower[max(0, document.starts[first] - 2) : document.starts[first]].rstrip(
            " "
        )
        opens = not head or head[-1] in _LIST_SIGNS or _after_office(run, first)
        monsieur = place < k and document.words[run.words[place]] == "m"
        if opens and _initial(run, place) and not monsieur:
            return True
    return False


def _after_office(run: Run, first: int) -> bool:
    """Whether `interne`, `patient`… stands before word `first` of the document."""
    return first > 0 and run.document.words[first - 1] in run.lexicon.offices


def _initial(run: Run, k: int) -> bool:
    """Whether a single letter is written like an initial: with a full stop, or at a line's end."""
    document, i = run.document, run.words[k]
    after = document.lower[document.ends[i] : document.ends[i] + 2]
    return not after.strip(" ") or after[0] in ".-\n,;:)|'" or k + 1 < len(run.words)


_NEAR = frozenset((Kind.SURNAME, Kind.GIVEN_WORD, Kind.UNKNOWN))
_RULES: dict[Kind, Callable[[Run, int, Places], bool]] = {
    Kind.SURNAME: _doubtful,
    Kind.GIVEN_WORD: _doubtful,
    Kind.WORD: _word,
    Kind.EPONYM: _eponym,
    Kind.INITIAL: _letter,
    Kind.CLINICAL: _clinical,
}
