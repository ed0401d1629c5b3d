"""All formats of a site: their mappings, compiled when the first record of a format comes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from entrepot.errors import RecordFault
from entrepot.feeds.document import FORMATS
from entrepot.feeds.extract import Extractor
from entrepot.feeds.facts import Facts, load_facts
from entrepot.feeds.mapping import MappingSet, load_mappings


@dataclass(frozen=True)
class FeedMappings:
    """The mapping sets by format and the rules of facts: what register and door are told."""

    sets: dict[str, MappingSet]
    facts: Facts
    fingerprint: str


def load_feeds(overlays: Iterable[Path] = ()) -> FeedMappings:
    """Every format's mappings.

    Raises:
        ConfigurationError: naming the file and line of the first fault.
    """
    overlays = list(overlays)
    sets = {name: load_mappings(name, overlays) for name in FORMATS}
    facts = load_facts(overlays)
    marks = [facts.fingerprint, *(one.fingerprint for one in sets.values())]
    return FeedMappings(sets, facts, hashlib.sha256("|".join(marks).encode()).hexdigest())


class Feeds:
    """Extractors by format."""

    def __init__(self, mappings: FeedMappings) -> None:
        self._mappings = mappings
        self.facts = mappings.facts
        self._extractors: dict[str, Extractor] = {}

    def extractor(self, format_: str) -> Extractor:
        """The compiled mappings of a format.

        Raises:
            RecordFault: `format_not_supported`.
        """
        found = self._extractors.get(format_)
        if found is None:
            if format_ not in self._mappings.sets:
                raise RecordFault("format_not_supported")
            found = self._extractors[format_] = Extractor(self._mappings.sets[format_])
        return found
