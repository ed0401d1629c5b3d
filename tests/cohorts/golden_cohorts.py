"""The shared cohort definitions, their expected results and the CDMs these hold for."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from entrepot.cohorts import CohortExpression, Outcome, as_json, read_definition
from entrepot.errors import ConfigurationError

# Numbers of persons and the seed for which the expected results hold (README of the set).
PERSONS, SEED = {"phenotypelibrary": 150, "sweep": 100}, 1
POSTGRES_TYPES = {
    "BIGINT": "bigint", "DECIMAL(18,3)": "numeric", "TIMESTAMP": "timestamp", "DATE": "date",
    "VARCHAR": "text",
}  # fmt: skip


@dataclass(frozen=True)
class Golden:
    """One definition with its expected result."""

    family: str
    id: str
    definition: dict[str, Any]
    record: dict[str, Any]

    def text(self) -> str:
        """The definition's JSON."""
        return json.dumps(self.definition)

    def expression(self) -> CohortExpression:
        """The definition, read."""
        return read_definition(self.text(), self.id)


@lru_cache(maxsize=4)
def module(folder: Path, name: str) -> ModuleType:
    """`make_cdm` or `check` of the shared set: written beside the expected results."""
    spec = importlib.util.spec_from_file_location(name, folder / "cohorts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded  # `check` imports `make_cdm` by its name
    spec.loader.exec_module(loaded)
    return loaded


def goldens(folder: Path, family: str, every: int = 1, first: int = 0) -> Iterator[Golden]:
    """Each `every`th definition of a family (`phenotypelibrary`, `sweep`) from `first` on."""
    make = module(folder, "make_cdm")
    expected = module(folder, "check").read_golden(folder / "cohorts" / f"golden_{family}.jsonl.gz")
    definitions = make.read_definitions(folder / "cohorts" / f"definitions_{family}.jsonl.gz")
    for n, (key, definition) in enumerate(definitions):
        if n % every == first:
            yield Golden(family, key, definition, expected[key])


class Cdms:
    """One DuckDB in memory that holds the CDM of one definition after the other."""

    def __init__(self, folder: Path) -> None:
        self._make = module(folder, "make_cdm")
        self.columns: dict[str, dict[str, str]] = self._make.read_columns()
        self.connection = duckdb.connect(config={"threads": 1})
        self._make.create_cdm(self.connection, self.columns)
        self._filled: set[str] = set()

    def fill(self, golden: Golden) -> set[str]:
        """Puts the definition's CDM in place of the one before; the tables that changed."""
        before = self._filled
        for table in before:
            self.connection.execute(f"TRUNCATE cdm.{table}")
        self._make.fill_cdm(
            self.connection, self.columns, golden.id, golden.definition,
            PERSONS[golden.family], SEED,
        )  # fmt: skip
        counts = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (FROM cdm.{table})" for table in self.columns
        )
        self._filled = {row[0] for row in self.connection.execute(counts).fetchall()}
        return before | self._filled

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table."""
        return self.connection.execute(f"FROM cdm.{table}").fetchall()


def fault(folder: Path, golden: Golden, outcome: Outcome) -> str:
    """What differs from the expected rows and masks; ties as the reference breaks them."""
    result = as_json(golden.expression(), outcome)
    verdict, why = module(folder, "check").compare(golden.record, result, True, True)
    return "" if verdict == "same" else f"{golden.id}: {why}"


def refusal(golden: Golden, error: ConfigurationError) -> str:
    """Empty when the reference failed on CDM 5.4 too and the error names column and attribute."""
    named = "CDM 5.4 has no column" in str(error) and error.where
    return "" if named and "rows" not in golden.record else f"{golden.id}: {error}"
