"""DQD's check types and the places where they apply, as `quality/dqd` states them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import Cdm, Table, load_cdm
from entrepot.omop.cdm import Field as CdmField
from entrepot.quality.rule_tables import SEXES
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

FOLDER = "quality/dqd"
OUT_OF_SCOPE = frozenset((
    "concept", "vocabulary", "concept_ancestor", "concept_relationship", "concept_class",
    "concept_synonym", "relationship", "domain",
))  # fmt: skip
"""DQD's default `tablesToExclude`."""
_NOT_READ = {"note_nlp.offset"}  # DQD drops it: a reserved word in some dialects
# Fields that the specification types `Integer` or `bigint`: DQD compares with `integer` alone.
_OTHER_INTEGERS = frozenset((
    "episode.episode_id", "episode.episode_parent_id", "episode.person_id",
    "episode_event.episode_id", "episode_event.event_id", "measurement.measurement_event_id",
    "note.note_event_id", "observation.observation_event_id", "observation.value_as_concept_id",
    "visit_detail.admitted_from_concept_id", "visit_detail.visit_detail_source_concept_id",
    "visit_occurrence.visit_type_concept_id",
))  # fmt: skip
_NO_KEY = {"cost.payer_plan_period_id", "episode.episode_parent_id", "note_nlp.note_id"}
_WRONG_WAY = ("cohort_definition", "cohort_definition_id", "cohort", "cohort_definition_id")
_PLACES = ("check", "table", "field", "threshold_percent", "limit", "other_field")
_CONCEPTS = ("check", "table", "field", "concept_ids", "allowed", "threshold_percent")
LISTED = "listed"


class Counted(StrEnum):
    """How a type is counted; see the head of `types.yaml`."""

    PRESENCE = "presence"
    ROWS = "rows"
    VALUES = "values"
    PAIRS = "pairs"
    QUERY = "query"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KeySet(_Closed):
    """A table by its key, one line per key, `n` rows each."""

    table: str
    key: str
    columns: dict[str, str]


class CheckType(_Closed):
    """One of DQD's check types."""

    name: str
    level: Literal["table", "field", "concept"]
    category: str
    subcategory: str = ""
    context: str
    severity: Literal["fatal", "convention", "characterization"]
    places: str
    counted: Counted
    applies: str = ""
    violated: str = ""
    applies_with_other: str = ""
    violated_with_other: str = ""
    violated_as_text: str = ""
    joins: dict[str, str] = {}
    second: str = ""
    without: int | None = None
    descendants: bool = False
    needs: tuple[str, ...] = ()
    query: str = ""
    fails_on: Literal["", "impossible_birth"] = ""
    threshold_optional: Annotated[int | None, Field(ge=0, le=100)] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.counted is Counted.QUERY) != bool(self.query):
            raise ValueError("`query` is stated where it is counted by one")
        if self.counted in (Counted.ROWS, Counted.VALUES) and not (
            self.violated or self.violated_with_other
        ):
            raise ValueError("`violated` is missing")
        if self.level == "field" and self.places not in (*_CHOICES, LISTED):
            raise ValueError(f"places is one of {', '.join((*_CHOICES, LISTED))}")
        return self


class _Types(_Closed):
    sets: dict[str, KeySet]
    types: tuple[CheckType, ...]


@dataclass(frozen=True)
class DqdCheck:
    """One check at one place.

    Args:
        limit: number, ISO date, `tomorrow` or `next_year`.
        other: the field that this one is compared with.
        concepts: concept ids of a concept-level check, as DQD lists them.
        allowed: second values that are right for these concepts.
    """

    type: CheckType
    table: str
    field: str = ""
    threshold: str = ""
    limit: str = ""
    other: str = ""
    target: str = ""
    target_field: str = ""
    domain: str = ""
    concept_class: str = ""
    concepts: tuple[int, ...] = ()
    allowed: frozenset[int] = frozenset()

    @property
    def joins(self) -> Mapping[str, str]:
        """Key set and the field that names its key; none where another field is compared."""
        return {} if self.other and self.type.violated_with_other else self.type.joins

    @cached_property
    def check_id(self) -> str:
        """As DQD spells it: lower case, joined by `_`, without blanks."""
        concepts = ",".join(map(str, self.concepts))
        parts = (self.type.level, self.type.name, self.table, self.field, concepts)
        return "_".join(part for part in parts if part).lower()


@dataclass(frozen=True)
class Catalogue:
    """Every check of DQD over the CDM, and the key sets that their conditions join."""

    cdm: Cdm
    checks: tuple[DqdCheck, ...]
    sets: Mapping[str, KeySet]


def load_catalogue(overlays: Iterable[Path] = ()) -> Catalogue:
    """The 2,374 checks of DQD 2.8.4 on CDM 5.4.

    Raises:
        ConfigurationError: a file of `quality/dqd` is wrong (file and line named).
    """
    roots = tuple(overlays)
    cdm = load_cdm(roots)
    content = read_yaml(data_file(f"{FOLDER}/types.yaml", roots), _Types)
    listed = _listed(roots)
    checks = [check for kind in content.types for check in _spread(kind, cdm, listed)]
    return Catalogue(cdm, tuple(checks), content.sets)


def _listed(roots: tuple[Path, ...]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for name, columns in (("places.csv", _PLACES), ("concepts.csv", _CONCEPTS)):
        path = data_file(f"{FOLDER}/{name}", roots)
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != columns:
                raise ConfigurationError(f"columns are {', '.join(columns)}", where=f"{path}:1")
            for row in reader:
                found.setdefault(row["check"], []).append(row)
    return found


def _spread(
    kind: CheckType, cdm: Cdm, listed: Mapping[str, list[dict[str, str]]]
) -> Iterator[DqdCheck]:
    if kind.places == LISTED:
        yield from (_of_line(kind, line) for line in listed.get(kind.name, ()))
        return
    for table in cdm:
        if table.name in OUT_OF_SCOPE:
            continue
        if kind.level == "table":
            if kind.places in ("tables", table.name):
                threshold = "" if kind.counted is Counted.PRESENCE else "0"
                yield DqdCheck(kind, table.name, threshold=threshold)
        else:
            yield from _of_fields(kind, table)
    if kind.places == "foreign_keys":
        table_name, field, target, target_field = _WRONG_WAY
        yield DqdCheck(
            kind, table_name, field, threshold="0", target=target, target_field=target_field
        )


def _of_fields(kind: CheckType, table: Table) -> Iterator[DqdCheck]:
    for field in table.fields:
        place = f"{table.name}.{field.name}"
        if place in _NOT_READ or not _CHOICES[kind.places](field, place):
            continue
        threshold = "" if kind.counted is Counted.PRESENCE else "0"
        if kind.threshold_optional is not None and not field.required:
            threshold = str(kind.threshold_optional)
        target = None if field.primary_key else field.foreign_key
        yield DqdCheck(
            kind, table.name, field.name, threshold,
            target=target.table if target else "", target_field=target.field if target else "",
            domain=field.domain, concept_class=field.concept_class,
        )  # fmt: skip


_CHOICES: Mapping[str, Callable[[CdmField, str], bool]] = {
    "fields": lambda field, place: True,
    "required_fields": lambda field, place: field.required,
    "integer_fields": lambda field, place: field.type == "integer" and place not in _OTHER_INTEGERS,
    "primary_keys": lambda field, place: field.primary_key,
    "foreign_keys": lambda field, place: field.foreign_key is not None and place not in _NO_KEY,
    "domain_fields": lambda field, place: bool(field.domain),
    "class_fields": lambda field, place: bool(field.concept_class),
}


def _of_line(kind: CheckType, line: Mapping[str, str]) -> DqdCheck:
    place = (kind, line["table"], line["field"], line["threshold_percent"])
    if kind.level == "concept":
        concepts = tuple(int(one) for one in line["concept_ids"].split())
        allowed = frozenset(SEXES.get(one) or int(one) for one in line["allowed"].split())
        return DqdCheck(*place, concepts=concepts, allowed=allowed)
    is_concept = kind.counted is Counted.VALUES
    return DqdCheck(
        *place, line["limit"], line["other_field"],
        target="concept" if is_concept else "", target_field="concept_id" if is_concept else "",
    )  # fmt: skip
