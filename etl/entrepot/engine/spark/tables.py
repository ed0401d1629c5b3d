"""The candidate's tables as Parquet that Spark reads and writes, each behind a temporary view.

A table is a list of parts: what the candidate held when it was first read, then one part for each
INSERT. Nothing is changed in place, so that a statement that is repeated finds what it read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from entrepot.engine.spark.dialect import Name
from entrepot.errors import ConfigurationError
from entrepot.publish.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import DataFrame, SparkSession

WORK = "work"
_SEARCHED = ("temp", WORK, "main", "cdm")
_TYPES = {
    "BIGINT": "bigint", "INTEGER": "int", "VARCHAR": "string", "DATE": "date",
    "TIMESTAMP": "timestamp_ntz", "BOOLEAN": "boolean",
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")


@dataclass
class Stored:
    """One table.

    Args:
        columns: name -> Spark type, in the table's order.
        defaults: column -> SQL of its value where an INSERT names it not.
        written: whether Spark changed it.
    """

    columns: dict[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    parts: list[Path] = field(default_factory=list)
    written: bool = False

    @property
    def ddl(self) -> str:
        """Its schema as Spark reads it."""
        return ", ".join(f"`{name}` {kind}" for name, kind in self.columns.items())


class Tables:
    """The tables of one derivation.

    Args:
        connection: the prepared candidate, where tables come from when first read.
        folder: where Parquet is written, seen by all workers.
        staging: folder of the staging generation, which is Parquet already.
    """

    def __init__(
        self, session: SparkSession, connection: DuckDBPyConnection, folder: Path, staging: Path
    ) -> None:
        self._session, self._connection = session, connection
        self._folder, self._staging = folder, staging
        self._stored: dict[Name, Stored] = {}
        self._views: set[Name] = set()
        self._aliases: dict[Name, Name] = {}
        self._numbers = count()
        self._lock = RLock()  # statements run at once; DuckDB's connection serves one at a time

    def view(self, name: Name) -> str:
        """The temporary view of a table, which is read from the candidate if it is new here.

        Raises:
            ConfigurationError: there is no such table.
        """
        full = self.full(name)
        if full not in self._views:
            self.stored(full)
        return _view(full)

    def full(self, name: Name) -> Name:
        """Schema and table of a name as the SQL says it."""
        schema, table = name = self._aliases.get(name, name)
        if schema:
            return name
        with self._lock:
            return (WORK, table) if (WORK, table) in self._views else self._found(table)

    def alias(self, name: Name, other: Name) -> None:
        """Lets the SQL call a table by another name."""
        self._aliases[name] = other

    def stored(self, full: Name) -> Stored:
        """A table's parts, read from the candidate if it is new here."""
        with self._lock:
            if full not in self._stored:
                self._stored[full] = self._import(full)
                self._show(full)
            return self._stored[full]

    def written(self) -> dict[Name, Stored]:
        """The tables that Spark changed."""
        return {name: one for name, one in self._stored.items() if one.written}

    def define(self, name: Name, frame: DataFrame) -> None:
        """A view: named, not computed."""
        full = (name[0] or WORK, name[1])
        frame.createOrReplaceTempView(_view(full))
        self._views.add(full)

    def create(self, name: Name, frame: DataFrame) -> None:
        """CREATE [OR REPLACE] TABLE … AS."""
        full = (name[0] or WORK, name[1])
        columns = {one.name: one.dataType.simpleString() for one in frame.schema.fields}
        self._stored[full] = Stored(columns, written=True)
        self._write(full, frame)

    def replace(self, name: Name, frame: DataFrame) -> None:
        """The table holds these rows alone."""
        full = self.full(name)
        former = self.stored(full)
        self._stored[full] = Stored(former.columns, former.defaults, written=True)
        self._write(full, frame)

    def append(self, name: Name, frame: DataFrame, columns: list[str]) -> None:
        """INSERT: the frame's columns are those of the table that are named, in their order.

        Raises:
            ConfigurationError: the table has no such column.
        """
        full = self.full(name)
        stored = self.stored(full)
        unknown = set(columns) - set(stored.columns)
        if unknown or len(frame.columns) != len(columns):
            raise ConfigurationError(
                f"no column {min(unknown)}" if unknown else "the number of columns differs",
                where=".".join(full), remedy="mend the mapping's SQL",
            )  # fmt: skip
        stored.written = True
        self._write(full, _typed(frame.toDF(*columns), stored))

    def _write(self, full: Name, frame: DataFrame) -> None:
        target = self._part(full)
        frame.write.option("compression", "zstd").parquet(str(target))
        with self._lock:
            self._stored[full].parts.append(target)
            self._show(full)

    def _part(self, full: Name) -> Path:
        return self._folder / full[0] / full[1] / f"{next(self._numbers):04d}"

    def _show(self, full: Name) -> None:
        stored = self._stored[full]
        if stored.parts:
            paths = [str(part) for part in stored.parts]
            frame = self._session.read.schema(stored.ddl).parquet(*paths)
        else:
            empty = (f"CAST(NULL AS {kind}) AS `{name}`" for name, kind in stored.columns.items())
            frame = self._session.sql(f"SELECT {', '.join(empty)} WHERE false")
        frame.createOrReplaceTempView(_view(full))
        self._views.add(full)

    def _import(self, full: Name) -> Stored:
        """A table of the candidate; staging is read where it lies."""
        schema, table = full
        columns, defaults = self._described(full)
        if schema == WORK and table.startswith("staging_"):
            return Stored(columns, parts=[self._staging / table.removeprefix("staging_")])
        source = f"{'temp' if self._is_temporary(table, schema) else schema}.{table}"
        [count] = self._connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
        stored = Stored(columns, defaults)
        if count:
            target = self._part(full)
            target.mkdir(parents=True)
            file = literal(target / "candidate.parquet")
            self._connection.execute(f"COPY {source} TO {file} (FORMAT parquet)")
            stored.parts.append(target)
        return stored

    def _described(self, full: Name) -> tuple[dict[str, str], dict[str, str]]:
        lines = self._connection.execute(
            "SELECT column_name, data_type, column_default FROM duckdb_columns()"
            " WHERE (schema_name = ? OR (? AND database_name = 'temp')) AND table_name = ?"
            " ORDER BY column_index",
            [full[0], full[0] == WORK, full[1]],
        ).fetchall()
        if not lines:
            raise ConfigurationError(
                "no such table", where=".".join(full), remedy="mend the mapping's SQL"
            )
        columns = {name: _type(kind) for name, kind, _ in lines}
        return columns, {name: default for name, _, default in lines if default}

    def _found(self, table: str) -> Name:
        """Where DuckDB finds an unqualified name; a temporary table counts as working matter."""
        for schema in _SEARCHED:
            temporary = schema == "temp"
            found = self._is_temporary(table, WORK) if temporary else self._exists(schema, table)
            if found:
                return (WORK if temporary else schema), table
        raise ConfigurationError("no such table", where=table, remedy="mend the mapping's SQL")

    def _exists(self, schema: str, table: str) -> bool:
        return bool(self._connection.execute(
            "SELECT 1 FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?"
            " AND database_name <> 'temp' LIMIT 1", [schema, table],
        ).fetchall())  # fmt: skip

    def _is_temporary(self, table: str, schema: str) -> bool:
        return schema == WORK and bool(self._connection.execute(
            "SELECT 1 FROM duckdb_columns() WHERE database_name = 'temp' AND table_name = ?"
            " LIMIT 1", [table],
        ).fetchall())  # fmt: skip


def _view(full: Name) -> str:
    return f"{full[0]}__{full[1]}"


def _type(duckdb_type: str) -> str:
    return duckdb_type.lower() if _DECIMAL.fullmatch(duckdb_type) else _TYPES[duckdb_type]


def _typed(frame: DataFrame, stored: Stored) -> DataFrame:
    """The table's columns in its order and types: named ones cast, others by default or NULL."""
    from pyspark.sql import functions

    cells = []
    for name, kind in stored.columns.items():
        if name in frame.columns:
            cell = frame[name]
        else:
            cell = functions.expr(stored.defaults.get(name, "NULL"))
        cells.append(cell.cast(kind).alias(name))
    return frame.select(*cells)
