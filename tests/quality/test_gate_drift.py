"""Drift, freshness and the ledger: each rule on its fault, none on a quarter that just passed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from gate_answer import blocking, restricted
from gate_years import NOW, lab, told, write_release, years
from test_rules import RULES_OF_THE_PAST

from entrepot.quality.inputs import Feed, GateInputs, stage_inputs
from entrepot.quality.metrics import Count, count_aggregates
from entrepot.quality.plan import Plan
from entrepot.quality.profile import comparable

pytestmark = pytest.mark.integration

_RECENT = f"measurement_date > DATE '{NOW}' - INTERVAL 28 DAY"
_OLD = "measurement_date < DATE '2024-03-01'"


@dataclass(frozen=True)
class Change:
    """What happened to the candidate or to the feeds, and which rules must say so."""

    name: str
    rules: frozenset[str]
    sql: str = "SELECT 1"
    feeds: tuple[Feed, ...] = ()
    blocks: bool = False


def _change(
    name: str, rules: str, sql: str = "SELECT 1", *feeds: Feed, blocks: bool = False
) -> Change:
    return Change(name, frozenset(rules.split()), sql, feeds, blocks)


LAB = lab(NOW)
CHANGES = (
    _change("a quarter has passed", ""),
    _change(
        "a fifth of the history is gone", "shrunk",
        f"DELETE FROM cdm.measurement WHERE {_OLD} AND person_id % 5 = 0", blocks=True,
    ),
    _change(
        "one month is gone", "lost_month",
        "DELETE FROM cdm.measurement WHERE measurement_date BETWEEN '2023-05-01' AND '2023-05-31'",
    ),
    _change(
        "the unit of the history is gone", "went_empty",
        f"UPDATE cdm.measurement SET operator_concept_id = 4172703; UPDATE cdm.measurement SET "
        f"unit_concept_id = NULL WHERE {_OLD}", blocks=True,
    ),
    _change(
        "the last months have no unit", "emptier",
        "UPDATE cdm.measurement SET unit_concept_id = NULL WHERE measurement_date >= '2024-05-01'"
        " AND measurement_id % 2 = 0",
    ),
    _change(
        "21 codes have another concept", "remapped",
        "UPDATE etl.concept_resolution SET target_concept_id = 0 WHERE CAST(code AS INT) < 21",
        blocks=True,
    ),
    _change(
        "the history was converted", "rewritten learnt_range",
        f"UPDATE cdm.measurement SET value_as_number = value_as_number * 18 WHERE {_OLD}",
        blocks=True,
    ),
    _change(
        "the laboratory sends another unit", "value_drift value_shift learnt_range",
        f"UPDATE cdm.measurement SET value_as_number = value_as_number * 18 WHERE {_RECENT}",
        blocks=True,
    ),
    _change(
        "a new analyser measures more", "value_shift",
        f"UPDATE cdm.measurement SET value_as_number = value_as_number + 1.4 WHERE {_RECENT}",
    ),
    _change(
        "30 values beyond all that was seen", "learnt_range",
        "UPDATE cdm.measurement SET value_as_number = 12 WHERE measurement_id % 1000 = 3"
        " AND person_id < 130",
    ),
    _change(
        "30 persons are gone", "persons_lost",
        "DELETE FROM cdm.measurement WHERE person_id < 130;"
        "DELETE FROM cdm.person WHERE person_id < 130",
    ),
    _change(
        "another feed goes on and the laboratory does not", "feed_stale", "SELECT 1",
        replace(LAB, last_day=dt.date(2024, 6, 1)), Feed("adt", 50, 50, 0, 0, 20, NOW, 3),
    ),
    _change(
        "the ward is closed for three weeks", "service_stale",
        "DELETE FROM cdm.visit_detail WHERE visit_detail_start_date > DATE '2024-06-08'",
    ),
    _change(
        "no result for a fortnight", "feed_low",
        "DELETE FROM staging_event WHERE stated_at > DATE '2024-06-16'",
        replace(LAB, staged=LAB.staged - 140),
    ),
    _change(
        "a busy laboratory stops", "feed_lost feed_low",
        "INSERT INTO staging_event FROM staging_event WHERE stated_at <= DATE '2024-06-16';"
        "DELETE FROM staging_event WHERE stated_at > DATE '2024-06-16'",
        replace(LAB, staged=2 * (LAB.staged - 140)), blocks=True,
    ),
    _change("a staged row is missing", "fed", "SELECT 1", replace(LAB, staged=LAB.staged + 1),
            blocks=True),
    _change("a gateway repeats itself", "resent", "SELECT 1",
            replace(LAB, deliveries=3 * LAB.deliveries)),
    _change("an eighth is refused", "feed_refused", "SELECT 1",
            replace(LAB, quarantined=LAB.records // 8)),
)  # fmt: skip


@pytest.fixture(scope="module")
def release(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("release") / "release.duckdb"
    write_release(plan, path)
    return path


def _counts(plan: Plan, change: Change, inputs: GateInputs) -> dict[str, Count]:
    connection = years(NOW)
    connection.execute(change.sql)
    stage_inputs(connection, inputs, plan.tables)
    with comparable(connection, plan.cdm, inputs):
        return count_aggregates(connection, plan, inputs.placeholders)


def _above(plan: Plan, found: dict[str, Count]) -> set[str]:
    return {
        plan.by_id[check].check.id for check, count in found.items()
        if count.violated > plan.by_id[check].threshold.allowed(count.denominator)
    }  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_is_told_by_its_rules_alone(plan: Plan, release: Path, change: Change) -> None:
    past = restricted(plan, RULES_OF_THE_PAST)
    found = _counts(past, change, told(release, *change.feeds))
    assert _above(past, found) == change.rules
    assert bool(blocking(past, found)) == change.blocks


def test_every_rule_of_the_past_has_its_change() -> None:
    assert set().union(*(change.rules for change in CHANGES)) == set(RULES_OF_THE_PAST)


def test_without_a_release_nothing_is_compared_and_nothing_blocks(plan: Plan) -> None:
    past = restricted(plan, RULES_OF_THE_PAST)
    wild = next(c for c in CHANGES if c.name == "the laboratory sends another unit")
    assert _above(past, _counts(past, wild, told(None))) == set()


def test_the_learnt_range_is_that_of_the_formula(plan: Plan, release: Path) -> None:
    """Forty values evenly spread: thousandths 4.0 and 7.9, median 5.9: 8.0 - 5.9 and 15.8 - 5.9."""
    import duckdb

    with duckdb.connect(str(release), read_only=True) as connection:
        rows = connection.execute("SELECT low, high FROM etl.profile_value").fetchall()
    assert [(float(low), float(high)) for low, high in rows] == [(2.1, 9.9)]
