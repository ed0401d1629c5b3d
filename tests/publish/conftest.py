"""Candidates to publish, and a real PostgreSQL for the tests that compare with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

import entrepot
from entrepot.publish.ddl import ddl
from postgres_server import Given, Server, any_server

PERSON = (
    "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth, race_concept_id,"
    " ethnicity_concept_id, person_source_value)"
    " SELECT i, 8507, 1950, 0, 0, 'p' || i FROM range({}) AS t(i)"
)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the release goes."""
    return tmp_path / "research" / "warehouse.duckdb"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Writes a candidate with `persons` persons, then runs more statements in it."""

    def write(persons: int, *statements: str, enforce_required: bool = True) -> Path:
        path = tmp_path / "research" / "work" / "candidate.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute(ddl("duckdb", "cdm", enforce_required=enforce_required))
            connection.execute("CREATE SCHEMA etl")
            connection.execute(PERSON.format(persons))
            for statement in statements:
                connection.execute(statement)
        return path

    return write


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Environment of a child process that imports the package under test."""
    return {**os.environ, "PYTHONPATH": str(Path(entrepot.__file__).parent.parent)}


@pytest.fixture(scope="session")
def server() -> Iterator[Server | Given]:
    """A real PostgreSQL, shared: every test has a schema of its own."""
    with any_server() as found:
        yield found


@pytest.fixture(scope="session")
def psql(server: Server | Given) -> Callable[[str], str]:
    """Runs SQL in PostgreSQL and returns what psql prints, one line a row."""
    return server.psql
