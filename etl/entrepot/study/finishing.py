"""Writes what a researcher sees: a new file, in the order of its own ids, small units left out.

The same step makes a space from its draft and takes persons out of one: deleted rows would stay
readable in the free blocks of the file.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.omop.cdm import Table, load_cdm
from entrepot.publish.ddl import ddl, quoted
from entrepot.publish.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SMALLEST_UNIT = 11  # persons; no count below it leaves the space's maker either
UNITS = {"care_site_id": "care_site", "provider_id": "provider", "location_id": "location"}


def finish(
    connection: DuckDBPyConnection,
    source: Path,
    target: Path,
    gone: Collection[int] = (),
    smallest: int = SMALLEST_UNIT,
) -> tuple[dict[str, int], dict[str, int]]:
    """Copies `source` to the new file `target`, without the persons `gone` (the space's ids).

    Returns:
        Rows by table of the CDM that holds any, and units left out by table.
    """
    import pyarrow as pa

    connection.execute(f"ATTACH {literal(source)} AS source (READ_ONLY)")
    connection.execute(f"ATTACH {literal(target)} AS space")
    connection.execute("USE space")
    connection.execute(ddl("duckdb"))
    connection.execute("USE memory")
    ids = pa.table({"person_id": pa.array(list(gone), pa.int64())})
    connection.register("study_input", ids)
    connection.execute("CREATE OR REPLACE TEMP TABLE space_gone AS FROM study_input")
    connection.unregister("study_input")
    suppressed = {unit: _keep_units(connection, key, unit, smallest) for key, unit in UNITS.items()}
    connection.execute("SET preserve_insertion_order = true")
    rows = {table.name: _copy(connection, table) for table in load_cdm()}
    connection.execute("CHECKPOINT space")
    connection.execute("DETACH space")
    connection.execute("DETACH source")
    return {name: n for name, n in rows.items() if n}, {u: n for u, n in suppressed.items() if n}


def _keep_units(connection: DuckDBPyConnection, key: str, unit: str, smallest: int) -> int:
    """`kept_<unit>` holds the units of enough persons; how many others there are."""
    named = " UNION ALL ".join(
        f"SELECT {key}, person_id FROM source.cdm.{table.name}"
        for table in load_cdm().person_tables
        if key in table.columns
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE kept_{unit} AS SELECT {key} AS id FROM ({named})"
        f" WHERE {key} IS NOT NULL AND person_id NOT IN (SELECT person_id FROM space_gone)"
        f" GROUP BY {key} HAVING count(DISTINCT person_id) >= ?",
        [smallest],
    )
    return int(
        connection.execute(
            f"SELECT count(*) FROM source.cdm.{unit}"
            f" WHERE {key} NOT IN (SELECT id FROM kept_{unit})"
        ).fetchall()[0][0]
    )


def _copy(connection: DuckDBPyConnection, table: Table) -> int:
    cells = [_cell(table, name) for name in table.columns]
    where = ""
    if "person_id" in table.columns:
        where = " WHERE t.person_id NOT IN (SELECT person_id FROM space_gone)"
    elif table.name in UNITS.values():
        where = f" WHERE t.{table.name}_id IN (SELECT id FROM kept_{table.name})"
    elif table.name == "fact_relationship":
        where = f" WHERE {_fact_stays('fact_id_1')} AND {_fact_stays('fact_id_2')}"
    order = ""
    if table.schema != "VOCAB":
        order = f" ORDER BY {', '.join(f't.{key}' for key in table.primary_key) or 'ALL'}"
    return int(
        connection.execute(
            f"INSERT INTO space.cdm.{table.name} SELECT {', '.join(cells)}"
            f" FROM source.cdm.{table.name} t{where}{order}"
        ).fetchall()[0][0]
    )


def _cell(table: Table, name: str) -> str:
    column = quoted(name, "duckdb")
    if name in UNITS and table.name != UNITS[name]:
        kept = f"SELECT id FROM kept_{UNITS[name]}"
        return f"CASE WHEN t.{column} IN ({kept}) THEN t.{column} END AS {column}"
    return f"t.{column}"


def _fact_stays(field: str) -> str:
    """Keyed ids of persons and events meet once in 10⁹: the id alone names the fact."""
    return (
        f"t.{field} NOT IN (SELECT person_id FROM space_gone) AND t.{field} NOT IN"
        " (SELECT measurement_id FROM source.cdm.measurement WHERE person_id IN"
        " (FROM space_gone) UNION ALL SELECT specimen_id FROM source.cdm.specimen"
        " WHERE person_id IN (FROM space_gone))"
    )
