"""The tables of Synthea27Nj, a CDM that others made, in DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb


def load_synthea(
    connection: duckdb.DuckDBPyConnection, folder: Path, schema: str, persons: str = "TRUE"
) -> None:
    """Creates the tables in a schema that is there.

    Args:
        folder: the one of the DQD reference.
        persons: condition on `person_id` that chooses persons and their rows.
    """
    for file in sorted((folder / "synthea27nj_cdm54").glob("*.parquet")):
        columns = connection.execute(f"SELECT * FROM '{file}' LIMIT 0").description or ()
        chosen = persons if "person_id" in {name for name, *_ in columns} else "TRUE"
        connection.execute(
            f"CREATE TABLE {schema}.{file.stem} AS SELECT * FROM '{file}' WHERE {chosen}"
        )
