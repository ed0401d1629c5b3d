"""Reads a person's name that starts at a given word: particles, initials, hyphens, line breaks."""

from __future__ import annotations

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.name_order import given_words
from entrepot.text.spans import CONTEXT, Span

_MOST_WORDS = 8
_WHOLE_NAME = 2
# An apostrophe that was typed twice, or escaped by a sender's database, joins as one does.
_JOINTS = frozenset((" ", "-", "--", "'", "''", "' ", "`", " -", "- ", " - ", "\u00a0", "  "))


class NameReader:
    """Reads names of one document.

    Args:
        document: the document.
        lexicon: the lists that tell names from ordinary words.
    """

    def __init__(self, document: Document, lexicon: Lexicon) -> None:
        self.document, self.lexicon = document, lexicon

    def read(self, i: int, *, trusted: bool = False, lower: bool = False) -> int:
        """Index after the name that starts at word `i`; `i` when no name starts there.

        Args:
            i: index of the first word.
            trusted: ordinary words in capitals are accepted (`Mme Petit`, `Dr Gaël BLANC`).
            lower: a first word in lower case is accepted if it is no ordinary word.
        """
        document, words = self.document, self.document.words
        j = last = i
        while j < len(words) and j - i < _MOST_WORDS:
            if j > i and not self._continues(j, named=last > i):
                break
            if words[j] in self.lexicon.particles and self._particle(j, lower):
                j += 1
                continue
            if trusted and j > i and words[j - 1] in self.lexicon.particles and self._slip(j):
                j += 1
                continue
            hyphen = j > i and "-" in document.gap(j)
            if hyphen and " " in document.gap(j):  # `Dr MARTIN Luc - RPPS 10…`, ` - N° 12`
                hyphen = False
                if self.lexicon.known(words[j]) or words[j] == "n":
                    break
            if not self._belongs(j, named=last > i, hyphen=hyphen, trusted=trusted, lower=lower):
                break
            j += 1
            last = j
        return last

    def _continues(self, j: int, *, named: bool) -> bool:
        gap = self.document.gap(j)
        if gap in _JOINTS or not gap:
            return True
        if gap.startswith("."):
            initial = self.document.ends[j - 1] - self.document.starts[j - 1] <= 2
            return initial and gap in (".", ". ", ".-", ". -", ".\n")
        broken = "\n" in gap and not gap.strip("- \r\n") and len(gap) <= 4
        after_particle = self.document.words[j - 1] in self.lexicon.particles
        return broken and (not named or "-" in gap or after_particle)

    def _particle(self, j: int, lower: bool) -> bool:
        """Whether word `j` is a particle before a further word of the name."""
        document = self.document
        if j + 1 >= len(document.words):
            return False
        if not document.joins(j + 1):  # `Dr E. DA` at the end of a line, `SILVA` on the next
            return document.is_upper(j) and document.is_upper(j + 1) and document.gap(j + 1) == "\n"
        if document.gap(j + 1).startswith("."):
            return False
        return (
            lower
            or not document.is_lower(j + 1)
            or document.words[j + 1] in (self.lexicon.particles)
            or self._slip(j + 1)
        )

    def _slip(self, j: int) -> bool:
        """A mistyped particle between a particle and a name: `Van en Berghe`."""
        document = self.document
        return (
            document.is_lower(j)
            and len(document.words[j]) <= 3
            and j + 1 < len(document.words)
            and document.joins(j + 1)
            and not document.is_lower(j + 1)
        )

    def _belongs(self, j: int, *, named: bool, hyphen: bool, trusted: bool, lower: bool) -> bool:
        word = self.document.words[j]
        lexicon = self.lexicon
        ordinary = lexicon.known(word) if named else lexicon.clinical(word)
        if self.document.is_lower(j):
            return (lower or (named and hyphen)) and not ordinary and len(word) >= 3
        if len(word) == 1:
            return True
        if word in lexicon.titles:
            return named and hyphen
        if not ordinary or (named and hyphen):
            return True
        grammatical = word in lexicon.function or word in lexicon.acronyms
        if not trusted or grammatical or word in lexicon.roles:
            return False
        return not named or (self._surname(j) and not self._complete(j))

    def _surname(self, j: int) -> bool:
        """A further word that is also an ordinary one: `Dr Gaël BLANC`, `Pr M.-A. Bon`.

        Services and form labels (`Dr Martin Cardiologie`) are told from names by their lists.
        """
        word, lexicon = self.document.words[j], self.lexicon
        opens = (lexicon.fields, lexicon.identifiers, lexicon.unions, lexicon.institutions)
        return "\n" not in self.document.gap(j) and not any(word in words for words in opens)

    def _complete(self, j: int) -> bool:
        """Whether two words of a name stand before word `j`, which is not one of them.

        Either a list of ours holds it, or it is not in capitals as they are (`DURAND ANNE Date`).
        """
        document, k = self.document, j - 1
        same = document.is_upper(j) == document.is_upper(k)
        if same and not self.lexicon.clinical(document.words[j]):
            return False
        words = []
        while (
            k >= max(0, j - _MOST_WORDS)
            and document.gap(k + 1) in _JOINTS
            and (not document.is_lower(k))
        ):
            words.append(document.words[k])
            k -= 1
        told = [
            word
            for word in words
            if word not in self.lexicon.titles and word not in self.lexicon.particles
        ]
        return len(told) >= _WHOLE_NAME and not self._wants_surname(told, j)

    def _wants_surname(self, told: list[str], j: int) -> bool:
        """Given names alone, and word `j` ends what is said: `avec le Pr Marc Antoine Bon.`"""
        document = self.document
        after = document.plain[document.ends[j] : document.ends[j] + 1]
        return after in ("", ".", ",", ";", "\n", ")") and all(
            word in self.lexicon.gazetteer.given for word in told
        )

    def spans(self, first: int, last: int, label: str = "") -> list[Span]:
        """The words `first:last` as spans: PRENOM and NOM told apart."""
        document, particles = self.document, self.lexicon.particles
        content = [
            k for k in range(first, last) if document.words[k] not in particles or k == last - 1
        ]
        if label or len(content) < 2:
            given = set(content) if label == "PRENOM" else set()
        else:
            given = given_words(document, self.lexicon, content)
        spans: list[Span] = []
        start = first
        for k in content:
            name = "PRENOM" if k in given else "NOM"
            if spans and spans[-1].label == name:
                spans[-1] = spans[-1]._replace(end=document.ends[k])
            else:
                spans.append(Span(document.starts[start], document.ends[k], name, CONTEXT))
            start = k + 1
        return spans
