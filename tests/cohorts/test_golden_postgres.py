"""A sample of the shared cohorts on a PostgreSQL server, by a role that can only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from golden_cohorts import POSTGRES_TYPES, Cdms, Golden, fault, goldens

from entrepot.cohorts import Dialect, Outcome, compile_outcome
from entrepot.cohorts.running import open_database, run_cohorts
from entrepot.errors import EntrepotError
from postgres_server import own_server

if TYPE_CHECKING:
    from psycopg import Connection

    from postgres_server import Server

pytestmark = pytest.mark.integration

READER = "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA cdm TO reader;"
GRANT = "GRANT SELECT ON ALL TABLES IN SCHEMA cdm TO reader"
EVERY = {"phenotypelibrary": 16, "sweep": 16}


@pytest.fixture(scope="module")
def server(shared: Path) -> Iterator[Server]:
    with own_server() as started:
        columns = Cdms(shared).columns
        tables = "".join(
            f"CREATE TABLE cdm.{table} ({_typed(fields)});" for table, fields in columns.items()
        )
        started.psql(f"CREATE SCHEMA cdm; {tables} {READER} {GRANT};")
        yield started


@pytest.fixture
def connection(server: Server) -> Iterator[Connection[Any]]:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(server.url()) as opened:
        opened.execute("SET jit = off")
        opened.commit()
        yield opened


@pytest.mark.parametrize("family", EVERY)
def test_a_sample(shared: Path, connection: Connection[Any], family: str) -> None:
    cdms = Cdms(shared)
    faults = []
    for golden in goldens(shared, family, EVERY[family]):
        if "rows" not in golden.record:
            continue
        _copy(cdms, golden, connection)
        connection.execute("SET TRANSACTION READ ONLY")
        sql = compile_outcome(golden.expression(), Dialect.POSTGRES)
        outcome = Outcome.of(connection.execute(sql).fetchall())
        faults.append(fault(shared, golden, outcome))
        connection.rollback()
    assert [one for one in faults if one] == []


def test_a_role_that_only_reads(shared: Path, server: Server, connection: Connection[Any]) -> None:
    golden = next(goldens(shared, "phenotypelibrary", 550, 40))
    _copy(Cdms(shared), golden, connection)
    connection.commit()
    url = server.url("reader").replace("postgresql:", "postgresql+psycopg:")
    database = open_database(url)
    with pytest.raises(EntrepotError, match="refused"):
        database.rows("CREATE TABLE cdm.written (n INT)")
    outcome = run_cohorts(database, {"it": golden.expression()})["it"]
    database.close()
    assert outcome.rows
    assert fault(shared, golden, outcome) == ""


def test_the_owner_cannot_write_either(server: Server) -> None:
    database = open_database(server.url().replace("postgresql:", "postgresql+psycopg:"))
    with pytest.raises(EntrepotError, match="refused"):
        database.rows("CREATE TABLE cdm.written (n INT)")
    database.close()


def _typed(fields: dict[str, str]) -> str:
    return ", ".join(f'"{name}" {POSTGRES_TYPES[kind]}' for name, kind in fields.items())


def _copy(cdms: Cdms, golden: Golden, connection: Connection[Any]) -> None:
    for table in cdms.fill(golden):
        with connection.cursor().copy(f"COPY cdm.{table} FROM STDIN") as copy:
            for row in cdms.rows(table):
                copy.write_row(row)
