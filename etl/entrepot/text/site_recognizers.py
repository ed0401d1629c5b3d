"""A site's own recognisers as data: `mappings/text/recognizers.yaml` of its overlay.

The keys are those of Presidio's own YAML for pattern recognisers, so that a file written for
Presidio can be taken over. What they find joins the engine's spans and is searched in the whole
text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from entrepot.text.spans import LABELS
from entrepot.yaml_files import read_yaml

if TYPE_CHECKING:
    from presidio_analyzer import PatternRecognizer

FILE = Path("mappings/text/recognizers.yaml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SitePattern(_Strict):
    """One regular expression."""

    name: str = ""
    regex: Annotated[str, Field(min_length=1)]
    score: Annotated[float, Field(gt=0, le=1)] = 0.5

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error.msg}") from None
        return value


class SiteRecognizer(_Strict):
    """One recogniser: patterns, or words."""

    name: Annotated[str, Field(pattern=r"^[\w .\-]{1,60}$")]
    supported_entity: str
    supported_language: Literal["fr"] = "fr"
    patterns: list[SitePattern] = []
    deny_list: Annotated[
        list[Annotated[str, Field(min_length=2)]], Field(validate_default=True)
    ] = []
    ignore_case: bool = True

    @field_validator("supported_entity")
    @classmethod
    def _is_label(cls, value: str) -> str:
        if value not in LABELS:
            raise ValueError(f"no label of the engine; one of {', '.join(sorted(LABELS))}")
        return value

    @field_validator("deny_list")
    @classmethod
    def _finds_something(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if not value and not info.data.get("patterns"):
            raise ValueError("give patterns or a deny_list")
        return value


class RecognizerFile(_Strict):
    """The file."""

    recognizers: list[SiteRecognizer] = []


def site_recognizers(overlays: tuple[Path, ...]) -> tuple[PatternRecognizer, ...]:
    """Every recogniser of every overlay.

    Raises:
        ConfigurationError: a file is wrong; it names the line and the key.
    """
    files = [overlay / FILE for overlay in overlays if (overlay / FILE).is_file()]
    found = [one for file in files for one in read_yaml(file, RecognizerFile).recognizers]
    return tuple(_built(one) for one in found)


def _built(one: SiteRecognizer) -> PatternRecognizer:
    from presidio_analyzer import Pattern, PatternRecognizer

    return PatternRecognizer(
        supported_entity=one.supported_entity,
        name=one.name,
        supported_language=one.supported_language,
        patterns=[Pattern(p.name or one.name, p.regex, p.score) for p in one.patterns] or None,
        deny_list=one.deny_list or None,
        global_regex_flags=re.MULTILINE | (re.IGNORECASE if one.ignore_case else 0),
    )
