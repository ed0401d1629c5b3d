"""Counts carried over from the release: whatever changed, the gate answers as if it had asked all.

The expectation of every case is the answer of the gate that carries nothing over.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from gate_faults import FAULTS, Fault
from gate_hospital import inputs, warehouse
from gate_oddities import ODDITIES

from entrepot.quality import carried
from entrepot.quality.inputs import GateInputs
from entrepot.quality.plan import Plan
from entrepot.quality.reach import reach_of
from entrepot.quality.rows import quarantine_rows

RULES = "one set of rules"
TOLD = inputs()
PLANTED = (*FAULTS, *ODDITIES)
OF_ONE_VOCABULARY = [one for one in PLANTED if "cdm.concept " not in one.sql]
OF_NOBODY_OPPOSED = [one for one in OF_ONE_VOCABULARY if not one.opposed]
# Five at once where they can be: both gates ask some 800 rules in two to four seconds.
TOGETHER = [
    *([one] for one in PLANTED if one not in OF_NOBODY_OPPOSED),
    *(OF_NOBODY_OPPOSED[at : at + 5] for at in range(0, len(OF_NOBODY_OPPOSED), 5)),
]


@dataclass(frozen=True)
class Answered:
    """All that a gate says of rows; `persons`: whom it asked."""

    persons: int | None
    found: Mapping[str, Any]
    left: Mapping[str, Any]
    removed: Mapping[str, int]
    cleared: Mapping[str, int]
    quarantine: list[tuple[Any, ...]]
    kept: list[tuple[Any, ...]]

    @property
    def all_but_persons(self) -> Answered:
        return replace(self, persons=None)


@pytest.fixture(autouse=True)
def _even_of_three_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried, "LEAST_ROWS", 0)
    monkeypatch.setattr(carried, "MOST", 1.0)


def judged(
    plan: Plan, connection: duckdb.DuckDBPyConnection, release: Path | None, told: GateInputs
) -> Answered:
    told = replace(told, baseline=release, rules=RULES if release else "")
    report = quarantine_rows(connection, plan, told)
    carried.keep_counts(connection, plan, replace(told, rules=RULES), report.left)
    return Answered(
        report.persons, report.found, report.left, report.removed, report.cleared,
        connection.execute("FROM etl.quarantine ORDER BY ALL").fetchall(),
        connection.execute("FROM etl.row_metric ORDER BY ALL").fetchall()
        + connection.execute("FROM etl.run ORDER BY ALL").fetchall(),
    )  # fmt: skip


def publish(plan: Plan, path: Path, sql: str = "SELECT 1") -> Path:
    """The warehouse after a gate that asked everything, as a file."""
    connection = warehouse()
    connection.execute(sql)
    judged(plan, connection, None, inputs())
    connection.execute(f"ATTACH '{path}' AS out")
    connection.execute("COPY FROM DATABASE memory TO out")
    connection.execute("DETACH out")
    return path


def both(plan: Plan, release: Path, sql: str, told: GateInputs = TOLD) -> tuple[Answered, Answered]:
    """The answer with the release's counts, and the one that asks every row."""
    answers = []
    for baseline in (release, None):
        connection = warehouse()
        connection.execute(sql)
        answers.append(judged(plan, connection, baseline, told))
    return answers[0], answers[1]


@pytest.fixture(scope="module")
def release(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(plan, tmp_path_factory.mktemp("release") / "release.duckdb")


@pytest.mark.parametrize("faults", TOGETHER, ids=lambda some: "+".join(one.name for one in some))
def test_a_fault_is_answered_as_if_all_were_asked(
    plan: Plan, release: Path, faults: list[Fault]
) -> None:
    opposed = next((one.opposed for one in faults if one.opposed), ())
    sql = ";".join(one.sql for one in faults)
    carrying, asking = both(plan, release, sql, inputs(opposed))
    assert carrying.all_but_persons == asking


CHANGES = {
    "nothing": "SELECT 1",
    "a unit is gone": "DELETE FROM cdm.care_site",
    "a professional is gone": "DELETE FROM cdm.provider",
    "a key of somebody else": """INSERT INTO cdm.drug_exposure SELECT * REPLACE (1 AS person_id,
        1001 AS visit_occurrence_id) FROM cdm.drug_exposure WHERE person_id = 2""",
    "a stay of somebody else": """UPDATE cdm.note SET visit_occurrence_id = 1002
        WHERE person_id = 1""",
    "a stay that changes hands": """UPDATE cdm.visit_occurrence SET person_id = 2
        WHERE person_id = 1""",
    "somebody new of a known name": """INSERT INTO cdm.person SELECT * REPLACE (0 AS person_id)
        FROM cdm.person WHERE person_id = 2""",
    "somebody is gone": ";".join(f"DELETE FROM cdm.{table} WHERE person_id = 2" for table in (
        "person", "visit_occurrence", "visit_detail", "condition_occurrence", "note", "measurement",
        "procedure_occurrence", "drug_exposure", "observation", "observation_period",
        "condition_era")),
    "a row of nobody": "UPDATE cdm.measurement SET person_id = NULL WHERE person_id = 1",
    "a date of next month": """UPDATE cdm.note SET note_date = DATE '2024-07-20'
        WHERE person_id = 1""",
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_answered_as_if_all_were_asked(plan: Plan, release: Path, change: str) -> None:
    carrying, asking = both(plan, release, CHANGES[change])
    assert carrying.all_but_persons == asking


@pytest.mark.parametrize(
    ("sql", "persons"),
    [("SELECT 1", 0), (FAULTS[0].sql, 1), (CHANGES["a key of somebody else"], 2),
     (CHANGES["a stay that changes hands"], 2), (CHANGES["a unit is gone"], 3),
     (CHANGES["a row of nobody"], None)],
)  # fmt: skip
def test_who_is_asked(plan: Plan, release: Path, sql: str, persons: int | None) -> None:
    carrying, asking = both(plan, release, sql)
    assert (carrying.persons, asking.persons) == (persons, None)


@pytest.mark.parametrize("seed", range(4))
def test_faults_on_faults_are_answered_as_if_all_were_asked(
    plan: Plan, tmp_path: Path, seed: int
) -> None:
    """A release that lost rows, and a load that holds them again, mended or not, with others."""
    drawn = random.Random(seed)
    before = [one.sql for one in drawn.sample(OF_ONE_VOCABULARY, 3)]
    after = [one.sql for one in drawn.sample(OF_ONE_VOCABULARY, 3)]
    release = publish(plan, tmp_path / "release.duckdb", ";".join(before))
    kept = drawn.sample(before, drawn.randrange(4))
    carrying, asking = both(plan, release, ";".join([*kept, *after]))
    assert carrying.all_but_persons == asking


def test_rows_in_quarantine_come_back_when_their_day_has_come(plan: Plan, tmp_path: Path) -> None:
    sql = CHANGES["a date of next month"]
    release = publish(plan, tmp_path / "release.duckdb", sql)
    told = replace(inputs(), as_of=dt.datetime(2024, 8, 1))
    carrying, asking = both(plan, release, sql, told=told)
    assert carrying.persons == 1
    assert carrying.all_but_persons == asking
    assert not carrying.removed


def test_a_rule_about_the_day_is_asked_of_everybody(plan: Plan, tmp_path: Path) -> None:
    """Nobody's row changed, but time has passed: what was young enough no longer is."""
    grown = tuple(
        replace(one, check=one.check.model_copy(update={
            "violated": "t.visit_end_date + INTERVAL 180 DAY < {as_of}"}))
        if one.check_id == "future.visit_occurrence.visit_end_date" else one
        for one in plan.checks
    )  # fmt: skip
    aged = replace(plan, checks=grown)
    release = publish(aged, tmp_path / "release.duckdb")
    told = replace(inputs(), as_of=dt.datetime(2024, 7, 10))
    carrying, asking = both(aged, release, "SELECT 1", told=told)
    assert carrying.persons == 3
    assert carrying.all_but_persons == asking
    assert carrying.removed["visit_occurrence"] == 3


def test_a_release_that_lost_rows_since_is_not_believed(plan: Plan, tmp_path: Path) -> None:
    release = publish(plan, tmp_path / "release.duckdb")
    with duckdb.connect(str(release)) as file:
        file.execute("DELETE FROM cdm.measurement WHERE person_id = 3")
    carrying, asking = both(plan, release, "SELECT 1")
    assert carrying.persons is None
    assert carrying == asking


def test_other_rules_ask_everybody(plan: Plan, release: Path) -> None:
    connection = warehouse()
    told = replace(inputs(), baseline=release, rules="others")
    assert quarantine_rows(connection, plan, told).persons is None


def test_a_release_of_an_older_kind_asks_everybody(plan: Plan, tmp_path: Path) -> None:
    release = publish(plan, tmp_path / "release.duckdb")
    with duckdb.connect(str(release)) as file:
        file.execute("DROP TABLE etl.row_metric")
    carrying, asking = both(plan, release, "SELECT 1")
    assert carrying == asking


def test_many_changed_persons_ask_everybody(
    plan: Plan, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carried, "MOST", 0.25)
    carrying, _ = both(plan, release, FAULTS[0].sql)
    assert carrying.persons is None


def test_a_relation_over_all_rows_is_never_carried(plan: Plan) -> None:
    """`usual_concept` asks what most rows say: any load may change it for anybody."""
    reach = reach_of(plan, {"as_of": "DATE '2024-06-30'"})
    whole = {one.check.id for one in reach.whole.checks}
    assert {"coherent", "traced", "future", "birth", "source_stated"} <= whole
    part = {one.check.id for one in reach.part.checks}
    assert {"required", "reference", "range", "domain", "nir", "repeated", "key"} <= part
    assert not part & {"coherent", "traced", "future", "birth"}
