"""The phrases of one language, from `mappings/cohorts/words/`."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

FOLDER = "mappings/cohorts/words"
LANGUAGES = ("fr", "en")


class Words(BaseModel):
    """Phrases by what they say; both languages have the same keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    criteria: dict[str, str]
    attributes: dict[str, str]
    numbers: dict[str, str]
    dates: dict[str, str]
    texts: dict[str, str]
    columns: dict[str, str]
    limits: dict[str, str]
    groups: dict[str, str]
    occurrences: dict[str, str]
    phrases: dict[str, str]
    headings: dict[str, str]

    def say(self, phrase: str, **stated: object) -> str:
        """A phrase with what the definition states."""
        return self.phrases[phrase].format(**stated)


@cache
def words(language: str) -> Words:
    """The phrases of a language.

    Raises:
        ConfigurationError: another language than `fr` and `en`.
    """
    if language not in LANGUAGES:
        raise ConfigurationError(
            "no such language", where="--language", remedy=f"one of {', '.join(LANGUAGES)}"
        )
    return read_yaml(data_file(f"{FOLDER}/{language}.yaml"), Words)
