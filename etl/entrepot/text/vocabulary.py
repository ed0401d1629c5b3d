"""Layer 5's safe vocabulary: the French, medical and drug words that are never masked by default.

General French comes from the wheel `pyspellchecker` (139,905 forms; it holds almost no proper
name), medicine from own lists. Medical words are too many to be listed: `cholangiographie`,
`pembrolizumab` are recognised by the parts that they are made of.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import importlib.resources
import re
from collections.abc import Iterable
from functools import lru_cache

from entrepot.text.folding import fold

WHEEL = "pyspellchecker"
_FORM = re.compile(r'"([^"]+)":')
_LEAST_COMPOUND, _LEAST_DRUG = 7, 8  # shorter ones are surnames too (Prost, Cordier)
_LINKS = "oieau"


@lru_cache(maxsize=1)
def french() -> frozenset[str]:
    """Folded French word forms of the wheel; 0.1 s, once a process.

    Its file is one flat JSON object; a pattern reads the keys in a quarter of the time.
    """
    packed = importlib.resources.files("spellchecker").joinpath("resources/fr.json.gz").read_bytes()
    forms = _FORM.findall(gzip.decompress(packed).decode())
    accented = fold("\n".join(form for form in forms if not form.isascii()))
    return frozenset(form for form in forms if form.isascii()).union(accented.split("\n"))


def wheel_version() -> str:
    """The version of the French word list."""
    return f"{WHEEL} {importlib.metadata.version(WHEEL)}"


class MedicalParts:
    """Recognises words made of medical parts.

    Args:
        parts: (part, kind); kind is prefix, root, ending or drug.
    """

    def __init__(self, parts: Iterable[tuple[str, str]]) -> None:
        listed: dict[str, set[str]] = {"prefix": set(), "root": set(), "ending": set()}
        drug: set[str] = set()
        for part, kind in parts:
            listed.get(kind, drug).add(fold(part))
        self._prefixes, self._roots = listed["prefix"], listed["root"]
        self._endings = listed["ending"]
        self._drug = tuple(sorted(drug))
        self._longest = max(map(len, self._prefixes | self._roots), default=0)

    def compose(self, word: str) -> bool:
        """Whether `word` is prefixes and roots, then an ending; or ends like a drug's name."""
        if len(word) >= _LEAST_DRUG and word.endswith(self._drug):
            return True
        return len(word) >= _LEAST_COMPOUND and self._made(word)

    def _made(self, word: str) -> bool:
        """Reachable places in `word`, each with whether a root was passed: linear in its length."""
        places = {(0, False)}
        for start in range(len(word)):
            for rooted in (False, True):
                if (start, rooted) not in places:
                    continue
                if rooted and word[start:] in self._endings:
                    return True
                for end in range(start + 1, min(len(word), start + self._longest) + 1):
                    part = word[start:end]
                    if part in self._roots:
                        places.add((end, True))
                        if word[end : end + 1] in _LINKS:
                            places.add((end + 1, True))
                    if part in self._prefixes:
                        places.add((end, rooted))
        return False


class Vocabulary:
    """Every safe word of one site.

    Args:
        words: own folded words: medical, drugs, abbreviations, kept words.
        parts: what compounds are made of.
    """

    def __init__(self, words: frozenset[str], parts: MedicalParts) -> None:
        self.own = words
        self._parts = parts
        self.knows = lru_cache(maxsize=1 << 15)(self._knows)

    def _knows(self, word: str) -> bool:
        return word in self.own or word in french() or self._parts.compose(word)

    def clinical(self, word: str) -> bool:
        """Whether a list of ours, not only the general dictionary, knows the folded `word`."""
        return word in self.own
