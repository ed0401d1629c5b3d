"""Any OMOP CDM database behind one question: SQL in DuckDB's dialect, read-only, values back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from entrepot.errors import ConfigurationError, EntrepotError

if TYPE_CHECKING:
    from sqlalchemy import Engine

SCHEMA, BASELINE = "cdm", "base"
Row = tuple[Any, ...]
_TABLES = """SELECT DISTINCT table_name FROM information_schema.tables
    WHERE table_catalog = '{catalog}' AND lower(table_schema) = '{schema}'"""
_SERVER = """SELECT table_schema, table_name, column_name, lower(data_type)
    FROM information_schema.columns WHERE lower(table_schema) = '{schema}' """
# The standard's views leave these out.
_MATERIALIZED = """SELECT n.nspname, c.relname, a.attname, lower(format_type(a.atttypid, NULL))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'm' AND a.attnum > 0 AND NOT a.attisdropped
    AND lower(n.nspname) = '{schema}' AND has_table_privilege(c.oid, 'SELECT')"""
_COLUMNS = """SELECT lower(table_name), lower(column_name), lower(data_type)
    FROM information_schema.columns WHERE lower(table_schema) = '{schema}' """


class QueryError(EntrepotError):
    """The database refused a query; its message may quote data and is left out."""


Item = TypeVar("Item")


def counted(
    database: Database, items: Sequence[Item], query: Callable[[Sequence[Item]], str]
) -> Iterator[tuple[Item, tuple[int, int] | None]]:
    """Violated and denominator of each item by one query for all; where it fails, one a half.

    Args:
        query: answers two numbers for each of its items, in their order.

    Yields:
        (item, its two numbers); None for the item that makes a query fail.
    """
    if not items:
        return
    try:
        numbers = database.rows(query(items))[0]
    except QueryError:
        if len(items) == 1:
            yield items[0], None
            return
        middle = len(items) // 2
        yield from counted(database, items[:middle], query)
        yield from counted(database, items[middle:], query)
        return
    yield from paired(items, numbers)


def paired(items: Sequence[Item], numbers: Row) -> Iterator[tuple[Item, tuple[int, int]]]:
    """Each item with its two numbers of one answer."""
    for n, item in enumerate(items):
        yield item, (int(numbers[2 * n]), int(numbers[2 * n + 1]))


class Database(Protocol):
    """A CDM that can be asked; SQL calls its schema `cdm` whatever its name is there."""

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Type of every column, as the database names it, by table and column in lower case."""

    def rows(self, sql: str) -> list[Row]:
        """Answers one query in DuckDB's dialect; raises QueryError."""

    def beside(self, baseline: Database) -> bool:
        """Makes the baseline's rows readable as schema `base`; False where that cannot be."""

    def hold(self, name: str, select: str) -> bool:
        """Keeps an answer as table `name` beside the database; False where that cannot be."""

    def close(self) -> None:
        """Lets the database go."""


def open_database(address: str, schema: str = "cdm") -> Database:
    """Opens a `.duckdb` file, or what a SQLAlchemy URL names, for reading.

    Raises:
        ConfigurationError: there is none, it cannot be read, or it has no such schema.
    """
    if not schema.replace("_", "").isalnum():
        raise ConfigurationError("a schema's name has letters, digits and _", where="--schema")
    database: Database = (
        SqlDatabase(address, schema) if "://" in address and not address.startswith("duckdb:")
        else DuckDatabase(Path(address.removeprefix("duckdb:///")), schema)
    )  # fmt: skip
    if database.columns():
        return database
    database.close()
    raise ConfigurationError(
        f"the database has no table in schema {schema}", where="--database",
        remedy="name its schema: --schema NAME; on a server the role also needs GRANT USAGE on the"
        " schema and GRANT SELECT on its tables",
    )  # fmt: skip


class DuckDatabase:
    """A DuckDB file, opened for reading beside an empty database that holds views on it."""

    def __init__(self, path: Path, schema: str = "cdm") -> None:
        import duckdb

        if not path.is_file():
            raise ConfigurationError("no such database", where=str(path))
        self._path, self._schema = path, schema
        self._connection = duckdb.connect()
        try:
            self._attach(path, schema, "source", SCHEMA)
        except duckdb.Error as error:
            self._connection.close()
            raise ConfigurationError(
                f"DuckDB cannot read it ({type(error).__name__})", where=str(path),
                remedy="is it a DuckDB file, and does no other process write to it?",
            ) from None  # fmt: skip

    def _attach(self, path: Path, schema: str, catalog: str, views: str) -> None:
        import duckdb

        quoted = str(path).replace("'", "''")
        self._connection.execute(f"ATTACH '{quoted}' AS {catalog} (READ_ONLY)")
        self._connection.execute(f"CREATE SCHEMA {views}")
        for (table,) in self.rows(_TABLES.format(catalog=catalog, schema=schema.lower())):
            with suppress(duckdb.Error):  # a view over something that is gone: no table
                self._connection.execute(
                    f'CREATE VIEW {views}."{table.lower()}" AS FROM {catalog}."{schema}"."{table}"'
                )

    def beside(self, baseline: Database) -> bool:
        """See `Database`."""
        if not isinstance(baseline, DuckDatabase):
            return False
        self._attach(baseline._path, baseline._schema, "before", BASELINE)
        return True

    def hold(self, name: str, select: str) -> bool:
        """See `Database`; the table lies in memory, the file is only read."""
        import duckdb

        try:
            self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS {select}")
        except duckdb.Error as error:
            raise QueryError(f"a query failed ({type(error).__name__})") from None
        return True

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """See `Database`."""
        local = "AND table_catalog = current_database()"
        return _by_table(self.rows(_COLUMNS.format(schema=SCHEMA) + local))

    def rows(self, sql: str) -> list[Row]:
        """See `Database`."""
        import duckdb

        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise QueryError(f"a query failed ({type(error).__name__})") from None

    def close(self) -> None:
        """See `Database`."""
        self._connection.close()


class SqlDatabase:
    """A database server that SQLAlchemy reaches; PostgreSQL is the one that is tested."""

    def __init__(self, url: str, schema: str = "cdm") -> None:
        self._schema, self._baseline = schema, ""
        self._tables: dict[str, str] = {}
        self._engine = _engine(url)

    def beside(self, baseline: Database) -> bool:
        """See `Database`; two schemas of one database can be read together."""
        if not isinstance(baseline, SqlDatabase) or baseline._engine.url != self._engine.url:
            return False
        self._baseline = baseline._schema
        return True

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """See `Database`.

        The schema may be given in any case. A column whose name is not in lower case is none: SQL
        that does not quote it would not find it.
        """
        schema = self._schema.lower()
        try:
            lines = self.rows(_SERVER.format(schema=schema))
            if self._engine.dialect.name == "postgresql":
                lines += self.rows(_MATERIALIZED.format(schema=schema))
        except QueryError as error:
            raise ConfigurationError(
                error.what, where="--database", remedy="is the server up, and the URL right?"
            ) from None
        schemas = sorted({line[0] for line in lines})
        if schemas and self._schema not in schemas:
            self._schema = schemas[0]
        held = [line[1:] for line in lines if line[0] == self._schema]
        self._tables = {table.lower(): table for table, _, _ in held}
        return _by_table([
            (table.lower(), column, kind) for table, column, kind in held
            if column == column.lower()
        ])  # fmt: skip

    def rows(self, sql: str) -> list[Row]:
        """See `Database`."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.exec_driver_sql(self._carried(sql))]
        except SQLAlchemyError as error:
            raise QueryError(
                f"a query failed ({type(error).__name__})", where=f"schema {self._schema}",
                remedy="may the role read every table of the schema (GRANT SELECT)?",
            ) from None  # fmt: skip

    def hold(self, name: str, select: str) -> bool:
        """See `Database`: a server that is only read takes no table."""
        return False

    def _carried(self, sql: str) -> str:
        """`sql` in the server's dialect, over the schema's real name."""
        import sqlglot
        from sqlglot import exp

        tree = sqlglot.parse_one(sql, read="duckdb")
        names = {SCHEMA: self._schema, BASELINE: self._baseline}
        for table in tree.find_all(exp.Table):
            if table.db in names:
                table.set("db", exp.to_identifier(names[table.db], quoted=True))
                name = self._tables.get(table.name.lower(), table.name)
                table.set("this", exp.to_identifier(name, quoted=True))
        dialect = self._engine.dialect.name.replace("postgresql", "postgres")
        # A percent sign would be read as a placeholder by the driver.
        return str(tree.sql(dialect=dialect)).replace("%", "%%")

    def close(self) -> None:
        """See `Database`."""
        self._engine.dispose()


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return create_engine(
            url, isolation_level="AUTOCOMMIT",
            connect_args={"options": "-c default_transaction_read_only=on"},
        )  # fmt: skip
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigurationError(
            f"no database can be reached so ({type(error).__name__})", where="--database",
            remedy="a .duckdb file or a URL like postgresql+psycopg://user@host/name",
        ) from None  # fmt: skip


def _by_table(lines: list[Row]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in lines:
        found.setdefault(table, {})[column] = kind
    return found
