"""Nobody's shift is found, and two spaces of the same persons join no better than chance."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING

import pytest
import shift_attacks
from studies import define, rows
from study_core import AS_OF, PERSONS

from entrepot.config import CONFIG_NAME, Site
from entrepot.keys import create_root, site_keyring
from entrepot.study.life import create
from entrepot.study.space import Space

if TYPE_CHECKING:
    import duckdb

    from conftest import Made

pytestmark = pytest.mark.integration

FRANCE = 650_000  # deaths a year (INSEE), all in the public file
DEPARTEMENT = 10_000


def test_no_shift_is_narrowed_to_one_value(made: Made, truth: duckdb.DuckDBPyConnection) -> None:
    file = made.file("alpha")
    truth.execute(shift_attacks.death_file(FRANCE))
    found = {
        "boundary dates": shift_attacks.boundary_dates(file),
        "period ends": shift_attacks.period_ends(file),
        "open stays": shift_attacks.open_stays(file),
        "working days": shift_attacks.working_days(file),
        "public deaths": shift_attacks.public_deaths(truth, "alpha"),
        "note dates": shift_attacks.note_dates(file),
    }
    assert {name: shift_attacks.narrowed(left) for name, left in found.items()} == dict.fromkeys(
        found, 0
    )
    paired = shift_attacks.mother_and_child(file, shift_attacks.together(*found.values()))
    assert len(paired) > 0.99 * PERSONS
    assert shift_attacks.narrowed(paired) == 0
    # Dates alone leave every value possible but for the days on which nothing is planned.
    assert {len(left) for left in found["boundary dates"].values()} == {52}
    assert len(found["public deaths"]) > 60  # persons of whom the space tells a death


def test_what_was_granted_beyond_the_minimum_narrows_none_by_its_own_dates(made: Made) -> None:
    file = made.file("gamma")
    attacks = (
        shift_attacks.boundary_dates,
        shift_attacks.period_ends,
        shift_attacks.open_stays,
        shift_attacks.working_days,
        shift_attacks.note_dates,
    )
    dates = [attack(file) for attack in attacks]
    assert [shift_attacks.narrowed(left) for left in dates] == [0] * 5
    assert (
        shift_attacks.narrowed(shift_attacks.mother_and_child(file, shift_attacks.together(*dates)))
        == 0
    )


def test_a_smaller_file_of_deaths_tells_some_of_those_who_died_young(
    truth: duckdb.DuckDBPyConnection,
) -> None:
    """The limit that docs/how-to/study_spaces.md states: who knows the département of death."""
    truth.execute(shift_attacks.death_file(DEPARTEMENT))
    told = shift_attacks.public_deaths(truth, "alpha")
    print(f"narrowed: {shift_attacks.narrowed(told)} of {len(told)} dead")  # noqa: T201 - a figure
    assert shift_attacks.narrowed(told) < len(told) / 2


def test_the_attacks_do_find_shifts_that_are_badly_made(
    made: Made, truth: duckdb.DuckDBPyConnection
) -> None:
    """The core itself is what they look for: open stays at `as_of`, dates up to the last run."""
    file = made.site.warehouse
    assert shift_attacks.narrowed(shift_attacks.open_stays(file)) > 30
    assert any(len(left) < 52 for left in shift_attacks.boundary_dates(file).values())
    truth.execute(shift_attacks.death_file(100))
    truth.execute("CREATE OR REPLACE TEMP TABLE public AS SELECT gender, day + 140 AS day,"
                  " born + 140 AS born FROM public")  # fmt: skip
    assert shift_attacks.narrowed(shift_attacks.public_deaths(truth, "core")) > 30


def _binomial_bound(n: int, p: float) -> float:
    """Six standard deviations above the mean: exceeded once in 10⁹ by chance."""
    return n * p + 6 * math.sqrt(n * p * (1 - p)) + 1


def test_two_spaces_share_no_id(made: Made) -> None:
    # An id of 53 bits is met by chance once in 10¹⁰ of a thousand times a thousand pairs.
    for table, column in (
        ("person", "person_id"), ("visit_occurrence", "visit_occurrence_id"),
        ("measurement", "measurement_id"), ("condition_occurrence", "condition_occurrence_id"),
        ("observation_period", "observation_period_id"), ("condition_era", "condition_era_id"),
        ("care_site", "care_site_id"), ("provider", "provider_id"),
        ("fact_relationship", "fact_id_1"),
    ):  # fmt: skip
        sql = f"SELECT DISTINCT {column} FROM cdm.{table} WHERE {column} IS NOT NULL"
        core, one, two = (
            {value for (value,) in rows(file, sql)}
            for file in (made.site.warehouse, made.file("alpha"), made.file("beta"))
        )
        assert one, table
        assert two, table
        assert not one & two, table
        assert not core & (one | two), table


@pytest.mark.parametrize(
    ("table", "day"),
    [("visit_occurrence", "visit_start_date"), ("measurement", "measurement_date")],
)
def test_two_spaces_join_on_no_date(truth: duckdb.DuckDBPyConnection, table: str, day: str) -> None:
    """An event has the same day in both with a chance of 1 in 52: that of an equal shift."""
    persons, equal = truth.execute(
        f"""SELECT count(*), count(CASE WHEN same THEN 1 END) FROM (
          SELECT ka.core_id, bool_and(a.{day} = b.{day}) AS same
          FROM alpha_person ka JOIN beta_person kb ON kb.core_id = ka.core_id
          JOIN core.cdm.{table} c ON c.person_id = ka.core_id
          JOIN alpha_{table} ia ON ia.core_id = c.{table}_id
          JOIN beta_{table} ib ON ib.core_id = c.{table}_id
          JOIN alpha.cdm.{table} a ON a.{table}_id = ia.id
          JOIN beta.cdm.{table} b ON b.{table}_id = ib.id GROUP BY 1)"""
    ).fetchall()[0]
    assert persons > 990
    assert equal <= _binomial_bound(persons, 1 / 52)


@pytest.mark.parametrize("table", ["person", "visit_occurrence", "measurement"])
def test_rows_stand_in_an_order_that_says_nothing(
    truth: duckdb.DuckDBPyConnection, table: str
) -> None:
    for other in ("beta", "core"):
        key = "core_id" if other == "core" else "id"
        joined = (
            f"LEFT JOIN {other}_{table} k2 ON k2.core_id = k1.core_id" if other != "core" else ""
        )
        name = "k1" if other == "core" else "k2"
        n, correlation, same = truth.execute(
            f"""SELECT count(*), corr(a.rowid, o.rowid), count(CASE WHEN a.rowid = o.rowid
              THEN 1 END) FROM alpha.cdm.{table} a
              JOIN alpha_{table} k1 ON k1.id = a.{table}_id {joined}
              JOIN {other}.cdm.{table} o ON o.{table}_id = {name}.{key}"""
        ).fetchall()[0]
        assert abs(correlation) < 5 / math.sqrt(n), other
        assert same <= _binomial_bound(n, 1 / n), other


def test_order_of_ids_and_rows_does_not_follow_time(truth: duckdb.DuckDBPyConnection) -> None:
    n, correlation = truth.execute(
        "SELECT count(*), corr(rowid, epoch(visit_start_date)) FROM alpha.cdm.visit_occurrence"
    ).fetchall()[0]
    assert abs(correlation) < 5 / math.sqrt(n)


def test_source_values_join_no_better_than_their_own_frequency(made: Made) -> None:
    """Only a column named in a signed definition holds any, and then codes alone."""
    for table in ("visit_occurrence", "condition_occurrence", "measurement", "person"):
        for (column,) in rows(
            made.file("alpha"), "SELECT column_name FROM information_schema.columns"
            f" WHERE table_name = '{table}' AND column_name LIKE '%source_value'",
        ):  # fmt: skip
            assert rows(made.file("alpha"), f"SELECT count({column}) FROM cdm.{table}") == [(0,)]
    values = rows(
        made.file("gamma"), "SELECT DISTINCT visit_source_value FROM cdm.visit_occurrence"
    )
    assert {value for (value,) in values} == {"I", "O"}


def test_two_root_keys_never_give_linkable_spaces(
    made: Made, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same release under another root: keys of persons apart, as two hospitals have them."""
    folder = tmp_path_factory.mktemp("other_key")
    shutil.copytree(made.site.research, folder / "site" / "research",
                    ignore=shutil.ignore_patterns("studies"))  # fmt: skip
    shutil.copyfile(made.site.root / CONFIG_NAME, folder / "site" / CONFIG_NAME)
    other = Site.open(folder / "site")
    create_root(other.root_key)
    create(other, define(folder, "alpha"))
    ids = "SELECT person_id FROM cdm.person"
    mine, theirs = set(rows(made.file("alpha"), ids)), set(rows(Space(other, "alpha").file, ids))
    assert len(theirs) > 990
    assert not mine & theirs
    assert site_keyring(other).fingerprint != site_keyring(made.site).fingerprint


def test_linkability_by_content_is_measured(made: Made) -> None:
    shown = made.facts["gamma"]["linkability"]
    assert shown["persons"] == made.facts["gamma"]["persons"]
    # Two diagnoses, two kinds of visit: concepts tell few apart, intervals nearly all.
    assert shown["unique_by_concepts"] < 0.05
    assert shown["unique_by_concepts_and_intervals"] > 0.9


def test_the_file_holds_neither_true_ids_nor_true_dates(made: Made) -> None:
    from entrepot.study.keys import study_label

    content = made.file("gamma").read_bytes()
    keyring = site_keyring(made.site)
    assert keyring.derive(study_label("gamma")) not in content
    assert keyring.derive(study_label("gamma")).hex().encode() not in content
    for person, key in rows(
        made.site.warehouse,
        "SELECT person_id, person_source_value FROM cdm.person ORDER BY ALL LIMIT 150",
    ):
        assert person.to_bytes(8, "little") not in content
        assert key.encode() not in content
    assert str(AS_OF).encode() not in content
    assert rows(made.file("gamma"), "SELECT DISTINCT cdm_release_date FROM cdm.cdm_source") != [
        (AS_OF,)
    ]
