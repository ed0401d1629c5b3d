"""Quarantine: reasons, dependants, pointers, staged rows, and what must hold for any fault."""

from __future__ import annotations

import duckdb
import pytest
from gate_answer import answer, blocking, counts, restricted
from gate_faults import FAULTS, Fault
from gate_hospital import inputs, warehouse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.quality.plan import Plan, row_key
from entrepot.quality.rows import quarantine_rows

SMALL = ("required", "reference", "order", "same_person", "observed", "traced", "mapped", "balance")


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f"SELECT * FROM cdm.{table} ORDER BY ALL").fetchall()


def _reasons(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, int, str]]:
    return set(connection.execute("SELECT * FROM etl.quarantine").fetchall())


@pytest.mark.core
def test_a_dependant_names_the_first_cause(plan: Plan) -> None:
    connection = warehouse()
    connection.execute(
        "UPDATE cdm.visit_occurrence SET visit_end_date = NULL WHERE visit_occurrence_id = 1002"
    )
    quarantine_rows(connection, restricted(plan, SMALL), inputs())
    cause = "required.visit_occurrence.visit_end_date"
    hanging = {
        ("visit_detail", 2002),
        ("condition_occurrence", 3002),
        ("procedure_occurrence", 4002),
        ("drug_exposure", 5002),
        ("measurement", 6002),
        ("observation", 7002),
        ("note", 8002),
    }
    assert _reasons(connection) == {("visit_occurrence", 1002, cause)} | {
        (table, key, f"parent:{cause}") for table, key in hanging
    }


@pytest.mark.core
def test_a_staged_row_is_quarantined_when_all_its_rows_are_gone(plan: Plan) -> None:
    connection = warehouse()
    connection.execute("UPDATE cdm.measurement SET measurement_date = NULL WHERE person_id = 1")
    connection.execute("UPDATE cdm.death SET death_type_concept_id = NULL")
    quarantine_rows(connection, restricted(plan, SMALL), inputs())
    disposed = connection.execute(
        """SELECT row_key, reason FROM etl.row_disposition
        WHERE disposition = 'quarantined' ORDER BY 1"""
    ).fetchall()
    cause = "required.measurement.measurement_date"
    # Person 3's identity row made the person as well as the death: it stays mapped.
    assert disposed == [("measurement-6001", cause), ("observation-7001", f"parent:{cause}")]


@pytest.mark.core
def test_a_direct_reason_comes_before_an_inherited_one(plan: Plan) -> None:
    connection = warehouse()
    connection.execute("UPDATE cdm.visit_occurrence SET visit_start_date = NULL")
    connection.execute("UPDATE cdm.note SET note_date = NULL")
    quarantine_rows(connection, restricted(plan, ["required"]), inputs())
    reasons = connection.execute(
        "SELECT DISTINCT reason FROM etl.row_disposition WHERE kind = 'document'"
    ).fetchall()
    assert reasons == [("required.note.note_date",)]


@pytest.mark.core
def test_a_pointer_to_a_removed_structure_is_cleared_and_counted(plan: Plan) -> None:
    connection = warehouse()
    connection.execute(
        """INSERT INTO cdm.visit_detail SELECT * REPLACE (2010 AS visit_detail_id,
        2001 AS preceding_visit_detail_id) FROM cdm.visit_detail WHERE visit_detail_id = 2001"""
    )
    connection.execute("UPDATE cdm.visit_detail SET person_id = NULL WHERE visit_detail_id = 2001")
    connection.execute("UPDATE cdm.provider SET care_site_id = 99")
    report = quarantine_rows(connection, restricted(plan, ["required", "reference"]), inputs())
    # The condition of person 1 left with visit detail 2001; two others had the provider.
    assert report.cleared == {
        "condition_occurrence.provider_id": 2,
        "visit_detail.preceding_visit_detail_id": 1,
    }
    left = connection.execute("SELECT count(provider_id) FROM cdm.condition_occurrence").fetchall()
    assert left == [(0,)]


@pytest.mark.core
def test_a_row_without_a_key_goes_too(plan: Plan) -> None:
    connection = warehouse()
    connection.execute("UPDATE cdm.note SET note_id = NULL")
    report = quarantine_rows(connection, restricted(plan, ["required"]), inputs())
    assert report.removed == {"note": 3}
    assert _rows(connection, "note") == []


@pytest.mark.core
def test_derived_rows_are_judged_after_they_were_made_anew(plan: Plan) -> None:
    """Person 1 loses every event: no period is left, so the person is not published either."""

    def periods(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(
            """DELETE FROM cdm.observation_period WHERE person_id NOT IN
            (SELECT person_id FROM cdm.visit_occurrence)"""
        )
        connection.execute(
            "UPDATE cdm.observation_period SET observation_period_start_date = DATE '2024-01-02'"
        )

    connection = warehouse()
    connection.execute(
        """UPDATE cdm.visit_occurrence SET visit_end_date = DATE '2023-12-31' WHERE person_id = 1;
        UPDATE cdm.observation_period SET observation_period_start_date = NULL
        WHERE person_id = 2"""
    )
    report = quarantine_rows(connection, restricted(plan, SMALL), inputs(), periods)
    assert ("person", 1, "observed") in _reasons(connection)
    assert [row[0] for row in _rows(connection, "person")] == [2, 3]
    assert not any("observation_period_start_date" in reason[2] for reason in _reasons(connection))
    assert report.found["observed"].violated == 1


@pytest.mark.core
@pytest.mark.parametrize(("faulty", "blocks"), [(20, False), (21, True)])
def test_a_bulk_fault_blocks(plan: Plan, faulty: int, blocks: bool) -> None:
    """Twenty rows are an oddity; the twenty-first, in a table this small, is a fault."""
    fault = Fault(
        "bulk",
        f"""INSERT INTO cdm.note SELECT n.* REPLACE (8100 + i AS note_id, NULL AS note_date)
        FROM (SELECT * FROM cdm.note WHERE note_id = 8001) n, range({faulty}) r(i);
        INSERT INTO etl.lineage SELECT 'note', note_id, 'clinical-1', 'note-' || note_id, 'source'
        FROM cdm.note WHERE note_id >= 8100;
        INSERT INTO etl.row_disposition SELECT 'document', record_key, 1, row_key, 'mapped', ''
        FROM etl.lineage WHERE cdm_table = 'note' AND cdm_id >= 8100""",
        {},
    )
    found = answer(restricted(plan, ["required"]), fault)
    assert found.violated == {"required.note.note_date": faulty}
    assert bool(found.blocking) == blocks


@pytest.mark.core
def test_a_percentage_decides_in_a_large_table(plan: Plan) -> None:
    """2 % of 2,500 rows are 50: the fiftieth passes, the fifty-first blocks."""
    for faulty, blocks in ((50, False), (51, True)):
        fault = Fault(
            "bulk",
            f"""INSERT INTO cdm.note SELECT n.* REPLACE (8100 + i AS note_id,
            CASE WHEN i >= {faulty} THEN note_date END AS note_date)
            FROM (SELECT * FROM cdm.note WHERE note_id = 8001) n, range(2497) r(i)""",
            {},
        )
        found = answer(restricted(plan, ["required"]), fault)
        assert found.blocking == (frozenset({"required.note.note_date"}) if blocks else frozenset())


@pytest.mark.core
@pytest.mark.parametrize(("more", "blocks"), [(49, False), (50, True)])
def test_dependants_alone_can_empty_a_table(plan: Plan, more: int, blocks: bool) -> None:
    """One wrong visit takes all its measurements with it: above 50 rows and 20 % this blocks."""
    fault = Fault(
        "bulk",
        f"""INSERT INTO cdm.measurement SELECT n.* REPLACE (6100 + i AS measurement_id)
        FROM (SELECT * FROM cdm.measurement WHERE measurement_id = 6001) n, range({more}) r(i);
        UPDATE cdm.visit_occurrence SET visit_end_date = NULL WHERE visit_occurrence_id = 1001""",
        {},
    )
    found = answer(restricted(plan, ["required", "emptied"]), fault)
    assert found.violated["emptied.measurement"] == more + 1
    assert found.blocking == (frozenset({"emptied.measurement"}) if blocks else frozenset())


def _counted(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, int]:
    query = " UNION ALL ".join(
        f"SELECT '{t.name}', count(*) FROM cdm.{t.name}" for t in plan.cdm if t.schema == "CDM"
    )
    return dict(connection.execute(query).fetchall())


def _dangling(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, int]:
    links = (*plan.links.remove, *plan.links.clear)
    query = " UNION ALL ".join(
        f"""SELECT '{link.table}.{link.field}', count(*) FROM cdm.{link.table}
        WHERE {link.field} IS NOT NULL AND {link.field} NOT IN
        (SELECT {row_key(plan.cdm.table(link.target))} FROM cdm.{link.target})"""
        for link in links
    )
    return {place: n for place, n in connection.execute(query).fetchall() if n}


ACCOUNTING = {"traced", "staged", "records", "disposed", "mapped", "balance", "opposed"}
ROW_FAULTS = [
    fault
    for fault in FAULTS
    if fault.removed
    and not fault.blocks
    and not ACCOUNTING & {check.split(".")[0] for check in fault.violated}
]
FAMILIES = {check.split(".")[0] for fault in ROW_FAULTS for check in fault.violated}


@pytest.mark.integration
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    chosen=st.lists(st.sampled_from(ROW_FAULTS), min_size=1, max_size=4, unique_by=lambda f: f.name)
)
def test_any_mixture_of_faults(plan: Plan, chosen: list[Fault]) -> None:
    """No row goes without a reason, nothing dangles, nothing else changes, once is enough."""
    connection = warehouse()
    for fault in chosen:
        connection.execute(fault.sql)
    small = restricted(plan, {*FAMILIES, "reference", "observed", "traced", "mapped", "balance"})
    before = {table.name: _rows(connection, table.name) for table in plan.cdm}
    report = quarantine_rows(connection, small, inputs())

    for table, rows in before.items():
        after = _rows(connection, table)
        assert len(rows) - len(after) == report.removed.get(table, 0)
        if not any(place.startswith(f"{table}.") for place in report.cleared):
            assert set(after) <= set(rows)
    gone = {(table, key) for table, key, _ in _reasons(connection)}
    assert {table for table, _ in gone} == set(report.removed)
    assert _dangling(connection, plan) == {}
    assert not blocking(small, counts(connection, small, report))

    left = _counted(connection, plan), _reasons(connection)
    again = quarantine_rows(connection, small, inputs())
    assert again.removed == {}
    assert (_counted(connection, plan), _reasons(connection)) == left
