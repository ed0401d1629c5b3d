"""One warehouse of a thousand persons and three spaces of it, made once for all files here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from studies import TABLES, define, with_approver
from study_core import new_core

from entrepot.config import Site
from entrepot.keys import site_keyring
from entrepot.study.keys import make_macros
from entrepot.study.life import create
from entrepot.study.space import Facts, Space


@dataclass(frozen=True)
class Made:
    """A site with its spaces: `alpha` and `beta` hold the least, `gamma` the most, of the same
    persons."""

    site: Site
    key: Path
    folder: Path
    facts: dict[str, Facts]

    def file(self, study: str) -> Path:
        """The DuckDB file of a space."""
        return Space(self.site, study).file


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Read only: whoever changes a space makes their own."""
    folder = tmp_path_factory.mktemp("study")
    key = folder / "moreau.pem"
    site = with_approver(new_core(folder / "site"), key)
    most = {
        "tables": [*TABLES, "note"],
        "columns": ["measurement.measurement_source_value", "visit_occurrence.visit_source_value"],
        "options": {"datetimes": "full", "birth": "month", "notes": True},
    }
    paths = [define(folder, "alpha"), define(folder, "beta"), define(folder, "gamma", key, **most)]
    return Made(site, key, folder, {path.stem: create(site, path) for path in paths})


@pytest.fixture(scope="session")
def truth(made: Made) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release as `core`, the spaces by their names, and `<study>_person(person_id, id)`."""
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{made.site.warehouse}' AS core (READ_ONLY)")
    for study in made.facts:
        connection.execute(f"ATTACH '{made.file(study)}' AS {study} (READ_ONLY)")
        make_macros(connection, site_keyring(made.site), study)
        for table, kind, column in (
            ("person", "study_id('person', {})", "person_id"),
            ("visit_occurrence", "study_id('visit', {})", "visit_occurrence_id"),
            ("measurement", "study_event_id('event', {})", "measurement_id"),
            ("condition_occurrence", "study_event_id('event', {})", "condition_occurrence_id"),
        ):
            connection.execute(
                f"CREATE TABLE {study}_{table} AS SELECT {column} AS core_id,"
                f" {kind.format(column)} AS id FROM core.cdm.{table}"
            )
    yield connection
    connection.close()
