"""What a release keeps of itself for the next load's gate: counts and quantiles, no row.

`etl.profile_field` and `etl.profile_value` are made of the rows that the gate leaves; the tables
`gate_…` are the checks' own and end with the load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.omop.cdm import Cdm, Table
from entrepot.quality.baseline import beside, stage_since
from entrepot.quality.plan import fill, mapped_rows
from entrepot.quality.spread import EVENT_DATES
from entrepot.resources import data_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.quality.inputs import GateInputs

FOLDER = "quality/profile"
ASKED = (
    "gate_told", "gate_staged_row", "gate_feed_day", "gate_feed_volume", "gate_service",
    "gate_value_part", "gate_value_drift", "gate_stay_start",
)  # fmt: skip
# What the profiles read of staging; a candidate whose staging is not there has none of it.
_STAGING = {
    "patient": "source", "stay": "source, stated_at", "movement": "source, stated_at",
    "event": "source, stated_at, category, start_at, record_key, row_key",
    "document": "source, stated_at", "structure": "source",
}  # fmt: skip
_FIELDS = """CREATE OR REPLACE TABLE etl.profile_field (cdm_table VARCHAR, cdm_field VARCHAR,
    month DATE, n BIGINT, persons BIGINT, empty BIGINT, zero BIGINT)"""


def write_profiles(
    connection: DuckDBPyConnection, cdm: Cdm, inputs: GateInputs, overlays: Iterable[Path] = ()
) -> None:
    """Fills the tables `etl.profile_…` of the candidate."""
    _name_staging(connection)
    connection.execute(_FIELDS)
    for name, date in EVENT_DATES.items():
        connection.execute(_of_fields(cdm.table(name), date))
    _run(connection, ("profile_value",), inputs.placeholders, overlays)


@contextmanager
def comparable(
    connection: DuckDBPyConnection, cdm: Cdm, inputs: GateInputs, overlays: Iterable[Path] = ()
) -> Iterator[None]:
    """Whatever aggregate checks may ask: profiles, the release as `base_…`, and `gate_…`.

    Raises:
        EntrepotError: the release is there and cannot be read.
    """
    roots = tuple(overlays)
    write_profiles(connection, cdm, inputs, roots)
    with beside(connection, inputs.baseline):
        stage_since(connection, inputs)
        _run(connection, ASKED, {"mapped_rows": mapped_rows(cdm), **inputs.placeholders}, roots)
        yield


def _run(
    connection: DuckDBPyConnection, names: Iterable[str], placeholders: Mapping[str, str],
    overlays: Iterable[Path],
) -> None:  # fmt: skip
    roots = tuple(overlays)
    for name in names:
        text = data_file(f"{FOLDER}/{name}.sql", roots).read_text(encoding="utf-8")
        connection.execute(fill(text, placeholders))


def _name_staging(connection: DuckDBPyConnection) -> None:
    known = {name for (name,) in connection.execute(
        "SELECT view_name FROM duckdb_views() UNION ALL SELECT table_name FROM duckdb_tables()"
    ).fetchall()}  # fmt: skip
    for kind, columns in _STAGING.items():
        if f"staging_{kind}" not in known:
            nulls = ", ".join(
                f"CAST(NULL AS {'TIMESTAMP' if c.endswith('_at') else 'VARCHAR'}) AS {c}"
                for c in columns.split(", ")
            )
            connection.execute(f"CREATE TEMP TABLE staging_{kind} AS SELECT {nulls} LIMIT 0")


def _of_fields(table: Table, date: str) -> str:
    """Per month one line for the table itself and one for each field that may be empty or 0."""
    fields = [f for f in table.fields if not f.required or f.name.endswith("_concept_id")]
    empty = ", ".join(f'count(CASE WHEN "{f.name}" IS NULL THEN 1 END)' for f in fields)
    zero = ", ".join(
        f'count(CASE WHEN "{f.name}" = 0 THEN 1 END)' if f.name.endswith("_concept_id") else "0"
        for f in fields
    )
    names = ", ".join(f"'{f.name}'" for f in fields)
    return f"""INSERT INTO etl.profile_field
        SELECT '{table.name}', unnest(['', {names}]), month, n, persons, unnest(empties),
          unnest(zeros)
        FROM (SELECT CAST(date_trunc('month', {date}) AS DATE) AS month, count(*) AS n,
            count(DISTINCT person_id) AS persons, [0, {empty}] AS empties, [0, {zero}] AS zeros
          FROM cdm.{table.name} WHERE {date} IS NOT NULL GROUP BY 1) q"""
