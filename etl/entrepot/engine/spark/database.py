"""A CDM that Spark reads, asked like any other database.

`spark:FOLDER` is a lake of Parquet, one file or folder per table; `spark:` alone is the catalogue
that spark-defaults.conf names, whose database is given by `--schema`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.engine.spark.dialect import Name, spark_sql
from entrepot.engine.spark.session import active, reading, start
from entrepot.errors import ConfigurationError
from entrepot.quality.database import BASELINE, SCHEMA, Database, QueryError, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PREFIX = "spark:"
_numbers = count()


def open_spark(address: str, schema: str = SCHEMA) -> SparkDatabase:
    """Opens what an address `spark:…` names, for reading.

    Raises:
        ConfigurationError: there is no such lake or database, or Spark does not start.
    """
    place = address.removeprefix(PREFIX)
    if place and not Path(place).is_dir():
        raise ConfigurationError("no such folder of Parquet tables", where=place)
    root = Path(tempfile.mkdtemp(prefix="entrepot-spark-"))
    session = active()
    try:
        used = start(_settings(root, place), root) if session is None else session
        database = SparkDatabase(used, place, schema, root)
        if session is None:
            database.own = True
        return database
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise


def _settings(root: Path, place: str) -> dict[str, str]:
    """A lake on this machine is read by this machine; a catalogue by its cluster."""
    return reading(root) | ({"spark.master": "local[*]"} if place else {})


class SparkDatabase:
    """See `entrepot.quality.database.Database`.

    Args:
        place: folder of a lake; empty for the session's catalogue.
        root: folder for all that Spark writes, removed in the end.
    """

    own = False  # whether the session was started for this database

    def __init__(self, session: SparkSession, place: str, schema: str, root: Path) -> None:
        self._session, self._root = session, root
        self._number = next(_numbers)
        self._held: list[DataFrame] = []
        self._views: list[str] = []
        self._frames = dict(_lake(session, Path(place)) if place else _catalogue(session, schema))
        if not self._frames:
            raise ConfigurationError("there is no table in it", where=place or schema)
        for name, frame in self._frames.items():
            self._show(frame, SCHEMA, name)

    def _show(self, frame: DataFrame, schema: str, name: str) -> None:
        self._views.append(self._view(schema, name))
        frame.createOrReplaceTempView(self._views[-1])

    def _view(self, schema: str, name: str) -> str:
        return f"entrepot_{self._number}_{schema}_{name}"

    def beside(self, baseline: Database) -> bool:
        """See `Database`."""
        if not isinstance(baseline, SparkDatabase):
            return False
        for name, frame in baseline._frames.items():
            self._show(frame, BASELINE, name)
        return True

    def hold(self, name: str, select: str) -> bool:
        """See `Database`; the answer stays in Spark's cache, which may lie on its disks."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            frame = self._session.sql(self._carried(select)).cache()
            self._show(frame, "held", name)
        except (PySparkException, Py4JError) as error:
            raise QueryError(f"a query failed ({type(error).__name__})") from None
        self._held.append(frame)
        return True

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """See `Database`."""
        return {
            name: {field.name.lower(): field.dataType.simpleString() for field in frame.schema}
            for name, frame in self._frames.items()
        }

    def rows(self, sql: str) -> list[Row]:
        """See `Database`."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            return [tuple(row) for row in self._session.sql(self._carried(sql)).collect()]
        except (PySparkException, Py4JError) as error:
            raise QueryError(f"a query failed ({type(error).__name__})") from None

    def _carried(self, sql: str) -> str:
        import sqlglot

        try:
            return spark_sql(sqlglot.parse_one(sql, read="duckdb"), {}, self._named, "a check")
        except ConfigurationError as error:
            raise QueryError(str(error)) from None

    def _named(self, name: Name) -> str:
        schema, table = name
        return self._view(schema or "held", table)

    def close(self) -> None:
        """See `Database`."""
        for frame in self._held:
            frame.unpersist()
        for view in self._views:
            self._session.catalog.dropTempView(view)
        if self.own:
            self._session.stop()
        shutil.rmtree(self._root, ignore_errors=True)


def _lake(session: SparkSession, folder: Path) -> Iterator[tuple[str, DataFrame]]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.suffix == ".parquet":
            yield path.name.partition(".")[0].lower(), session.read.parquet(str(path))


def _catalogue(session: SparkSession, schema: str) -> Iterator[tuple[str, DataFrame]]:
    if not session.catalog.databaseExists(schema):
        raise ConfigurationError(
            f"the catalogue has no database {schema}", where="--schema",
            remedy="name its database: --schema NAME",
        )  # fmt: skip
    for table in session.catalog.listTables(schema):
        yield table.name.lower(), session.table(f"`{schema}`.`{table.name}`")
