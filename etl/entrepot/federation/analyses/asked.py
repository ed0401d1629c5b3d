"""The node's database together with the cohorts of one question, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses.parameters import Feature
from entrepot.federation.analyses.relations import events, query, shipped, wanted
from entrepot.federation.analyses.strata import Strata, load_strata

Row = tuple[Any, ...]


class Readable(Protocol):
    """What an analysis needs of a node's database; `NodeDatabase` is one."""

    @property
    def dialect(self) -> str:
        """As sqlglot names it."""

    def rows(self, sql: str, dialect: str = "duckdb") -> list[Row]:
        """The rows of one SELECT written in `dialect`."""


@dataclass(frozen=True)
class Asked:
    """Args:
    cohorts: SELECT of `subject_id, cohort_start_date, cohort_end_date` by name, in the database's
        dialect.
    masks: SELECT of `person_id, mask` by name, of cohorts whose attrition is asked for.
    """

    database: Readable
    cohorts: Mapping[str, str]
    masks: Mapping[str, str] = field(default_factory=dict)
    strata: Strata = field(default_factory=load_strata)

    def rows(
        self, name: str, relations: Mapping[str, Any], numbers: Mapping[str, int] | None = None
    ) -> list[Row]:
        """Answers `mappings/federation/NAME.sql`."""
        dialect = self.database.dialect
        return self.database.rows(query(name, relations, numbers, dialect), dialect)

    def cohort(self, name: str) -> str:
        """SELECT of a cohort.

        Raises:
            ConfigurationError: the question brought none of that name.
        """
        if name not in self.cohorts:
            raise ConfigurationError("the question names a cohort that it does not bring",
                                     where=f"cohort {name}")  # fmt: skip
        return self.cohorts[name]

    def members(self, cohort: str) -> list[int]:
        """Persons of a cohort, each once."""
        return [row[0] for row in self.rows("members", {"target": self.cohort(cohort)})]

    def entered(self, cohort: str) -> dict[str, Any]:
        """Relations `target` and `entry`, on which others build."""
        return {"target": self.cohort(cohort), "entry": shipped("entry")}

    def with_features(
        self, cohort: str, features: Sequence[Feature], window_days: int
    ) -> list[set[int]]:
        """Persons who had each feature before their entry, in the order of `features`."""
        found: list[set[int]] = [set() for _ in features]
        if features:
            relations = {
                **self.entered(cohort), "wanted": wanted(features), "events": events(features)
            }  # fmt: skip
            for place, person in self.rows("features", relations, {"window_days": window_days}):
                found[place].add(person)
        return found
