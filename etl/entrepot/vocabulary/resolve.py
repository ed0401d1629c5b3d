"""Resolution of source codes to concepts: one SQL statement over the distinct codes of a batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file
from entrepot.vocabulary.concepts import create_tables

if TYPE_CHECKING:
    import duckdb

SQL_FILE = "mappings/omop/concept_resolution.sql"
MACROS_FILE = "mappings/omop/macros.sql"
INPUTS = ("code_systems", "fan_out", "source_to_concept_map")
VIEWS = ("concept", "concept_relationship")
COLUMNS = {
    "system": "VARCHAR", "code": "VARCHAR", "vocabulary_id": "VARCHAR",
    "source_concept_id": "BIGINT", "ordinal": "INTEGER", "target_concept_id": "BIGINT",
    "target_domain_id": "VARCHAR", "value_concept_id": "BIGINT", "origin": "VARCHAR",
    "normalised": "BOOLEAN", "domain_id_of_source": "VARCHAR", "reason": "VARCHAR",
}  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """How many codes of one vocabulary were resolved in one way, and how often they are used.

    Args:
        vocabulary_id: empty when the code system is unknown.
        origin: stcm, vocabulary, uphill or none.
        codes: distinct codes.
        frequency: rows of the batch that carry them.
    """

    vocabulary_id: str
    origin: str
    codes: int
    frequency: int


def resolve(
    connection: duckdb.DuckDBPyConnection,
    as_of: dt.date,
    overlays: Iterable[Path] = (),
    *,
    vocabulary: str = "cdm",
    into: str = "etl.concept_resolution",
) -> None:
    """Creates the table `into` from the table `code_use(system, code, frequency)`.

    Columns of the result: system, code, vocabulary_id, source_concept_id, ordinal,
    target_concept_id, target_domain_id, value_concept_id, origin, normalised, domain_id_of_source,
    reason. A missing system or code is the empty text in it.

    Args:
        as_of: the run's date: rows of the site's own map count when valid on it.
        vocabulary: schema that holds `concept` and `concept_relationship`.
        into: name of the table, with its schema; replaced when it exists.

    Raises:
        ConfigurationError: a file of `mappings/concepts` is wrong, or the SQL is refused.
    """
    import duckdb

    roots = tuple(overlays)
    path = data_file(SQL_FILE, roots)
    connection.execute(data_file(MACROS_FILE, roots).read_text(encoding="utf-8"))
    with resolution_inputs(connection, as_of, roots, vocabulary=vocabulary):
        create_resolution(connection, into)
        try:
            connection.execute(f"INSERT INTO {into} BY NAME {path.read_text(encoding='utf-8')}")
        except duckdb.Error as error:
            raise ConfigurationError(
                f"the SQL is refused: {str(error).splitlines()[0][:200]}",
                where=str(path),
                remedy="mend the mapping's SQL",
            ) from None


def create_resolution(connection: duckdb.DuckDBPyConnection, into: str) -> None:
    """The table of the result, empty: the same columns and types on every engine."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE OR REPLACE TABLE {into} ({columns})")


@contextmanager
def resolution_inputs(
    connection: duckdb.DuckDBPyConnection,
    as_of: dt.date,
    overlays: Iterable[Path] = (),
    *,
    vocabulary: str = "cdm",
) -> Iterator[None]:
    """What the statement reads besides `code_use`, as temporary tables and views of their names."""
    create_tables(connection, overlays, INPUTS)
    connection.execute(
        "DELETE FROM temp.source_to_concept_map WHERE invalid_reason IS NOT NULL"
        " OR valid_start_date > ? OR valid_end_date < ?",
        [as_of, as_of],
    )
    for view in VIEWS:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS FROM {vocabulary}.{view}")
    yield
    for view in VIEWS:
        connection.execute(f"DROP VIEW temp.{view}")
    for table in INPUTS:
        connection.execute(f"DROP TABLE temp.{table}")


def coverage(
    connection: duckdb.DuckDBPyConnection, resolution: str = "etl.concept_resolution"
) -> list[Coverage]:
    """Shares of codes and of rows by vocabulary and origin, for the run report."""
    rows = connection.execute(
        "SELECT coalesce(r.vocabulary_id, ''), r.origin, count(*), sum(u.frequency)"
        f" FROM {resolution} AS r JOIN code_use AS u"
        " ON coalesce(u.system, '') = r.system AND coalesce(u.code, '') = r.code"
        " WHERE r.ordinal = 0 GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [Coverage(row[0], row[1], int(row[2]), int(row[3])) for row in rows]
