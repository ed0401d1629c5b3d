"""Builds the draft of a space: every table shifted, re-keyed and cut, in SQL over the release.

The draft, the map of persons and what spills from memory lie in the identifying zone and go when
the space is made: only `finishing.finish` writes what a researcher sees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring
from entrepot.publish.ddl import ddl, quoted
from entrepot.publish.warehouse import literal
from entrepot.resources import data_file
from entrepot.staging.kinds import KINDS
from entrepot.study.definition import Definition, Granted
from entrepot.study.derived import derive, run_sql
from entrepot.study.keys import LAST_WEEKS, make_macros
from entrepot.study.persons import Pair, anchors
from entrepot.study.selects import EVENTS, event_select
from entrepot.study.texts import mask_values, rewrite_notes

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CohortRow = tuple[int, dt.date | None, dt.date | None]


@dataclass(frozen=True)
class Cut:
    """Whom and what a draft leaves in.

    Args:
        cohort: person ids of the core with the cohort's dates, if it has any.
        opposed: person ids of the core that stay out.
        mothers: (child, mother) as the register says.
    """

    cohort: Iterable[CohortRow]
    opposed: Iterable[int] = ()
    mothers: Iterable[Pair] = ()


@contextmanager
def opened(work: Path, memory_limit: str) -> Iterator[DuckDBPyConnection]:
    """An engine in memory whose spill is encrypted: it holds the map of persons."""
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(work / "spill"),
            "temp_file_encryption": "true",
            "autoload_known_extensions": "false",
        }
    )
    try:
        yield connection
    except duckdb.Error as error:
        raise EntrepotError(
            f"the space cannot be built ({type(error).__name__})", where=str(work.name),
            remedy="see whether the disk is full and the release readable, then try again",
        ) from None  # fmt: skip
    finally:
        connection.close()


def build_draft(
    connection: DuckDBPyConnection,
    site: Site,
    keyring: Keyring,
    definition: Definition,
    tables: Granted,
    cut: Cut,
    draft: Path,
) -> dict[str, int]:
    """Fills `draft`, a new DuckDB file with the CDM's 39 tables in schema `cdm`.

    Returns:
        Rows of the cohort's persons that the space does not show, by table.

    Raises:
        ConfigurationError: nothing is published, or SQL of `mappings/study` is refused.
        EntrepotError: the release cannot be read, the disk is full.
    """
    _attach(connection, site.warehouse, draft)
    make_macros(connection, keyring, definition.id)
    run_sql(connection, site, "macros")
    _give_inputs(connection, site, cut)
    run_sql(connection, site, "persons", birth=definition.options.birth)
    _stage(connection, site)
    run_sql(connection, site, "precision")
    if definition.options.notes:
        run_sql(connection, site, "notes")
        rewrite_notes(connection)
        run_sql(connection, site, "rewritten")
    mask_values(connection, tables)
    left_out = {
        table: _fill(connection, definition, tables, table) for table in EVENTS if table in tables
    }
    derive(connection, site, definition, tables)
    connection.execute("CHECKPOINT draft")
    return {table: rows for table, rows in left_out.items() if rows}


def _attach(connection: DuckDBPyConnection, warehouse: Path, draft: Path) -> None:
    if not warehouse.is_file():
        raise ConfigurationError(
            "nothing is published yet", where=str(warehouse), remedy="entrepot run"
        )
    connection.execute(f"ATTACH {literal(warehouse)} AS core (READ_ONLY)")
    connection.execute(f"ATTACH {literal(draft)} AS draft")
    draft.chmod(0o600)
    connection.execute("USE draft")
    connection.execute(ddl("duckdb"))
    connection.execute("USE memory")


def _give_inputs(connection: DuckDBPyConnection, site: Site, cut: Cut) -> None:
    import pyarrow as pa

    persons, first, last = zip(*cut.cohort, strict=True) if cut.cohort else ((), (), ())
    links = [*cut.mothers, *_published_links(connection, site)]
    anchored = anchors(links)
    given = {
        "study_cohort": {
            "person_id": pa.array(persons, pa.int64()),
            "first_day": pa.array(first, pa.date32()),
            "last_day": pa.array(last, pa.date32()),
        },
        "study_opposed": {"person_id": pa.array(list(cut.opposed), pa.int64())},
        "study_kin": {
            "person_id": pa.array(list(anchored), pa.int64()),
            "anchor": pa.array(list(anchored.values()), pa.int64()),
        },
    }
    for name, columns in given.items():
        connection.register("study_input", pa.table(columns))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM study_input")
        connection.unregister("study_input")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE study_window AS SELECT CAST(? AS DATE) AS first_day,"
        " max(cdm_release_date) - ? AS end_day FROM core.cdm.cdm_source",
        [site.config.data_start, 7 * LAST_WEEKS],
    )


def _published_links(connection: DuckDBPyConnection, site: Site) -> list[Pair]:
    """(child, mother) of the release; the register's say the same unless it was restored."""
    path = data_file("mappings/concepts/constants.csv", site.overlays)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE study_domain AS SELECT replace(name, 'domain_', '') AS name,"
        f" CAST(concept_id AS BIGINT) AS concept_id FROM read_csv({literal(path)}, header = true,"
        " all_varchar = true) WHERE name LIKE 'domain_%' OR name = 'relationship_mother_of'"
    )
    found: list[Pair] = connection.execute(
        "SELECT r.fact_id_2, r.fact_id_1 FROM core.cdm.fact_relationship r"
        " JOIN study_domain m ON m.name = 'relationship_mother_of'"
        " AND m.concept_id = r.relationship_concept_id"
        " JOIN study_domain p ON p.name = 'person' AND p.concept_id = r.domain_concept_id_1"
    ).fetchall()
    return found


def _stage(connection: DuckDBPyConnection, site: Site) -> None:
    """Views of the staged events and documents of the newest generation; empty without one."""
    generations = sorted(site.staging.glob("[0-9]*"))
    for kind in ("event", "document"):
        name = f"staging_{kind}"
        folder = generations[-1] / kind if generations else None
        if folder is not None and any(folder.glob("*.parquet")):
            pattern = literal(folder / "*.parquet")
            connection.execute(
                f"CREATE OR REPLACE TEMP VIEW {name} AS FROM read_parquet({pattern})"
            )
        else:
            connection.register(f"{name}_empty", KINDS[kind].schema.empty_table())
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {name}_empty")


def _fill(
    connection: DuckDBPyConnection, definition: Definition, tables: Granted, table: str
) -> int:
    """Inserts the rows of one table; how many of the cohort's persons it leaves out."""
    columns = tables[table]
    names = ", ".join(quoted(name, "duckdb") for name in columns)
    options = definition.options
    select = event_select(
        table, columns, full=options.datetimes == "full", bound=options.events == "cohort"
    )
    shown = connection.execute(f"INSERT INTO draft.cdm.{table} ({names}) {select}").fetchall()[0][0]
    there = connection.execute(
        f"SELECT count(*) FROM core.cdm.{table} s JOIN study_person m ON m.person_id = s.person_id"
    ).fetchall()[0][0]
    for name in ("preceding_visit_occurrence_id", "preceding_visit_detail_id",
                 "parent_visit_detail_id"):  # fmt: skip
        if name in columns:
            connection.execute(
                f"UPDATE draft.cdm.{table} SET {name} = NULL WHERE {name} NOT IN"
                f" (SELECT {table}_id FROM draft.cdm.{table})"
            )
    return int(there - shown)
