"""Writes small vocabularies in Athena's format: tab separated, upper-case names, YYYYMMDD."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

ALWAYS = ("19700101", "20991231", "")
HEADERS = {
    "CONCEPT": "concept_id concept_name domain_id vocabulary_id concept_class_id standard_concept"
    " concept_code valid_start_date valid_end_date invalid_reason",
    "CONCEPT_RELATIONSHIP": "concept_id_1 concept_id_2 relationship_id valid_start_date"
    " valid_end_date invalid_reason",
    "CONCEPT_ANCESTOR": "ancestor_concept_id descendant_concept_id min_levels_of_separation"
    " max_levels_of_separation",
    "CONCEPT_SYNONYM": "concept_id concept_synonym_name language_concept_id",
    "VOCABULARY": "vocabulary_id vocabulary_name vocabulary_reference vocabulary_version"
    " vocabulary_concept_id",
    "DOMAIN": "domain_id domain_name domain_concept_id",
    "CONCEPT_CLASS": "concept_class_id concept_class_name concept_class_concept_id",
    "RELATIONSHIP": "relationship_id relationship_name is_hierarchical defines_ancestry"
    " reverse_relationship_id relationship_concept_id",
    "DRUG_STRENGTH": "drug_concept_id ingredient_concept_id amount_value amount_unit_concept_id"
    " numerator_value numerator_unit_concept_id denominator_value denominator_unit_concept_id"
    " box_size valid_start_date valid_end_date invalid_reason",
}
ZERO = (0, "none", "Metadata", "None", "Undefined", "", "No matching concept", *ALWAYS)
MINIMAL: Mapping[str, list[tuple[object, ...]]] = {
    "CONCEPT": [ZERO],
    "VOCABULARY": [("None", "release", "", "v5.0 29-AUG-25", 0)],
}


def lines(table: str, rows: Iterable[tuple[object, ...]]) -> str:
    """Content of one file with its header."""
    header = HEADERS[table].split()
    return "".join("\t".join(map(str, row)) + "\n" for row in [header, *rows])


def write_folder(
    folder: Path, tables: Mapping[str, list[tuple[object, ...]]] = MINIMAL, *, packed: bool = False
) -> Path:
    """The nine files; tables that are not given have their header alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in HEADERS:
        content = lines(table, tables.get(table, MINIMAL.get(table, []))).encode()
        if packed:
            (folder / f"{table}.csv.gz").write_bytes(gzip.compress(content))
        else:
            (folder / f"{table}.csv").write_bytes(content)
    return folder
