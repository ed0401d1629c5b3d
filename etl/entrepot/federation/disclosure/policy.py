"""What a node tells and how coarsely: its own policy, which others can only make stricter."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

FILE = "quality/federation/policy.yaml"
LEAST_THRESHOLD = 3  # below it the rounding of neighbours would show single persons
AnalysisKind = Literal[
    "counts", "stratified", "attrition", "characterisation", "incidence", "prevalence", "survival",
    "logistic", "cox",
]  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Strict):
    """Questions of one study: per day and in all; those that fail count too."""

    day: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]


class Policy(_Strict):
    """A node's policy (quality/federation/policy.yaml).

    Args:
        threshold: persons below which a count is withheld, zero included.
        known_persons: of whom an attacker may know everything; a figure is told first from
            threshold + known_persons on.
        rounding_base: counts are told as multiples of it.
        largest_share: of one person in a sum, above which the sum is withheld.
        nodes: fewest nodes whose masked sums may be added.
        persons_per_parameter: of a regression.
        slot_seconds: answers leave at multiples of it.
    """

    threshold: Annotated[int, Field(ge=LEAST_THRESHOLD)]
    known_persons: Annotated[int, Field(ge=0)] = 0
    rounding_base: Annotated[int, Field(ge=2)]
    largest_share: Annotated[float, Field(gt=0, lt=1)]
    nodes: Annotated[int, Field(ge=3)]
    persons_per_parameter: Annotated[int, Field(ge=1)]
    budget: Budget
    slot_seconds: Annotated[float, Field(ge=0)]
    analyses: tuple[AnalysisKind, ...]

    @model_validator(mode="after")
    def _rounding_hides_less_than_the_threshold(self) -> Self:
        if self.rounding_base >= self.threshold:
            raise ValueError("rounding_base has to be smaller than threshold")
        if self.known_persons >= self.threshold - 1:
            raise ValueError("known_persons has to be smaller than threshold - 1")
        return self

    @property
    def told_from(self) -> int:
        """Persons from which on a figure is told that is like no earlier one."""
        return self.threshold + self.known_persons

    @property
    def sha256(self) -> str:
        """Hash of the policy, hexadecimal: which one an answer was made under."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def raised(
        self,
        *,
        threshold: int | None = None,
        known_persons: int | None = None,
        budget: Budget | None = None,
        analyses: Iterable[AnalysisKind] | None = None,
    ) -> Policy:
        """The policy as a study or a question makes it stricter; what would loosen it is ignored.

        Source: reference on federation, section 3.1: the node's minimum wins over the study's.
        """
        day, total = (budget.day, budget.total) if budget else (math.inf, math.inf)
        asked = set(self.analyses if analyses is None else analyses)
        stricter = {
            "threshold": max(self.threshold, threshold or 0),
            "known_persons": max(self.known_persons, known_persons or 0),
            "budget": Budget(
                day=int(min(self.budget.day, day)), total=int(min(self.budget.total, total))
            ),
            "analyses": tuple(kind for kind in self.analyses if kind in asked),
        }
        return Policy.model_validate(self.model_dump() | stricter)


def read_policy(overlays: Iterable[Path] = ()) -> Policy:
    """The node's policy: the site's own file, or the one that ships.

    Raises:
        ConfigurationError: an unknown key, or a value that would protect nobody.
    """
    return read_yaml(data_file(FILE, overlays), Policy)
