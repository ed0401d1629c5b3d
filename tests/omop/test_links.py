"""Links between facts, and what becomes of them and of eras when the gate removes rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from entrepot.omop.candidate import rederive
from entrepot.quality.inputs import GateInputs
from entrepot.quality.plan import build_plan
from entrepot.quality.rows import quarantine_rows
from omop_staging import AS_OF, Staging, at, derive, number

pytestmark = pytest.mark.core

PERSON, SPECIMEN, MEASUREMENT = 56, 36, 21
MOTHER_OF, CHILD_OF, SPECIMEN_OF, RESULT_OF = 40478925, 40485452, 32669, 32668


def _links(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, ...]]:
    return connection.execute("SELECT * FROM cdm.fact_relationship ORDER BY ALL").fetchall()


def _family(staging: Staging, *present: str) -> None:
    for name in present:
        staging.person(name)
        staging.event(f"result of {name}", name, code="14682-9", system="LN", value_number=70)
    staging.person("child", mother="mother", birth_year=2025, birth_month=2)
    staging.event("result of child", "child", code="14682-9", system="LN", value_number=40)


def test_mother_and_child_are_linked_both_ways(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    _family(staging, "mother", "stranger")
    mother, child = number("mother"), number("child")
    assert _links(derive(tmp_path, staging, vocabulary)) == [
        tuple(link) for link in sorted(
            [[PERSON, mother, PERSON, child, MOTHER_OF], [PERSON, child, PERSON, mother, CHILD_OF]]
        )
    ]  # fmt: skip


def test_a_mother_who_is_not_published_is_not_named(tmp_path: Path, vocabulary: Path) -> None:
    """An opposed mother never reaches staging; one without any event is not published."""
    staging = Staging()
    _family(staging)
    (tmp_path / "opposed").mkdir()
    assert _links(derive(tmp_path / "opposed", staging, vocabulary)) == []
    staging.person("mother")
    (tmp_path / "unobserved").mkdir()
    assert _links(derive(tmp_path / "unobserved", staging, vocabulary)) == []


def test_results_are_linked_to_the_only_specimen_of_their_order(
    tmp_path: Path, vocabulary: Path
) -> None:
    staging = Staging()
    for person in ("p", "q"):
        staging.person(person)
    lab: dict[str, Any] = {"system": "LN", "code": "14682-9", "value_number": 70}
    staging.event("blood", "p", "specimen", order="o1", code="X1", system="L")
    staging.event("creatinine", "p", order="o1", **lab)
    staging.event("of another person", "q", order="o1", **lab)
    staging.event("of another order", "p", order="o3", **lab)
    for name in ("urine", "serum"):  # which of the two was measured is not said
        staging.event(name, "p", "specimen", order="o2", code="X1", system="L")
    staging.event("sodium", "p", order="o2", **lab)
    blood, creatinine = number("blood", 63), number("creatinine", 63)
    assert _links(derive(tmp_path, staging, vocabulary)) == [
        (MEASUREMENT, creatinine, SPECIMEN, blood, RESULT_OF),
        (SPECIMEN, blood, MEASUREMENT, creatinine, SPECIMEN_OF),
    ]


def test_eras_and_links_follow_the_rows_that_the_gate_removes(
    tmp_path: Path, vocabulary: Path
) -> None:
    """A diagnosis before birth leaves and its era begins later; a faulty mother leaves as well."""
    staging = Staging()
    _family(staging, "mother")
    diabetes = {"code": "E11.9", "system": "CIM-10"}
    staging.event("sound", "child", "diagnosis", **diabetes)
    staging.event("before birth", "child", "diagnosis", **diabetes | {"start_at": at("2025-01-30")})
    staging.event("blood", "child", "specimen", order="o", code="X1", system="L")
    staging.event("creatinine", "child", order="o", code="14682-9", system="LN", value_number=70,
                  start_at=at("2025-12-01"))  # fmt: skip
    connection = derive(tmp_path, staging, vocabulary)
    era = """SELECT condition_era_start_date::VARCHAR, condition_occurrence_count
        FROM cdm.condition_era"""
    assert connection.execute(era).fetchall() == [("2025-01-30", 2)]
    assert len(_links(connection)) == 4
    connection.execute(
        "UPDATE cdm.person SET month_of_birth = 13 WHERE person_id = ?", [number("mother")]
    )
    report = quarantine_rows(connection, build_plan(), GateInputs(AS_OF), rederive)
    assert connection.execute(era).fetchall() == [("2025-03-01", 1)]
    assert _links(connection) == []
    assert report.removed["condition_occurrence"] == report.removed["person"] == 1
    assert connection.execute("SELECT person_id FROM cdm.person").fetchall() == [(number("child"),)]


def test_a_mother_who_goes_after_the_rederivation_takes_her_links(
    tmp_path: Path, vocabulary: Path
) -> None:
    """She loses her only event: nothing observes her in the second round, after the links."""
    staging = Staging()
    _family(staging)
    staging.person("mother")
    staging.event("her only one", "mother", code="14682-9", system="LN")
    connection = derive(tmp_path, staging, vocabulary)
    assert len(_links(connection)) == 2
    connection.execute(
        "UPDATE cdm.measurement SET measurement_type_concept_id = 0 WHERE person_id = ?",
        [number("mother")],
    )
    quarantine_rows(connection, build_plan(), GateInputs(AS_OF), rederive)
    assert _links(connection) == []
    assert set(connection.execute(
        "SELECT check_id FROM etl.quarantine WHERE cdm_table = 'fact_relationship'"
    ).fetchall()) == {("parent:observed",)}  # fmt: skip
