"""What persons are counted by: `mappings/federation/strata.yaml`, the same at nodes and readers."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses.parameters import Stratum, Years
from entrepot.resources import data_file
from entrepot.vocabulary.concepts import read_lines
from entrepot.yaml_files import read_yaml

FILE = "mappings/federation/strata.yaml"
BEFORE, AFTER, UNKNOWN, OTHER = "before", "after", "unknown", "other"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CareSiteGroup(_Data):
    """Concepts, by the names of `constants.csv`, and codes of one group of care sites."""

    concepts: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


class Strata(_Data):
    """The whole file."""

    age_bands: tuple[int, ...]
    regression_ages: tuple[int, ...]
    sexes: dict[str, tuple[str, ...]]
    care_site_groups: dict[str, CareSiteGroup]

    @model_validator(mode="after")
    def _ordered(self) -> Strata:
        for bands in (self.age_bands, self.regression_ages):
            if not bands or bands[0] != 0 or list(bands) != sorted(set(bands)):
                raise ValueError("age bands begin at 0 and go up")
        return self

    def keys(self, stratum: Stratum, years: Years | None = None) -> tuple[str, ...]:
        """Every value of a dimension, whether or not somebody has it."""
        if stratum == "age_band":
            return (*bands(self.age_bands), UNKNOWN)
        if stratum == "sex":
            return (*self.sexes, UNKNOWN)
        if stratum == "care_site_group":
            return (*self.care_site_groups, OTHER)
        return (BEFORE, *map(str, years.each() if years else ()), AFTER)

    def age_band(self, age: int | None) -> str:
        """`40-49`; an age below 0 is unknown."""
        return band_of(self.age_bands, age)

    def sex(self, concept_id: int | None) -> str:
        """Key of a `gender_concept_id`."""
        codes = {code for code, named in _concepts("gender").items() if named == concept_id}
        return next((key for key, own in self.sexes.items() if codes & set(own)), UNKNOWN)

    def care_site_group(self, concept_id: int | None, code: str | None) -> str:
        """Group by code, else by concept."""
        for key, group in self.care_site_groups.items():
            if code in group.codes:
                return key
        names = {name for name, named in _concepts("constants").items() if named == concept_id}
        groups = self.care_site_groups.items()
        return next((key for key, group in groups if names & set(group.concepts)), OTHER)


@lru_cache(maxsize=4)
def load_strata(overlays: tuple[Path, ...] = ()) -> Strata:
    """The shipped file, or that of a site with its own codes.

    Raises:
        ConfigurationError: it is wrong, or a site's has other keys than the one that ships: its
            answers would be refused.
    """
    path = data_file(FILE, overlays)
    found, shipped = read_yaml(path, Strata), read_yaml(data_file(FILE), Strata)
    named = {name for group in found.care_site_groups.values() for name in group.concepts}
    if named - set(_concepts("constants")):
        raise ConfigurationError("a concept that constants.csv does not name", where=str(path))
    if _keys(found) != _keys(shipped):
        raise ConfigurationError(
            "other age bands, sexes or groups than those of the network", where=str(path),
            remedy="add codes to the groups that there are",
        )  # fmt: skip
    return found


def _keys(strata: Strata) -> tuple[object, ...]:
    groups = (tuple(strata.sexes), tuple(strata.care_site_groups))
    return strata.age_bands, strata.regression_ages, *groups


@lru_cache(maxsize=2)
def _concepts(name: str) -> dict[str, int]:
    """Concept ids of `mappings/concepts/NAME.csv` by the first column."""
    fields = {"gender": ("code", "gender_concept_id"), "constants": ("name", "concept_id")}
    key, concept = fields[name]
    return {line[key]: line[concept] for line in read_lines(name)}


def bands(starts: Sequence[int]) -> tuple[str, ...]:
    """`0-9`, …, `90+` of the first years of bands."""
    ends = [f"{low}-{high - 1}" for low, high in itertools.pairwise(starts)]
    return (*ends, f"{starts[-1]}+")


def band_of(starts: Sequence[int], age: int | None) -> str:
    """The band that holds an age in years; `unknown` without one or below 0."""
    if age is None or age < starts[0]:
        return UNKNOWN
    return bands(starts)[bisect.bisect_right(starts, age) - 1]


def year_key(years: Years, year: int) -> str:
    """A year of the range, `before` or `after`."""
    if year < years.first:
        return BEFORE
    return AFTER if year > years.last else str(year)
