"""One fact told by several feeds is one row: the source's rank decides, never the arrival."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from entrepot.report.accounting import rows
from omop_staging import Staging, at, derive, dispositions, key, named

pytestmark = pytest.mark.core

RANKS = {"lab": 7, "portal": 5, "ehr": 3}
FORMATS = {"lab": "hl7v2", "portal": "cda", "ehr": "fhir"}
CREATININE = {"code": "14682-9", "system": "LN", "unit_code": "umol/L"}


def _result(
    staging: Staging, name: str, source: str, value: float, fact: str = "f", **more: Any
) -> None:
    told = {**CREATININE, "value_number": value, "format": FORMATS[source], **more}
    staging.fact(fact, name, "p", source, category="result", **told)


def _measured(connection: Any) -> list[tuple[Any, ...]]:
    return [
        (float(value), told)
        for value, told in connection.execute(
            "SELECT value_as_number, measurement_id FROM cdm.measurement ORDER BY ALL"
        ).fetchall()
    ]


def test_the_source_of_the_highest_rank_speaks(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.person("p")
    for source, value in (("ehr", 71), ("lab", 70), ("portal", 72)):
        _result(staging, f"{source} 1", source, value)
    connection = derive(tmp_path, staging, vocabulary, RANKS)
    (kept,) = _measured(connection)
    assert kept == (70.0, staging.rows["event"][0]["row_id"])  # the fact's id, whoever tells it
    assert named(dispositions(connection, "event"), ["ehr 1", "lab 1", "portal 1"]) == {
        "ehr 1": "duplicate_of", "lab 1": "mapped", "portal 1": "duplicate_of",
    }  # fmt: skip
    told = connection.execute(
        "SELECT row_key, role FROM etl.lineage WHERE cdm_table = 'measurement' AND cdm_id = ?",
        [kept[1]],
    ).fetchall()
    assert sorted(told) == sorted(
        [
            (key("lab 1"), "source"),
            (key("ehr 1"), "duplicate_of"),
            (key("portal 1"), "duplicate_of"),
        ]
    )


@pytest.mark.parametrize(
    ("ranks", "kept"),
    [
        ({}, 72.0),  # all alike: the first format, cda
        ({"ehr": 9}, 71.0),
        ({"lab": 6}, 70.0),
        ({"portal": 4}, 71.0),  # fhir before hl7v2
        ({"lab": 0, "portal": 0, "ehr": 0}, 72.0),
    ],
)
def test_ties_go_by_format(
    tmp_path: Path, vocabulary: Path, ranks: dict[str, int], kept: float
) -> None:
    staging = Staging()
    staging.person("p")
    for source, value in (("lab", 70), ("ehr", 71), ("portal", 72)):
        _result(staging, f"{source} 1", source, value)
    connection = derive(tmp_path, staging, vocabulary, ranks)
    assert [value for value, _ in _measured(connection)] == [kept]


def test_ties_of_one_format_go_by_source(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.person("p")
    for source, value in (("lab b", 71), ("lab a", 70)):
        staging.fact("f", source, "p", source, category="result", value_number=value, **CREATININE)
    assert [v for v, _ in _measured(derive(tmp_path, staging, vocabulary))] == [70.0]


def test_a_document_inside_a_message_is_another_feed(tmp_path: Path, vocabulary: Path) -> None:
    """One source sends a result and a CDA report of it: two feeds of one name, one fact."""
    staging = Staging()
    staging.person("p")
    _result(staging, "in the message", "lab", 70)
    _result(staging, "in the report", "lab", 71, format="cda")
    assert [v for v, _ in _measured(derive(tmp_path, staging, vocabulary))] == [71.0]


def test_equal_statements_of_one_feed_keep_their_number(tmp_path: Path, vocabulary: Path) -> None:
    """The laboratory tells it twice, the portal three times: the third is told by nobody else."""
    staging = Staging()
    staging.person("p")
    for source, times in (("lab", 2), ("portal", 3)):
        for n in range(times):
            _result(staging, f"{source} {n}", source, 70 if source == "lab" else 71)
    connection = derive(tmp_path, staging, vocabulary, RANKS)
    values = _measured(connection)
    assert sorted(value for value, _ in values) == [70.0, 70.0, 71.0]
    assert len({told for _, told in values}) == 3
    assert staging.rows["event"][0]["row_id"] in {told for _, told in values}
    disposed = dispositions(connection, "event")
    assert sum(d == "duplicate_of" for d in disposed.values()) == 2


def test_the_answer_does_not_depend_on_the_order(tmp_path: Path, vocabulary: Path) -> None:
    answers = []
    orders = list(itertools.permutations(range(6)))
    random.Random(5).shuffle(orders)
    for n, order in enumerate(orders[:4]):
        staging = Staging()
        staging.person("p")
        for source, k in itertools.product(("lab", "ehr", "portal"), range(2)):
            _result(staging, f"{source} {k}", source, len(source) + k)
        rows = staging.rows["event"]
        staging.rows["event"] = [rows[place] for place in order]
        (tmp_path / str(n)).mkdir()
        connection = derive(tmp_path / str(n), staging, vocabulary, RANKS)
        lineage = connection.execute("SELECT * FROM etl.lineage ORDER BY ALL").fetchall()
        answers.append((_measured(connection), dispositions(connection, "event"), lineage))
    assert all(answer == answers[0] for answer in answers)


def test_only_what_may_be_published_competes(tmp_path: Path, vocabulary: Path) -> None:
    """A preliminary, deleted or former statement of the better source hides nothing."""
    staging = Staging()
    staging.person("p")
    _result(staging, "preliminary", "lab", 1, "a", status_code="preliminary")
    _result(staging, "deleted", "lab", 2, "a", action="delete")
    _result(staging, "old", "lab", 3, "a", version="0|1")
    _result(staging, "old", "lab", 4, "other", version="0|2")  # corrected: another time of sampling
    _result(staging, "final", "ehr", 5, "a")
    connection = derive(tmp_path, staging, vocabulary, RANKS)
    assert sorted(value for value, _ in _measured(connection)) == [4.0, 5.0]
    disposed = connection.execute(
        "SELECT disposition, reason FROM etl.row_disposition WHERE kind = 'event' ORDER BY ALL"
    ).fetchall()
    assert disposed == [
        ("deleted", ""), ("excluded", "status_not_final"), ("mapped", ""), ("mapped", ""),
        ("superseded", ""),
    ]  # fmt: skip


def test_facts_of_two_persons_never_meet(tmp_path: Path, vocabulary: Path) -> None:
    """Keys that collide over persons leave each person a row of its own."""
    staging = Staging()
    for person, value in (("p", 10), ("q", 20)):
        staging.person(person)
        for source in ("lab", "ehr"):
            name = f"{person} {source}"
            staging.fact("f", name, person, source, value_number=value, **CREATININE)
            staging.rows["event"][-1]["row_id"] = value
    connection = derive(tmp_path, staging, vocabulary, RANKS)
    assert _measured(connection) == [(10.0, 10), (20.0, 20)]


def test_fan_out_of_two_equal_statements_shares_no_id(tmp_path: Path, vocabulary: Path) -> None:
    """Sepsis (A41.9) means two conditions; stated twice by one feed, and once by another."""
    staging = Staging()
    staging.person("p")
    sepsis = {"code": "A41.9", "system": "CIM10", "category": "diagnosis"}
    staging.fact("f", "lab 1", "p", "lab", **sepsis)
    staging.fact("f", "lab 2", "p", "lab", **sepsis)
    staging.fact("f", "ehr 1", "p", "ehr", format="fhir", **sepsis)
    connection = derive(tmp_path, staging, vocabulary, RANKS)
    assert connection.execute(
        "SELECT count(*), count(DISTINCT condition_occurrence_id) FROM cdm.condition_occurrence"
    ).fetchall() == [(4, 4)]
    # The duplicate is told by both rows of the statement that was kept.
    assert connection.execute(
        "SELECT count(*) FROM etl.lineage WHERE role = 'duplicate_of'"
    ).fetchall() == [(2,)]


def test_documents_and_unit_stays(tmp_path: Path, vocabulary: Path) -> None:
    staging = Staging()
    staging.person("p")
    staging.add("stay", "s", "p", class_code="I", status_code="realised", mode="patch",
                start_at=at("2025-03-01"), end_at=at("2025-03-05"))  # fmt: skip
    told = {"stay": "s", "start_at": at("2025-03-01"), "fact_key": key("m"), "row_id": 11}
    staging.add("movement", "m1", "p", movement_code="A01", unit="u1", **told)
    staging.add("movement", "m2", "p", movement_code="A02", unit="u2", source="ehr",
                format="fhir", **told)  # fmt: skip
    # A discharge at the same time opens no stay in a unit, so it hides none.
    staging.add("movement", "m3", "p", movement_code="A03", source="lab", **told)
    letter = {"fact_key": key("d"), "row_id": 12, "written_at": at("2025-03-05")}
    staging.add("document", "d1", "p", text="Compte rendu du dossier.", **letter)
    staging.add(
        "document", "d2", "p", text="Compte rendu.", source="portal", format="cda", **letter
    )
    staging.add("document", "d3", "p", source="lab", **letter)
    connection = derive(tmp_path, staging, vocabulary, {"adt": 8, "lab": 9})
    assert connection.execute("SELECT note_id, note_text FROM cdm.note").fetchall() == [
        (12, "Compte rendu du dossier.")
    ]
    assert connection.execute("SELECT visit_detail_id FROM cdm.visit_detail").fetchall() == [(11,)]
    assert named(dispositions(connection, "movement"), ["m1", "m2", "m3"]) == {
        "m1": "mapped", "m2": "duplicate_of", "m3": "excluded:movement_opens_no_unit_stay",
    }  # fmt: skip
    assert named(dispositions(connection, "document"), ["d1", "d2", "d3"]) == {
        "d1": "mapped", "d2": "duplicate_of", "d3": "excluded:document_without_text",
    }  # fmt: skip


def test_the_printed_equation_holds_with_duplicates_and_fan_out(
    tmp_path: Path, vocabulary: Path
) -> None:
    staging = Staging()
    staging.person("p")
    sepsis = {"code": "A41.9", "system": "CIM10", "category": "diagnosis"}
    for source, format_ in (("lab", "hl7v2"), ("ehr", "fhir")):
        staging.fact("f", source, "p", source, format=format_, **sepsis)
    staging.event("d", "p", "drug", code="J01CR02", system="ATC", context_code="administration")
    derive(tmp_path, staging, vocabulary, RANKS).close()
    printed = rows(tmp_path / "candidate.duckdb")
    assert printed.balanced
    assert (printed.mapped, printed.fan_out) == (3, 2)  # person, sepsis, drug; each code means two
    assert printed.staged["event"] == {"mapped": 2, "duplicate_of": 1}
    assert (printed.derived["condition_era"], printed.derived["drug_era"]) == (2, 2)
