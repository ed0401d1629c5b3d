"""`compat: dqd` against the 2,374 results of DataQualityDashboard 2.8.4 itself."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from synthea27nj import load_synthea

from entrepot.quality.database import open_database
from entrepot.quality.dqd.run import dqd_results
from entrepot.quality.dqd.verdicts import Result
from postgres_server import any_server

pytestmark = pytest.mark.integration

TODAY = dt.date(2026, 1, 9)
SQL_TYPES = {"VARCHAR": "text", "DOUBLE": "double precision", "TIMESTAMP": "timestamp"}


@pytest.fixture(scope="module")
def synthea(dqd_reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthea") / "synthea27nj.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA omop")
        load_synthea(connection, dqd_reference, "omop")
    return path


@pytest.fixture(scope="module")
def expected(dqd_reference: Path) -> dict[str, dict[str, str]]:
    with (dqd_reference / "dqd_2.8.4_expected.csv").open(encoding="utf-8") as stream:
        return {row["checkId"]: row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def on_postgres(synthea: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same tables on a server; its URL."""
    import psycopg

    with any_server() as server, psycopg.connect(server.url(), autocommit=True) as target:
        target.execute("DROP SCHEMA IF EXISTS omop CASCADE; CREATE SCHEMA omop")
        with duckdb.connect(str(synthea), read_only=True) as source:
            for (table,) in source.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'omop'"
            ).fetchall():
                _copy(source, target, table, tmp_path_factory.getbasetemp() / "rows.csv")
        yield server.url().replace("postgresql:", "postgresql+psycopg:", 1)


def _copy(source, target, table: str, path: Path) -> None:  # type: ignore[no-untyped-def]
    columns = source.execute(f"DESCRIBE omop.{table}").fetchall()
    fields = ", ".join(f'"{c[0]}" {SQL_TYPES.get(c[1], c[1])}' for c in columns)
    target.execute(f"CREATE TABLE omop.{table} ({fields})")
    source.execute(f"COPY omop.{table} TO '{path}' (HEADER false, QUOTE '\"', FORCE_QUOTE *)")
    with target.cursor().copy(f"COPY omop.{table} FROM STDIN (FORMAT csv)") as copy:
        copy.write(path.read_bytes())


def found(address: str) -> dict[str, Result]:
    database = open_database(address, "omop")
    try:
        return {one.check.check_id: one for one in dqd_results(database, TODAY)}
    finally:
        database.close()


def test_2374_of_2374_checks_on_duckdb(synthea: Path, expected: dict[str, dict[str, str]]) -> None:
    assert told(found(str(synthea))) == asked(expected)


def test_2374_of_2374_checks_on_postgresql(
    on_postgres: str, expected: dict[str, dict[str, str]]
) -> None:
    assert told(found(on_postgres)) == asked(expected)


def told(results: dict[str, Result]) -> dict[str, tuple[object, ...]]:
    return {
        check_id: (
            one.violated, one.denominator, one.failed, one.passed, one.not_applicable, one.error,
            one.check.threshold and float(one.check.threshold),
        )
        for check_id, one in results.items()
    }  # fmt: skip


def asked(expected: dict[str, dict[str, str]]) -> dict[str, tuple[object, ...]]:
    flags = ("failed", "passed", "notApplicable", "isError")
    return {
        check_id: (
            int(row["numViolatedRows"]), int(row["numDenominatorRows"]),
            *(row[flag] == "1" for flag in flags), row["threshold"] and float(row["threshold"]),
        )
        for check_id, row in expected.items()
    }  # fmt: skip
