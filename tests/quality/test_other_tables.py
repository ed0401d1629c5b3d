"""Tables and columns that few sites fill: clean rows pass, each fault is named, a fifth blocks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from fault_bench import Bench
from other_hospital import Style, write_other

pytestmark = pytest.mark.integration

# 4000100: the key of another table, as Athena names it. Links, costs and terms as sites write them.
FILLED = (
    """INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS concept_name,
    col2 AS domain_id, 'CDM' AS vocabulary_id, 'Field' AS concept_class_id, 'S' AS standard_concept,
    CAST(col0 AS VARCHAR) AS concept_code, DATE '1970-01-01' AS valid_start_date,
    DATE '2099-12-31' AS valid_end_date FROM (VALUES
      (4000100, 'condition_occurrence.condition_occurrence_id', 'Metadata'),
      (4000101, 'visit_occurrence_id', 'Metadata'), (4000102, 'EUR', 'Currency'),
      (4000103, 'Épisode', 'Episode'), (4000104, 'mg', 'Unit'))""",
    """UPDATE cdm.visit_occurrence SET preceding_visit_occurrence_id = p.before FROM (
      SELECT visit_occurrence_id AS id, lag(visit_occurrence_id) OVER (PARTITION BY person_id
      ORDER BY visit_start_date) AS before FROM cdm.visit_occurrence) p
      WHERE p.id = visit_occurrence_id""",
    """UPDATE cdm.measurement SET visit_detail_id = d.visit_detail_id,
      measurement_time = '09:30:00', measurement_event_id = measurement.visit_occurrence_id,
      meas_event_field_concept_id = 4000101 FROM cdm.visit_detail d
      WHERE d.visit_occurrence_id = measurement.visit_occurrence_id""",
    "UPDATE cdm.drug_exposure SET verbatim_end_date = drug_exposure_end_date",
    """UPDATE cdm.person SET day_of_birth = 3, birth_datetime = make_timestamp(year_of_birth,
      month_of_birth, 3, 0, 0, 0.0) - INTERVAL 2 HOUR""",
    "UPDATE cdm.location SET latitude = 48.1, longitude = -1.7",
    "UPDATE cdm.provider SET year_of_birth = 1970",
    """INSERT INTO cdm.payer_plan_period BY NAME SELECT
      2 * row_number() OVER (ORDER BY person_id) + n AS payer_plan_period_id, person_id,
      DATE '2020-01-01' + 366 * n AS payer_plan_period_start_date,
      DATE '2021-01-01' + 3660 * n AS payer_plan_period_end_date,
      'CPAM' AS payer_source_value FROM cdm.person, (VALUES (0), (1)) v(n)""",
    """INSERT INTO cdm.cost BY NAME SELECT
      row_number() OVER (ORDER BY visit_occurrence_id) AS cost_id,
      visit_occurrence_id AS cost_event_id, 'Visit' AS cost_domain_id,
      32817 AS cost_type_concept_id, 4000102 AS currency_concept_id, 100.0 AS total_charge,
      90.0 AS total_cost, 80.0 AS total_paid, 60.0 AS paid_by_payer, 20.0 AS paid_by_patient,
      c.id AS payer_plan_period_id
      FROM cdm.visit_occurrence JOIN (SELECT person_id, min(payer_plan_period_id) AS id
        FROM cdm.payer_plan_period GROUP BY 1) c USING (person_id)""",
    # What was charged by mistake is taken back by a row of its own.
    """INSERT INTO cdm.cost SELECT * REPLACE (cost_id + 1000000 AS cost_id, -100.0 AS total_charge,
      -90.0 AS total_cost, -80.0 AS total_paid, -60.0 AS paid_by_payer, -20.0 AS paid_by_patient)
      FROM cdm.cost WHERE cost_id % 3 = 0""",
    """INSERT INTO cdm.note_nlp BY NAME SELECT row_number() OVER (ORDER BY note_id) AS note_nlp_id,
      note_id, CASE WHEN note_id % 2 = 0 THEN '10' ELSE '10-17' END AS "offset",
      substr(note_text, 11, 7) AS lexical_variant, note_date + 1 AS nlp_date, 'Y' AS term_exists
      FROM cdm.note""",
    """INSERT INTO cdm.episode BY NAME SELECT row_number() OVER (ORDER BY person_id) AS episode_id,
      person_id, 4000103 AS episode_concept_id, observation_period_start_date AS episode_start_date,
      1 AS episode_number, 0 AS episode_object_concept_id, 32817 AS episode_type_concept_id
      FROM cdm.observation_period""",
    """INSERT INTO cdm.episode_event SELECT e.episode_id, c.condition_occurrence_id, 4000100
      FROM cdm.episode e JOIN cdm.condition_occurrence c USING (person_id)""",
    """INSERT INTO cdm.dose_era BY NAME SELECT drug_era_id AS dose_era_id, person_id,
      drug_concept_id, 4000104 AS unit_concept_id, 500.0 AS dose_value,
      drug_era_start_date AS dose_era_start_date, drug_era_end_date AS dose_era_end_date
      FROM cdm.drug_era""",
)  # fmt: skip
COPIED = 7_000_000
SAME = (
    f"INSERT INTO cdm.{{table}} SELECT * REPLACE ({{key}} + {COPIED} AS {{key}}) FROM cdm.{{table}}"
)


class Fault(NamedTuple):
    """A change of some rows, and the check that names them."""

    check: str
    table: str
    change: str
    rows: str = "TRUE"

    def sql(self, chosen: str) -> str:
        """The statement over the rows that the condition chooses."""
        key = f"{self.table}_id"
        if not self.change:
            return f"{SAME.format(table=self.table, key=key)} WHERE {chosen}"
        return f"UPDATE cdm.{self.table} SET {self.change} WHERE {chosen}"


LATER = """(SELECT max(v.visit_occurrence_id) FROM cdm.visit_occurrence v
    WHERE v.person_id = visit_occurrence.person_id
    AND v.visit_start_date > visit_occurrence.visit_start_date)"""
NOT_THIS = """(SELECT max(d.visit_detail_id) FROM cdm.visit_detail d
    WHERE d.person_id = measurement.person_id
    AND d.visit_occurrence_id <> measurement.visit_occurrence_id)"""
FAULTS = (
    Fault("own_link.visit_occurrence.preceding_visit_occurrence_id", "visit_occurrence",
          "preceding_visit_occurrence_id = visit_occurrence_id"),
    Fault("own_link.visit_detail.parent_visit_detail_id", "visit_detail",
          "parent_visit_detail_id = visit_detail_id"),
    Fault("own_link.episode.episode_parent_id", "episode", "episode_parent_id = episode_id"),
    Fault("preceding_visit", "visit_occurrence", f"preceding_visit_occurrence_id = {LATER}",
          f"{LATER} IS NOT NULL"),
    Fault("preceding_detail", "visit_detail", """preceding_visit_detail_id = (SELECT
          max_by(d.visit_detail_id, d.visit_detail_start_date) FROM cdm.visit_detail d
          WHERE d.person_id = visit_detail.person_id)""",
          """visit_detail_start_date < (SELECT max(d.visit_detail_start_date)
          FROM cdm.visit_detail d WHERE d.person_id = visit_detail.person_id)"""),
    Fault("detail_of_visit.measurement.visit_detail_id", "measurement",
          f"visit_detail_id = {NOT_THIS}", f"{NOT_THIS} IS NOT NULL"),
    Fault("event_of_measurement", "measurement",
          "measurement_event_id = -1, meas_event_field_concept_id = 4000101"),
    Fault("event_of_observation", "observation",
          "observation_event_id = -1, obs_event_field_concept_id = 4000100"),
    Fault("event_of_note", "note", "note_event_id = -1, note_event_field_concept_id = 4000100"),
    Fault("cost_of_nothing", "cost", "cost_event_id = -1"),
    Fault("cost_insurer", "cost", """payer_plan_period_id = (SELECT max(payer_plan_period_id)
          FROM cdm.payer_plan_period)""", "cost_id < 100"),
    Fault("cost_below_zero", "cost", "total_charge = -250", "cost_id % 3 <> 0"),
    Fault("paid_above_charge", "cost", "total_paid = 300", "total_charge > 0"),
    Fault("paid_in_parts", "cost", "paid_by_payer = 300", "total_charge > 0"),
    Fault("cover_overlap", "payer_plan_period",
          "payer_plan_period_start_date = DATE '2020-06-01'", "payer_plan_period_id % 2 = 1"),
    Fault("birth_calendar", "person", "month_of_birth = 2, day_of_birth = 31"),
    Fault("birth_datetime.year", "person", "birth_datetime = birth_datetime + INTERVAL 700 DAY"),
    Fault("birth_datetime.month", "person", "month_of_birth = 1 + month_of_birth % 12"),
    Fault("birth_datetime.day", "person", "day_of_birth = 14"),
    Fault("birth_datetime.alone", "person",
          "month_of_birth = NULL, day_of_birth = NULL, birth_datetime = TIMESTAMP '1901-05-05'",
          "year_of_birth > 1920"),
    Fault("provider_birth", "provider", "year_of_birth = 2024"),
    Fault("verbatim_order", "drug_exposure", "verbatim_end_date = DATE '2001-01-01'"),
    Fault("verbatim_length", "drug_exposure", "verbatim_end_date = DATE '2099-12-31'"),
    Fault("time_of_day", "measurement", "measurement_time = '25:61'"),
    Fault("term_place.word", "note_nlp", "\"offset\" = 'abc'"),
    Fault("term_place.below", "note_nlp", "\"offset\" = '-5'"),
    Fault("term_place.beyond", "note_nlp", "\"offset\" = '99999'"),
    Fault("empty_term", "note_nlp", "lexical_variant = ' '"),
    Fault("term_dated", "note_nlp", "nlp_date = DATE '1999-01-01'"),
    Fault("no_dose", "dose_era", "dose_value = 0"),
    Fault("dose_era_of_rows", "dose_era", "dose_era_end_date = DATE '2060-01-01'"),
    Fault("rank_below_zero", "episode", "episode_number = -1"),
    Fault("off_the_map", "location", "latitude = 481.1"),
    Fault("other_domain.note.language_concept_id", "note", "language_concept_id = 4000104"),
    Fault("other_domain.note.encoding_concept_id", "note", "encoding_concept_id = 4000104"),
    Fault("lost_characters.note.note_text", "note", "note_text = 'ï»¿' || note_text"),
    Fault("lost_characters.note.note_text", "note",
          "note_text = replace(note_text, 'é', '‚')", "note_text LIKE '%pé%'"),
    Fault("lost_characters.note.note_text", "note",
          "note_text = replace(note_text, 'é', 'Ú')", "note_text LIKE '%pé%'"),
    Fault("repeated_cost", "cost", ""),
    Fault("repeated_term", "note_nlp", ""),
    Fault("repeated_location", "location", ""),
    Fault("repeated_episode", "episode", ""),
    Fault("repeated_dose", "dose_era", ""),
)  # fmt: skip
# Two faults of a check that has one place.
ALIKE = {
    "birth_datetime.year", "birth_datetime.month", "birth_datetime.day", "birth_datetime.alone",
    "term_place.word", "term_place.below", "term_place.beyond",
}  # fmt: skip


def named(fault: Fault) -> str:
    """The check as results.csv spells it."""
    check = fault.check.split(".")[0] if fault.check in ALIKE else fault.check
    return "entrepot_" + check.replace(".", "_")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "clean.duckdb"
    write_other(path, Style(persons=120, seed="t"))
    with duckdb.connect(str(path)) as connection:
        for statement in FILLED:
            connection.execute(statement)
    return path


@pytest.fixture
def faulty(clean: Path, tmp_path: Path) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    path = tmp_path / "faulty.duckdb"
    shutil.copy(clean, path)
    with duckdb.connect(str(path)) as connection:
        yield path, connection


def _keys(connection: duckdb.DuckDBPyConnection, fault: Fault) -> list[int]:
    key = f"{fault.table}_id"
    rows = connection.execute(
        f"SELECT {key} FROM cdm.{fault.table} WHERE {fault.rows}"
        f" ORDER BY hash(CAST({key} AS VARCHAR) || '{fault.check}')"
    ).fetchall()
    return [value for (value,) in rows]


def test_clean_rows_pass(clean: Path) -> None:
    judgement = Bench(clean).judged(clean, alone=True)
    assert [one.check_id for one in judgement.findings if one.failed and one.blocks] == []
    assert [one.check_id for one in judgement.findings if one.error] == []
    assert judgement.quarantine == ()


def test_each_faulty_row_is_named(faulty: tuple[Path, duckdb.DuckDBPyConnection]) -> None:
    path, connection = faulty
    chosen: dict[Fault, int] = {}
    taken: dict[str, set[int]] = {}
    for fault in FAULTS:
        known = taken.setdefault(fault.table, set())
        chosen[fault] = next(key for key in _keys(connection, fault) if key not in known)
        known.add(chosen[fault])
    for fault, key in chosen.items():
        connection.execute(fault.sql(f"{fault.table}_id = {key}"))
    connection.close()
    lines = Bench(path).judged(path, alone=True).quarantine
    told = {(line.check_id, line.table, line.key) for line in lines}
    wanted = {
        fault: (named(fault), fault.table, key if fault.change else key + COPIED)
        for fault, key in chosen.items()
    }
    assert [fault for fault, line in wanted.items() if line not in told] == []


@pytest.mark.parametrize("part", range(3))
def test_a_fifth_blocks(part: int, faulty: tuple[Path, duckdb.DuckDBPyConnection]) -> None:
    path, connection = faulty
    chosen = FAULTS[part::3]
    for fault in chosen:
        keys = _keys(connection, fault)
        fifth = ", ".join(str(key) for key in keys[: -(-len(keys) // 5)])
        connection.execute(fault.sql(f"{fault.table}_id IN ({fifth})"))
    connection.close()
    judgement = Bench(path).judged(path, alone=True)
    blocking = {one.check_id for one in judgement.findings if one.blocks}
    assert [fault for fault in chosen if named(fault) not in blocking] == []


@pytest.mark.parametrize(
    "change",
    ["UPDATE cdm.episode_event SET event_id = -1 WHERE rowid % 5 = 0",
     """UPDATE cdm.episode_event SET event_id = (SELECT min(condition_occurrence_id)
     FROM cdm.condition_occurrence) WHERE rowid % 5 = 0"""],
)  # fmt: skip
def test_events_of_an_episode_that_are_not_its_own_block(
    change: str, faulty: tuple[Path, duckdb.DuckDBPyConnection]
) -> None:
    path, connection = faulty
    connection.execute(change)
    connection.close()
    found = Bench(path).judged(path, alone=True).findings
    assert "entrepot_event_of_episode" in {one.check_id for one in found if one.blocks}


def test_a_column_that_is_lacking_is_no_error(
    faulty: tuple[Path, duckdb.DuckDBPyConnection],
) -> None:
    """Checks that look at it, in their rows or in those that they join, are not asked."""
    path, connection = faulty
    connection.execute("ALTER TABLE cdm.cost DROP COLUMN total_charge")
    connection.execute("ALTER TABLE cdm.payer_plan_period DROP COLUMN plan_source_value")
    connection.close()
    judgement = Bench(path).judged(path, alone=True)
    assert [one.check_id for one in judgement.findings if one.error or one.blocks] == []
    asked = {one.check_id for one in judgement.findings}
    assert "entrepot_cost_of_nothing" in asked
    assert not asked & {"entrepot_cost_below_zero", "entrepot_repeated_cost",
                        "entrepot_cover_overlap", "entrepot_paid_above_charge"}  # fmt: skip
