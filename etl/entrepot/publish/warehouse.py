"""Opens a published DuckDB warehouse: for our own reading, or locked for a researcher's SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.publish.ddl import DEFAULT_SCHEMA

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS_AT_ONCE = 2048

# `enable_external_access` alone leaves the attached file itself open to COPY … TO and read_blob: a
# researcher could overwrite the release. No file system at all, and no change of configuration.
_LOCK = (
    "SET enable_external_access = false",
    "SET disabled_filesystems = 'LocalFileSystem'",
    "SET lock_configuration = true",
)


def open_warehouse(
    path: Path,
    *,
    read_only: bool = True,
    memory_limit: str = "",
    spill: Path | None = None,
) -> DuckDBPyConnection:
    """A connection in which `cdm.person` and `person` both name the warehouse's table.

    The file is attached to an engine of its own: DuckDB shares one engine per path within a
    process, and would show a release that was replaced since.

    Args:
        memory_limit: as DuckDB writes it (`2GB`); DuckDB's own default when empty.
        spill: folder for what outgrows memory; without one, such a query fails.

    Raises:
        ConfigurationError: there is no file.
        EntrepotError: it is not a DuckDB file, or a writer holds it.
    """
    import duckdb

    if not path.is_file():
        raise ConfigurationError("no warehouse here yet", where=str(path), remedy="entrepot run")
    settings = {"temp_directory": str(spill or ""), "autoload_known_extensions": "false"}
    connection = duckdb.connect(
        config={**settings, **({"memory_limit": memory_limit} if memory_limit else {})}
    )
    try:
        mode = " (READ_ONLY)" if read_only else ""
        connection.execute(f"ATTACH {literal(path)} AS warehouse{mode}")
        connection.execute(f"USE warehouse.{DEFAULT_SCHEMA}")
    except duckdb.Error as error:
        connection.close()
        raise EntrepotError(
            f"the warehouse cannot be opened ({type(error).__name__})",
            where=str(path),
            remedy="end the process that writes it, or run again to make it anew",
        ) from None
    return connection


def query(path: Path, sql: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Runs a researcher's SQL on a warehouse that it can neither change nor leave.

    Returns:
        The column names and an iterator over the rows, which are read as they are asked for.

    Raises:
        ConfigurationError: there is no warehouse.
        EntrepotError: the SQL is wrong or refused, or needs more memory than there is.
    """
    import duckdb

    connection = open_warehouse(path)
    try:
        for statement in _LOCK:
            connection.execute(statement)
        if not connection.extract_statements(sql):
            raise EntrepotError("there is no SQL statement", remedy='entrepot sql "SELECT …"')
        connection.execute(sql)
        columns = [str(column[0]) for column in connection.description or ()]
    except duckdb.Error as error:
        connection.close()
        raise _sql_fault(error) from None
    return columns, _rows(connection)


def literal(path: Path) -> str:
    """A path as an SQL string."""
    return "'" + str(path).replace("'", "''") + "'"


def _rows(connection: DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    import duckdb

    try:
        while connection.description and (rows := connection.fetchmany(_ROWS_AT_ONCE)):
            yield from rows
    except duckdb.Error as error:
        raise _sql_fault(error) from None
    finally:
        connection.close()


def _sql_fault(error: Exception) -> EntrepotError:
    import duckdb

    # While it parses and binds, the engine quotes the SQL and the catalogue only; afterwards it may
    # quote a patient's value, so that only the kind of the fault is told.
    if isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
        return EntrepotError(str(error))
    if isinstance(error, duckdb.OutOfMemoryException):
        return EntrepotError("the query needs more memory", remedy="select fewer rows or columns")
    refused = "read-only" in str(error) or "configuration has been locked" in str(error)
    if refused or isinstance(error, duckdb.PermissionException):
        return EntrepotError("the warehouse is read only and no file can be read or written")
    return EntrepotError(f"the query failed ({type(error).__name__})", remedy="mend the SQL")
