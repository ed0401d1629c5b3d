"""Section 7: how many persons share what somebody may know of them, and what that tells more.

What may be known, and the SQL that counts, are data: `quality/risk`. On a million persons, three
million stays and eight million diagnoses all of it takes 8 CPU seconds (bench/risk.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entrepot.report.dpo.disclosure import Cell, Disclosure
from entrepot.report.dpo.evidence import Evidence
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

# Classes of persons alike, by their size.
BANDS: dict[str, tuple[int, int]] = {
    "1": (1, 1), "2-4": (2, 4), "5-10": (5, 10), "11-50": (11, 50), "51+": (51, 1 << 62),
}  # fmt: skip
# Different diagnoses in a class of two or more.
KINDS: dict[str, tuple[int, int]] = {"0-1": (0, 1), "2-4": (2, 4), "5+": (5, 1 << 62)}
UNIQUE = "1"
_FOLDER = "quality/risk"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Column = Annotated[str, Field(pattern=r"^(person|home|stay|gone)\.[a-z_]{1,60}$")]


class LevelSpec(BaseModel):
    """Attributes known together."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    attributes: Annotated[tuple[Name, ...], Field(min_length=1)]
    diversity: bool = False


class RiskSpec(BaseModel):
    """`quality/risk/attributes.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    attributes: dict[Name, Column]
    levels: Annotated[dict[Name, LevelSpec], Field(min_length=1)]
    sureness: tuple[Annotated[int, Field(ge=1, le=100)], ...]

    @model_validator(mode="after")
    def _known(self) -> RiskSpec:
        for level in self.levels.values():
            for name in level.attributes:
                if name not in self.attributes:
                    raise ValueError(f"no attribute {name}")
        if list(self.sureness) != sorted(set(self.sureness), reverse=True):
            raise ValueError("sureness: from the largest to the smallest")
        return self


@dataclass(frozen=True)
class Diversity:
    """Persons of classes of two or more.

    Args:
        sureness: by the share of the class that bears one same diagnosis, in percent at least
            (`0`: the rest).
        kinds: by the number of different diagnoses in the class.
    """

    sureness: dict[str, Cell]
    kinds: dict[str, Cell]


@dataclass(frozen=True)
class Level:
    """Persons by the size of the class that they share what is known with.

    Args:
        smallest: k, the size of the smallest class, where 11 or more.
    """

    name: str
    attributes: tuple[str, ...]
    smallest: Cell
    bands: dict[str, Cell]
    diversity: Diversity | None


def read_spec(overlays: tuple[Path, ...]) -> RiskSpec:
    """The attributes and levels of a site.

    Raises:
        ConfigurationError: a key or a column that there is not.
    """
    return read_yaml(data_file(f"{_FOLDER}/attributes.yaml", overlays), RiskSpec)


def statement(name: str, attributes: str, overlays: tuple[Path, ...] = ()) -> str:
    """One of the SQL files, with its attributes."""
    text = data_file(f"{_FOLDER}/{name}.sql", overlays).read_text(encoding="utf-8")
    return text.replace("{{attributes}}", attributes)


def levels(evidence: Evidence) -> tuple[Level, ...]:
    """Every level; `risk_person` stays in the connection."""
    overlays = evidence.site.overlays
    spec = read_spec(overlays)
    named = ", ".join(f"{column} AS {name}" for name, column in spec.attributes.items())
    evidence.rows(statement("person", named, overlays))
    evidence.rows(statement("diagnosis", "", overlays))
    return tuple(_level(evidence, name, one, spec) for name, one in spec.levels.items())


def _level(evidence: Evidence, name: str, level: LevelSpec, spec: RiskSpec) -> Level:
    """In each level the bands add up to all persons."""
    attributes = ", ".join(level.attributes)
    overlays = evidence.site.overlays
    sizes = evidence.rows(statement("classes", attributes, overlays))
    disclosure = evidence.disclosure
    bands = _banded(disclosure, BANDS, [(size, persons) for size, _, persons in sizes])
    smallest = disclosure.count(min((size for size, _, _ in sizes), default=0))
    diversity = None
    if evidence.release is not None:
        disclosure.sum(list(bands.values()), "published")
        if level.diversity:
            rows = evidence.rows(statement("diversity", attributes, overlays))
            diversity = _diversity(disclosure, spec, rows, bands[UNIQUE])
    return Level(name, level.attributes, smallest, bands, diversity)


def _diversity(
    disclosure: Disclosure, spec: RiskSpec, rows: list[tuple[int, int, int]], unique: Cell
) -> Diversity:
    """Uniques, who are in no class of two, and the rest are all persons."""
    edges = [*spec.sureness, 0]
    above = [101, *spec.sureness]
    ranges = {str(low): (low, high - 1) for low, high in zip(edges, above, strict=True)}
    sure = _banded(disclosure, ranges, [(sureness, count) for sureness, _, count in rows])
    kinds = _banded(disclosure, KINDS, [(number, count) for _, number, count in rows])
    for found in (sure, kinds):
        disclosure.sum([unique, *found.values()], "published")
    return Diversity(sure, kinds)


def _banded(
    disclosure: Disclosure, bands: dict[str, tuple[int, int]], rows: list[tuple[int, int]]
) -> dict[str, Cell]:
    return {
        name: disclosure.count(sum(int(count) for value, count in rows if low <= value <= high))
        for name, (low, high) in bands.items()
    }
