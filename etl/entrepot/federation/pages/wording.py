"""The pages' words, one file per language, and how counts, intervals and days are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from entrepot.report.dpo.words import WIDE, Words

LANGUAGES = ("fr", "en")


@dataclass(frozen=True)
class Wording:
    """One language.

    Args:
        texts: as in `words/fr.yaml`; both languages have the same keys.
    """

    language: str
    texts: dict[str, Any]

    def count(self, low: int | None, high: int | None) -> str:
        """A count known between two bounds: `120`, `< 11` or `120–135`; None: no answer."""
        if low is None or high is None:
            return str(self.texts["nobody"])
        if low == high:
            return self._words.number(low)
        if low == 0:
            return f"<{WIDE}{self._words.number(high + 1)}"
        return f"{self._words.number(low)}–{self._words.number(high)}"

    def decimal(self, value: float, places: int) -> str:
        """With the language's decimal sign, without needless zeros."""
        written = f"{value:,.{places}f}"
        if "." in written:
            written = written.rstrip("0").removesuffix(".")
        if written == "-0":
            written = "0"
        if self.language == "fr":
            written = written.replace(",", "\u202f").replace(".", ",")
        return written.replace("-", "−")

    def share(self, value: float) -> str:
        """A share of 0 to 1 as a percentage."""
        return self._words.permille(round(1000 * value))

    def effect(self, estimate: float | None, low: float | None, high: float | None) -> str:
        """`0.82 [0.61; 1.10]`, or the words for no answer."""
        if estimate is None:
            return str(self.texts["nobody"])
        told = self.decimal(estimate, 2)
        if low is None or high is None:
            return told
        return f"{told} [{self.decimal(low, 2)}; {self.decimal(high, 2)}]"

    def between(self, low: float, high: float) -> str:
        """Two bounds, or one figure where they agree to two places."""
        first, last = self.decimal(low, 2), self.decimal(high, 2)
        return first if first == last else f"{first} … {last}"

    def key(self, part: str) -> str:
        """A value of a stratum (`female`, `age_band:40-49`), in words where there are some."""
        named = self.texts["keys"]
        return " · ".join(str(named.get(one, one)) for one in part.split(":"))

    def moment(self, text: str) -> str:
        """`2026-11-22T09:30…` as the language writes it; empty stays empty."""
        return self._words.date(text) if text else ""

    def __call__(self, path: str) -> Any:
        """The text at `states.released`.

        Raises:
            KeyError: no such text.
        """
        found: Any = self.texts
        for part in path.split("."):
            found = found[part]
        return found

    @property
    def _words(self) -> Words:
        return Words(self.language, {})


@lru_cache(maxsize=len(LANGUAGES))
def wording(language: str) -> Wording:
    """The words of `fr` or `en`."""
    path = Path(__file__).with_name("words") / f"{language}.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Wording(language, _typeset(raw, Words(language, {})))


def _typeset(value: Any, language: Words) -> Any:
    if isinstance(value, dict):
        return {key: _typeset(one, language) for key, one in value.items()}
    return language.typeset(value) if isinstance(value, str) else value
