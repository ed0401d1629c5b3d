"""The relational steps on Spark: the files of `mappings/omop`, statement by statement.

A statement starts as soon as the tables that it reads are whole; what none waits for runs at once.
On small data half the time of a query is its planning, which uses one core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlglot import exp

from entrepot.engine.spark.dialect import Name, spark_sql, tables
from entrepot.engine.spark.session import told
from entrepot.engine.spark.tables import WORK, Tables
from entrepot.engine.sql import MACROS, Tree, macros, sql_file, statements
from entrepot.errors import ConfigurationError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

AT_ONCE = 4
WITH = "with_of"  # schema of the tables that a WITH names


class Relational:
    """Executes statements on the tables of one derivation; leaving the block waits for all.

    Args:
        overlays: folders whose files come before the shipped ones.
    """

    def __init__(self, session: SparkSession, known: Tables, overlays: Iterable[Path]) -> None:
        self._session, self._tables, self._overlays = session, known, tuple(overlays)
        self._macros = macros(sql_file(MACROS, self._overlays))
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._changing: dict[Name, list[Future[None]]] = {}
        self._numbers = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self.settle()

    def run(self, step: str) -> None:
        """One file.

        Raises:
            ConfigurationError: its SQL is refused; names file and reason.
        """
        path = sql_file(step, self._overlays)
        for statement in statements(path):
            self.submit(statement, str(path))

    def submit(self, statement: Tree, where: str) -> None:
        """One statement: CREATE TABLE or VIEW … AS, INSERT, DELETE.

        Raises:
            ConfigurationError: it is none of these.
        """
        target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
        changed = (target.db or WORK, target.name)
        if isinstance(statement, exp.Create) and statement.kind in ("TABLE", "VIEW"):
            work = self._create
        elif isinstance(statement, exp.Insert):
            work = self._insert
        elif isinstance(statement, exp.Delete):
            work = self._delete
        else:
            raise ConfigurationError(
                f"a statement {statement.key.upper()} does not belong here", where=where,
                remedy="CREATE TABLE or VIEW … AS, INSERT or DELETE",
            )  # fmt: skip
        # Several may add rows to a table at once; who reads or replaces it waits for them all.
        read = _read(statement if isinstance(statement, exp.Delete) else statement.expression)
        if isinstance(statement, exp.Create):
            read.add(changed)
        before = [future for name in read for future in self._changing.get(name, [])]
        future = self._pool.submit(_after, before, work, statement, where)
        self._changing.setdefault(changed, []).append(future)

    def settle(self) -> None:
        """Waits for every statement.

        Raises:
            ConfigurationError: Spark refuses the SQL of one.
            EntrepotError: Spark failed.
        """
        for futures in self._changing.values():
            for future in futures:
                future.result()
        self._changing.clear()

    def insert(self, name: Name, query: Tree, where: str) -> None:
        """`INSERT INTO name BY NAME query`, at once and whole."""
        self.settle()
        with told(where):
            frame = self._frame(query, where)
            self._tables.append(name, frame, frame.columns)

    def _create(self, statement: Tree, where: str) -> None:
        """A view too is computed once: `referred_event` is read six times, with four joins."""
        name = (statement.this.db, statement.this.name)
        self._tables.create(name, self._frame(statement.expression, where))

    def _insert(self, statement: Tree, where: str) -> None:
        target = statement.this
        frame = self._frame(statement.expression, where)
        if isinstance(target, exp.Schema):
            named = [column.name for column in target.expressions]
            target = target.this
        elif statement.args.get("by_name"):
            named = frame.columns
        else:
            stored = self._tables.stored(self._tables.full((target.db, target.name)))
            named = list(stored.columns)[: len(frame.columns)]
        self._tables.append((target.db, target.name), frame, named)

    def _delete(self, statement: Tree, where: str) -> None:
        """What stays is what the condition is not true of: false, or unknown."""
        target = statement.this
        condition = exp.Paren(this=statement.args["where"].this.copy())
        stays = exp.Not(this=exp.Is(this=condition, expression=exp.true()))
        query = exp.select("*").from_(target.copy()).where(stays)
        self._tables.replace((target.db, target.name), self._frame(query, where))

    def _frame(self, query: Tree, where: str) -> DataFrame:
        query = self._without_with(query.copy(), where)
        return self._session.sql(spark_sql(query, self._macros, self._tables.view, where))

    def _without_with(self, query: Tree, where: str) -> Tree:
        """Each name of the WITH as a table, or as a view when it is read once.

        Spark computes a name of a WITH each time it is read, and the names of
        `concept_resolution.sql` read one another: 45 s of planning for a few hundred codes.
        """
        named = query.args.get("with_")
        if named is None:
            return query
        query.set("with_", None)
        bodies = [(one.alias, one.this) for one in named.expressions]
        for n, (alias, body) in enumerate(bodies):
            unique = f"{alias}_{next(self._numbers)}"
            readers = [
                table
                for tree in (*(later for _, later in bodies[n + 1 :]), query)
                for table in tree.find_all(exp.Table)
                if table.name == alias and not table.db
            ]
            for table in readers:
                if not table.alias:
                    table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
                table.set("this", exp.to_identifier(unique))
                table.set("db", exp.to_identifier(WITH))
            frame = self._frame(body, where)
            keep = self._tables.create if len(readers) > 1 else self._tables.define
            keep((WITH, unique), frame)
        return query


def _read(query: Tree) -> set[Name]:
    return {(db or WORK, name) for db, name in tables(query)}


def _after(
    before: list[Future[None]], work: Callable[[Tree, str], None], statement: Tree, where: str
) -> None:
    for future in before:  # given to the pool earlier, so each runs or is done
        future.result()
    with told(where):
        work(statement, where)
