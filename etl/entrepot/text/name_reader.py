"""Reads a person's name that starts at a given word: particles, initials, hyphens, line breaks."""

from __future__ import annotations

from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.spans import CONTEXT, Span

_MOST_WORDS = 8
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
        ordinary = self.lexicon.ordinary(word)
        if self.document.is_lower(j):
            return (lower or (named and hyphen)) and not ordinary and len(word) >= 3
        if len(word) == 1:
            return True
        if word in self.lexicon.titles:
            return named and hyphen
        if not ordinary or (named and hyphen):
            return True
        grammatical = word in self.lexicon.function or word in self.lexicon.acronyms
        if not trusted or grammatical or word in self.lexicon.roles:
            return False
        return not named or self._surname(j)

    def _surname(self, j: int) -> bool:
        """A further word that is also an ordinary one: `Dr Gaël BLANC`, `Pr M.-A. Bon`.

        Services and form labels (`Dr Martin Cardiologie`) are told from names by their lists.
        """
        return self.document.words[j] not in self.lexicon.fields and (
            "\n" not in self.document.gap(j)
        )

    def _dotted(self, k: int) -> bool:
        end = self.document.ends[k]
        return end - self.document.starts[k] == 1 and self.document.plain[end : end + 1] == "."

    def _elided(self, k: int) -> bool:
        """`N'Diaye`, `D'Arcy`: one name, not an initial and a name."""
        return self.document.plain[self.document.ends[k] : self.document.ends[k] + 1] == "'"

    def spans(self, first: int, last: int, label: str = "") -> list[Span]:
        """The words `first:last` as spans: PRENOM and NOM told apart by their letter case."""
        document, particles = self.document, self.lexicon.particles
        content = [
            k for k in range(first, last) if document.words[k] not in particles or k == last - 1
        ]
        capitals = {k for k in content if document.is_upper(k) and len(document.words[k]) > 1}
        if label or len(content) < 2:
            given = set(content) if label == "PRENOM" else set()
        elif capitals and len(capitals) < len(content):
            given = set(content) - capitals
        else:
            given = {k for k in content if k == content[0] or self._dotted(k)}
            given = given if not self._elided(content[0]) else set()
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
