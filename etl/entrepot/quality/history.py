"""Results of the loads before: one line per check and load, carried from release to release.

The history is an input of a load, like the vocabulary: what the release in place holds of it, and
no table of the CDM depends on it. It stays bounded, see `quality/history.yaml`.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from entrepot.errors import ConfigurationError
from entrepot.quality.results import ResultLine
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILE = "quality/history.yaml"
NAME = "metric_history"
COLUMNS = {
    "load_number": "INTEGER",
    "load_id": "VARCHAR",
    "release_id": "VARCHAR",
    "as_of": "TIMESTAMP",
    "suite": "VARCHAR",
    "check_id": "VARCHAR",
    "cdm_table": "VARCHAR",
    "cdm_field": "VARCHAR",
    "source": "VARCHAR",
    "category": "VARCHAR",
    "severity": "VARCHAR",
    "action": "VARCHAR",
    "violated": "BIGINT",
    "denominator": "BIGINT",
    "status": "VARCHAR",
}
GATE = "gate"

_THINNED = """DELETE FROM {table} WHERE suite = ? AND load_number NOT IN (
  SELECT load_number FROM (
    SELECT load_number, dense_rank() OVER (ORDER BY load_number DESC) AS age,
      dense_rank() OVER (ORDER BY month DESC) AS months,
      load_number = max(load_number) OVER (PARTITION BY month) AS last_of_month
    FROM (SELECT DISTINCT load_number, date_trunc('month', as_of) AS month
          FROM {table} WHERE suite = ?) loads) aged
  WHERE age <= ? OR last_of_month AND months <= ?)"""


class Kept(BaseModel):
    """How many loads are kept: the newest, and of older ones the last of each month."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recent: Annotated[int, Field(ge=2)]
    months: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class JudgedLoad:
    """One load and what the checks said of it.

    Args:
        load_id: names the load's inputs: judged again from equal inputs it is one load.
        suite: whose checks: `gate`, `strict` or `dqd`; only loads of one suite are compared.
        as_of: local civil time.
    """

    load_id: str
    as_of: dt.datetime
    lines: tuple[ResultLine, ...]
    suite: str = GATE


def load_kept(overlays: Iterable[Path] = ()) -> Kept:
    """Reads `quality/history.yaml`; a site's overlay comes first.

    Raises:
        ConfigurationError: an unknown key or value (file and line named).
    """
    return read_yaml(data_file(FILE, tuple(overlays)), Kept)


def carry_history(
    connection: DuckDBPyConnection, warehouse: Path, load: JudgedLoad, kept: Kept
) -> None:
    """Makes `etl.metric_history` of a candidate: the release's history and this load.

    A former file that cannot be read, or has no history, begins a new one: a damaged release must
    not keep the next one from taking its place.
    """
    import duckdb

    table = f"etl.{NAME}"
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({_columns()})")
    if warehouse.is_file():
        try:
            connection.execute(f"ATTACH {literal(warehouse)} AS former (READ_ONLY)")
        except duckdb.Error:
            pass
        else:
            try:
                connection.execute(f"INSERT INTO {table} BY NAME FROM former.etl.{NAME}")
            except duckdb.Error:
                connection.execute(f"DELETE FROM {table}")
            finally:
                connection.execute("DETACH former")
    _append(connection, table, load, kept)


def carry_file(path: Path, load: JudgedLoad, kept: Kept) -> None:
    """Adds a load to a Parquet file, which is made when there is none.

    Raises:
        ConfigurationError: the file holds something else, or cannot be written.
    """
    import duckdb

    connection = duckdb.connect()
    following = path.with_name(f".{path.name}.next")
    try:
        connection.execute(f"CREATE TABLE {NAME} ({_columns()})")
        if path.is_file():
            connection.execute(f"INSERT INTO {NAME} BY NAME FROM read_parquet({literal(path)})")
        _append(connection, NAME, load, kept)
        path.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(
            f"COPY (FROM {NAME} ORDER BY ALL) TO {literal(following)} (FORMAT parquet)"
        )
        os.replace(following, path)
    except (duckdb.Error, OSError) as error:
        raise ConfigurationError(
            f"the history cannot be read or written ({type(error).__name__})", where=str(path),
            remedy="name a file that an earlier check wrote, or a new one",
        ) from None  # fmt: skip
    finally:
        following.unlink(missing_ok=True)
        connection.close()


def name_release(connection: DuckDBPyConnection, release: str) -> None:
    """Writes under which name the newest load was published."""
    present = connection.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE database_name = current_database()"
        " AND schema_name = 'etl' AND table_name = ? AND column_name = 'release_id'", [NAME],
    ).fetchall()  # fmt: skip
    if present[0][0]:
        connection.execute(f"UPDATE etl.{NAME} SET release_id = ? WHERE release_id = ''", [release])


def _append(connection: DuckDBPyConnection, table: str, load: JudgedLoad, kept: Kept) -> None:
    import pyarrow as pa

    newest = connection.execute(
        f"SELECT max(load_number), arg_max(load_id, load_number) FROM {table} WHERE suite = ?",
        [load.suite],
    ).fetchall()[0]
    number = int(newest[0] or 0) + 1
    if newest[1] == load.load_id:
        number -= 1
        connection.execute(
            f"DELETE FROM {table} WHERE suite = ? AND load_number = ?", [load.suite, number]
        )
    rows = [_row(load, number, line) for line in load.lines]
    if rows:
        connection.register("judged", pa.Table.from_pylist(rows))
        connection.execute(f"INSERT INTO {table} BY NAME FROM judged")
        connection.unregister("judged")
    connection.execute(
        _THINNED.format(table=table), [load.suite, load.suite, kept.recent, kept.months]
    )


def _row(load: JudgedLoad, number: int, line: ResultLine) -> dict[str, Any]:
    return {
        "load_number": number, "load_id": load.load_id, "release_id": "",
        "as_of": load.as_of.replace(tzinfo=None), "suite": load.suite, "check_id": line.check_id,
        "cdm_table": line.table, "cdm_field": line.field, "source": line.source,
        "category": line.category, "severity": line.severity, "action": line.action,
        "violated": line.violated, "denominator": line.denominator, "status": line.status.value,
    }  # fmt: skip


def _columns() -> str:
    return ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())


def literal(path: Path) -> str:
    """A path as an SQL string."""
    return "'" + str(path).replace("'", "''") + "'"
