"""Before a node answers anything: does its compiler give the rows that are known beforehand?

Nodes that compile one definition differently would add up different things. A query names the
compiler's version; what a version means here is tried on a few persons made up for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import canonical
from entrepot.omop.cdm import load_cdm
from entrepot.publish.ddl import ddl
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

FILE = "quality/federation/golden.yaml"
Row = tuple[int, str, str]


class Golden(BaseModel):
    """`quality/federation/golden.yaml`: a small CDM, definitions, and their rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tables: dict[str, list[dict[str, Any]]]
    definitions: dict[str, dict[str, Any]]
    rows: dict[str, list[Row]]


def check_compiler(golden: Golden | None = None) -> str:
    """The compiler's version, once it gave the known rows.

    Args:
        golden: other rows than those that ship.

    Raises:
        ConfigurationError: it gives others; this node answers nothing.
    """
    from entrepot.cohorts import COMPILER_VERSION

    known = golden or read_golden()
    for name, found in compiled_rows(known).items():
        if found != sorted(known.rows[name]):
            raise ConfigurationError(
                "the cohort compiler gives other rows than are known", where=f"{FILE}: {name}",
                remedy="install the release of entrepot that the network uses",
            )  # fmt: skip
    return COMPILER_VERSION


def read_golden() -> Golden:
    """The shipped one: a site's overlay does not replace it."""
    return read_yaml(data_file(FILE), Golden)


def compiled_rows(golden: Golden) -> Mapping[str, list[Row]]:
    """Rows of each definition: person, first and last day (ISO 8601), sorted."""
    import duckdb

    from entrepot.cohorts import Dialect, compile_cohort, read_definition

    found = {}
    with duckdb.connect() as connection:
        connection.execute(ddl("duckdb", enforce_required=False))
        for table, rows in golden.tables.items():
            for row in rows:
                _insert(connection, table, row)
        for name, definition in golden.definitions.items():
            sql = compile_cohort(read_definition(canonical(definition), name), Dialect.DUCKDB)
            answer = connection.execute(sql).fetchall()
            found[name] = sorted((int(who), f"{a}"[:10], f"{b}"[:10]) for who, a, b in answer)
    return found


def _insert(connection: Any, table: str, row: Mapping[str, Any]) -> None:
    """Columns are those of the CDM; a name that it does not have is a KeyError."""
    columns = [load_cdm().table(table).field(name).name for name in row]
    marks = ", ".join("?" for _ in columns)
    connection.execute(
        f"INSERT INTO cdm.{table} ({', '.join(columns)}) VALUES ({marks})", list(row.values())
    )
