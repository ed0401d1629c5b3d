"""Rows that a peer writes for C-CDA documents, as facts: (table, concept, date, value).

Its CSV have keys said twice and "RECONCILE FK" in place of keys, so ids are not compared.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

from e2e.peers.facts import Fact, number
from entrepot.resources import data_folder

# Part of a file's name -> table, column of the concept, column of the date
SECTIONS = {
    "Condition": ("condition_occurrence", "condition_concept_id", "condition_start_date"),
    "Measurement_results": ("measurement", "measurement_concept_id", "measurement_date"),
    "Measurement_vital_signs": ("measurement", "measurement_concept_id", "measurement_date"),
    "Medication_medication_activity": (
        "drug_exposure", "drug_concept_id", "drug_exposure_start_date",
    ),
    "Medication_medication_dispense": (
        "drug_exposure", "drug_concept_id", "drug_exposure_start_date",
    ),
    "Observation": ("observation", "observation_concept_id", "observation_date"),
    "Visit": ("visit_occurrence", "visit_concept_id", "visit_start_date"),
    "Visit_encompassingEncounter": ("visit_occurrence", "visit_concept_id", "visit_start_date"),
}  # fmt: skip
TABLES = {table: (concept, date) for table, concept, date in SECTIONS.values()}
_VOCABULARIES = {
    "2.16.840.1.113883.6.1": "LOINC",
    "2.16.840.1.113883.6.96": "SNOMED",
    "2.16.840.1.113883.6.88": "RxNorm",
}


def peer_facts(folder: Path) -> dict[str, list[Fact]]:
    """Document -> facts of all its files."""
    found: dict[str, list[Fact]] = {}
    for path in sorted(folder.glob("*.xml__*.csv")):
        document, _, section = path.stem.partition("__")
        facts = found.setdefault(document.removesuffix(".xml"), [])
        if section == "Person":
            facts += _person(path)
        elif section in SECTIONS:
            facts += _section(path, *SECTIONS[section])
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if line.strip())


def _person(path: Path) -> Iterator[Fact]:
    for row in _rows(path):
        yield Fact("person", "gender", value=row["gender_concept_id"])
        month = int(row["month_of_birth"])
        yield Fact("person", "birth", start=f"{row['year_of_birth']}-{month:02d}")


def _section(path: Path, table: str, concept: str, date: str) -> Iterator[Fact]:
    for row in _rows(path):
        value = number(row["value_as_number"]) if row.get("value_as_number") else ""
        yield Fact(table, row[concept] or "0", start=row[date][:10], value=value)


def vocabulary(map_to_standard: Path, target: Path) -> Path:
    """Our demonstration vocabulary and the standard concepts that their map names by code."""
    shutil.copytree(data_folder("mappings") / "demo_vocabulary", target)
    concepts, relations = target / "CONCEPT.csv", target / "CONCEPT_RELATIONSHIP.csv"
    known = {line.split("\t")[0] for line in concepts.read_text(encoding="utf-8").splitlines()}
    lines, links = [], []
    for row in _rows(map_to_standard):
        vocabulary_id, identifier = _VOCABULARIES.get(row["oid"]), row["concept_id"]
        if vocabulary_id is None or identifier in known:
            continue
        known.add(identifier)
        code, domain = row["concept_code"], row["domain_id"]
        lines.append(
            f"{identifier}\t{code}\t{domain}\t{vocabulary_id}\tUndefined\tS\t{code}"
            "\t19700101\t20991231\t"
        )
        links.append(f"{identifier}\t{identifier}\tMaps to\t19700101\t20991231\t")
    for path, more in ((concepts, lines), (relations, links)):
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in more))
    return target
