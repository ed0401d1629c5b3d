"""Which statements of different feeds tell the same fact: rules of `mappings/facts.yaml`.

A fact's key is made at the door from treated cells (DESIGN 6): person, and per category the order,
stay, code and time that identify it whatever the format.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file
from entrepot.staging.kinds import KINDS
from entrepot.yaml_files import read_yaml

RULES, SYSTEMS = "mappings/facts.yaml", "mappings/concepts/code_systems.csv"
RANKS = "mappings/concepts/coding_rank.csv"
_UNKNOWN = 99  # a code system that no table names speaks last
_UNRANKED = 7  # a vocabulary without a rank: before local codes
_DOTTED = {"ICD10", "CIM10", "ICD10CM"}


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: dict[str, _Rule]


@dataclass(frozen=True)
class Facts:
    """The rules, and what each code system is called.

    Args:
        systems: system as sent -> (vocabulary, rank); the lowest rank speaks first.
    """

    rules: Mapping[str, _Rule]
    systems: Mapping[str, tuple[str, int]]
    fingerprint: str

    def parts(self, kind: str, cells: Mapping[str, Any]) -> tuple[str, ...] | None:
        """What identifies the fact of a treated row; None when a required part is missing."""
        name, rule = self._rule(kind, cells)
        if rule is None:
            return None
        found = [self._part(cells, column) for column in rule.required]
        if not all(found):
            return None
        return (name, *found, *(self._part(cells, column) for column in rule.optional))

    def best(self, codings: Iterable[tuple[str, str]]) -> tuple[str, str]:
        """Of (code, system) pairs the one whose system speaks first; ('', '') of none."""
        ranked = [(self.systems.get(s, ("", _UNKNOWN))[1], n, (c, s))
                  for n, (c, s) in enumerate(codings) if c]  # fmt: skip
        return min(ranked)[2] if ranked else ("", "")

    def _rule(self, kind: str, cells: Mapping[str, Any]) -> tuple[str, _Rule | None]:
        if kind != "event":
            return kind, self.rules.get(kind)
        category = str(cells.get("category") or "")
        with_context = f"{category}/{cells.get('context_code') or ''}"
        name = with_context if with_context in self.rules else category
        return name, self.rules.get(name)

    def _part(self, cells: Mapping[str, Any], column: str) -> str:
        if column == "code":
            return self._code(cells)
        value = cells.get(column)
        if isinstance(value, dt.datetime):
            return f"{value:%Y%m%d%H%M%S}"
        return "" if value is None else str(value)

    def _code(self, cells: Mapping[str, Any]) -> str:
        pairs = ((cells.get("code"), cells.get("system")),
                 (cells.get("alt_code"), cells.get("alt_system")))  # fmt: skip
        code, system = self.best((str(c or ""), str(s or "")) for c, s in pairs)
        if not code:
            return ""
        vocabulary = self.systems.get(system, (system, 0))[0]
        code = code.strip().upper()
        return f"{vocabulary}|{code.replace('.', '') if vocabulary in _DOTTED else code}"


def load_facts(overlays: Iterable[Path] = ()) -> Facts:
    """The rules and the code systems, the overlay's files first.

    Raises:
        ConfigurationError: a file is wrong, or a rule names a column that no kind has.
    """
    overlays = list(overlays)
    path = data_file(RULES, overlays)
    rules = read_yaml(path, _Rules).rules
    known = {name for kind in KINDS.values() for name in kind.schema.names}
    for name, rule in rules.items():
        unknown = sorted({*rule.required, *rule.optional} - known)
        if unknown:
            raise ConfigurationError(f"{name}: no column {unknown[0]}", where=str(path))
    files = (path, data_file(SYSTEMS, overlays), data_file(RANKS, overlays))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return Facts(rules, code_systems(overlays), digest)


def code_systems(overlays: Iterable[Path] = ()) -> dict[str, tuple[str, int]]:
    """System as sent -> (vocabulary, rank): of several codings the lowest rank speaks first."""
    overlays = tuple(overlays)
    ranks = {row["vocabulary_id"]: int(row["rank"]) for row in _rows(data_file(RANKS, overlays))}
    found: dict[str, tuple[int, str]] = {}
    for row in _rows(data_file(SYSTEMS, overlays)):
        entry = (int(row["precedence"] or _UNKNOWN), row["vocabulary_id"])
        found[row["system"]] = min(found.get(row["system"], entry), entry)
    return {system: (name, ranks.get(name, _UNRANKED)) for system, (_, name) in found.items()}


@lru_cache(maxsize=8)
def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
