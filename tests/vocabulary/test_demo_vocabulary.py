"""The demonstration vocabulary: whole, with a basis for each row, in its own wording."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from entrepot.resources import data_folder
from entrepot.synthetic import clinical
from entrepot.vocabulary.concepts import CUSTOM_IDS, check_concepts
from entrepot.vocabulary.load import load_vocabulary

pytestmark = pytest.mark.core

FOLDER = data_folder("mappings") / "demo_vocabulary"
OWN_VOCABULARIES = {"CIM10", "CCAM", "UCD", "CIP", "ATC", "ENTREPOT_LOCAL"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    target = tmp_path_factory.mktemp("demo") / "vocabulary.duckdb"
    load_vocabulary(FOLDER, target)
    with duckdb.connect(str(target), read_only=True) as connection:
        yield connection


def _values(connection: duckdb.DuckDBPyConnection, query: str) -> list[object]:
    return [row[0] for row in connection.execute(query).fetchall()]


def _sources() -> dict[tuple[str, str], tuple[str, str]]:
    with (FOLDER / "SOURCES.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    keys = Counter((row["file"], row["key"]) for row in rows)
    assert max(keys.values()) == 1
    return {(row["file"], row["key"]): (row["status"], row["basis"]) for row in rows}


@pytest.mark.parametrize(
    ("table", "column", "parent", "key"),
    [
        ("concept", "domain_id", "domain", "domain_id"),
        ("concept", "vocabulary_id", "vocabulary", "vocabulary_id"),
        ("concept", "concept_class_id", "concept_class", "concept_class_id"),
        ("concept_relationship", "concept_id_1", "concept", "concept_id"),
        ("concept_relationship", "concept_id_2", "concept", "concept_id"),
        ("concept_relationship", "relationship_id", "relationship", "relationship_id"),
        ("relationship", "reverse_relationship_id", "relationship", "relationship_id"),
        ("relationship", "relationship_concept_id", "concept", "concept_id"),
        ("vocabulary", "vocabulary_concept_id", "concept", "concept_id"),
        ("domain", "domain_concept_id", "concept", "concept_id"),
        ("concept_class", "concept_class_concept_id", "concept", "concept_id"),
        ("concept_synonym", "concept_id", "concept", "concept_id"),
        ("concept_synonym", "language_concept_id", "concept", "concept_id"),
        ("concept_ancestor", "ancestor_concept_id", "concept", "concept_id"),
        ("concept_ancestor", "descendant_concept_id", "concept", "concept_id"),
    ],
)
def test_every_reference_is_there(
    demo: duckdb.DuckDBPyConnection, table: str, column: str, parent: str, key: str
) -> None:
    assert not _values(
        demo, f"SELECT {column} FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {parent})"
    )


def test_codes_and_relationships_are_there_once(demo: duckdb.DuckDBPyConnection) -> None:
    assert not _values(
        demo,
        "SELECT concept_code FROM concept GROUP BY concept_code, vocabulary_id HAVING count(*) > 1",
    )
    assert not _values(
        demo,
        "SELECT concept_id_1 FROM concept_relationship"
        " GROUP BY concept_id_1, concept_id_2, relationship_id HAVING count(*) > 1",
    )


def test_targets_are_standard_and_every_link_goes_back(demo: duckdb.DuckDBPyConnection) -> None:
    assert not _values(
        demo,
        "SELECT r.concept_id_2 FROM concept_relationship r JOIN concept c"
        " ON c.concept_id = r.concept_id_2 WHERE r.relationship_id LIKE 'Maps to%'"
        " AND (c.standard_concept IS DISTINCT FROM 'S' OR c.concept_id >= 2000000000)",
    )
    assert not _values(
        demo,
        "SELECT r.concept_id_1 FROM concept_relationship r JOIN relationship k USING"
        " (relationship_id) LEFT JOIN concept_relationship b ON b.concept_id_1 = r.concept_id_2"
        " AND b.concept_id_2 = r.concept_id_1 AND b.relationship_id = k.reverse_relationship_id"
        " WHERE b.concept_id_1 IS NULL AND r.concept_id_1 <> r.concept_id_2",
    )


def test_custom_concepts_are_the_french_and_local_ones(demo: duckdb.DuckDBPyConnection) -> None:
    """f2o-039: custom ids start at 2,000,000,000; they are never standard."""
    own = "', '".join(sorted(OWN_VOCABULARIES))
    assert not _values(
        demo,
        f"SELECT concept_id FROM concept WHERE (concept_id >= {CUSTOM_IDS})"
        f" <> (vocabulary_id IN ('{own}'))"
        f" OR (concept_id >= {CUSTOM_IDS} AND standard_concept IS NOT NULL)"
        f" OR (concept_id < {CUSTOM_IDS} AND concept_id > 0 AND standard_concept <> 'S')",
    )


def test_every_concept_is_valid_today_and_always_was(demo: duckdb.DuckDBPyConnection) -> None:
    for table in ("concept", "concept_relationship"):
        dates = demo.execute(
            f"SELECT DISTINCT valid_start_date::VARCHAR, valid_end_date::VARCHAR, invalid_reason"
            f" FROM {table}"
        ).fetchall()
        assert dates == [("1970-01-01", "2099-12-31", None)]


def test_every_concept_and_mapping_has_its_basis(demo: duckdb.DuckDBPyConnection) -> None:
    sources = _sources()
    ids = {str(concept) for concept in _values(demo, "SELECT concept_id FROM concept")}
    assert {key for file, key in sources if file == "CONCEPT"} == ids
    links = demo.execute(
        "SELECT concept_id_1, relationship_id, concept_id_2 FROM concept_relationship"
        " WHERE relationship_id IN ('Maps to', 'Maps to value', 'Is a')"
    ).fetchall()
    stated = {key for file, key in sources if file == "CONCEPT_RELATIONSHIP"}
    assert stated == {" ".join(map(str, link)) for link in links}
    assert {status for status, _ in sources.values()} == {"verified", "unverified", "own"}
    assert all(basis for _, basis in sources.values())


def test_status_of_each_concept_is_the_third_party_tables_own(
    demo: duckdb.DuckDBPyConnection, shared: Path
) -> None:
    """Verified rows agree with the table in code, vocabulary, domain, class and standard flag."""
    columns = ("concept_code", "vocabulary_id", "domain_id", "concept_class_id", "standard_concept")
    with (shared / "reference" / "verified_concepts.csv").open(encoding="utf-8") as stream:
        confirmed = {row["concept_id"]: row for row in csv.DictReader(stream)}
    status = {key: value[0] for (file, key), value in _sources().items() if file == "CONCEPT"}
    for row in demo.execute(f"SELECT concept_id, {', '.join(columns)} FROM concept").fetchall():
        key = str(row[0])
        expected = "own" if row[0] >= CUSTOM_IDS else "unverified"
        assert status[key] == ("verified" if key in confirmed else expected)
        if key in confirmed:
            theirs = [confirmed[key][column] or None for column in columns]
            assert list(row[1:]) == theirs


def test_names_are_not_those_of_the_licensed_terms(
    demo: duckdb.DuckDBPyConnection, shared: Path
) -> None:
    """SNOMED CT and LOINC terms are not redistributed: labels are worded for this vocabulary."""
    theirs = duckdb.execute(
        f"SELECT lower(concept_name) FROM '{shared}/quality/synthea27nj_cdm54/concept.parquet'"
        " WHERE vocabulary_id IN ('SNOMED', 'LOINC')"
    ).fetchall()
    ours = _values(
        demo,
        "SELECT lower(concept_name) FROM concept WHERE vocabulary_id IN ('SNOMED', 'LOINC')"
        " AND domain_id <> 'Meas Value Operator'",
    )
    same = set(ours) & {row[0] for row in theirs}
    assert same <= {"sepsis", "covid-19"}  # words that both languages write alike


def test_the_release_names_itself_and_its_unverified_concepts(
    demo: duckdb.DuckDBPyConnection,
) -> None:
    assert _values(demo, "SELECT name FROM release") == ["entrepot demonstration 1"]
    unverified = _values(demo, "SELECT concept_id FROM concept_basis WHERE status = 'unverified'")
    assert 0 < len(unverified) < 100


def test_ids_of_the_mappings_are_in_it(demo: duckdb.DuckDBPyConnection) -> None:
    assert check_concepts(demo) == []


def test_codes_of_the_synthetic_hospital_are_in_it(demo: duckdb.DuckDBPyConnection) -> None:
    """Each LOINC and CVX code; of the rest, every code that does not serve to show a gap."""
    held = set(demo.execute("SELECT vocabulary_id, concept_code FROM concept").fetchall())
    wanted = {("LOINC", lab.loinc) for lab in clinical.LABS if lab.loinc}
    wanted |= {("CVX", vaccine.cvx) for vaccine in clinical.VACCINES}
    wanted |= {("CCAM", act.code) for act in clinical.ACTS}
    wanted |= {(drug.system, drug.code) for drug in clinical.DRUGS}
    missing = {code for vocabulary, code in wanted if (vocabulary, code) not in held}
    assert missing == {"YYYY600", "3400899900226"}


def test_fan_out_value_and_cross_domain_cases_are_there(demo: duckdb.DuckDBPyConnection) -> None:
    targets = demo.execute(
        "SELECT c.concept_code, list(r.concept_id_2 ORDER BY r.concept_id_2) FROM concept c"
        " JOIN concept_relationship r ON r.concept_id_1 = c.concept_id"
        " WHERE c.vocabulary_id IN ('CIM10', 'ATC') AND r.relationship_id = 'Maps to'"
        " GROUP BY ALL HAVING count(*) > 1"
    ).fetchall()
    assert dict(targets) == {"A41.9": [132797, 432545], "J01CR02": [1713332, 1759842]}
    assert demo.execute(
        "SELECT c.concept_code, r.concept_id_2 FROM concept c JOIN concept_relationship r"
        " ON r.concept_id_1 = c.concept_id WHERE r.relationship_id = 'Maps to value'"
    ).fetchall() == [("I25.2", 4329847)]
