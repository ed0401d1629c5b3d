"""Cohorts run on a database that is only read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from entrepot.cohorts.compiling import compile_batch
from entrepot.cohorts.definition import CohortExpression
from entrepot.cohorts.dialects import Dialect
from entrepot.cohorts.outcome import Outcome
from entrepot.errors import ConfigurationError, EntrepotError

if TYPE_CHECKING:
    from sqlalchemy import Engine

# One SELECT holds so many cohorts: more of them save less than the planner takes.
BATCH = 8
_DIALECTS = {
    "postgresql": Dialect.POSTGRES,
    "duckdb": Dialect.DUCKDB,
    "hive": Dialect.SPARK,
    "spark": Dialect.SPARK,
    "sparksql": Dialect.SPARK,
    "databricks": Dialect.SPARK,
}


class ReadDatabase(Protocol):
    """A database that answers SELECTs in its own dialect."""

    @property
    def dialect(self) -> Dialect:
        """Of the SQL it takes."""

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of one SELECT."""


def run_cohorts(
    database: ReadDatabase,
    expressions: Mapping[str, CohortExpression],
    schema: str = "cdm",
    vocabulary_schema: str | None = None,
) -> dict[str, Outcome]:
    """The outcome of every definition, by its name.

    Raises:
        ConfigurationError: a definition asks for a column that CDM 5.4 does not have.
        EntrepotError: the database refused a SELECT.
    """
    found: dict[str, Outcome] = {}
    names = list(expressions)
    for first in range(0, len(names), BATCH):
        batch = dict(enumerate(names[first : first + BATCH]))
        asked = {n: expressions[name] for n, name in batch.items()}
        sql = compile_batch(asked, database.dialect, schema, vocabulary_schema, outcomes=True)
        answers: dict[int, list[Sequence[Any]]] = {n: [] for n in batch}
        for n, *row in database.rows(sql):
            answers[int(n)].append(row)
        found.update({name: Outcome.of(answers[n]) for n, name in batch.items()})
    return found


def open_database(address: str) -> DuckFile | Server:
    """A `.duckdb` file or what a SQLAlchemy URL names, read-only.

    Raises:
        ConfigurationError: there is none, or its SQL is none of the three dialects.
    """
    if "://" not in address or address.startswith("duckdb:"):
        return DuckFile(Path(address.removeprefix("duckdb:///")))
    return Server(address)


class DuckFile:
    """A DuckDB file opened read-only."""

    dialect = Dialect.DUCKDB

    def __init__(self, path: Path) -> None:
        import duckdb

        if not path.is_file():
            raise ConfigurationError("no such database", where=str(path))
        try:
            self._connection = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            raise ConfigurationError(
                f"DuckDB cannot read it ({type(error).__name__})", where=str(path),
                remedy="is it a DuckDB file, and does no other process write to it?",
            ) from None  # fmt: skip

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """See `ReadDatabase`."""
        import duckdb

        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise _refused(error) from None

    def close(self) -> None:
        """Lets the file go."""
        self._connection.close()


class Server:
    """A database that SQLAlchemy reaches; PostgreSQL's sessions are set read-only."""

    def __init__(self, url: str) -> None:
        self._engine, self.dialect = _engine(url)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """See `ReadDatabase`."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.connect() as connection:
                # A percent sign would be read as a placeholder by the driver.
                answer = connection.exec_driver_sql(sql.replace("%", "%%"))
                return [tuple(row) for row in answer]
        except SQLAlchemyError as error:
            raise _refused(error) from None

    def close(self) -> None:
        """Lets the connections go."""
        self._engine.dispose()


def _engine(url: str) -> tuple[Engine, Dialect]:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        name = make_url(url).get_backend_name()
        if name not in _DIALECTS:
            raise ConfigurationError(
                "cohorts are compiled for DuckDB, PostgreSQL and Spark", where="--database"
            )
        options: dict[str, Any] = {}
        if name == "postgresql":
            options = {"options": "-c default_transaction_read_only=on -c jit=off"}
        return create_engine(url, connect_args=options), _DIALECTS[name]
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigurationError(
            f"no database can be reached so ({type(error).__name__})", where="--database",
            remedy="a .duckdb file or a URL like postgresql+psycopg://user@host/name",
        ) from None  # fmt: skip


def _refused(error: Exception) -> EntrepotError:
    # The database's own message may quote rows.
    return EntrepotError(
        f"the database refused the cohort's SELECT ({type(error).__name__})",
        where="--database", remedy="is --schema the CDM's schema, and is it CDM 5.4?",
    )  # fmt: skip
