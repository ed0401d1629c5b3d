"""The text engine bound to the person of a record and the professionals that it names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from entrepot.errors import RecordFault
from entrepot.text import Identity, Scrubber, cell_leaks, joined_leaks, leaks

# Numbers of at most 8 digits identify nobody: they need no scrubbing (9 and more do: FINESS, NIR).
_HARMLESS = re.compile(r"[<>=≤≥]{0,2}\s*[-+]?\d{1,4}(?:[  ]?\d{3})?(?:[.,/:-]\d{1,4}){0,2}\s*")
_SHORT, _MOST_TEXTS = 200, 5_000  # texts that come again: labels, words of results
_MOST_IDENTITIES = 256
_Scrubbed = tuple[str, list[tuple[int, int]], dict[str, int]]
_Leaks = Callable[[str, Identity], object]


@dataclass(slots=True)
class Scrubbing:
    """The text engine bound to one identity; equal short texts are scrubbed once.

    What is looked for is compiled for the person once and for the professionals once: a person's
    records name ever other professionals, and a leak of both is a leak of one of them.
    """

    scrubber: Scrubber
    identity: Identity
    entities: Counter[str] = field(default_factory=Counter)
    _known: dict[str, _Scrubbed] = field(default_factory=dict)
    _sides: tuple[Identity, Identity] = field(init=False)
    _codes: tuple[set[str], set[str]] = field(init=False)

    def __post_init__(self) -> None:
        told = self.identity
        person = replace(told, professionals=(), professional_numbers=())
        team = Identity(
            professionals=told.professionals, professional_numbers=told.professional_numbers
        )
        self._sides = person, team
        self._codes = _harmless_codes(person), _harmless_codes(team)

    def text(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """The text without identities and the spans of its true dates.

        Raises:
            RecordFault: the independent scan still finds an identifier (`residual_identifier`).
        """
        if _HARMLESS.fullmatch(text):
            return text, []
        found = self._known.get(text)
        if found is None:
            scrubbed = self.scrubber.scrub(text, self.identity)
            self._refuse(leaks, scrubbed.text)
            found = (scrubbed.text, list(scrubbed.date_spans), dict(scrubbed.entities))
            if len(text) <= _SHORT and len(self._known) < _MOST_TEXTS:
                self._known[text] = found
        self.entities.update(found[2])
        return found[:2]

    def drawn_text(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """As `text`, of a PDF: a name in pieces is a name.

        Raises:
            RecordFault: `residual_identifier`.
        """
        found = self.text(text)
        self._refuse(joined_leaks, found[0])
        return found

    def check_code(self, value: str) -> str:
        """A code as sent, unless it holds an identifier of this person."""
        for side, codes in zip(self._sides, self._codes, strict=True):
            if value not in codes:
                if cell_leaks(value, side):
                    raise RecordFault("residual_identifier")
                if len(codes) < _MOST_TEXTS:
                    codes.add(value)
        return value

    def _refuse(self, find: _Leaks, text: str) -> None:
        if any(find(text, side) for side in self._sides):
            raise RecordFault("residual_identifier")


@lru_cache(maxsize=_MOST_IDENTITIES)
def _harmless_codes(identity: Identity) -> set[str]:
    """Codes in which nothing of the identity was found: filled by who checks them."""
    return set()
