"""From DuckDB's dialect to Spark's, on syntax trees: what sqlglot leaves as it is, rewritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from entrepot.engine.sql import Macro, Tree, expanded
from entrepot.errors import ConfigurationError

Name = tuple[str, str]  # schema and table; the schema is empty where the SQL names none


def tables(tree: Tree) -> set[Name]:
    """The tables and views that a statement reads; names of its WITH are its own."""
    return {(table.db, table.name) for table in tree.find_all(exp.Table) if not _of_with(table)}


def spark_sql(
    query: Tree, macros: Mapping[str, Macro], view: Callable[[Name], str], where: str
) -> str:
    """A query in Spark's dialect, with the same meaning on the same rows.

    Args:
        view: table -> name of the temporary view that Spark knows it by.

    Raises:
        ConfigurationError: it has something that Spark cannot say.
    """
    tree = expanded(query.copy(), macros)
    for table in list(tree.find_all(exp.Table)):
        if not _of_with(table):
            _rename(table, view((table.db, table.name)))
    for star in list(tree.find_all(exp.Star)):
        if star.args.get("replace"):
            _spell_out(star)
    for call in list(tree.find_all(exp.ArgMin, exp.ArgMax)):
        _skip_null(call)
    try:
        told: str = tree.sql(dialect="spark", comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError:
        raise ConfigurationError(
            "Spark cannot say this SQL", where=where, remedy="mend the mapping's SQL"
        ) from None
    return told


def _of_with(table: Tree) -> bool:
    """Whether the name is one of a WITH around it."""
    if table.db:
        return False
    above = table.parent
    while above is not None:
        names = above.args.get("with_")
        if names is not None and any(one.alias == table.name for one in names.expressions):
            return True
        above = above.parent
    return False


def _rename(table: Tree, view: str) -> None:
    """Another name, under the alias that columns are qualified with."""
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
    table.replace(exp.Table(this=exp.to_identifier(view), alias=alias.copy()))


def _spell_out(star: Tree) -> None:
    """`s.* REPLACE (a AS b)` as `s.* EXCEPT (b), a AS b`: Spark has no REPLACE."""
    replaced = star.args["replace"]
    column = star.parent if isinstance(star.parent, exp.Column) else star
    select = column.parent
    star.set("replace", None)
    star.set("except_", [exp.to_identifier(one.alias) for one in replaced])
    select.set("expressions", [*select.expressions, *(one.copy() for one in replaced)])


def _skip_null(call: Tree) -> None:
    """DuckDB's arg_min leaves rows out whose answer would be NULL; Spark's min_by does not."""
    if isinstance(call.this, exp.Struct):
        return  # never NULL itself
    present = exp.Not(this=exp.Is(this=call.this.copy(), expression=exp.Null()))
    above = call.parent
    if isinstance(above, exp.Filter):
        condition = above.expression.this
        above.expression.set("this", exp.and_(condition.copy(), present))
    else:
        call.replace(exp.Filter(this=call.copy(), expression=exp.Where(this=present)))
