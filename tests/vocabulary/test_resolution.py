"""Resolution of codes, case by case; expectations from the mapping rules, ids annotated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pytest
from resolution_reference import AS_OF, Case, Concept, Link, Resolved, SiteRow, run_sql

from entrepot.errors import ConfigurationError
from entrepot.resources import data_folder
from entrepot.vocabulary.load import load_vocabulary
from entrepot.vocabulary.resolve import Coverage, coverage, resolve

pytestmark = pytest.mark.core

HTA, T2D, SEPSIS, BACTERIAL = 320128, 201826, 132797, 432545
HISTORY, INFARCTION, GLUCOSE, GLUCOSE_BLOOD = 1340204, 4329847, 3004501, 3000483
STANDARD = [
    Concept(HTA, "SNOMED", "59621000", "Condition", True),
    Concept(T2D, "SNOMED", "44054006", "Condition", True),
    Concept(SEPSIS, "SNOMED", "91302008", "Condition", True),
    Concept(BACTERIAL, "SNOMED", "87628006", "Condition", True),
    Concept(INFARCTION, "SNOMED", "22298006", "Condition", True),
    Concept(HISTORY, "OMOP Extension", "OMOP5165859", "Observation", True),
    Concept(GLUCOSE, "LOINC", "2345-7", "Measurement", True),
    Concept(GLUCOSE_BLOOD, "LOINC", "2339-0", "Measurement", True),
    Concept(4236484, "SNOMED", "deprecated", "Condition", False, "U"),
]
OWN = 2_000_000_000


def _case(
    *codes: str,
    system: str = "CIM10",
    concepts: Iterable[Concept] = (),
    links: Iterable[Link] = (),
    site: Iterable[SiteRow] = (),
) -> Case:
    return Case(
        concepts=[*STANDARD, *concepts],
        links=[*links, Link(GLUCOSE, GLUCOSE)],
        site=list(site),
        codes=[(system, code) for code in codes],
    )


def _targets(rows: list[Resolved]) -> list[tuple[str, int, int, int | None, str, str]]:
    return [
        (r.code, r.ordinal, r.target_concept_id, r.value_concept_id, r.origin, r.reason)
        for r in rows
    ]


def test_pmsi_writes_icd_codes_without_their_dot() -> None:
    concepts = [Concept(OWN, "CIM10", "E11.9", "Condition"), Concept(OWN + 1, "CIM10", "I10", "x")]
    links = [Link(OWN, T2D), Link(OWN + 1, HTA)]
    rows = run_sql(_case("E119", "E11.9", " e11.9 ", "I10", concepts=concepts, links=links))
    assert {(r.code, r.target_concept_id, r.source_concept_id, r.normalised) for r in rows} == {
        ("E119", T2D, OWN, True),
        ("E11.9", T2D, OWN, False),
        (" e11.9 ", T2D, OWN, True),
        ("I10", HTA, OWN + 1, False),
    }


@pytest.mark.parametrize("code", ["HHFA001", "HHFA001-1-0", "HHFA00110", "hhfa001", "HHFA001 4 0"])
def test_an_act_carries_activity_and_phase_after_its_code(code: str) -> None:
    concepts = [Concept(OWN, "CCAM", "HHFA001", "Procedure")]
    concepts.append(Concept(4198190, "SNOMED", "80146002", "Procedure", True))
    rows = run_sql(_case(code, system="CCAM", concepts=concepts, links=[Link(OWN, 4198190)]))
    assert _targets(rows) == [(code, 0, 4198190, None, "vocabulary", "maps_to")]
    assert rows[0].normalised == (code != "HHFA001")


def test_an_atih_extension_goes_to_its_nearest_mapped_parent() -> None:
    concepts = [
        Concept(OWN, "CIM10", "C18", "Condition"),
        Concept(OWN + 1, "CIM10", "C18.9", "Condition"),
        Concept(OWN + 2, "CIM10", "C18.9+8", "Condition"),  # known, but maps to nothing
    ]
    links = [Link(OWN, HTA), Link(OWN + 1, T2D)]
    rows = run_sql(_case("C189+8", "C189+0", "C18+", "C1", concepts=concepts, links=links))
    assert {(r.code, r.source_concept_id, r.target_concept_id, r.origin) for r in rows} == {
        ("C189+8", OWN + 2, T2D, "uphill"),
        ("C189+0", 0, T2D, "uphill"),
        ("C18+", 0, HTA, "uphill"),
        ("C1", 0, 0, "none"),  # a block of categories is no parent
    }


def test_the_who_edition_answers_where_the_french_one_does_not() -> None:
    """CIM-10 FR maps through WHO ICD10 by exact code; the source concept stays the French one."""
    concepts = [
        Concept(OWN, "CIM10", "I10", "Condition"),
        Concept(45591453, "ICD10", "I10", "Condition"),
        Concept(45600641, "ICD10", "E11.9", "Condition"),
    ]
    links = [Link(45591453, HTA), Link(45600641, T2D)]
    rows = run_sql(_case("I10", "E119", concepts=concepts, links=links))
    assert {(r.code, r.vocabulary_id, r.source_concept_id, r.target_concept_id, r.reason)
            for r in rows} == {
        ("I10", "CIM10", OWN, HTA, "other_vocabulary"),
        ("E119", "ICD10", 45600641, T2D, "maps_to"),
    }  # fmt: skip


def test_one_code_with_several_targets_is_several_rows() -> None:
    """Themis one_to_many_mapping; ordinals follow the target's id, whatever the table's order."""
    concepts = [Concept(OWN, "CIM10", "A41.9", "Condition")]
    links = [Link(OWN, BACTERIAL), Link(OWN, SEPSIS), Link(OWN, SEPSIS)]
    rows = run_sql(_case("A419", concepts=concepts, links=links))
    assert _targets(rows) == [
        ("A419", 0, SEPSIS, None, "vocabulary", "maps_to"),
        ("A419", 1, BACTERIAL, None, "vocabulary", "maps_to"),
    ]


def test_one_result_stays_one_row() -> None:
    """Measurement and visit: the lowest concept id, and the reason says that others were left."""
    concepts = [Concept(OWN, "LOINC", "x-1", "Measurement")]
    links = [Link(OWN, GLUCOSE), Link(OWN, GLUCOSE_BLOOD), Link(OWN, HTA)]
    rows = run_sql(_case("x-1", system="LN", concepts=concepts, links=links))
    assert _targets(rows) == [
        ("x-1", 0, HTA, None, "vocabulary", "maps_to"),
        ("x-1", 1, GLUCOSE_BLOOD, None, "vocabulary", "one_of_several"),
    ]


def test_maps_to_value_is_the_value_of_the_observation() -> None:
    """Themis records_with_values: the event is the value of its history; conditions have none."""
    concepts = [Concept(OWN, "CIM10", "I25.2", "Observation")]
    links = [Link(OWN, HISTORY), Link(OWN, HTA), Link(OWN, INFARCTION, "Maps to value")]
    rows = run_sql(_case("I252", concepts=concepts, links=links))
    assert _targets(rows) == [
        ("I252", 0, HTA, None, "vocabulary", "maps_to"),
        ("I252", 1, HISTORY, INFARCTION, "vocabulary", "maps_to"),
    ]


def test_what_is_not_standard_is_never_a_target() -> None:
    """f2o-031: neither deprecated targets nor withdrawn links; the source concept is kept."""
    concepts = [Concept(OWN, "CIM10", "X1.1", "Condition"), Concept(OWN + 1, "CIM10", "X2.2", "c")]
    links = [Link(OWN, 4236484), Link(OWN + 1, HTA, invalid="D")]
    rows = run_sql(_case("X11", "X22", concepts=concepts, links=links))
    assert [(r.source_concept_id, r.target_concept_id, r.ordinal, r.reason) for r in rows] == [
        (OWN, 0, 0, "no_standard_target"),
        (OWN + 1, 0, 0, "no_standard_target"),
    ]


def test_a_deprecated_code_still_maps() -> None:
    concepts = [Concept(OWN, "CIM10", "E14", "Condition", False, "D")]
    rows = run_sql(_case("E14", concepts=concepts, links=[Link(OWN, T2D)]))
    assert _targets(rows) == [("E14", 0, T2D, None, "vocabulary", "maps_to")]


def test_of_two_concepts_for_one_code_the_exact_then_the_valid_one_counts() -> None:
    concepts = [
        Concept(OWN, "CIM10", "E11.9", "Condition"),
        Concept(OWN + 1, "CIM10", "E119", "Condition"),
        Concept(OWN + 2, "CIM10", "I.10", "Condition", False, "D"),
        Concept(OWN + 3, "CIM10", "I1.0", "Condition"),
    ]
    rows = run_sql(_case("E119", "I10", concepts=concepts))
    assert [r.source_concept_id for r in rows] == [OWN + 1, OWN + 3]


def test_the_sites_own_map_comes_first_while_it_is_valid() -> None:
    concepts = [Concept(OWN, "CIM10", "E11.9", "Condition")]
    links = [Link(OWN, T2D)]
    day = dt.timedelta(days=1)
    over = SiteRow("CIM10", "E119", HTA, end=AS_OF - day)
    future = SiteRow("CIM10", "E119", SEPSIS, start=AS_OF + day)
    withdrawn = SiteRow("CIM10", "E119", BACTERIAL, invalid="D")
    current = SiteRow("CIM10", "E119", INFARCTION, start=AS_OF, end=AS_OF)
    past = [over, future, withdrawn]
    rows = run_sql(_case("E119", concepts=concepts, links=links, site=[*past, current]))
    assert _targets(rows) == [("E119", 0, INFARCTION, None, "stcm", "site_map")]
    assert rows[0].source_concept_id == OWN
    rows = run_sql(_case("E119", concepts=concepts, links=links, site=past))
    assert _targets(rows) == [("E119", 0, T2D, None, "vocabulary", "maps_to")]


def test_the_site_may_say_that_a_code_has_no_concept() -> None:
    concepts = [Concept(OWN, "CIM10", "E11.9", "Condition")]
    site = [SiteRow("CIM10", "E119", 0)]
    rows = run_sql(_case("E119", concepts=concepts, links=[Link(OWN, T2D)], site=site))
    assert _targets(rows) == [("E119", 0, 0, None, "stcm", "site_says_none")]


def test_a_site_row_to_a_concept_that_is_not_standard_does_not_count() -> None:
    concepts = [Concept(OWN, "CIM10", "E11.9", "Condition")]
    site = [SiteRow("CIM10", "E119", 4236484), SiteRow("CIM10", "I10", 99)]
    rows = run_sql(_case("E119", "I10", concepts=concepts, links=[Link(OWN, T2D)], site=site))
    assert _targets(rows) == [
        ("E119", 0, T2D, None, "vocabulary", "site_target_not_standard"),
        ("I10", 0, 0, None, "none", "site_target_not_standard"),
    ]


def test_codes_and_systems_that_nobody_knows_are_told_apart() -> None:
    case = _case("?")
    case.codes = [("CIM10", "?"), ("cim10 ", "?"), ("LABO", "HB"), (None, None), ("LN", "")]
    case.site = [SiteRow("LABO2", "HB", GLUCOSE)]
    case.codes.append(("LABO2", "HB"))
    rows = run_sql(case)
    assert [(r.system, r.code, r.vocabulary_id, r.reason) for r in rows] == [
        ("", "", None, "unknown_system"),
        ("CIM10", "?", "CIM10", "unknown_code"),
        ("LABO", "HB", None, "unknown_system"),
        ("LABO2", "HB", "LABO2", "site_map"),
        ("LN", "", "LOINC", "unknown_code"),
        ("cim10 ", "?", "CIM10", "unknown_code"),
    ]


def test_case_matters_where_the_code_system_says_so() -> None:
    """A laboratory's `na` is not its `NA`; LOINC and local codes are compared as they stand."""
    site = [SiteRow("LABO", "NA", GLUCOSE)]
    rows = run_sql(_case("na", "NA ", system="LABO", site=site))
    assert {r.code: r.target_concept_id for r in rows} == {"na": 0, "NA ": GLUCOSE}


def test_a_broken_overlay_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "mappings" / "omop" / "concept_resolution.sql"
    path.parent.mkdir(parents=True)
    path.write_text("SELECT nothing FROM code_use", encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA cdm; CREATE SCHEMA etl; CREATE TABLE code_use (x INT)")
        for table in ("concept", "concept_relationship"):
            connection.execute(f"CREATE TABLE cdm.{table} (x INT)")
        with pytest.raises(ConfigurationError, match="SQL is refused"):
            resolve(connection, AS_OF, [tmp_path])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    target = tmp_path_factory.mktemp("demo") / "vocabulary.duckdb"
    load_vocabulary(data_folder("mappings") / "demo_vocabulary", target)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{target}' AS vocabulary (READ_ONLY)")
        connection.execute("CREATE SCHEMA etl")
        yield connection


def test_codes_of_french_feeds_on_the_demonstration_vocabulary(
    demo: duckdb.DuckDBPyConnection,
) -> None:
    codes = [
        ("CIM10", "I10", 5, [HTA]),
        ("2.16.840.1.113883.6.3", "E119", 1, [T2D]),
        ("CIM-10", "E1198", 2, [T2D]),
        ("CIM10", "C189+8", 1, [4180790]),  # malignant tumour of colon
        ("CIM10", "A419", 1, [SEPSIS, BACTERIAL]),
        ("CIM10", "Z511", 1, [4273629]),  # chemotherapy, a procedure
        ("CCAM", "DEQP003-1-0", 3, [4163951]),  # electrocardiographic procedure
        ("UCD", "3400899900011", 4, [1125315]),  # RxNorm 161, paracetamol
        ("ATC", "J01CR02", 1, [1713332, 1759842]),  # RxNorm 723 and 48203
        ("LN", "718-7", 9, [3000963]),  # haemoglobin
        ("CVX", "140", 1, [40213154]),
        ("L", "IHEMO", 1, [0]),
        ("CCAM", "YYYY600", 1, [0]),
    ]
    demo.execute("CREATE OR REPLACE TEMP TABLE code_use (system TEXT, code TEXT, frequency BIGINT)")
    demo.executemany("INSERT INTO code_use VALUES (?, ?, ?)", [code[:3] for code in codes])
    resolve(demo, AS_OF, vocabulary="vocabulary.main")
    found: dict[tuple[str, str], list[int]] = {}
    rows = demo.execute(
        "SELECT system, code, target_concept_id FROM etl.concept_resolution ORDER BY ALL"
    ).fetchall()
    for system, code, target in rows:
        found.setdefault((system, code), []).append(target)
    assert found == {(system, code): targets for system, code, _, targets in codes}
    assert Coverage("CIM10", "uphill", 2, 3) in coverage(demo)
    assert Coverage("CIM10", "vocabulary", 4, 8) in coverage(demo)
    assert sum(share.codes for share in coverage(demo)) == len(codes)
    leftover = demo.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'temp'"
    ).fetchall()
    assert leftover == [("code_use",)]
