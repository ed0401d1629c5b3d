"""What stays when dates are shifted, over every row of a space (Done when 5, second half)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from studies import rows
from study_core import AS_OF, DATA_START, EXPORT

from entrepot.keys import site_keyring
from entrepot.study import study_person_id

if TYPE_CHECKING:
    import duckdb

    from conftest import Made

pytestmark = pytest.mark.integration

EXACT = """
SELECT s.person_id, c.{day} - s.{day} AS days, isodow(c.{day}) = isodow(s.{day}) AS same_weekday
FROM core.cdm.{table} c JOIN {study}_{table} k ON k.core_id = c.{table}_id
JOIN {study}.cdm.{table} s ON s.{table}_id = k.id
"""
DATED = (
    ("visit_occurrence", "visit_start_date"), ("visit_occurrence", "visit_end_date"),
    ("measurement", "measurement_date"),
)  # fmt: skip


@pytest.mark.parametrize("study", ["alpha", "gamma"])
def test_each_person_has_one_shift_of_whole_weeks(
    truth: duckdb.DuckDBPyConnection, study: str
) -> None:
    every = " UNION ALL ".join(
        EXACT.format(table=table, day=day, study=study) for table, day in DATED
    )
    shown = truth.execute(
        f"SELECT count(*), bool_and(same_weekday), min(days), max(days), max(days % 7)"
        f" FROM ({every})"
    ).fetchall()[0]
    assert shown[0] > 15_000
    assert shown[1:] == (True, 63, 420, 0)  # 9 and 60 weeks
    several = truth.execute(
        f"SELECT count(*) FROM (SELECT person_id FROM ({every}) GROUP BY 1"
        " HAVING count(DISTINCT days) > 1)"
    ).fetchall()
    assert several == [(0,)]


def test_every_number_of_weeks_is_drawn_about_as_often(truth: duckdb.DuckDBPyConnection) -> None:
    every = EXACT.format(table="visit_occurrence", day="visit_start_date", study="alpha")
    drawn = dict(
        truth.execute(f"SELECT days // 7, count(DISTINCT person_id) FROM ({every}) GROUP BY 1")
        .fetchall()
    )  # fmt: skip
    assert set(drawn) == set(range(9, 61))
    # 52 values of a thousand persons: 19 each, 4.4 of standard deviation.
    assert max(drawn.values()) < 19 + 5 * 4.4
    assert min(drawn.values()) >= 3


def test_hours_stay_also_on_days_when_the_clock_changed(truth: duckdb.DuckDBPyConnection) -> None:
    moved = truth.execute(
        "SELECT count(*), bool_and(CAST(c.measurement_datetime AS TIME)"
        " = CAST(s.measurement_datetime AS TIME)),"
        " bool_and(date_diff('second', s.measurement_datetime, c.measurement_datetime)"
        " = 86400 * (c.measurement_date - s.measurement_date)),"
        " count(CASE WHEN c.measurement_date IN ('2024-10-27', '2024-03-31', '2025-03-30',"
        " '2024-02-29') THEN 1 END)"
        " FROM core.cdm.measurement c JOIN gamma_measurement k ON k.core_id = c.measurement_id"
        " JOIN gamma.cdm.measurement s ON s.measurement_id = k.id"
    ).fetchall()[0]
    assert moved[1:3] == (True, True)
    assert moved[3] > 300
    midnight = "SELECT count(*) FROM alpha.cdm.measurement WHERE measurement_datetime"
    assert truth.execute(f"{midnight} <> CAST(measurement_date AS TIMESTAMP)").fetchall() == [(0,)]


@pytest.mark.parametrize(("study", "unit"), [("alpha", "year"), ("gamma", "month")])
def test_age_at_each_event_is_the_cores_as_far_as_birth_is_told(
    truth: duckdb.DuckDBPyConnection, study: str, unit: str
) -> None:
    # In the core a person is born on the first of a month; in the space some time in `unit`.
    wrong = truth.execute(
        f"""SELECT count(*), count(CASE WHEN NOT (true_age <= oldest AND true_age >= youngest)
          THEN 1 END) FROM (
          SELECT c.visit_start_date - CAST(p.birth_datetime AS DATE) AS true_age,
            s.visit_start_date - born AS oldest,
            s.visit_start_date - CAST(born + INTERVAL 1 {unit} AS DATE) + 1 AS youngest
          FROM core.cdm.visit_occurrence c
          JOIN core.cdm.person p ON p.person_id = c.person_id
          JOIN {study}_visit_occurrence k ON k.core_id = c.visit_occurrence_id
          JOIN {study}.cdm.visit_occurrence s ON s.visit_occurrence_id = k.id
          JOIN (SELECT person_id, make_date(year_of_birth, coalesce(month_of_birth, 1), 1) AS born
            FROM {study}.cdm.person) b ON b.person_id = s.person_id
          -- Great ages are grouped: they have a test of their own.
          WHERE date_diff('year', CAST(p.birth_datetime AS DATE), DATE '{AS_OF}') < 90)"""
    ).fetchall()[0]
    assert wrong[0] > 4_000
    assert wrong[1] == 0


def test_ages_over_89_are_one_group(truth: duckdb.DuckDBPyConnection) -> None:
    oldest = truth.execute(
        "SELECT max(year(day) - year_of_birth), count(CASE WHEN year(day) - year_of_birth = 90"
        " THEN 1 END) FROM alpha.cdm.person p JOIN (SELECT person_id,"
        " max(observation_period_end_date) AS day FROM alpha.cdm.observation_period GROUP BY 1) d"
        " ON d.person_id = p.person_id"
    ).fetchall()
    assert oldest[0][0] == 90
    assert oldest[0][1] > 10
    unshifted = "SELECT max(2025 - year_of_birth) FROM core.cdm.person"
    assert truth.execute(unshifted).fetchall()[0][0] > 92  # the core does hold great ages
    months = truth.execute(
        "SELECT count(*), count(CASE WHEN oldest >= 90 THEN 1 END) FROM (SELECT max(year("
        "o.observation_period_end_date) - p.year_of_birth) AS oldest FROM gamma.cdm.person p"
        " JOIN gamma.cdm.observation_period o ON o.person_id = p.person_id"
        " WHERE p.month_of_birth IS NOT NULL GROUP BY p.person_id)"
    ).fetchall()
    assert months[0][0] > 800
    assert months[0][1] == 0


def test_birth_comes_first_and_death_last(truth: duckdb.DuckDBPyConnection) -> None:
    for study in ("alpha", "gamma"):
        early = truth.execute(
            f"SELECT count(*) FROM {study}.cdm.visit_occurrence v JOIN {study}.cdm.person p"
            " ON p.person_id = v.person_id WHERE v.visit_start_date <"
            " make_date(p.year_of_birth, coalesce(p.month_of_birth, 1), 1)"
        ).fetchall()
        late = truth.execute(
            f"SELECT count(*), count(CASE WHEN v.visit_start_date > d.death_date THEN 1 END)"
            f" FROM {study}.cdm.visit_occurrence v"
            f" JOIN {study}.cdm.death d ON d.person_id = v.person_id"
        ).fetchall()
        assert early == [(0,)]
        assert late[0][0] > 300
        assert late[0][1] == 0


def test_mother_and_twins_move_together(truth: duckdb.DuckDBPyConnection) -> None:
    """The core holds 60 children of 40 mothers; a twin shares the shift through the mother."""
    shown = truth.execute(
        """WITH shift AS (
          SELECT c.person_id, max(c.visit_start_date - s.visit_start_date) AS days
          FROM core.cdm.visit_occurrence c
          JOIN gamma_visit_occurrence k ON k.core_id = c.visit_occurrence_id
          JOIN gamma.cdm.visit_occurrence s ON s.visit_occurrence_id = k.id GROUP BY 1)
        SELECT count(*), count(DISTINCT r.fact_id_1), count(CASE WHEN m.days <> c.days THEN 1 END)
        FROM core.cdm.fact_relationship r
        JOIN shift m ON m.person_id = r.fact_id_1 JOIN shift c ON c.person_id = r.fact_id_2
        WHERE r.relationship_concept_id = 40478925"""
    ).fetchall()[0]
    assert shown[0] > 45
    assert shown[1] < shown[0]
    assert shown[2] == 0
    links = "SELECT count(*) FROM gamma.cdm.fact_relationship"
    assert truth.execute(links).fetchall()[0][0] >= 2 * shown[0]


def test_partial_dates_are_shifted_then_cut(truth: duckdb.DuckDBPyConnection) -> None:
    found = truth.execute(
        """SELECT CASE WHEN d.told = 'year' THEN strftime(s.condition_start_date, '%m-%d')
            ELSE strftime(s.condition_start_date, '%d') END AS shown, d.told, count(*)
          FROM alpha.cdm.condition_occurrence s
          JOIN alpha_condition_occurrence k ON k.id = s.condition_occurrence_id
          JOIN (SELECT condition_occurrence_id AS id,
              CASE WHEN day(c.condition_start_date) <> 1 THEN 'day'
                   WHEN c.condition_start_date <> v.visit_start_date
                     AND month(c.condition_start_date) = 1 AND v.visit_start_date - 31
                     > c.condition_start_date THEN 'year'
                   WHEN c.condition_start_date <> v.visit_start_date THEN 'month'
                   ELSE 'day' END AS told
            FROM core.cdm.condition_occurrence c
            JOIN core.cdm.visit_occurrence v USING (visit_occurrence_id)) d ON d.id = k.core_id
          WHERE d.told <> 'day' GROUP BY ALL"""
    ).fetchall()
    years = {shown: n for shown, told, n in found if told == "year"}
    months = {shown: n for shown, told, n in found if told == "month"}
    assert years.keys() == {"01-01"}
    assert sum(years.values()) > 80
    assert months.keys() == {"01"}
    assert sum(months.values()) > 80


def test_the_time_of_an_export_is_shown_for_nobody(truth: duckdb.DuckDBPyConnection) -> None:
    """Else the same true day would stand for a hundred persons, each less their shift."""
    told = (
        f"SELECT measurement_id FROM core.cdm.measurement WHERE measurement_datetime = '{EXPORT}'"
    )
    assert truth.execute(f"SELECT count(*) FROM ({told})").fetchall()[0][0] > 90
    shown = (
        f"FROM gamma_measurement k JOIN gamma.cdm.measurement m ON m.measurement_id = k.id"
        f" WHERE k.core_id IN ({told})"
    )
    assert truth.execute(f"SELECT count(*) {shown}").fetchall() == [(0,)]


def test_nothing_is_shown_outside_the_window(made: Made) -> None:
    for study in made.facts:
        for table, day in (*DATED, ("death", "death_date"),
                           ("observation_period", "observation_period_end_date"),
                           ("condition_occurrence", "condition_start_date")):  # fmt: skip
            first, last, sixty_weeks = rows(
                made.file(study), f"SELECT min({day}), max({day}), DATE '{AS_OF}' - 420"
                f" FROM cdm.{table}",
            )[0]  # fmt: skip
            assert first >= DATA_START, (study, table)
            assert last < sixty_weeks, (study, table)
    assert made.facts["alpha"]["left_out"]["visit_occurrence"] > 500


def test_ids_are_the_studys_own_and_stay_within_53_bits(made: Made) -> None:
    keyring = site_keyring(made.site)
    core = [one for (one,) in rows(made.site.warehouse, "SELECT person_id FROM cdm.person")]
    shown = {one for (one,) in rows(made.file("alpha"), "SELECT person_id FROM cdm.person")}
    expected = {study_person_id(keyring, "alpha", one) for one in core}
    assert shown <= expected
    assert len(shown) > 990
    assert max(shown) < 2**53
    assert not shown & set(core)


def test_small_units_are_left_out(made: Made) -> None:
    smallest = rows(
        made.file("alpha"),
        "SELECT min(n) FROM (SELECT count(DISTINCT person_id) AS n FROM cdm.visit_occurrence"
        " WHERE care_site_id IS NOT NULL GROUP BY care_site_id)",
    )
    assert smallest[0][0] >= 11
    assert made.facts["alpha"]["suppressed"]["care_site"] >= 20
    assert rows(made.file("alpha"), "SELECT count(care_site_name) FROM cdm.care_site") == [(0,)]


def test_only_granted_columns_hold_anything(made: Made) -> None:
    file: Path = made.file("alpha")
    for column in ("person_source_value", "location_id", "month_of_birth", "birth_datetime"):
        assert rows(file, f"SELECT count({column}) FROM cdm.person") == [(0,)]
    assert rows(file, "SELECT count(*) FROM cdm.note") == [(0,)]
    assert rows(file, "SELECT count(measurement_source_value) FROM cdm.measurement") == [(0,)]
    named = rows(
        made.file("gamma"), "SELECT DISTINCT measurement_source_value FROM cdm.measurement"
    )
    assert set(named) <= {("2345-7",), (None,)}
    assert ("2345-7",) in named
