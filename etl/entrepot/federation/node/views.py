"""What a question is asked of: the frozen release without excluded persons, for reading alone.

Nothing here knows a key, the register or the network. The persons to leave out come as numbers.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.federation.node.relations import allowed, selects
from entrepot.publish.warehouse import literal

Row = tuple[Any, ...]
DUCKDB, POSTGRES = "duckdb", "postgres"
# As `entrepot sql` locks a researcher's connection: no file system, no change of configuration.
_LOCK = (
    "SET enable_external_access = false",
    "SET disabled_filesystems = 'LocalFileSystem'",
    "SET lock_configuration = true",
)


class QuestionError(EntrepotError):
    """The database refused or interrupted a question; its message may quote data: left out."""


class NodeDatabase(Protocol):
    """The relations of a study in schema `cdm`."""

    @property
    def dialect(self) -> str:
        """`duckdb` or `postgres`."""

    def rows(self, sql: str, dialect: str = DUCKDB) -> list[Row]:
        """The rows of one SELECT.

        Args:
            dialect: that `sql` is written in; carried over when the database speaks another.

        Raises:
            QuestionError: not one SELECT, a relation that is not the study's, or too much time or
                memory.
        """

    def close(self) -> None:
        """Lets the release go."""


class DuckViews:
    """Views in memory over a release's file that is attached for reading.

    The catalogue of the file has a random name: SQL that was not made here cannot name the tables
    behind the views.
    """

    dialect = DUCKDB

    def __init__(
        self, path: Path, tables: Iterable[str], excluded: Collection[int], *,
        memory_limit: str = "2GB", seconds: float = 600, spill: Path | None = None,
    ) -> None:  # fmt: skip
        """Opens the release.

        Args:
            tables: of the study card.
            excluded: `person_id` of whoever opposed or was erased.
            seconds: after which a question is interrupted.

        Raises:
            ConfigurationError: there is no release, or it is not one.
        """
        import duckdb

        if not path.is_file():
            raise ConfigurationError("no release here", where=path.name, remedy="entrepot run")
        self._seconds = seconds
        self._connection = duckdb.connect(
            config={
                "memory_limit": memory_limit, "temp_directory": str(spill or ""),
                "autoload_known_extensions": "false",
            }
        )  # fmt: skip
        try:
            self._open(path, allowed(tables), excluded)
        except duckdb.Error as error:
            self._connection.close()
            raise ConfigurationError(
                f"the release cannot be read ({type(error).__name__})", where=path.name,
                remedy="entrepot run makes another",
            ) from None  # fmt: skip

    def _open(self, path: Path, tables: Iterable[str], excluded: Collection[int]) -> None:
        behind, aside = f"r{secrets.token_hex(16)}", f"x{secrets.token_hex(16)}"
        run = self._connection.execute
        run(f"ATTACH {literal(path)} AS {behind} (READ_ONLY)")
        run(f"CREATE SCHEMA {aside}")
        run(f"CREATE TABLE {aside}.excluded (person_id BIGINT PRIMARY KEY)")
        run(f"INSERT INTO {aside}.excluded SELECT unnest(?::BIGINT[])", [sorted(set(excluded))])
        run("CREATE SCHEMA cdm")
        source = f"{behind}.cdm."
        without = f"memory.{aside}.excluded"
        for name, select in selects(tables, lambda table: source + table, without):
            run(f"CREATE VIEW cdm.{name} AS {select}")
        for statement in _LOCK:
            run(statement)

    def rows(self, sql: str, dialect: str = DUCKDB) -> list[Row]:
        """See `NodeDatabase`."""
        import duckdb

        text = carried(sql, dialect, self.dialect)
        try:
            found = self._connection.extract_statements(text)
            if len(found) != 1 or found[0].type != duckdb.StatementType.SELECT:
                raise QuestionError("not one SELECT")
            with self._interrupted():
                return self._connection.execute(found[0]).fetchall()
        except duckdb.Error as error:
            raise QuestionError(f"the question failed ({type(error).__name__})") from None

    @contextmanager
    def _interrupted(self) -> Iterator[None]:
        """DuckDB has no statement timeout of its own."""
        timer = threading.Timer(self._seconds, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Lets the release go."""
        self._connection.close()


def carried(sql: str, read: str, write: str, schema: str = "") -> str:
    """SQL in another dialect; with `schema`, what it calls `cdm` is there.

    Raises:
        QuestionError: it cannot be read.
    """
    if read == write and not schema:
        return sql
    import sqlglot
    from sqlglot import exp

    try:
        trees = sqlglot.parse(sql, read=read)
    except sqlglot.errors.SqlglotError:
        raise QuestionError("not one SELECT") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise QuestionError("not one SELECT")
    tree = trees[0]
    for table in tree.find_all(exp.Table):
        if schema and table.db == "cdm":
            table.set("db", exp.to_identifier(schema, quoted=True))
    return str(tree.sql(dialect=write))
