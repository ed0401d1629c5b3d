"""The same checks on the same rows give the same numbers on DuckDB, PostgreSQL and Spark."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest
from omop_hospital import Traits, write_hospital

from entrepot.engine.spark.database import SparkDatabase, open_spark
from entrepot.quality.anywhere.counting import Counted, PlanCounts
from entrepot.quality.database import Database, DuckDatabase, open_database
from entrepot.quality.dqd.counts import Counting
from entrepot.quality.dqd.types import Catalogue, load_catalogue
from entrepot.quality.inputs import GateInputs
from entrepot.quality.plan import build_plan
from postgres_server import any_server
from sparks import running

pytestmark = pytest.mark.integration

SQL_TYPES = {"VARCHAR": "text", "DOUBLE": "double precision"}
INPUTS = GateInputs(dt.datetime(2025, 12, 31), (7, 11))
TODAY = dt.date(2026, 1, 9)
# Something wrong of every kind that a number depends on: keys twice, months of 13, no value, dates
# before birth and after death, other persons' visits, texts of every shape.
SPOILT = (
    "INSERT INTO cdm.person SELECT * FROM cdm.person WHERE person_id % 31 = 0",
    "INSERT INTO cdm.visit_occurrence SELECT * FROM cdm.visit_occurrence"
    " WHERE visit_occurrence_id % 37 = 0",
    "UPDATE cdm.person SET month_of_birth = 13 WHERE person_id % 29 = 0",
    "UPDATE cdm.person SET day_of_birth = 31, birth_datetime = NULL WHERE person_id % 9 = 0",
    "UPDATE cdm.measurement SET value_as_number = value_as_number * 1000, unit_concept_id = NULL"
    " WHERE measurement_id % 23 = 0",
    "UPDATE cdm.measurement SET measurement_date = DATE '1899-12-31' WHERE measurement_id % 19 = 0",
    "UPDATE cdm.condition_occurrence SET condition_concept_id = 424242"
    " WHERE condition_occurrence_id % 17 = 0",
    "UPDATE cdm.drug_exposure SET person_id = person_id + 1 WHERE drug_exposure_id % 13 = 0",
    "UPDATE cdm.visit_occurrence SET visit_end_date = visit_start_date - 3"
    " WHERE visit_occurrence_id % 11 = 0",
    "UPDATE cdm.note SET note_text = 'tél. 06 12 34 56 78, né le 03/02/1951 Ã©'"
    " WHERE note_id % 7 = 0",
    "UPDATE cdm.note SET note_text = '' WHERE note_id % 41 = 0",
    "UPDATE cdm.death SET death_date = death_date - 400 WHERE person_id % 2 = 0",
)  # fmt: skip
# Spark plans a query of a hundred sums for seconds: CI asks a sample, this variable asks for more.
ALL = os.environ.get("ENTREPOT_ALL_CHECKS_ON_SPARK") == "1"
ON_SPARK = () if ALL else ("death", "drug_era", "observation_period")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engines") / "hospital.duckdb"
    write_hospital(path, Traits(persons=60))
    with duckdb.connect(str(path)) as connection:
        for statement in SPOILT:
            connection.execute(statement)
    return path


@pytest.fixture(scope="module")
def duck(spoilt: Path) -> Iterator[Database]:
    database = DuckDatabase(spoilt)
    yield database
    database.close()


@pytest.fixture(scope="module")
def postgres(spoilt: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    import psycopg

    with any_server() as server, psycopg.connect(server.url(), autocommit=True) as target:
        target.execute("DROP SCHEMA IF EXISTS engines CASCADE; CREATE SCHEMA engines")
        with duckdb.connect(str(spoilt), read_only=True) as source:
            for (table,) in _tables(source):
                _copy(source, target, table, tmp_path_factory.getbasetemp() / "engine.csv")
        url = server.url().replace("postgresql:", "postgresql+psycopg:", 1)
        database = open_database(url, "engines")
        yield database
        database.close()


@pytest.fixture(scope="module")
def spark(spoilt: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkDatabase]:
    lake = tmp_path_factory.mktemp("lake")
    with duckdb.connect(str(spoilt), read_only=True) as source:
        for (table,) in _tables(source):
            source.execute(f"COPY cdm.{table} TO '{lake / table}.parquet'")
    with running(tmp_path_factory.mktemp("session")):
        database = open_spark(f"spark:{lake}")
        yield database
        database.close()


def _tables(source: duckdb.DuckDBPyConnection) -> list[tuple[str]]:
    return source.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'cdm'"
    ).fetchall()  # type: ignore[return-value]


def _copy(source, target, table: str, path: Path) -> None:  # type: ignore[no-untyped-def]
    columns = source.execute(f"DESCRIBE cdm.{table}").fetchall()
    fields = ", ".join(f'"{c[0]}" {SQL_TYPES.get(c[1], c[1])}' for c in columns)
    target.execute(f"CREATE TABLE engines.{table} ({fields})")
    source.execute(f"COPY cdm.{table} TO '{path}' (HEADER false, QUOTE '\"', FORCE_QUOTE *)")
    with target.cursor().copy(f"COPY engines.{table} FROM STDIN (FORMAT csv)") as copy:
        copy.write(path.read_bytes())


def strict(database: Database, tables: tuple[str, ...] = ()) -> dict[str, Counted]:
    """Counts of the strict checks, of these tables or of all."""
    plan = build_plan(anywhere=True)
    chosen = tuple(one for one in plan.checks if not tables or one.table in tables)
    narrowed = type(plan)(plan.cdm, chosen, plan.relations, plan.links, plan.tables)
    return PlanCounts(narrowed, database, database.columns(), INPUTS).counts()


def dqd(database: Database, tables: tuple[str, ...] = ()) -> Mapping[str, object]:
    """Counts of DQD's checks, of these tables or of all."""
    whole = load_catalogue()
    chosen = tuple(one for one in whole.checks if not tables or one.table in tables)
    catalogue = Catalogue(whole.cdm, chosen, whole.sets)
    return Counting(catalogue, database, database.columns(), TODAY).counts()


def differing(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    return {key: (one.get(key), other.get(key)) for key in {*one, *other}
            if one.get(key) != other.get(key)}  # fmt: skip


def test_strict_on_postgresql(duck: Database, postgres: Database) -> None:
    found = strict(duck)
    assert not [key for key, one in found.items() if one.error]
    assert sum(bool(one.violated) for one in found.values()) > 60, "else equal zeros"
    assert differing(found, strict(postgres)) == {}


def test_dqd_on_postgresql(duck: Database, postgres: Database) -> None:
    found = dqd(duck)
    assert len(found) > 2300
    assert differing(found, dqd(postgres)) == {}


def test_strict_on_spark(duck: Database, spark: SparkDatabase) -> None:
    found = strict(spark, ON_SPARK)
    assert any(one.violated for one in found.values())
    assert differing(strict(duck, ON_SPARK), found) == {}


def test_dqd_on_spark(duck: Database, spark: SparkDatabase) -> None:
    found = dqd(spark, ON_SPARK)
    assert len(found) > 50
    assert differing(dqd(duck, ON_SPARK), found) == {}
