"""The resolution rules once more, code by code in plain Python, and a way to run the SQL beside it.

Written from the rules (HL7 fhir-omop-ig f2o-031..040, Themis one_to_many_mapping and
records_with_values), not from the SQL.
"""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb

from entrepot.vocabulary.concepts import FILES, FOLDER
from entrepot.vocabulary.resolve import resolve

AS_OF = dt.date(2026, 6, 1)
ALWAYS = (dt.date(1970, 1, 1), dt.date(2099, 12, 31))
SYSTEMS = (("CIM10", "CIM10", 1), ("CIM10", "ICD10", 2), ("LN", "LOINC", 1), ("CCAM", "CCAM", 1))
FAN_OUT = {"Measurement": "lowest", "Visit": "lowest", "Condition": "all"}


class Concept(NamedTuple):
    """A row of `concept`, without what resolution does not read."""

    id: int
    vocabulary: str
    code: str
    domain: str
    standard: bool = False
    invalid: str | None = None


class Link(NamedTuple):
    """A row of `concept_relationship`."""

    source: int
    target: int
    kind: str = "Maps to"
    invalid: str | None = None


class SiteRow(NamedTuple):
    """A row of `source_to_concept_map`."""

    vocabulary: str
    code: str
    target: int
    start: dt.date = ALWAYS[0]
    end: dt.date = ALWAYS[1]
    invalid: str = ""


class Resolved(NamedTuple):
    """A row of `concept_resolution`, in the order of its columns."""

    system: str
    code: str
    vocabulary_id: str | None
    source_concept_id: int
    ordinal: int
    target_concept_id: int
    target_domain_id: str | None
    value_concept_id: int | None
    origin: str
    normalised: bool
    domain_id_of_source: str | None
    reason: str


@dataclass
class Case:
    """One vocabulary, one site map and the codes of one batch."""

    concepts: list[Concept] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    site: list[SiteRow] = field(default_factory=list)
    codes: list[tuple[str | None, str | None]] = field(default_factory=list)
    systems: tuple[tuple[str, str, int], ...] = SYSTEMS


def run_sql(case: Case) -> list[Resolved]:
    """What the SQL says, sorted."""
    with tempfile.TemporaryDirectory() as name, connect() as connection:
        fill(connection, case)
        resolve(connection, AS_OF, [write_overlay(Path(name), case)])
        rows = connection.execute("FROM etl.concept_resolution").fetchall()
    return sorted((Resolved(*row) for row in rows), key=lambda row: row[:5])


def connect() -> duckdb.DuckDBPyConnection:
    """An empty database; one thread, as the tables are tiny."""
    return duckdb.connect(config={"threads": 1})


def fill(connection: duckdb.DuckDBPyConnection, case: Case) -> None:
    """The three tables that the resolution reads, in the schemas of the candidate."""
    connection.execute(
        "CREATE SCHEMA cdm; CREATE SCHEMA etl;"
        "CREATE TABLE cdm.concept (concept_id BIGINT, vocabulary_id VARCHAR, concept_code VARCHAR,"
        " domain_id VARCHAR, standard_concept VARCHAR, invalid_reason VARCHAR);"
        "CREATE TABLE cdm.concept_relationship (concept_id_1 BIGINT, concept_id_2 BIGINT,"
        " relationship_id VARCHAR, invalid_reason VARCHAR);"
        "CREATE TEMP TABLE code_use (system VARCHAR, code VARCHAR, frequency BIGINT)"
    )
    _insert(
        connection,
        "cdm.concept",
        [
            (c.id, c.vocabulary, c.code, c.domain, "S" if c.standard else None, c.invalid)
            for c in case.concepts
        ],
    )
    _insert(connection, "cdm.concept_relationship", case.links)
    _insert(connection, "code_use", [(*code, 1) for code in case.codes])


def write_overlay(folder: Path, case: Case) -> Path:
    """The case's own code systems, fan-out policy and site map."""
    (folder / FOLDER).mkdir(parents=True)
    site = [
        {
            "source_vocabulary_id": row.vocabulary,
            "source_code": row.code,
            "target_concept_id": row.target,
            "valid_start_date": row.start,
            "valid_end_date": row.end,
            "invalid_reason": row.invalid,
            "source_concept_id": 0,
            "status": "verified",
        }
        for row in case.site
    ]
    systems = [
        {"system": system, "vocabulary_id": vocabulary, "precedence": precedence}
        for system, vocabulary, precedence in case.systems
    ]
    fan_out = [{"domain_id": domain, "keep": keep} for domain, keep in FAN_OUT.items()]
    tables = (("source_to_concept_map", site), ("code_systems", systems), ("fan_out", fan_out))
    for name, lines in tables:
        columns = next(file.columns for file in FILES if file.name == name)
        with (folder / FOLDER / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, restval="")
            writer.writeheader()
            writer.writerows(lines)
    return folder


def reference(case: Case) -> list[Resolved]:
    """What the rules say, sorted."""
    codes = {(system or "", code or "") for system, code in case.codes}
    rows = [row for pair in codes for row in _resolve_one(case, *pair)]
    return sorted(rows, key=lambda row: row[:5])


def spell(vocabulary: str, code: str) -> str:
    """A code as its vocabulary is compared: ICD-10 without dot, CCAM's first seven characters."""
    if vocabulary in ("CIM10", "ICD10", "ICD10CM"):
        return code.replace(".", "").replace(" ", "").upper()
    if vocabulary == "CCAM":
        return code.replace(" ", "").upper()[:7]
    return code.strip(" ")


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]
) -> None:
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", list(rows))


def _standard(case: Case, source: int, kind: str) -> list[Concept]:
    by_id = {concept.id: concept for concept in case.concepts}
    ids = {k.target for k in case.links if (k.source, k.kind, k.invalid) == (source, kind, None)}
    return sorted(by_id[i] for i in ids if i in by_id and by_id[i].standard)


def _best(case: Case, vocabulary: str, code: str) -> Concept | None:
    spelling = spell(vocabulary, code)
    same = [
        c
        for c in case.concepts
        if spelling and c.vocabulary == vocabulary and spell(vocabulary, c.code) == spelling
    ]
    return min(same, key=lambda c: (c.code != code, c.invalid is not None, c.id), default=None)


def _parent(case: Case, vocabularies: list[str], code: str) -> Concept | None:
    for length in range(7, 2, -1):
        for vocabulary in vocabularies:
            spelling = spell(vocabulary, code)
            if vocabulary not in ("CIM10", "ICD10") or length >= len(spelling):
                continue
            for concept in sorted(case.concepts):
                if (concept.vocabulary, spell(vocabulary, concept.code)) == (
                    vocabulary,
                    spelling[:length],
                ) and _standard(case, concept.id, "Maps to"):
                    return concept
    return None


def _resolve_one(case: Case, system: str, code: str) -> list[Resolved]:
    listed = sorted(
        (precedence, vocabulary)
        for name, vocabulary, precedence in case.systems
        if name.strip(" ").upper() == system.strip(" ").upper()
    )
    vocabularies = [vocabulary for _, vocabulary in listed] or [system]
    found = [best for v in vocabularies if (best := _best(case, v, code))]
    source = found[0] if found else None
    targets, site_spelled, site_fault, site_none = _site_targets(case, vocabularies, code)
    pairs: list[tuple[Concept, Concept | None]] = [(target, None) for target in targets]
    origin, reason = "none", ""
    if targets or site_none:
        origin, reason = "stcm", "site_map" if targets else "site_says_none"
    else:
        answers = [c for c in found if _standard(case, c.id, "Maps to")]
        parent = None if answers else _parent(case, vocabularies, code)
        if answers:
            origin, pairs = "vocabulary", _with_values(case, answers[0])
            other = source is not None and source.vocabulary != answers[0].vocabulary
            reason = "other_vocabulary" if other else "maps_to"
        elif parent:
            origin, reason, pairs = "uphill", "nearest_parent", _with_values(case, parent)
        elif source:
            reason = "no_standard_target"
        else:
            reason = "unknown_code" if listed else "unknown_system"
        if site_fault and origin != "uphill":
            reason = "site_target_not_standard"
    named = listed or origin != "none"
    vocabulary_id = source.vocabulary if source else (vocabularies[0] if named else None)
    normalised = site_spelled if origin == "stcm" else bool(source and source.code != code)
    kept = _one_per_row(pairs)
    return [
        Resolved(
            system=system,
            code=code,
            vocabulary_id=vocabulary_id,
            source_concept_id=source.id if source else 0,
            ordinal=ordinal,
            target_concept_id=target.id if target else 0,
            target_domain_id=target.domain if target else None,
            value_concept_id=value.id if value else None,
            origin=origin,
            normalised=normalised,
            domain_id_of_source=source.domain if source else None,
            reason="one_of_several" if left_out else reason,
        )
        for ordinal, (target, value, left_out) in enumerate(kept or [(None, None, False)])
    ]


def _site_targets(
    case: Case, vocabularies: list[str], code: str
) -> tuple[list[Concept], bool, bool, bool]:
    by_id = {c.id: c for c in case.concepts if c.standard and c.id}
    rows = [
        row
        for row in case.site
        if row.vocabulary in vocabularies
        and spell(row.vocabulary, code)
        and spell(row.vocabulary, row.code) == spell(row.vocabulary, code)
        and row.start <= AS_OF <= row.end
        and not row.invalid
    ]
    targets = sorted({by_id[row.target] for row in rows if row.target in by_id})
    spelled = bool(rows) and all(row.code != code for row in rows)
    fault = bool(rows) and not targets and all(row.target for row in rows)
    return targets, spelled, fault, any(row.target == 0 for row in rows)


def _with_values(case: Case, concept: Concept) -> list[tuple[Concept, Concept | None]]:
    values: list[Concept | None] = [*_standard(case, concept.id, "Maps to value")]
    return [
        (target, value)
        for target in _standard(case, concept.id, "Maps to")
        for value in (
            values if values and target.domain in ("Measurement", "Observation") else [None]
        )
    ]


def _one_per_row(
    pairs: list[tuple[Concept, Concept | None]],
) -> list[tuple[Concept, Concept | None, bool]]:
    pairs = sorted(pairs, key=lambda pair: (pair[0].id, pair[1].id if pair[1] else 0))
    kept: list[tuple[Concept, Concept | None, bool]] = []
    for pair in pairs:
        alike = [other for other in pairs if other[0].domain == pair[0].domain]
        lowest = FAN_OUT.get(pair[0].domain, "all") == "lowest"
        if not lowest or pair == alike[0]:
            kept.append((*pair, lowest and len(alike) > 1))
    return kept
