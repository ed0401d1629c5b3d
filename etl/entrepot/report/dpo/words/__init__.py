"""The report's words, one file per language, and how each language writes numbers and dates."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from entrepot.report.dpo.disclosure import SMALL, STEP, WITHHELD

LANGUAGES = ("fr", "en")
NARROW, WIDE = "\u202f", "\u00a0"  # French: thousands and ; ! ? take the narrow one
_BEFORE_NARROW = re.compile(r" (?=[;!?])")
_BEFORE_WIDE = re.compile(r" (?=[:»%])")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d)?")


@dataclass(frozen=True)
class Words:
    """One language."""

    language: str
    texts: dict[str, Any]

    def number(self, value: int | str) -> str:
        """A count as shown: thousands apart, small and withheld ones as their signs."""
        if value == SMALL:
            return f"<{WIDE}11"
        if value == WITHHELD:
            return str(self.texts["withheld"])
        return f"{value:,}".replace(",", NARROW if self.language == "fr" else ",")

    def percent(self, part: int | str, whole: int | str) -> str:
        """About what share two shown counts make; empty when one of them is not shown.

        Each count is up to nine more than the truth: the middle of what it may be is taken.
        """
        if not isinstance(part, int) or not isinstance(whole, int) or not whole:
            return ""
        middle = (STEP - 1) / 2
        share = (part - middle) / (whole - middle) if part else 0.0
        return f"≈{NARROW}{self.permille(round(100 * share) * 10)}"

    def permille(self, value: int) -> str:
        """Per mille as percent; a dash for what was not counted."""
        if value < 0:
            return "–"
        written = f"{value / 10:.1f}".removesuffix(".0")
        if self.language == "fr":
            return f"{written.replace('.', ',')}{WIDE}%"
        return f"{written}%"

    def date(self, text: str) -> str:
        """`2026-11-22T09:30…` or a part of it, as the language writes it."""
        match = _MOMENT.match(text)
        if match is None:
            return self.month(text)
        clock = match[0][11:]
        day = dt.date.fromisoformat(match[0][:10])
        written = f"{day:%d/%m/%Y}" if self.language == "fr" else f"{day.isoformat()}"
        return f"{written} {clock}".rstrip()

    def month(self, text: str) -> str:
        """`2026-11`."""
        if self.language == "fr" and re.fullmatch(r"\d{4}-\d\d", text):
            return f"{text[5:]}/{text[:4]}"
        return text

    def typeset(self, text: str) -> str:
        """Unbreakable blanks and curved apostrophes where French wants them."""
        curved = _APOSTROPHE.sub("’", text)
        if self.language != "fr":
            return curved
        spaced = _BEFORE_WIDE.sub(WIDE, _BEFORE_NARROW.sub(NARROW, curved))
        return spaced.replace("« ", f"«{WIDE}")


@lru_cache(maxsize=len(LANGUAGES))
def words(language: str) -> Words:
    """The words of `fr` or `en`."""
    path = Path(__file__).with_name(f"{language}.yaml")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    bare = Words(language, {})
    return Words(language, _typeset(raw, bare))


def _typeset(value: Any, language: Words) -> Any:
    if isinstance(value, dict):
        return {key: _typeset(one, language) for key, one in value.items()}
    return language.typeset(value) if isinstance(value, str) else value
