"""What a code means, read once more from the concept tables: a second reading to hold the first to.

Written from the resolution rules (site map, then "Maps to" of the code's concept, then the nearest
ICD-10 parent; one row per standard target, a measurement only the lowest) over the CSV files.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
CONCEPTS = ROOT / "mappings" / "concepts"
VOCABULARY = ROOT / "mappings" / "demo_vocabulary"
ICD = ("CIM10", "ICD10")
TABLES = {
    "Condition": "condition_occurrence",
    "Procedure": "procedure_occurrence",
    "Drug": "drug_exposure",
    "Measurement": "measurement",
}


class Target(NamedTuple):
    """One row that a code gives: its table, standard concept, source concept, value concept."""

    table: str
    concept: int
    source: int
    value: int | None


class Meaning(NamedTuple):
    """Which of an event's codings speaks, and the rows that it gives."""

    code: str
    targets: tuple[Target, ...]


class _Concept(NamedTuple):
    id: int
    domain: str
    standard: bool


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """A CSV file as dictionaries."""
    with path.open(encoding="utf-8", newline="") as file:
        if delimiter == "\t":  # Athena's export: nothing is quoted
            return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return list(csv.DictReader(file, delimiter=delimiter))


class Concepts:
    """The concept tables of `mappings/concepts` and the demonstration vocabulary."""

    def table(self, name: str, key: str, value: str) -> dict[str, int]:
        """One column of a concept table by another."""
        return {row[key]: int(row[value]) for row in rows(CONCEPTS / f"{name}.csv")}

    @cached_property
    def visit_class(self) -> dict[str, int]:
        """HL7 v2-0004 class -> visit concept."""
        return self.table("visit_class", "code", "visit_concept_id")

    @cached_property
    def gender(self) -> dict[str, int]:
        """PID-8 -> gender concept."""
        return self.table("gender", "code", "gender_concept_id")

    @cached_property
    def status(self) -> dict[str, int]:
        """DP, DAS, DR -> condition status concept."""
        return self.table("condition_status", "code", "concept_id")

    @cached_property
    def unit(self) -> dict[str, int]:
        """Unit as written -> unit concept."""
        return self.table("units", "unit_code", "unit_concept_id")

    @cached_property
    def operator(self) -> dict[str, int]:
        """Comparator -> operator concept."""
        return self.table("operators", "operator", "operator_concept_id")

    @cached_property
    def route(self) -> dict[str, int]:
        """HL7 0162 -> route concept."""
        return self.table("routes", "code", "concept_id")

    @cached_property
    def type(self) -> dict[str, int]:
        """Context -> type concept."""
        return self.table("type_concepts", "context_code", "concept_id")

    @cached_property
    def constant(self) -> dict[str, int]:
        """Named constants."""
        return self.table("constants", "name", "concept_id")

    @cached_property
    def movement_mode(self) -> dict[tuple[str, str], int]:
        """(entry or exit, PMSI mode) -> concept."""
        found = rows(CONCEPTS / "entry_exit.csv")
        return {(row["direction"], row["code"]): int(row["concept_id"]) for row in found}

    @cached_property
    def note_type(self) -> dict[str, str]:
        """Document type -> context of its type concept."""
        return {row["code"]: row["type_context"] for row in rows(CONCEPTS / "note_types.csv")}

    def value(self, code: str, system: str) -> int | None:
        """The concept of a coded or frequent short answer."""
        for vocabulary in self._vocabularies.get(system.upper(), []):
            if (vocabulary, code) in self._site_map:
                return self._site_map[vocabulary, code]
        return None

    def meaning(self, codings: list[tuple[str, str]], default: str) -> Meaning:
        """The first coding (code, system) with a standard concept, else the first of all.

        Args:
            default: table of a code without any concept.
        """
        for code, system in codings:
            targets = self._targets(code, system, default)
            if targets[0].concept:
                return Meaning(code, targets)
        code, system = codings[0]
        return Meaning(code, self._targets(code, system, default))

    @cached_property
    def _vocabularies(self) -> dict[str, list[str]]:
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for row in rows(CONCEPTS / "code_systems.csv"):
            found[row["system"].upper()].append((int(row["precedence"]), row["vocabulary_id"]))
        return {system: [name for _, name in sorted(names)] for system, names in found.items()}

    @cached_property
    def _site_map(self) -> dict[tuple[str, str], int]:
        return {
            (row["source_vocabulary_id"], row["source_code"]): int(row["target_concept_id"])
            for row in rows(CONCEPTS / "source_to_concept_map.csv")
        }

    @cached_property
    def _by_code(self) -> dict[tuple[str, str], _Concept]:
        return {
            (row["vocabulary_id"], _spelling(row["concept_code"], row["vocabulary_id"])): _Concept(
                int(row["concept_id"]), row["domain_id"], row["standard_concept"] == "S"
            )
            for row in rows(VOCABULARY / "CONCEPT.csv", "\t")
        }

    @cached_property
    def _by_id(self) -> dict[int, _Concept]:
        return {concept.id: concept for concept in self._by_code.values()}

    @cached_property
    def _links(self) -> dict[tuple[int, str], list[_Concept]]:
        found: dict[tuple[int, str], list[_Concept]] = defaultdict(list)
        for row in rows(VOCABULARY / "CONCEPT_RELATIONSHIP.csv", "\t"):
            target = self._by_id.get(int(row["concept_id_2"]))
            if target and target.standard and not row["invalid_reason"]:
                found[int(row["concept_id_1"]), row["relationship_id"]].append(target)
        return found

    def _targets(self, code: str, system: str, default: str) -> tuple[Target, ...]:
        known = self._vocabularies.get(system.upper(), [])
        exact = [self._by_code.get((name, _spelling(code, name))) for name in known]
        parents = [p for name in known if name in ICD for p in self._parents(code, name)]
        own = next((concept for concept in exact if concept), None)
        for answering in [*exact, *parents]:
            if answering is not None and self._links[answering.id, "Maps to"]:
                return self._rows(answering, own)
        table = TABLES.get(own.domain, "observation") if own else default
        return (Target(table, 0, own.id if own else 0, None),)

    def _parents(self, code: str, vocabulary: str) -> list[_Concept | None]:
        spelling = _spelling(code, vocabulary)
        return [
            self._by_code.get((vocabulary, spelling[:length]))
            for length in range(len(spelling) - 1, 2, -1)
        ]

    def _rows(self, answering: _Concept, own: _Concept | None) -> tuple[Target, ...]:
        values = self._links[answering.id, "Maps to value"]
        found = []
        kept_measurement = False
        for target in sorted(self._links[answering.id, "Maps to"]):
            if target.domain == "Measurement" and kept_measurement:
                continue
            kept_measurement |= target.domain == "Measurement"
            table = TABLES.get(target.domain, "observation")
            valued = table in {"observation", "measurement"} and values
            source = own.id if own else 0
            found.append(Target(table, target.id, source, values[0].id if valued else None))
        return tuple(found)


def _spelling(code: str, vocabulary: str) -> str:
    if vocabulary in ICD:
        return code.replace(".", "").replace(" ", "").upper()
    return code.replace(" ", "").upper()[:7] if vocabulary == "CCAM" else code
