"""Builds the candidate release: staging and vocabulary in, CDM tables and row dispositions out.

Reads no key, no identity. All derivation is SQL of `mappings/omop`, one file per CDM table; this
module only loads the named inputs and runs the files in the road's order.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot import __version__
from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import load_cdm
from entrepot.resources import data_file, data_files
from entrepot.staging.kinds import KINDS
from entrepot.vocabulary.resolve import resolve

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The order of derivation. Tables of the first list come from staged rows, those of the second are
# derived from what the row rules of the gate leave.
MAPPED = (
    "current", "duplicate", "visit", "person", "visit_occurrence", "visit_detail",
    "event_resolved", "condition_occurrence", "procedure_occurrence", "drug_exposure",
    "device_exposure", "measurement", "observation", "specimen", "note", "death",
)  # fmt: skip
DERIVED = (
    "observation_period", "condition_era", "drug_era", "location", "care_site", "provider",
    "fact_relationship", "cdm_source",
)  # fmt: skip

# The whole derivation, before and after codes are resolved to concepts.
BEFORE_CONCEPTS = ("reference", "code_use")
AFTER_CONCEPTS = (*MAPPED, DERIVED[0], "person_unobserved", *DERIVED[1:], "row_disposition")

# Working tables and macros stand in the schema `work`: they outlive the connection, so that the
# gate can derive anew in a process of its own, and never reach the release.
_SEARCH_PATH = "SET search_path = 'work,cdm'"
EMPTY_TABLES = """
CREATE SCHEMA work;
CREATE SCHEMA etl;
CREATE TABLE etl.row_disposition (kind VARCHAR, record_key VARCHAR, row_number INTEGER,
  row_key VARCHAR, disposition VARCHAR, reason VARCHAR);
CREATE TABLE etl.lineage (cdm_table VARCHAR, cdm_id BIGINT, record_key VARCHAR, row_key VARCHAR,
  role VARCHAR DEFAULT 'source');
CREATE TABLE etl.quarantine (cdm_table VARCHAR, cdm_id BIGINT, check_id VARCHAR);
CREATE TABLE etl.run (key VARCHAR, value VARCHAR);
"""
"""What stands beside the CDM in a candidate."""


@dataclass(frozen=True)
class MapInputs:
    """The named inputs of the derivation.

    Args:
        staging: folder of the staging generation.
        vocabulary: DuckDB file of the loaded vocabulary.
        as_of: state of the warehouse, local civil time.
        data_start: first day of electronic records.
        site, title: short and long name, for cdm_source.
        source_ranks: source -> precedence where feeds tell the same fact, 9 speaks first; 5 is
            the rank of a source that is not named.
    """

    staging: Path
    vocabulary: Path
    as_of: dt.datetime
    data_start: dt.date
    site: str
    title: str
    overlays: tuple[Path, ...] = ()
    source_ranks: Mapping[str, int] = field(default_factory=dict)


def open_candidate(path: Path, memory_limit: str, spill: Path) -> DuckDBPyConnection:
    """A new, empty candidate file; what a killed run left is removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
    return _connect(path, memory_limit, spill)


def reopen_candidate(path: Path, memory_limit: str, spill: Path) -> DuckDBPyConnection:
    """A candidate that was built: its tables, macros and staging views as they were left."""
    connection = _connect(path, memory_limit, spill)
    connection.execute(_SEARCH_PATH)
    return connection


def _connect(path: Path, memory_limit: str, spill: Path) -> DuckDBPyConnection:
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "preserve_insertion_order": "false",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
    }
    return duckdb.connect(str(path), config=settings)


def prepare(connection: DuckDBPyConnection, inputs: MapInputs, ddl: str) -> None:
    """Creates the CDM and etl tables, loads vocabulary, concept tables and staging views."""
    connection.execute(ddl)
    connection.execute(EMPTY_TABLES)
    connection.execute(_SEARCH_PATH)
    _load_vocabulary(connection, inputs.vocabulary)
    _load_concept_tables(connection, inputs.overlays)
    for kind in KINDS:
        pattern = str(inputs.staging / kind / "*.parquet").replace("'", "''")
        connection.execute(f"CREATE VIEW staging_{kind} AS SELECT * FROM read_parquet('{pattern}')")
    connection.execute(
        "CREATE TABLE run_parameter AS SELECT ?::TIMESTAMP AS as_of, ?::DATE AS data_start,"
        " ? AS site, ? AS title, ? AS software",
        [inputs.as_of, inputs.data_start, inputs.site, inputs.title, __version__],
    )
    connection.execute(
        "CREATE TABLE source_rank AS SELECT unnest(?::VARCHAR[]) AS source,"
        " unnest(?::INTEGER[]) AS rank",
        [list(inputs.source_ranks), list(inputs.source_ranks.values())],
    )
    run_sql(connection, "macros", inputs.overlays)


def derive(
    connection: DuckDBPyConnection, steps: Iterable[str], overlays: Iterable[Path] = ()
) -> None:
    """Runs the SQL files of the steps, in order."""
    overlays = tuple(overlays)
    for step in steps:
        run_sql(connection, step, overlays)


def build(connection: DuckDBPyConnection, inputs: MapInputs) -> None:
    """Fills every CDM table, `etl.concept_resolution` and `etl.row_disposition`."""
    overlays = inputs.overlays
    derive(connection, BEFORE_CONCEPTS, overlays)
    resolve(connection, inputs.as_of.date(), overlays, into="etl.concept_resolution")
    derive(connection, AFTER_CONCEPTS, overlays)


def rederive(connection: DuckDBPyConnection, overlays: Iterable[Path] = ()) -> None:
    """Makes the derived tables anew from the rows that the gate left."""
    for table in DERIVED:
        connection.execute(f"DELETE FROM cdm.{table}")
    derive(connection, DERIVED, overlays)


def run_sql(connection: DuckDBPyConnection, step: str, overlays: Iterable[Path] = ()) -> None:
    """Runs one file of `mappings/omop`.

    Raises:
        ConfigurationError: the file is missing or its SQL is refused; names file and reason.
    """
    import duckdb

    path = data_file(f"mappings/omop/{step}.sql", overlays)
    try:
        connection.execute(path.read_text(encoding="utf-8"))
    except duckdb.Error as error:
        raise ConfigurationError(
            f"the SQL is refused: {_told(error)}", where=str(path), remedy="mend the mapping's SQL"
        ) from None


def _told(error: Exception) -> str:
    """What DuckDB says of a statement; what it says of a value is kept back."""
    import duckdb

    of_statement = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
    if isinstance(error, of_statement):
        return str(error).splitlines()[0][:200]
    return type(error).__name__


def _load_vocabulary(connection: DuckDBPyConnection, vocabulary: Path) -> None:
    if not vocabulary.is_file():
        raise ConfigurationError(
            "no vocabulary is loaded", where=str(vocabulary), remedy="entrepot vocabulary load DIR"
        )
    path = str(vocabulary).replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS vocabulary (READ_ONLY)")
    held = {
        row[0]
        for row in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'vocabulary'"
        ).fetchall()
    }
    for table in load_cdm().tables:
        if table.schema == "VOCAB" and table.name in held:
            connection.execute(
                f"INSERT INTO cdm.{table.name} BY NAME SELECT * FROM vocabulary.{table.name}"
            )
    connection.execute("DETACH vocabulary")


def _load_concept_tables(connection: DuckDBPyConnection, overlays: Iterable[Path]) -> None:
    """`mappings/concepts/x.csv` as table `map_x`: ids as BIGINT, everything else as text."""
    import duckdb

    for path in data_files("mappings/concepts", "*.csv", overlays):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        columns = ", ".join(
            f"'{name}': '{'BIGINT' if name.endswith('concept_id') else 'VARCHAR'}'"
            for name in header
        )
        source = str(path).replace("'", "''")
        try:
            connection.execute(
                f"CREATE TABLE map_{path.stem} AS SELECT * FROM read_csv('{source}',"
                f" header = true, delim = ',', quote = '\"', columns = {{{columns}}})"
            )
        except duckdb.Error as error:
            raise ConfigurationError(
                f"the table cannot be read ({type(error).__name__})",
                where=str(path),
                remedy="compare its header and ids with the shipped file",
            ) from None
