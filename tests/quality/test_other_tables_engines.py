"""The checks of tables that few sites fill count alike on DuckDB, PostgreSQL and Spark."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from other_hospital import Style, write_other
from test_check_engines import _copy, _tables, differing, strict
from test_other_tables import FAULTS, FILLED, _keys

from entrepot.engine.spark.database import open_spark
from entrepot.quality.database import DuckDatabase, open_database
from postgres_server import any_server
from sparks import running

pytestmark = pytest.mark.integration

ON_SPARK = ("cost", "dose_era", "episode", "episode_event", "note_nlp", "payer_plan_period")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engines") / "tables.duckdb"
    write_other(path, Style(persons=60, seed="e"))
    with duckdb.connect(str(path)) as connection:
        for statement in FILLED:
            connection.execute(statement)
        for fault in FAULTS:
            keys = _keys(connection, fault)[:3]
            if keys:
                connection.execute(fault.sql(f"{fault.table}_id IN ({str(keys)[1:-1]})"))
    return path


def test_on_postgresql(spoilt: Path, tmp_path: Path) -> None:
    import psycopg

    with any_server() as server, psycopg.connect(server.url(), autocommit=True) as target:
        target.execute("DROP SCHEMA IF EXISTS engines CASCADE; CREATE SCHEMA engines")
        with duckdb.connect(str(spoilt), read_only=True) as source:
            for (table,) in _tables(source):
                _copy(source, target, table, tmp_path / "table.csv")
        url = server.url().replace("postgresql:", "postgresql+psycopg:", 1)
        found = strict(open_database(url, "engines"))
    assert not [key for key, one in found.items() if one.error]
    assert sum(bool(one.violated) for one in found.values()) > 30, "else equal zeros"
    assert differing(strict(DuckDatabase(spoilt)), found) == {}


def test_on_spark(spoilt: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    with duckdb.connect(str(spoilt), read_only=True) as source:
        for (table,) in _tables(source):
            source.execute(f"COPY cdm.{table} TO '{lake / table}.parquet'")
    with running(tmp_path / "session"):
        database = open_spark(f"spark:{lake}")
        found = strict(database, ON_SPARK)
        database.close()
    assert sum(bool(one.violated) for one in found.values()) > 10, "else equal zeros"
    assert differing(strict(DuckDatabase(spoilt), ON_SPARK), found) == {}
