"""What of a space is not copied but made of its own rows: periods, persons, eras, links, units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import load_cdm
from entrepot.resources import data_file
from entrepot.study.definition import ERAS, Definition, Granted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_UNITS = ("provider", "care_site", "location")


def derive(
    connection: DuckDBPyConnection, site: Site, definition: Definition, tables: Granted
) -> None:
    """What is not copied: periods, persons, eras, links, units, the space's own description."""
    run_sql(connection, site, "observation_period")
    others = [
        (name, column) for name, column in tables["person"].items()
        if not column.treatment.startswith("birth")
        and name not in ("person_id", "gender_concept_id")
    ]  # fmt: skip
    columns = "".join(
        f", study_id('location', p.{name}) AS {name}" if column.treatment == "location"
        else f", p.{name} AS {name}"
        for name, column in others
    )  # fmt: skip
    run_sql(connection, site, "person", month=str(definition.options.birth == "month").lower(),
         columns=columns)  # fmt: skip
    if "fact_relationship" in tables:
        run_sql(connection, site, "links")
    for table in _UNITS:
        if table in tables:
            _copy_units(connection, table, tables)
    if definition.options.vocabulary == "full":
        _copy_vocabulary(connection)
    else:
        _use_vocabulary(connection, site, tables)
    _derive_eras(connection, site, tables)
    text = data_file("mappings/study/source.sql", site.overlays).read_text(encoding="utf-8")
    connection.execute(text, [definition.title[:255], definition.id[:25]])


def _copy_units(connection: DuckDBPyConnection, table: str, tables: Granted) -> None:
    key = f"{table}_id"
    cells = [f"study_id('{table}', {key}) AS {key}"]
    cells += [name for name in tables[table] if name != key]
    used = " UNION ".join(
        f"SELECT {key} FROM draft.cdm.{other}" for other, columns in tables.items()
        if key in columns and other != table
    )  # fmt: skip
    if used:
        connection.execute(
            f"INSERT INTO draft.cdm.{table} BY NAME SELECT {', '.join(cells)} FROM"
            f" core.cdm.{table} WHERE study_id('{table}', {key}) IN ({used})"
        )


def _copy_vocabulary(connection: DuckDBPyConnection) -> None:
    for table in load_cdm().vocabulary_tables:
        connection.execute(f"INSERT INTO draft.cdm.{table.name} FROM core.cdm.{table.name}")


def _use_vocabulary(connection: DuckDBPyConnection, site: Site, tables: Granted) -> None:
    used = [
        f"SELECT DISTINCT CAST({field.name} AS BIGINT) AS concept_id FROM draft.cdm.{table.name}"
        for table in load_cdm()
        if table.schema == "CDM" and (table.name in tables or table.name == "cdm_source")
        for field in table.foreign_keys
        if field.foreign_key and field.foreign_key.table == "concept"
    ]
    source = "SELECT cdm_version_concept_id FROM core.cdm.cdm_source"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE study_used AS {' UNION '.join([*used, source])}"
    )
    run_sql(connection, site, "vocabulary")


def _derive_eras(connection: DuckDBPyConnection, site: Site, tables: Granted) -> None:
    """The core's own SQL over the space's rows: an era is never older than what it joins."""
    wanted = [era for era, source in ERAS.items() if source in tables]
    if not wanted:
        return
    connection.execute("CREATE SCHEMA IF NOT EXISTS memory.work")
    connection.execute("SET search_path = 'memory.work,draft.cdm'")
    for step in ("macros", *wanted):
        path = data_file(f"mappings/omop/{step}.sql", site.overlays)
        connection.execute(path.read_text(encoding="utf-8"))
    connection.execute("USE memory")


def run_sql(connection: DuckDBPyConnection, site: Site, step: str, **values: str) -> None:
    """Runs one file of `mappings/study`.

    Raises:
        ConfigurationError: its SQL is refused.
    """
    import duckdb

    path = data_file(f"mappings/study/{step}.sql", site.overlays)
    text = path.read_text(encoding="utf-8")
    try:
        connection.execute(text.format(**values) if values else text)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        # While it parses and binds, the engine quotes the SQL and the catalogue only.
        raise ConfigurationError(
            f"the SQL is refused: {str(error).splitlines()[0][:200]}", where=str(path),
            remedy="mend the SQL",
        ) from None  # fmt: skip
